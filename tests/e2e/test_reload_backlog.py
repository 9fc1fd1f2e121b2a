# SPDX-License-Identifier: MIT
"""Clients who come for a listener at the moment at which a reload takes it away."""

import signal
import socket
import subprocess

import pytest
from harness.held_thread import held, thread_names
from harness.keys import PASSWORD, secret
from harness.ports import free_port
from harness.server import echo
from harness.wait import eventually

MORE = 300
ROUNDS = 3  # the old configuration may be gone from a worker by then, or not quite
ITERATIONS = 3_000_000  # of a key's password: a reload takes seconds


def slow_key(folder, identity):
    made = folder / "slow.pem"
    subprocess.run(["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", str(ITERATIONS),
                    "-in", identity.key_file, "-out", made, "-passout", f"pass:{PASSWORD}"],
                   check=True, stderr=subprocess.DEVNULL)
    made.chmod(0o600)
    return made


@pytest.mark.needs("openssl")
def test_a_client_in_the_backlog_of_a_listener_that_goes_is_served(start, serve, serve_tls, pki,
                                                                  tmp_path):
    server, other = serve(echo), serve_tls(echo)
    robot = pki.leaf()
    ports = [free_port(), free_port()]
    tls = {"ca": pki.ca.file, "cert": robot.chain_file, "key": slow_key(tmp_path, robot),
           "key_password_file": secret(tmp_path, "password", PASSWORD)}

    def config(number):
        return {"workers": 1,
                "svc": {"accept": f"127.0.0.1:{ports[number % 2]}", "tls": False,
                        "connect": server.address},
                # Another name: its key is read anew.
                f"slow-{number}": {"accept": "127.0.0.1:0", "connect": other.address, "tls": tls},
                # To be begun between the workers' new configuration and the listeners' end.
                **{f"more-{number}-{each}": {"accept": "127.0.0.1:0", "tls": False,
                                             "connect": server.address} for each in range(MORE)}}

    tunnel = start(config(0))
    for number in range(1, ROUNDS + 1):
        reloaded = len(tunnel.log.find("reloaded"))
        tunnel.rewrite(config(number))
        tunnel.signal(signal.SIGHUP)
        eventually(lambda: "reload" in thread_names(tunnel.pid), "the files are being read")
        with held(tunnel.pid):
            # What is ready first is called first: the end of reading, and then the listener.
            eventually(lambda: "reload" not in thread_names(tunnel.pid), "the files have been read")
            client = socket.create_connection(("127.0.0.1", ports[(number - 1) % 2]))
        with client:
            client.settimeout(20)
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b"hello", tunnel.log.text()
            assert client.recv(100) == b""
        tunnel.wait_for_event("reloaded", count=reloaded + 1)
