# SPDX-License-Identifier: MIT
"""A real PostgreSQL server with TLS, in a folder of its own."""

import glob
import os
import pathlib
import shutil
import subprocess
import tempfile

from .process import start_on_free_port


def postgres_programs():
    """The folder of initdb and postgres, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


def _as_user():
    """PostgreSQL will not run as root. Who changes the user must ask again to die with its parent."""
    if os.getuid() != 0:
        return ()
    return ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
            "--pdeathsig", "KILL", "--")


class Postgres:
    """User `joe` with a password; over TCP only with TLS."""

    PASSWORD = "se-cret"

    def __init__(self, folder, identity):
        # Not below pytest's folder, which is closed to other users.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-postgres-"))
        data, programs = self.folder / "data", postgres_programs()
        for name, source in (("tls.crt", identity.chain_file), ("tls.key", identity.key_file)):
            shutil.copy(source, self.folder / name)
            (self.folder / name).chmod(0o600)
        (self.folder / "password").write_text(self.PASSWORD)
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        subprocess.run([*_as_user(), programs / "initdb", "-D", data, "-U", "joe", "--no-sync",
                        "--auth=scram-sha-256", f"--pwfile={self.folder}/password"],
                       check=True, capture_output=True, cwd="/")
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        self.background, self.port = start_on_free_port(
            lambda port: [*_as_user(), programs / "postgres", "-D", data, "-p", port,
                          "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                          "-c", "ssl=on", "-c", f"ssl_cert_file={self.folder}/tls.crt",
                          "-c", f"ssl_key_file={self.folder}/tls.key", "-c", "fsync=off",
                          "-c", "shared_buffers=16MB"], folder, "postgres")
        self.address = f"127.0.0.1:{self.port}"

    def stop(self):
        self.background.process.send_signal(2)  # fast shutdown: it does not wait for clients
        self.background.process.wait(40)
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def psql(address, query, **environment):
    """The finished psql: what it printed, and its status."""
    host, port = address.rsplit(":", 1)
    return subprocess.run(
        ["psql", "-XAtw", "-h", host, "-p", port, "-U", "joe", "-d", "postgres", "-c", query],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PGPASSWORD": Postgres.PASSWORD, **environment})
