# SPDX-License-Identifier: MIT
"""A real mail system: Postfix takes a message, Dovecot stores it and hands it out. Both insist on
STARTTLS."""

import shutil
import subprocess

from . import ports
from .accounts import new_folder
from .process import Background, start_on_free_port
from .wait import eventually

DOMAIN = "example.test"


class Dovecot:
    """The user joe@example.test. Attributes named after the services are their addresses."""

    PASSWORD = "se-cret"
    SERVICES = ("imap", "pop3", "sieve", "lmtp")

    def __init__(self, folder, identity):
        self.folder = new_folder("dovecot", identity)
        self.folder.chmod(0o755)
        (self.folder / "home").mkdir()
        shutil.chown(self.folder / "home", "mail", "mail")
        self._log = self.folder / "log"
        for _ in range(10):
            listening = {name: ports.free_port() for name in self.SERVICES}
            path = self.folder / "dovecot.conf"
            path.write_text(self._config(listening))
            self.background = Background(["/usr/sbin/dovecot", "-F", "-c", path], folder, "dovecot")
            eventually(lambda: not self.background.is_alive() or "starting up" in self.text(),
                       lambda: f"dovecot starts:\n{self.background.text()}")
            if self.background.is_alive() and "Fatal" not in self.text():
                break
            self.background.stop()
        assert self.background.is_alive(), self.background.text() + self.text()
        for name, port in listening.items():
            setattr(self, name, f"127.0.0.1:{port}")

    def _config(self, listening):
        version = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True,
                                 check=True).stdout
        major, minor = map(int, version.split(".")[:2])
        return (self._config_since_2_4 if (major, minor) >= (2, 4) else self._config_until_2_3)(
            listening)

    def _services(self, listening, address):
        """`address` is what this version calls the address to listen at."""
        def listener(name, others=()):
            nothing = "".join(f"inet_listener {other} {{\n port = 0\n }}\n" for other in others)
            login = "" if name == "lmtp" else "-login"
            return (f"service {'managesieve' if name == 'sieve' else name}{login} {{\n"
                    f" inet_listener {name} {{\n  {address} = 127.0.0.1\n"
                    f"  port = {listening[name]}\n }}\n{nothing}}}\n")

        return f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self._log}
protocols = imap pop3 lmtp sieve
ssl = required
first_valid_uid = 1
auth_mechanisms = plain
""" + (listener("imap", ["imaps"]) + listener("pop3", ["pop3s"]) + listener("sieve") +
       listener("lmtp"))

    def _config_until_2_3(self, listening):
        return self._services(listening, "address") + f"""
ssl_cert = <{self.folder}/tls.crt
ssl_key = <{self.folder}/tls.key
mail_location = maildir:~/Maildir
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
passdb {{
  driver = static
  args = password={self.PASSWORD}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={self.folder}/home allow_all_users=yes
}}
"""

    def _config_since_2_4(self, listening):
        return "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n" + (
            self._services(listening, "listen")) + f"""
ssl_server_cert_file = {self.folder}/tls.crt
ssl_server_key_file = {self.folder}/tls.key
mail_driver = maildir
mail_path = ~/Maildir
protocol lmtp {{
  mail_plugins = sieve
}}
sieve_script personal {{
  driver = file
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}}
passdb static {{
  password = {self.PASSWORD}
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = mail
    gid = mail
    home = {self.folder}/home
  }}
}}
"""

    def text(self):
        return self._log.read_text() if self._log.exists() else ""

    def stop(self):
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postfix:
    """Takes mail for example.test over SMTP with STARTTLS and passes it on by LMTP, unencrypted, to
    the socket `lmtp_socket`: where a tunnel listens."""

    def __init__(self, folder, identity):
        self.folder = new_folder("postfix", identity)
        self.folder.chmod(0o755)
        shutil.chown(self.folder, "root", "root")
        for name in ("tls.crt", "tls.key"):
            shutil.chown(self.folder / name, "root", "root")
        self.lmtp_socket = self.folder / "lmtp.sock"
        self._log = self.folder / "log"
        self.config = self.folder / "etc"
        for name in ("etc", "queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix", "postfix")
        (self.config / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {self._log}
maillog_file_prefixes = {self.folder}
myhostname = server.test
mydomain = test
myorigin = {DOMAIN}
mydestination = {DOMAIN}
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = lmtp:unix:{self.lmtp_socket}
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {self.folder}/tls.crt
smtpd_tls_key_file = {self.folder}/tls.key
smtpd_tls_loglevel = 1
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
""")

        def make(port):
            (self.config / "master.cf").write_text(
                f"127.0.0.1:{port} inet n - n - - smtpd\n" + "".join(
                    f"{name} {kind} {private} - n {wakeup} {limit} {program}\n"
                    for name, kind, private, wakeup, limit, program in (
                        ("pickup", "unix", "n", "60", "1", "pickup"),
                        ("cleanup", "unix", "n", "-", "0", "cleanup"),
                        ("qmgr", "unix", "n", "300", "1", "qmgr"),
                        ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
                        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
                        ("bounce", "unix", "-", "-", "0", "bounce"),
                        ("defer", "unix", "-", "-", "0", "bounce"),
                        ("trace", "unix", "-", "-", "0", "bounce"),
                        ("flush", "unix", "n", "1000?", "0", "flush"),
                        ("proxymap", "unix", "-", "-", "-", "proxymap"),
                        ("error", "unix", "-", "-", "-", "error"),
                        ("retry", "unix", "-", "-", "-", "error"),
                        ("local", "unix", "-", "-", "-", "local"),
                        ("lmtp", "unix", "-", "-", "-", "lmtp"),
                        ("smtp", "unix", "-", "-", "-", "smtp"),
                        ("anvil", "unix", "-", "-", "1", "anvil"),
                        ("scache", "unix", "-", "-", "1", "scache"),
                        ("postlog", "unix-dgram", "n", "-", "1", "postlogd"))))
            return ["/usr/sbin/postfix", "-c", self.config, "start-fg"]

        self.background, port = start_on_free_port(make, folder, "postfix")
        self.address = f"127.0.0.1:{port}"
        # The harness has looked whether it is up.
        eventually(lambda: "disconnect from" in self.text(), lambda: f"smtpd:\n{self.text()}")

    def text(self):
        return self._log.read_text() if self._log.exists() else ""

    def stop(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.config, "abort"], capture_output=True)
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
