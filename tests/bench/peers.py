# SPDX-License-Identifier: MIT
"""The programs that are compared, each with one worker and its own defaults otherwise: same
servers, same authority, certificate and name verified, nothing logged but errors."""

import os
import tempfile
import time

from harness.ports import free_port
from tree import Refused, Tree

NAME = "localhost"


class Peer:
    """Listens on `ports["full"]` and `ports["resumed"]`, which lead to the server's listeners
    without and with session resumption."""

    name = None
    label = None
    is_limit = False
    holds_many = True  # thousands of connections, configured as it is here

    def __init__(self, folder, server, cpu, prefix=()):
        self.folder, self.server, self.cpu = folder / self.name, server, cpu
        self.prefix = prefix  # of its command: where it runs
        self.folder.mkdir()
        self.ports = {"full": free_port(), "resumed": free_port()}

    def start(self):
        started = time.monotonic()
        self.tree = Tree([*self.prefix, *self.command()], cpu=self.cpu, log=self.folder / "log", cwd=self.folder)
        for port in self.ports.values():
            self._wait_for(port, started)
        return self

    def _wait_for(self, port, started):
        """Until the kernel lists the listener: a connection would be served."""
        wanted = f":{port:04X}"
        while True:
            self.tree.must_live()
            with open(f"/proc/{self.tree.process.pid}/net/tcp", encoding="ascii") as file:
                if any(line.split()[1].endswith(wanted) and line.split()[3] == "0A"
                       for line in file if line.split()[1] != "local_address"):
                    return
            if time.monotonic() - started > 30:
                raise Refused(f"{self.name} does not listen on port {port}")
            time.sleep(0.02)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def stop(self):
        self.tree.stop()


class Tunnel(Peer):
    name, label = "tunnel", "tunnel"
    program = None
    workers = 1
    tls = True
    trust = "private"
    status = None  # "HOST:PORT"

    def more(self, service):
        return ""

    def command(self):
        text = f'foreground = true\nlog_level = "error"\nworkers = {self.workers}\n'
        if self.status:
            text += f'status = "{self.status}"\n'
        for service, port in self.ports.items():
            target = self.server.ports[service if self.tls else "plain"]
            text += (f'[{service}]\naccept = "127.0.0.1:{port}"\n'
                     f'connect = "{self.server.host}:{target}"\n{self.more(service)}')
            if not self.tls:
                text += "tls = false\n"
            elif self.trust == "private":
                text += f'tls = {{ ca = "{self.server.ca}", name = "{NAME}" }}\n'
        return [self.program, str(self.write("tunnel.toml", text))]


class PreconnectedTunnel(Tunnel):
    name, label = "preconnected", "tunnel, preconnected"

    def more(self, service):
        return "preconnect = 2\n"


class PlainTunnel(Tunnel):
    name, label = "plain", "plain relay"
    tls = False
    is_limit = True


class SystemTrustTunnel(Tunnel):
    name, label = "system-trust", "tunnel, system trust store"
    trust = "system"


class TwoWorkerTunnel(Tunnel):
    name, label = "two-workers", "tunnel, two workers"
    workers = 2


class WatchedTunnel(Tunnel):
    name, label = "watched", "tunnel, with a status address"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.status = f"127.0.0.1:{free_port()}"


def memory_folder():
    """That goes with the object; a disk would be measured instead."""
    return tempfile.TemporaryDirectory(prefix="bench-",
                                       dir="/dev/shm" if os.path.isdir("/dev/shm") else None)


class CapturedTunnel(Tunnel):
    name, label = "captured", "tunnel, plaintext captured"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._files = memory_folder()

    def more(self, service):
        return (f'capture = {{ file = "{self._files.name}/{service}.pcapng", max_size = "128MiB",'
                f' files = 2 }}\n')

    def stop(self):
        super().stop()
        self._files.cleanup()


class Stunnel(Peer):
    name, label = "stunnel", "stunnel"
    packages = ["stunnel4"]
    holds_many = False  # a thread each

    def command(self):
        text = "foreground = yes\npid =\ndebug = err\nsyslog = no\n"
        for service, port in self.ports.items():
            text += (f"[{service}]\nclient = yes\naccept = 127.0.0.1:{port}\n"
                     f"connect = {self.server.host}:{self.server.ports[service]}\n"
                     f"CAfile = {self.server.ca}\nverifyChain = yes\ncheckHost = {NAME}\n"
                     f"sni = {NAME}\n")
        return ["stunnel4", str(self.write("stunnel.conf", text))]


class Haproxy(Peer):
    name, label = "haproxy", "HAProxy"
    holds_many = False  # what maxconn allows is paid for in memory at start

    def command(self):
        text = ("global\n  nbthread 1\n  maxconn 4000\n"
                "defaults\n  mode tcp\n  maxconn 4000\n  timeout connect 10s\n"
                "  timeout client 1h\n  timeout server 1h\n")
        for service, port in self.ports.items():
            text += (f"listen {service}\n  bind 127.0.0.1:{port}\n"
                     f"  server s {self.server.host}:{self.server.ports[service]} ssl verify required"
                     f" ca-file {self.server.ca} sni str({NAME}) verifyhost {NAME}\n")
        return ["haproxy", "-db", "-f", str(self.write("haproxy.cfg", text))]


class Nginx(Peer):
    name, label = "nginx", "nginx"

    def command(self):
        text = NGINX_HEAD.format(folder=self.folder, workers=1)
        text += "stream {\n"
        for service, port in self.ports.items():
            reuse = "on" if service == "resumed" else "off"
            text += (f"  server {{ listen 127.0.0.1:{port} backlog=4096;"
                     f" proxy_pass {self.server.host}:{self.server.ports[service]};"
                     f" proxy_timeout 1h; proxy_ssl on; proxy_ssl_protocols TLSv1.2 TLSv1.3;"
                     f" proxy_ssl_verify on; proxy_ssl_trusted_certificate {self.server.ca};"
                     f" proxy_ssl_name {NAME}; proxy_ssl_server_name on;"
                     f" proxy_ssl_session_reuse {reuse}; }}\n")
        return nginx_command(self.write("nginx.conf", text + "}\n"), self.folder)


# Workers of root's nginx would be another user, who cannot reach the load's socket.
NGINX_HEAD = ("user root;\n" if os.geteuid() == 0 else "") + """load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 20000; }}
"""


def nginx_command(config, folder):
    return ["nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
