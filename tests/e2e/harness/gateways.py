# SPDX-License-Identifier: MIT
"""Real proxies, and real servers that are told the client's address by the PROXY protocol."""

import re

from .peer import Peer
from .process import start_on_free_port
from .wait import eventually


class Tinyproxy:
    """HTTP CONNECT with Basic authentication, to one port only."""

    LOGIN = "joe:se-cret"

    def __init__(self, folder, allowed_port):
        self.folder = folder / "tinyproxy"
        self.folder.mkdir()

        def make(port):
            path = self.folder / f"tinyproxy.{port}.conf"
            path.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n"
                            f"LogLevel Info\nBasicAuth {self.LOGIN.replace(':', ' ')}\n"
                            f"ConnectPort {allowed_port}\n")
            return ["tinyproxy", "-d", "-c", path]

        self.background, port = start_on_free_port(make, folder, "tinyproxy")
        self.address = f"127.0.0.1:{port}"

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()


class Microsocks:
    """SOCKS5 with user and password."""

    LOGIN = "joe:se-cret"

    def __init__(self, folder):
        user, password = self.LOGIN.split(":")
        self.background, port = start_on_free_port(
            lambda port: ["microsocks", "-i", "127.0.0.1", "-p", port, "-u", user, "-P", password],
            folder, "microsocks")
        self.address = f"127.0.0.1:{port}"

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()


class AddressTeller:
    """Answers every GET with the address and port that the PROXY header gave. TLS follows the
    header."""

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()


class HaproxyTeller(AddressTeller):
    TROUBLE = r"error|fail|invalid|handshake"  # in its log

    def __init__(self, folder, identity):
        self.folder = folder / "haproxy"
        self.folder.mkdir()
        self._statistics = self.folder / "statistics.sock"
        bundle = self.folder / "bundle.pem"
        bundle.write_bytes(identity.chain_file.read_bytes() + identity.key_file.read_bytes())

        def make(port):
            path = self.folder / f"haproxy.{port}.cfg"
            path.write_text(f"""
global
    log stdout format raw local0
    maxconn 100
    stats socket {self._statistics}
defaults
    mode http
    log global
    timeout connect 30s
    timeout client 1m
    timeout server 1m
frontend teller
    bind 127.0.0.1:{port} accept-proxy ssl crt {bundle}
    http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port]\\n"
""")
            return ["/usr/sbin/haproxy", "-db", "-f", path]

        self.background, port = start_on_free_port(make, folder, "haproxy")
        self.address = f"127.0.0.1:{port}"
        # It gets its name after the ports are open.
        eventually(self._statistics.exists, lambda: f"haproxy's socket:\n{self.text()}")

    def connections(self):
        with Peer.connect(str(self._statistics)) as peer:
            peer.send(b"show info\n")
            return int(re.search(rb"^CumConns: (\d+)", peer.expect_eof(), re.MULTILINE)[1])


class NginxTeller(AddressTeller):
    TROUBLE = r"\[(warn|error|crit|alert)\]|SSL_|fail"

    def connections(self):
        """How many ended without a request."""
        return self.text().count("closed connection while waiting for request")

    def __init__(self, folder, identity):
        self.folder = folder / "nginx-teller"
        self.folder.mkdir()
        folders = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                           ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))

        def make(port):
            path = self.folder / f"nginx.{port}.conf"
            path.write_text(f"""
                daemon off; master_process off; pid {self.folder}/nginx.{port}.pid;
                error_log stderr info; events {{ worker_connections 100; }}
                http {{ access_log off; {folders} server {{
                    listen 127.0.0.1:{port} ssl proxy_protocol;
                    ssl_certificate {identity.chain_file}; ssl_certificate_key {identity.key_file};
                    location / {{ default_type text/plain;
                        return 200 "$proxy_protocol_addr:$proxy_protocol_port\\n"; }}
                }} }}""")
            return ["/usr/sbin/nginx", "-c", path, "-p", self.folder, "-e", "stderr"]

        self.background, port = start_on_free_port(make, folder, "nginx")
        self.address = f"127.0.0.1:{port}"
        # The harness has looked whether it is up, without a header.
        eventually(lambda: "broken header" in self.text(), "nginx complains")
