# SPDX-License-Identifier: MIT
"""Other people's TLS servers: openssl s_server, gnutls-serv, nginx, Java."""

import pathlib
import re
import shutil
import subprocess

from .process import Background, start_on_free_port


def missing(*names):
    """The first of the programs that is not installed, or None."""
    return next((n for n in names if not shutil.which(n, path="/usr/sbin:/usr/bin:/sbin:/bin")),
                None)


class OpensslServer:
    """`openssl s_server`; what arrives is in text(), what is sent comes from type(). Without an
    identity it has no certificate."""

    def __init__(self, folder, identity, *options):
        shown = ["-cert", identity.cert_file, "-key", identity.key_file, "-cert_chain",
                 identity.issuers_file] if identity else ["-nocert"]
        self.background = Background(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", *shown, *options], folder,
            "s_server", stdin=subprocess.PIPE, bufsize=0)
        self.address = self.background.wait_until(self._address, "listens")

    def _address(self):
        found = re.search(r"^ACCEPT (\S+:\d+)", self.background.text(), re.MULTILINE)
        return found and found[1]

    def type(self, text):
        self.background.process.stdin.write(text.encode())

    def text(self):
        return self.background.text()

    def wait_for_text(self, text, count=1):
        self.background.wait_until(lambda: self.text().count(text) >= count, f"shows {text!r}")

    def stop(self):
        self.background.stop()


class GnutlsServer:
    """`gnutls-serv --echo` (it listens on every address; nobody else is told the port)."""

    def __init__(self, folder, identity, *options):
        self.background, port = start_on_free_port(
            lambda port: ["gnutls-serv", "--echo", "--port", port, "--x509certfile",
                          identity.chain_file, "--x509keyfile", identity.key_file, *options],
            folder, "gnutls-serv")
        self.address = f"127.0.0.1:{port}"

    def stop(self):
        self.background.stop()


class Nginx:
    """nginx with TLS: `stream` forwards to `backend` as plain TCP (without proxy_half_close, which
    would end TLS with a bare FIN: let the client end first); `http` answers every GET with
    "pong" and keeps the connection."""

    def __init__(self, folder, identity, backend=None, connections=1024):
        self.folder = folder / "nginx"
        self.folder.mkdir(exist_ok=True)

        def make(port):
            path = self.folder / f"nginx.{port}.conf"
            path.write_text(self._config(port, identity, backend, connections))
            return ["/usr/sbin/nginx", "-c", path, "-p", self.folder, "-e", "stderr"]

        self.background, port = start_on_free_port(make, folder, "nginx")
        self.address = f"127.0.0.1:{port}"

    def _config(self, port, identity, backend, connections):
        tls = (f"ssl_certificate {identity.chain_file}; ssl_certificate_key {identity.key_file};"
               "ssl_protocols TLSv1.2 TLSv1.3;")
        common = f"""
            daemon off; master_process off; worker_processes 1; pid {self.folder}/nginx.{port}.pid;
            error_log stderr warn; worker_rlimit_nofile {2 * connections + 100};
            events {{ worker_connections {2 * connections + 50}; multi_accept on; }}"""
        if backend:
            return f"""load_module /usr/lib/nginx/modules/ngx_stream_module.so; {common}
                stream {{ server {{
                    listen 127.0.0.1:{port} ssl; {tls}
                    proxy_pass {backend}; proxy_buffer_size 64k;
                }} }}"""
        folders = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                           ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""{common}
            http {{ access_log off; {folders} keepalive_timeout 1h; keepalive_requests 100000;
                server {{ listen 127.0.0.1:{port} ssl backlog=4096; {tls}
                    location / {{ default_type text/plain; return 200 "pong\\n"; }}
            }} }}"""

    def stop(self):
        self.background.stop()


class JavaServer:
    """Java's own TLS: CloseFirst.java, which says what it does."""

    def __init__(self, folder, identity, protocol):
        store = folder / "java.p12"
        subprocess.run(["openssl", "pkcs12", "-export", "-in", identity.chain_file, "-inkey",
                        identity.key_file, "-passout", "pass:secret", "-out", store], check=True,
                       capture_output=True)
        self.background = Background(
            ["java", "-XX:TieredStopAtLevel=1", pathlib.Path(__file__).with_name("CloseFirst.java"),
             store, "secret", protocol], folder, "java")
        self.address = self.background.wait_until(self._address, "listens")

    def _address(self):
        found = re.search(r"^LISTENS (\d+)", self.text(), re.MULTILINE)
        return found and f"127.0.0.1:{found[1]}"

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()
