# SPDX-License-Identifier: MIT
"""What the process gives up for good, and what it still does."""

import json
import os
import shutil
import signal
import stat
import subprocess

import pytest
from harness import sandbox, schema
from harness import tunnel as program
from harness.pki import CLIENT_AUTH
from harness.ports import free_port
from harness.server import echo
from harness.wait import SANITIZED, eventually

LANDLOCK = sandbox.landlock_version()
pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer's program has no sandbox")
needs_landlock = pytest.mark.skipif(LANDLOCK == 0, reason="this kernel has no Landlock")
with_ports = pytest.mark.skipif(LANDLOCK < 4, reason="this kernel's Landlock knows no ports")

WHOLE = {"files", "system-calls", "no-new-privileges", "not-dumpable", "no-core"}
PORTS = {"connect-ports", "bind-ports"}


class World:
    """A tunnel in a strict sandbox whose logs, sockets and captures are in folders of their own."""

    def __init__(self, start, serve_tls, pki, folder):
        self.start, self.serve_tls, self.pki, self.folder = start, serve_tls, pki, folder
        self.server = serve_tls(echo)
        for name in ("run", "log", "capture", "tls", "elsewhere"):
            (folder / name).mkdir()
        self.log_file = folder / "log/tunnel.log"
        (folder / "tls/ca.pem").write_bytes(pki.ca.file.read_bytes())

    def config(self, mode="require", tls=None, more=None, **keys):
        if mode == "require" and LANDLOCK == 0:
            pytest.skip("this kernel has no Landlock")
        return {"sandbox": mode, "control": f"{self.folder}/run/c", "certificate_poll": "100ms",
                "log_file": [str(self.log_file), "stderr"], **(more or {}),
                "svc": {"accept": "127.0.0.1:0", "connect": self.server.address,
                        "tls": {"ca": f"{self.folder}/tls/ca.pem", **(tls or {})}, **keys}}

    def run(self, **kwargs):
        self.tunnel = self.start(self.config(**kwargs))
        self.is_served()
        return self.tunnel

    def is_served(self):
        self.tunnel.served("svc").close()

    def status(self):
        done = program.run(self.folder, "status", self.tunnel.path, "--json")
        assert done.returncode == 0, done.stderr
        status = json.loads(done.stdout)
        schema.validate(status, "status.schema.json")
        return status["sandbox"]


@pytest.fixture
def world(start, serve_tls, pki, tmp_path):
    return World(start, serve_tls, pki, tmp_path)


def test_status_and_log_say_what_is_in_force(world):
    tunnel = world.run()
    status = world.status()
    assert status["mode"] == "require"
    assert set(status["in_force"]) == WHOLE | (PORTS if LANDLOCK >= 4 else set())
    line = tunnel.log.wait_for("notice", msg=lambda text: text.startswith("sandbox: "))
    assert "files (Landlock)" in line["msg"] and "system calls (seccomp)" in line["msg"]


@needs_landlock
def test_by_default_all_but_ports_is_in_force(world):
    world.run(mode="auto")
    status = world.status()
    assert set(status["in_force"]) == WHOLE
    assert {each["part"] for each in status["absent"]} == PORTS
    assert all("reload" in each["why"] for each in status["absent"])


def test_every_thread_is_inside(world):
    tunnel = world.run(more={"workers": 2, "status": "127.0.0.1:0"})
    seccomp = sandbox.threads_status(tunnel.pid, "Seccomp")
    assert len(seccomp) >= 5 and set(seccomp) == {"2"}
    assert set(sandbox.threads_status(tunnel.pid, "NoNewPrivs")) == {"1"}
    with open(f"/proc/{tunnel.pid}/limits") as limits:
        core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


def test_a_process_that_is_not_dumpable_belongs_to_root_alone(world):
    tunnel = world.run(more={"user": "nobody"} if os.geteuid() == 0 else {})
    assert os.stat(f"/proc/{tunnel.pid}/mem").st_uid == 0
    assert stat.S_IMODE(os.stat(f"/proc/{tunnel.pid}/mem").st_mode) == 0o600


def test_off_gives_up_nothing(world):
    tunnel = world.run(mode="off")
    assert world.status() == {"mode": "off", "in_force": [], "absent": []}
    assert set(sandbox.threads_status(tunnel.pid, "Seccomp")) == {"0"}
    assert not [line for line in tunnel.log.find("notice") if "sandbox" in line["msg"]]


def test_log_files_are_opened_again(world):
    tunnel = world.run()
    world.log_file.rename(world.folder / "log/tunnel.log.1")
    tunnel.signal(signal.SIGUSR1)
    eventually(world.log_file.exists, "the log file was made again")


def test_the_log_does_not_lead_out(world):
    """The writing thread is inside, too: a link under the log's name leads nowhere."""
    tunnel = world.run()
    outside = world.folder / "elsewhere/precious"
    outside.write_text("kept\n")
    world.log_file.unlink()
    world.log_file.symlink_to(outside)
    tunnel.signal(signal.SIGUSR1)
    tunnel.log.wait_for("notice", msg=lambda text: "the old one stays in use" in text)
    assert outside.read_text() == "kept\n"


def client_certificate(world, label):
    identity = world.pki.ca.issue(label, purposes=[CLIENT_AUTH])
    return identity.chain_file.read_bytes() + identity.key_file.read_bytes()


def test_renewed_certificates_are_taken_over_but_not_from_elsewhere(world, tmp_path_factory):
    place, outside = world.folder / "tls/client.pem", tmp_path_factory.mktemp("other") / "client.pem"
    place.write_bytes(client_certificate(world, "sandboxed-old"))
    place.chmod(0o600)
    tunnel = world.run(tls={"cert": str(place)})
    renewed = world.folder / "tls/renewed.pem"
    renewed.write_bytes(client_certificate(world, "sandboxed-new"))
    renewed.rename(place)
    tunnel.wait_for_event("certificates_reloaded", service="svc")
    outside.write_bytes(client_certificate(world, "sandboxed-newer"))
    (world.folder / "tls/link").symlink_to(outside)
    (world.folder / "tls/link").rename(place)
    tunnel.log.wait_for("notice", msg=lambda text: "outside the sandbox of this process" in text and
                        "restart" in text)
    world.is_served()


def test_what_it_makes_it_removes(world):
    socket_file = world.folder / "run/svc.sock"
    tunnel = world.run(accept=["127.0.0.1:0", str(socket_file)],
                       more={"pid_file": str(world.folder / "run/pid")})
    assert socket_file.exists() and (world.folder / "run/pid").exists()
    config = world.config(more={"pid_file": str(world.folder / "run/pid")})
    assert tunnel.reload(config)["event"] == "reloaded"
    assert not socket_file.exists()
    config["svc"]["accept"] = ["127.0.0.1:0", str(socket_file)]
    assert tunnel.reload(config)["event"] == "reloaded"
    assert socket_file.exists()
    assert tunnel.terminate() == 0
    assert list((world.folder / "run").iterdir()) == []


def test_a_capture_fills_and_turns_its_ring(world):
    tunnel = world.run(capture={"file": str(world.folder / "capture/svc.pcapng"), "files": 2,
                                "max_size": "64KiB"})
    with tunnel.connect("svc") as client:
        for _ in range(40):
            client.send(b"x" * 8192)
            client.recv_exact(8192)
    tunnel.closed()

    def numbers():
        return sorted(int(each.name.split("_")[1]) for each in (world.folder / "capture").iterdir())

    eventually(lambda: len(numbers()) == 2 and numbers()[0] > 1, "the ring has turned")


def reload_fails(tunnel, config, *words):
    line = tunnel.reload(config)
    assert line["event"] == "reload_failed", line
    for word in ("outside the sandbox of this process", "restart", *words):
        assert word in line["msg"], line


@pytest.mark.parametrize("mode", ["auto", "require"])
def test_a_reload_that_reads_elsewhere_needs_a_restart(world, tmp_path_factory, mode):
    tunnel = world.run(mode=mode)
    other = tmp_path_factory.mktemp("other") / "ca.pem"
    other.write_bytes(world.pki.ca.file.read_bytes())
    reload_fails(tunnel, world.config(mode=mode, tls={"ca": str(other)}), f"reading {other}")
    world.is_served()
    assert tunnel.reload(world.config(mode=mode))["event"] == "reloaded"


@needs_landlock
@pytest.mark.parametrize("what", ["certificates", "configuration"])
def test_a_reload_after_a_folder_was_replaced_says_restart(world, tmp_path_factory, what):
    """The sandbox knows the folder that was there at the start, not its name."""
    folders = {"certificates": tmp_path_factory.mktemp("other") / "tls"}
    folders["certificates"].mkdir()
    shutil.copy(world.pki.ca.file, folders["certificates"] / "ca.pem")
    tunnel = world.run(tls={"ca": str(folders["certificates"] / "ca.pem")})
    folders["configuration"] = tunnel.path.parent
    old = folders[what]
    new = old.with_name(old.name + "-new")
    new.mkdir()
    for each in old.iterdir():
        if each.is_file():
            shutil.copy(each, new)
    old.rename(old.with_name(old.name + "-old"))
    new.rename(old)
    reload_fails(tunnel, None, f"reading {old}", "another one than when the process started")
    world.is_served()


def test_a_reload_that_writes_elsewhere_needs_a_restart(world):
    tunnel = world.run()
    log = str(world.folder / "elsewhere/log")
    reload_fails(tunnel, world.config(more={"log_file": [log, "stderr"]}), "writing to " + log)
    capture = str(world.folder / "elsewhere/svc.pcapng")
    reload_fails(tunnel, world.config(capture={"file": capture}), capture)


def test_by_default_a_reload_brings_logs_captures_and_sockets_beside_the_configuration(world):
    tunnel = world.run(mode="auto")
    config = world.config(mode="auto", more={"log_file": [f"{world.folder}/new.log", "stderr"]},
                          capture={"file": f"{world.folder}/new.pcapng"},
                          accept=["127.0.0.1:0", f"{world.folder}/new.sock"])
    assert tunnel.reload(config)["event"] == "reloaded"
    world.is_served()
    assert (world.folder / "new.log").exists() and (world.folder / "new.sock").exists()


def test_by_default_a_reload_brings_new_ports(world, serve_tls):
    tunnel = world.run(mode="auto")
    other = serve_tls(echo)
    config = {**world.config(mode="auto"),
              "other": {"accept": f"127.0.0.1:{free_port()}", "connect": other.address,
                        "tls": {"ca": f"{world.folder}/tls/ca.pem"}}}
    assert tunnel.reload(config)["event"] == "reloaded"
    tunnel.served("other").close()


@with_ports
def test_a_required_sandbox_knows_its_ports(world, serve_tls):
    tunnel = world.run()
    other = serve_tls(echo)
    config = world.config()
    config["svc"]["connect"] = other.address
    reload_fails(tunnel, config, f"connecting to TCP port {other.address.rpartition(':')[2]}")
    port = free_port()
    config = world.config(accept=f"127.0.0.1:{port}")
    reload_fails(tunnel, config, f"listening at TCP port {port}")
    world.is_served()


def test_a_program_comes_with_a_restart_only(world, serve):
    tunnel = world.run(mode="auto")
    config = {**world.config(mode="auto"),
              "shell": {"exec": "/bin/cat", "connect": serve(echo).address, "tls": False}}
    reload_fails(tunnel, config, "the program that [shell] runs (exec)")


def test_programs_switch_off_what_they_would_inherit(world, serve):
    world.tunnel = world.start({**world.config(),
                                "shell": {"exec": "/bin/true", "connect": serve(echo).address,
                                          "tls": False}})
    world.is_served()
    status = world.status()
    assert status["in_force"] == ["not-dumpable"]
    assert all("[shell] runs a program" in each["why"] for each in status["absent"])


def test_a_changed_mode_waits_for_a_restart(world):
    tunnel = world.run(mode="auto")
    line = tunnel.reload(world.config(mode="off"))
    assert line["event"] == "reloaded" and "only after a restart: sandbox" in line["msg"]
    assert world.status()["mode"] == "auto"


def test_names_are_resolved(world, dns, serve_tls):
    server = serve_tls(echo)
    dns.set("server.test", "A", ["127.0.0.1"])
    dns.truncate("server.test", "A")  # over TCP, too
    world.tunnel = world.start(world.config(connect=f"server.test:{server.port}",
                                            tls={"name": "localhost"},
                                            more={"dns_servers": [dns.address]}))
    world.is_served()


def test_without_landlock_require_fails_and_auto_serves(world):
    with pytest.raises(AssertionError):
        world.start(world.config(), prefix=sandbox.WITHOUT_LANDLOCK)
    text = world.log_file.read_text()
    assert "sandbox" not in text
    world.tunnel = world.start(world.config(mode="auto"), prefix=sandbox.WITHOUT_LANDLOCK)
    world.is_served()
    status = world.status()
    assert set(status["in_force"]) == WHOLE - {"files"}
    assert "no Landlock" in next(each["why"] for each in status["absent"]
                                 if each["part"] == "files")


def test_require_names_what_is_missing(world):
    config = program.write_config(world.folder, {"foreground": True, **world.config()})
    done = subprocess.run([*sandbox.WITHOUT_LANDLOCK, str(program.BINARY), str(config)],
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert ('sandbox = "require", but it lacks files (Landlock): this kernel has no Landlock'
            in done.stderr), done.stderr
    assert 'set sandbox = "auto"' in done.stderr
