# SPDX-License-Identifier: MIT
"""What all tunnels lead to: nginx ends TLS, the load's own server behind it checks every byte."""

import time

from peers import NGINX_HEAD, NAME, free_port, nginx_command
from tree import Refused, Tree


class Server:
    """Three listeners: TLS 1.3 without and with session resumption, and without TLS. One cipher for
    everybody, so that the programs are compared and not their first choice."""

    host = "127.0.0.1"

    def __init__(self, folder, load, cpu):
        from harness.pki import Authority  # tests/e2e
        self.folder, self.load, self.cpu = folder / "server", load, cpu
        self.folder.mkdir()
        authority = Authority(self.folder, "bench")
        self.ca = authority.file
        self.identity = authority.issue("leaf", names=(NAME,))
        self.ports = {kind: free_port() for kind in ("full", "resumed", "plain")}
        self.sessions = self.folder / "sessions.log"

    def start(self):
        socket = self.folder / "load.socket"
        self.backend = Tree([self.load, "serve", str(socket)], cpu=self.cpu,
                            log=self.folder / "load.log")
        while not socket.exists():
            self.backend.must_live()
            time.sleep(0.01)
        tls = (f"ssl_certificate {self.identity.chain_file};"
               f" ssl_certificate_key {self.identity.key_file}; ssl_protocols TLSv1.3;"
               f" ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;")
        resumption = {"full": "ssl_session_tickets off; ssl_session_cache off;",
                      "resumed": "ssl_session_tickets on; ssl_session_cache shared:s:10m;"}
        text = NGINX_HEAD.format(folder=self.folder, workers=1)
        text += "stream {\n  log_format session '$server_port $ssl_session_reused';\n"
        text += "  proxy_timeout 1h;\n"
        for kind, port in self.ports.items():
            security = "" if kind == "plain" else tls + resumption[kind]
            log = "off" if kind == "plain" else f"{self.sessions} session"
            text += (f"  server {{ listen 127.0.0.1:{port} backlog=4096"
                     f"{'' if kind == 'plain' else ' ssl'}; proxy_pass unix:{socket};"
                     f" access_log {log}; {security} }}\n")
        config = self.folder / "nginx.conf"
        config.write_text(text + "}\n")
        self.nginx = Tree(nginx_command(config, self.folder), cpu=self.cpu,
                          log=self.folder / "nginx.log")
        while not (self.folder / "nginx.pid").exists():
            self.nginx.must_live()
            time.sleep(0.01)
        self._at = 0
        return self

    def handshakes(self, kind, count):
        """How many of the last `count` handshakes, which must all be there, were resumed."""
        port, seen, until = str(self.ports[kind]), [], time.monotonic() + 30
        while len(seen) < count:
            if time.monotonic() > until:
                raise Refused(f"the server counted {len(seen)} connections instead of {count}")
            time.sleep(0.05)
            self.nginx.must_live()
            with open(self.sessions, encoding="ascii") as file:
                file.seek(self._at)
                seen += [line.split()[1] for line in file if line.split()[0] == port]
                self._at = file.tell()
        return sum(1 for reused in seen if reused == "r")

    def forget_handshakes(self):
        """Those of other workloads, whose connections have just ended."""
        time.sleep(0.1)
        self._at = self.sessions.stat().st_size if self.sessions.exists() else 0

    def stop(self):
        self.nginx.stop()
        self.backend.stop()
