# SPDX-License-Identifier: MIT
"""A directory server with a small tree, in plaintext and with LDAPS."""

import subprocess

from . import ports
from .process import Background
from .wait import eventually

SUFFIX = "dc=example,dc=test"
ADMIN, PASSWORD = f"cn=admin,{SUFFIX}", "secret"


def _entries(count):
    yield f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example"
    yield f"dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people"
    for i in range(count):
        yield (f"dn: uid=user{i:05},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\n"
               f"uid: user{i:05}\ncn: User Number {i}\nsn: Number {i}\n"
               f"mail: user{i:05}@example.test\ndescription: {'x' * (i % 97)}entry {i}")


class Slapd:
    def __init__(self, folder, identity, people=10, debug="0"):
        self.folder = folder / "slapd"
        (self.folder / "db").mkdir(parents=True)
        config = self.folder / "slapd.conf"
        config.write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.folder}/slapd.pid
sizelimit unlimited
TLSCertificateFile {identity.cert_file}
TLSCertificateKeyFile {identity.key_file}
TLSCACertificateFile {identity.issuers_file}
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw {PASSWORD}
directory {self.folder}/db
maxsize 268435456
dbnosync
""")
        ldif = self.folder / "tree.ldif"
        ldif.write_text("\n\n".join(_entries(people)) + "\n")
        subprocess.run(["/usr/sbin/slapadd", "-q", "-f", config, "-l", ldif], check=True,
                       capture_output=True)
        for _ in range(10):
            self.plain_address, self.tls_address = (f"127.0.0.1:{ports.free_port()}"
                                                    for _ in range(2))
            self._argv = ["/usr/sbin/slapd", "-d", debug, "-f", config, "-h",
                          f"ldap://{self.plain_address} ldaps://{self.tls_address}"]
            if self.start():
                break
            self.background.stop()
        assert self.background.is_alive(), f"slapd does not start:\n{self.background.text()}"

    def start(self):
        """Whether it listens. Also for one that was killed, at its old addresses."""
        self.background = Background(self._argv, self.folder.parent, "slapd")
        addresses = [ports.parse(a) for a in (self.plain_address, self.tls_address)]
        eventually(lambda: not self.background.is_alive() or all(
            ports.is_open(*address) for address in addresses), "slapd listens")
        return self.background.is_alive()

    def stop(self):
        self.background.stop()


def search(address, *arguments):
    """The output of ldapsearch, as bytes."""
    done = subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-o", "nettimeout=60", "-H", f"ldap://{address}", "-b", SUFFIX,
         *arguments], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def modify(address, ldif):
    subprocess.run(["ldapmodify", "-x", "-H", f"ldap://{address}", "-D", ADMIN, "-w", PASSWORD],
                   input=ldif.encode(), check=True, capture_output=True, timeout=120)
