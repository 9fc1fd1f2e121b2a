# SPDX-License-Identifier: MIT
"""Real servers of other protocols: Redis with TLS; vsftpd, Prosody and INN with STARTTLS."""

import os
import pathlib
import pwd
import shutil
import subprocess

from .accounts import IS_ROOT, as_user, new_folder
from .process import start_on_free_port
from .wait import eventually


class Redis:
    """Speaks TLS from the start, and wants a password if there is one."""

    def __init__(self, folder, identity, password=None, options=()):
        login = ["--requirepass", password] if password else []
        self.background, port = start_on_free_port(
            lambda port: ["redis-server", "--bind", "127.0.0.1", "--port", 0, "--tls-port", port,
                          "--tls-cert-file", identity.chain_file, "--tls-key-file",
                          identity.key_file, "--tls-auth-clients", "no", "--save", "",
                          "--dir", folder, "--loglevel", "debug", *login, *options],
            folder, "redis-server")
        self.address = f"127.0.0.1:{port}"
        # The harness has looked whether it is up, and hung up in the handshake.
        eventually(lambda: "Error accepting" in self.text(), "redis-server complains")

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()


def redis_cli(address, *arguments):
    """What redis-cli prints for a command."""
    host, port = address.rsplit(":", 1)
    return subprocess.run(["redis-cli", "-h", host, "-p", port, *arguments], check=True, text=True,
                          capture_output=True, timeout=60).stdout


class Vsftpd:
    """Anonymous users, who must log in over TLS; their files travel as they like."""

    def __init__(self, folder, identity):
        self.folder = folder / "vsftpd"
        (self.folder / "files").mkdir(parents=True)
        (self.folder / "files").chmod(0o555)
        self._log = self.folder / "log"
        options = {
            "run_as_launching_user": "YES", "background": "NO", "listen": "YES",
            "listen_address": "127.0.0.1", "anonymous_enable": "YES", "local_enable": "NO",
            "no_anon_password": "YES", "anon_root": self.folder / "files", "ssl_enable": "YES",
            "allow_anon_ssl": "YES", "force_anon_logins_ssl": "YES", "force_anon_data_ssl": "NO",
            "rsa_cert_file": identity.chain_file, "rsa_private_key_file": identity.key_file,
            "ssl_tlsv1": "YES", "ssl_ciphers": "HIGH", "require_ssl_reuse": "NO",
            "vsftpd_log_file": self._log, "xferlog_enable": "YES", "log_ftp_protocol": "YES",
            "debug_ssl": "YES", "seccomp_sandbox": "NO", "ftpd_banner": "vsftpd at your service"}

        def make(port):
            path = self.folder / f"vsftpd.{port}.conf"
            path.write_text("".join(f"{k}={v}\n" for k, v in options.items()) +
                            f"listen_port={port}\n")
            return ["/usr/sbin/vsftpd", path]

        self.background, port = start_on_free_port(make, folder, "vsftpd")
        self.address = f"127.0.0.1:{port}"

    def text(self):
        return self._log.read_text() if self._log.exists() else ""

    def stop(self):
        self.background.stop()


class Prosody:
    """The user joe@server.test, with TLS only. Not as root: Prosody will not."""

    PASSWORD = "se-cret"

    def __init__(self, folder, identity):
        self.folder = new_folder("prosody", identity)
        account = self.folder / "data" / "server%2etest" / "accounts" / "joe.dat"
        account.parent.mkdir(parents=True)
        account.write_text(f'return {{ ["password"] = "{self.PASSWORD}"; }};\n')
        for path in (self.folder / "data", *(self.folder / "data").rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)

        def make(port):
            path = self.folder / f"prosody.{port}.cfg.lua"
            path.write_text(f"""
                daemonize = false; pidfile = "{self.folder}/{port}.pid"
                data_path = "{self.folder}/data"; interfaces = {{ "127.0.0.1" }}
                modules_enabled = {{ "tls"; "saslauth"; "disco"; "ping" }}
                modules_disabled = {{ "s2s" }}
                c2s_ports = {{ {port} }}; c2s_require_encryption = true
                authentication = "internal_plain"; log = {{ debug = "*console" }}
                VirtualHost "server.test"
                ssl = {{ certificate = "{self.folder}/tls.crt"; key = "{self.folder}/tls.key" }}
            """)
            path.chmod(0o644)
            return [*as_user("prosody"), "prosody", "--config", path, "-F"]

        self.background, port = start_on_free_port(make, folder, "prosody")
        self.address = f"127.0.0.1:{port}"

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def news_programs():
    """The folder of INN's libraries, whose `bin` has nnrpd; or None. tests/run.sh unpacks the package
    below build/, for it can only be installed on machines with a domain name."""
    unpacked = pathlib.Path(__file__).resolve().parents[3] / "build/inn2/usr/lib/news"
    return next((p for p in (pathlib.Path("/usr/lib/news"), unpacked)
                 if (p / "bin/nnrpd").exists()), None)


class Nnrpd:
    """INN's server for readers, with the empty group test.hello."""

    def __init__(self, folder, identity):
        user = "news" if IS_ROOT else pwd.getpwuid(os.getuid()).pw_name
        self.folder = new_folder("news", identity, **{
            "storage.conf": "method timecaf {\n newsgroups: *\n class: 1\n}\n",
            "readers.conf": 'auth here {\n hosts: "127.0.0.1"\n default: "joe"\n}\n'
                            'access here {\n users: "joe"\n newsgroups: "*"\n}\n',
            "active": "test.hello 0000000000 0000000001 y\n", "newsgroups": "test.hello\tHello\n",
            "active.times": "", "history": "", "group.index": ""})
        paths = "".join(f"path{name}: {self.folder}\n" for name in (
            "news", "bin", "etc", "db", "run", "log", "spool", "articles", "overview", "tmp"))
        (self.folder / "inn.conf").write_text(f"""
mta: "/bin/true"
organization: "Test"
ovmethod: tradindexed
hismethod: hisv6
pathhost: server.test
domain: test
nnrpdloadlimit: 0
runasuser: {user}
runasgroup: {user}
tlscertfile: {self.folder}/tls.crt
tlskeyfile: {self.folder}/tls.key
{paths}""")
        # The tests may live where others cannot look.
        programs = news_programs()
        for path in (programs / "bin/nnrpd", programs / "bin/innbind", *programs.glob("libinn*.so.*")):
            shutil.copy(path, self.folder)
            (self.folder / path.name).chmod(0o755)
        environment = {**os.environ, "INNCONF": str(self.folder / "inn.conf"),
                       "LD_LIBRARY_PATH": str(self.folder)}
        self.background, port = start_on_free_port(
            lambda port: [*as_user("news"), self.folder / "nnrpd", "-D", "-f", "-n", "-4",
                          "127.0.0.1", "-p", port], folder, "nnrpd", env=environment)
        self.address = f"127.0.0.1:{port}"

    def stop(self):
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
