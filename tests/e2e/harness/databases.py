# SPDX-License-Identifier: MIT
"""Real database servers with TLS, each in a folder of its own."""

import glob
import os
import pathlib
import shutil
import subprocess

from .accounts import as_owner, as_user, new_folder
from .process import start_on_free_port
from .wait import eventually


def postgres_programs():
    """The folder of initdb and postgres, or None."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


class Postgres:
    """User `joe` with a password and user `check` without one; over TCP only with TLS. With
    `is_recovering` it lets nobody in, as while it starts up."""

    PASSWORD = "se-cret"

    def __init__(self, folder, identity, *options, is_recovering=False):
        self.folder = new_folder("postgres", identity, password=self.PASSWORD)
        data, programs = self.folder / "data", postgres_programs()
        subprocess.run([*as_user("postgres"), programs / "initdb", "-D", data, "-U", "joe", "--no-sync",
                        "--auth=scram-sha-256", f"--pwfile={self.folder}/password"],
                       check=True, capture_output=True, cwd="/")
        (data / "pg_hba.conf").write_text("hostssl all check 127.0.0.1/32 trust\n"
                                          "hostssl all all 127.0.0.1/32 scram-sha-256\n")
        subprocess.run([*as_user("postgres"), programs / "postgres", "--single", "-D", data,
                        "-c", "fsync=off", "postgres"], input=b'create user "check"\n',
                       check=True, capture_output=True, cwd="/")
        if is_recovering:
            (data / "standby.signal").touch()
            shutil.chown(data / "standby.signal", *as_owner("postgres"))
            options = (*options, "-c", "hot_standby=off")
        self.background, self.port = start_on_free_port(
            lambda port: [*as_user("postgres"), programs / "postgres", "-D", data, "-p", port,
                          "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                          "-c", "ssl=on", "-c", f"ssl_cert_file={self.folder}/tls.crt",
                          "-c", f"ssl_key_file={self.folder}/tls.key", "-c", "fsync=off",
                          "-c", "shared_buffers=16MB", "-c", "log_connections=on", *options],
            folder, "postgres")
        self.address = f"127.0.0.1:{self.port}"

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.process.send_signal(2)  # fast shutdown: it does not wait for clients
        self.background.process.wait(40)
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """`count` clients that have logged in and stay: `command` is a client that answers `question`
    with a line."""

    def __init__(self, count, command, question, **environment):
        self.clients = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         env={**os.environ, **environment}) for _ in range(count)]
        for client in self.clients:
            client.stdin.write(question)
            client.stdin.flush()
            assert client.stdout.readline().strip() == b"1"

    def stop(self):
        for client in self.clients:
            client.stdin.close()
        for client in self.clients:
            client.wait(60)
            client.stdout.close()


def psql_sessions(server, count):
    host, port = server.address.split(":")
    return Sessions(count, ["psql", "-XAtqw", "-h", host, "-p", port, "-U", "joe", "-d", "postgres"],
                    b"select 1;\n", PGPASSWORD=Postgres.PASSWORD)


def mariadb_sessions(server, count):
    host, port = server.address.split(":")
    return Sessions(count, ["mariadb", "--no-defaults", "--batch", "--skip-column-names",
                            "--unbuffered", "--ssl", f"--host={host}", f"--port={port}",
                            "--user=joe"], b"select 1;\n", MYSQL_PWD=Mariadb.PASSWORD)


def psql(address, query, **environment):
    """The finished psql: what it printed, and its status."""
    host, port = address.rsplit(":", 1)
    return subprocess.run(
        ["psql", "-XAtw", "-h", host, "-p", port, "-U", "joe", "-d", "postgres", "-c", query],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PGPASSWORD": Postgres.PASSWORD, **environment})


class Mariadb:
    """User `joe` with a password, and user `check` without; both must come with TLS."""

    PASSWORD = "se-cret"

    def __init__(self, folder, identity, *options):
        self.folder = new_folder("mysql", identity, init=(
            f"CREATE USER joe@'127.0.0.1' IDENTIFIED BY '{self.PASSWORD}' REQUIRE SSL;\n"
            "CREATE USER `check`@'127.0.0.1' REQUIRE SSL;\n"))
        data = self.folder / "data"
        data.mkdir()
        if os.getuid() == 0:
            shutil.chown(data, "mysql", "mysql")
        subprocess.run([*as_user("mysql"), "mariadb-install-db", "--no-defaults", f"--datadir={data}",
                        "--auth-root-authentication-method=normal", "--skip-test-db",
                        "--innodb-flush-log-at-trx-commit=0"],
                       check=True, capture_output=True, cwd="/")
        self.background, self.port = start_on_free_port(
            lambda port: [*as_user("mysql"), "/usr/sbin/mariadbd", "--no-defaults",
                          f"--datadir={data}", "--bind-address=127.0.0.1", f"--port={port}",
                          f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid",
                          f"--ssl-cert={self.folder}/tls.crt", f"--ssl-key={self.folder}/tls.key",
                          "--skip-name-resolve", f"--init-file={self.folder}/init", *options],
            folder, "mariadbd")
        self.address = f"127.0.0.1:{self.port}"
        # The harness has looked whether it is up, and hung up.
        eventually(lambda: "Aborted connection" in self.text(), "mariadbd complains")

    def text(self):
        return self.background.text()

    def stop(self):
        self.background.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def mariadb(address, query, password=Mariadb.PASSWORD, *options):
    """The finished client: what it printed, and its status."""
    host, port = address.rsplit(":", 1)
    return subprocess.run(
        ["mariadb", "--no-defaults", "--batch", "--skip-column-names", "--protocol=tcp",
         f"--host={host}", f"--port={port}", "--user=joe", *options, "-e", query],
        capture_output=True, text=True, timeout=60, env={**os.environ, "MYSQL_PWD": password})
