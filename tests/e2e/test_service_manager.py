# SPDX-License-Identifier: MIT
"""Under a service manager: sockets that it passes and keeps, its watchdog, its journal."""

import os
import re
import signal
import socket
import subprocess
import threading
import urllib.request

import pytest
from harness import expect, ports
from harness.frozen import FrozenThread, thread_named
from harness.peer import Peer
from harness.server import echo
from harness.tunnel import BINARY
from harness.wait import PATIENCE, eventually


# Sockets of socket units.


def test_a_socket_is_taken_by_its_name(manager, start, service):
    address = manager.listen("ldap")
    tunnel = start({"svc": service("fd:ldap")}, **manager.launch())
    assert tunnel.addresses("svc") == [address]
    expect.exchange(address)
    environment = open(f"/proc/{tunnel.pid}/environ").read()
    assert "LISTEN_FDS" in environment  # of the start; programs that it runs do not get it


def test_one_name_may_be_that_of_several_sockets(manager, start, service, tmp_path):
    addresses = [manager.listen("ldap"), manager.listen("ldap"),
                 manager.listen("ldap", socket.AF_UNIX, str(tmp_path / "s"))]
    tunnel = start({"svc": service("fd:ldap")}, **manager.launch())
    assert tunnel.addresses("svc") == addresses
    for address in addresses:
        expect.exchange(address)
    tunnel.terminate()
    assert (tmp_path / "s").is_socket(), "a passed socket's file is not ours to remove"


def test_a_reload_keeps_a_passed_socket(manager, start, service):
    address = manager.listen("ldap")
    config = {"svc": service("fd:ldap")}
    tunnel = start(config, **manager.launch())
    assert tunnel.reload({**config, "log_level": "debug"})["event"] == "reloaded"
    expect.exchange(address)
    # It leaves, which is an error, because nothing would accept there.
    failed = tunnel.reload({"svc": service("127.0.0.1:0")})
    assert failed["event"] == "reload_failed"
    expect.exchange(address)


def test_the_control_socket_may_be_passed(manager, start, service, run, tmp_path):
    path = manager.listen("steer", socket.AF_UNIX, str(tmp_path / "steer"))
    tunnel = start({"control": "fd:steer", "svc": service("127.0.0.1:0")}, **manager.launch())
    done = run("status", tunnel.path, "--control", path)
    assert done.returncode == 0, done.stderr
    named = run("status", tunnel.path)
    assert named.returncode == 1 and "--control" in named.stderr


def test_the_status_page_may_be_served_on_a_passed_socket(manager, start, service):
    address = manager.listen("page")
    start({"status": "fd:page", "svc": service("127.0.0.1:0")}, **manager.launch())
    with urllib.request.urlopen(f"http://{address}/livez", timeout=PATIENCE) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("accept, passed", [("fd:ldap", ["web"]), ("fd:ldap", []),
                                            ("127.0.0.1:0", ["web"]), ("fd:ldap", ["ldap", "web"])])
def test_what_does_not_match_is_said_with_both_lists(manager, start, service, accept, passed):
    for name in passed:
        manager.listen(name)
    tunnel = start({"svc": service(accept)}, wait_ready=False, **manager.launch())
    assert tunnel.wait_for_exit() == 2
    said = "\n".join(tunnel.log.other_lines)
    names = ", ".join(f'"{n}"' for n in passed) or "none"
    wanted = '"ldap"' if accept.startswith("fd:") else "none"
    assert f"the service manager passes {names}, and the configuration asks for {wanted}" in said


def test_a_passed_socket_that_others_can_reach_needs_allow_remote(manager, start, service):
    manager.listen("ldap", address=("0.0.0.0", 0))
    tunnel = start({"svc": service("fd:ldap")}, wait_ready=False, **manager.launch())
    assert tunnel.wait_for_exit() == 2
    assert "allow_remote = true" in "\n".join(tunnel.log.other_lines)
    start({"svc": service("fd:ldap", allow_remote=True)}, **manager.launch())


def test_a_socket_that_is_no_listening_stream_is_refused(manager, start, service):
    manager.listen("ldap", kind=socket.SOCK_DGRAM)
    tunnel = start({"svc": service("fd:ldap")}, wait_ready=False, **manager.launch())
    assert tunnel.wait_for_exit() == 1
    assert '"ldap" is not a stream socket that listens' in "\n".join(tunnel.log.other_lines)


# Listeners in the manager's keeping.


def test_listeners_are_given_into_keeping(manager, start, service):
    address = f"127.0.0.1:{ports.free_port()}"
    start({"svc": service(address)}, **manager.launch())
    manager.wait_for(FDSTORE="1")
    assert list(manager.kept) == [f"tunnel-kept-{address.replace(':', ';')}"]


def test_a_reload_gives_new_listeners_and_takes_old_ones_back(manager, start, service):
    one, two = (f"127.0.0.1:{ports.free_port()}" for _ in range(2))
    tunnel = start({"svc": service(one)}, **manager.launch())
    manager.wait_for(FDSTORE="1")
    tunnel.reload({"svc": service(two)})
    assert manager.wait_for(count=2, READY="1") == manager.messages[-1]
    assert list(manager.kept) == [f"tunnel-kept-{two.replace(':', ';')}"]
    with pytest.raises(ConnectionRefusedError):
        Peer.connect(one)


def test_what_nothing_asks_for_any_more_is_closed(manager, start, service):
    one, two = (f"127.0.0.1:{ports.free_port()}" for _ in range(2))
    tunnel = start({"svc": service(one)}, **manager.launch())
    manager.wait_for(FDSTORE="1")
    assert tunnel.terminate() == 0
    start({"svc": service(two)}, **manager.launch())
    manager.wait_for(FDSTOREREMOVE="1")
    with pytest.raises(ConnectionRefusedError):
        Peer.connect(one)


@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_no_connection_is_refused_or_lost_in_restarts_under_load(manager, start, service, tmp_path,
                                                                 where):
    address = f"127.0.0.1:{ports.free_port()}" if where == "tcp" else str(tmp_path / "s")
    config = {"svc": service(address)}
    tunnel = start(config, **manager.launch(FDSTORE="64"))
    over, failures, served = threading.Event(), [], [0]

    def ask():
        while not over.is_set():
            try:
                expect.exchange(address)
                served[0] += 1
            except (OSError, AssertionError) as error:
                failures.append(error)
                return

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    for restart in range(1, 6):
        before = served[0]
        eventually(lambda: served[0] > before + 50 or failures, "clients are served")
        assert tunnel.terminate() == 0
        manager.wait_for(count=restart, STOPPING="1")  # and what came before it
        tunnel = start(config, **manager.launch(FDSTORE="64"))
    over.set()
    for asker in askers:
        asker.join()
    assert not failures and served[0] > 200


def test_without_a_place_to_keep_it_a_socket_file_goes_with_the_process(manager, start, service,
                                                                        tmp_path):
    tunnel = start({"svc": service(str(tmp_path / "s"))}, **manager.launch())
    assert not manager.kept
    assert tunnel.terminate() == 0
    assert not (tmp_path / "s").exists()


# Reload as Type=notify-reload sees it.


def test_a_reload_is_announced_with_its_time_and_ends_ready(manager, start, service):
    address = manager.listen("ldap")
    tunnel = start({"svc": service("fd:ldap")}, **manager.launch())
    tunnel.signal(signal.SIGHUP)
    ready = manager.wait_for(count=2, READY="1")
    reloading = manager.find(RELOADING="1")[0]
    assert reloading["MONOTONIC_USEC"].isdigit()
    assert manager.messages.index(reloading) < manager.messages.index(ready)
    tunnel.rewrite("nonsense")
    tunnel.signal(signal.SIGHUP)
    assert "reload failed" in manager.wait_for(count=3, READY="1")["STATUS"]
    expect.exchange(address)
    tunnel.terminate()
    assert manager.messages[-1] == {"STOPPING": "1"}


# The watchdog.


def test_the_watchdog_is_fed_while_every_loop_turns(manager, start, service):
    start({"svc": service("127.0.0.1:0")}, **manager.launch(WATCHDOG_USEC="200000"))
    manager.wait_for(count=5, WATCHDOG="1")


def test_a_watchdog_of_another_process_is_not_fed(manager, start, service):
    tunnel = start({"svc": service("127.0.0.1:0")},
                   **manager.launch(WATCHDOG_USEC="2000", WATCHDOG_PID="1"))
    tunnel.reload()
    assert not manager.find(WATCHDOG="1")


@pytest.mark.parametrize("thread", ["worker-1", "tunnel"])
def test_a_thread_that_stands_still_ends_the_feed(manager, start, service, keep, thread):
    tunnel = start({"workers": 2, "svc": service("127.0.0.1:0")},
                   **manager.launch(WATCHDOG_USEC="100000"))
    manager.wait_for(count=2, WATCHDOG="1")
    frozen = keep(FrozenThread(thread_named(tunnel.pid, thread)))
    if not frozen.is_possible:
        pytest.skip("tracing is not permitted")
    # A round that had begun may still end; a further one cannot. The sentry itself goes on: signals
    # are heard, and a whole interval passes without a word.
    fed = len(manager.find(WATCHDOG="1")) + 1
    threading.Event().wait(1.0)
    assert len(manager.find(WATCHDOG="1")) <= fed
    frozen.stop()
    manager.wait_for(count=fed + 2, WATCHDOG="1")


# The journal.


def test_lines_on_the_journals_stream_have_their_priority_and_no_date(serve, tmp_path, stack):
    reading, writing = os.pipe()
    status = os.fstat(writing)
    path = tmp_path / "t.toml"
    path.write_text(f'foreground = true\n[svc]\naccept = "127.0.0.1:0"\ntls = false\n'
                    f'connect = "{serve(echo).address}"\n')
    process = subprocess.Popen(
        [BINARY, path], stderr=writing, stdin=subprocess.DEVNULL,
        env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    stack.callback(process.wait)
    stack.callback(process.kill)
    os.close(writing)
    with os.fdopen(reading) as journal:
        lines = []
        for line in iter(journal.readline, ""):
            lines.append(line)
            if "ready: " in line:
                break
        assert all(re.match(r"<[46]>(svc )?[a-z]", line) for line in lines), lines
        process.terminate()
        assert process.wait(PATIENCE) == 0
        assert journal.readlines()[-1].startswith("<6>stopped: ")


def test_a_variable_that_is_left_from_another_process_changes_nothing(relay, serve):
    tunnel = relay(serve(echo), tls=False, env={"JOURNAL_STREAM": "1:2"})
    assert tunnel.log.find("ready")
