# SPDX-License-Identifier: MIT
"""What root does in other users' folders, and what it takes from its caller."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile

import pytest
from harness import expect
from harness import tunnel as program
from harness.peer import Peer
from harness.process import DIE_WITH_PARENT, Background
from harness.server import echo
from harness.tunnel import BINARY, write_config
from harness.wait import eventually

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
              pytest.mark.needs("setpriv")]

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def theirs():
    """A folder of nobody's, beside a file of root's. Not below tmp_path, whose folders are root's
    alone."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-theirs-"))
    folder.chmod(0o755)
    (folder / "precious").write_text("root's\n")
    (folder / "precious").chmod(0o600)
    (folder / "theirs").mkdir()
    os.chown(folder / "theirs", NOBODY.pw_uid, NOBODY.pw_gid)
    yield folder / "theirs"
    shutil.rmtree(folder)


def link(path, target):
    path.symlink_to(target)
    os.lchown(path, NOBODY.pw_uid, NOBODY.pw_gid)


def service(serve, **keys):
    return {"accept": "127.0.0.1:0", "connect": serve(echo).address, "tls": False, **keys}


def refused(run, config, status, sentence):
    done = run(config={"foreground": True, **config})
    assert done.returncode == status, done.stderr
    assert sentence in done.stderr, done.stderr


FOREIGN_LINK = f"is a link of user {NOBODY.pw_uid}'s, which root does not follow"


@pytest.mark.parametrize("user", [{}, {"user": "nobody"}])
@pytest.mark.parametrize("name", ["log", "folder/precious"])
def test_log_file_behind_a_foreign_link_is_refused(run, serve, theirs, user, name):
    link(theirs / "log", theirs.parent / "precious")
    link(theirs / "folder", theirs.parent)
    refused(run, {**user, "log_file": theirs / name, "svc": service(serve)}, 1, FOREIGN_LINK)
    assert (theirs.parent / "precious").read_text() == "root's\n"
    assert (theirs.parent / "precious").stat().st_uid == 0


def test_pid_file_behind_a_foreign_link_is_refused(run, serve, theirs):
    link(theirs / "folder", theirs.parent)
    refused(run, {"user": "nobody", "pid_file": theirs / "folder/pid", "svc": service(serve)}, 1,
            FOREIGN_LINK)
    assert not (theirs.parent / "pid").exists()


def test_unix_socket_behind_a_foreign_link_is_refused(run, serve, theirs):
    link(theirs / "folder", theirs.parent)
    refused(run, {"svc": service(serve, accept=str(theirs / "folder/socket"))}, 1, FOREIGN_LINK)
    assert not (theirs.parent / "socket").exists()


def keylog(serve_tls, path):
    return {"accept": "127.0.0.1:0", "connect": serve_tls(echo).address,
            "tls": {"verify": "none", "keylog": str(path)}}


@pytest.mark.parametrize("user", [{}, {"user": "nobody"}])
def test_key_log_behind_a_foreign_link_is_refused(run, serve_tls, theirs, user):
    link(theirs / "keys", theirs.parent / "precious")
    refused(run, {**user, "svc": keylog(serve_tls, theirs / "keys")}, 2, FOREIGN_LINK)
    assert (theirs.parent / "precious").read_text() == "root's\n"


@pytest.mark.parametrize("mode, owner, sentence", [
    (0o644, 0, "others than its owner have access to it"),
    (0o600, NOBODY.pw_uid, f"it belongs to user {NOBODY.pw_uid}"),
])
def test_key_log_that_others_could_read_is_refused(run, serve_tls, tmp_path, mode, owner, sentence):
    path = tmp_path / "keys"
    path.touch(mode)
    path.chmod(mode)
    os.chown(path, owner, 0)
    refused(run, {"svc": keylog(serve_tls, path)}, 2, sentence)
    assert path.read_text() == ""


def test_files_in_the_users_own_folder_are_the_users(start, serve, serve_tls, theirs):
    (theirs / "logs").mkdir()
    os.chown(theirs / "logs", NOBODY.pw_uid, NOBODY.pw_gid)
    link(theirs / "log", theirs / "logs/today")
    tunnel = start({"user": "nobody", "log_file": theirs / "log",
                    "svc": keylog(serve_tls, theirs / "keys"),
                    "unix": service(serve, accept=str(theirs / "socket"), unix_mode="0660")},
                   wait_ready=False)
    log = theirs / "logs/today"
    eventually(lambda: log.exists() and "ready" in log.read_text(), "it is up")
    for path in (log, theirs / "keys", theirs / "socket"):
        assert path.stat().st_uid == NOBODY.pw_uid, path
    assert stat.S_IMODE((theirs / "keys").stat().st_mode) == 0o600
    assert stat.S_IMODE((theirs / "socket").stat().st_mode) == 0o660
    with Peer.connect(str(theirs / "socket")) as client:
        expect.served(tunnel, client)
    # Reopened, the file is opened with no other rights than those that the process has left.
    log.unlink()
    link(log, theirs.parent / "precious")
    before = (theirs.parent / "precious").read_text()
    tunnel.signal(signal.SIGUSR1)
    with Peer.connect(str(theirs / "socket")) as client:
        expect.served(tunnel, client)
    assert tunnel.terminate() == 0
    assert (theirs.parent / "precious").read_text() == before
    assert not (theirs / "socket").exists()


def test_closed_standard_streams_are_dev_null(serve, tmp_path, keep):
    """Otherwise a listener would be standard error, and get what is said there."""
    path = tmp_path / "ready"
    config = write_config(tmp_path, {"foreground": True, "log_file": path, "svc": service(serve)})
    process = subprocess.Popen([*DIE_WITH_PARENT, "sh", "-c", 'exec "$0" "$1" <&- >&- 2>&-',
                                str(BINARY), str(config)])
    try:
        eventually(lambda: path.exists() and "ready" in path.read_text(), "it is up")
        for stream in (0, 1, 2):
            assert os.readlink(f"/proc/{process.pid}/fd/{stream}") == "/dev/null"
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def test_root_is_not_made_to_talk_by_its_environment(tmp_path, pki, serve_tls, start):
    said = {"GNUTLS_DEBUG_LEVEL": "9", "SSLKEYLOGFILE": str(tmp_path / "keys")}

    def version(*prefix):
        done = subprocess.run([*prefix, BINARY, "--version"], text=True, capture_output=True,
                              env={**os.environ, **said}, check=True, timeout=60)
        return done.stderr

    assert "gnutls[" not in version()
    # Without privileges, a user's wish is the user's business.
    visible = shutil.copy(BINARY, tempfile.mkdtemp(prefix="e2e-binary-"))
    try:
        os.chmod(os.path.dirname(visible), 0o755)
        done = subprocess.run(["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                               "--clear-groups", "--", visible, "--version"], text=True,
                              capture_output=True, env={**os.environ, **said}, check=True,
                              timeout=60)
        assert "gnutls[" in done.stderr
    finally:
        shutil.rmtree(os.path.dirname(visible))
    tunnel = start({"svc": {"accept": "127.0.0.1:0", "connect": serve_tls(echo).address,
                            "tls": {"verify": "none"}}}, env=said)
    expect.served_to_the_end(tunnel, tunnel.connect("svc"))
    assert not (tmp_path / "keys").exists()
    assert not any("gnutls[" in line for line in tunnel.log.other_lines)


def test_text_that_turns_round_what_is_shown_is_escaped(relay, serve):
    evil = "554 \u202egnp.exe \u2066x\u2069 \u2028ERROR \u200b"
    server = serve(lambda peer: peer.send(evil.encode() + b"\r\n") or peer.read_to_end())
    tunnel = relay(server, starttls="smtp", tls={"verify": "none"})
    closed = expect.failed_dial(tunnel, tunnel.connect("svc"), server.address, "starttls_refused",
                                r"554 \\xe2\\x80\\xaegnp\.exe")
    assert not set("\u202e\u2066\u2069\u2028\u200b") & set(tunnel.log.text() + closed["msg"])


# --- reload under another identity ---------------------------------------------------------------


@pytest.fixture
def as_nobody(keep, serve_tls, pki):
    """as_nobody(**keys): a tunnel that has become nobody, with a folder that nobody can read."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-nobody-"))
    folder.chmod(0o755)
    server = serve_tls(echo)
    shutil.copy(pki.ca.file, folder / "ca.pem")
    (folder / "ca.pem").chmod(0o644)

    def config(**keys):
        tls = {"ca": str(folder / "ca.pem"), **keys.pop("tls", {})}
        return {"user": "nobody", "control": "off",
                "svc": {"accept": "127.0.0.1:0", "connect": server.address, "tls": tls, **keys}}

    class AsNobody:
        def __init__(self):
            self.folder, self.config, self.pki = folder, config, pki
            self.tunnel = keep(program.Tunnel(folder, config()))

    yield AsNobody()
    shutil.rmtree(folder)


def test_a_user_without_root_finds_its_own_instance(as_nobody, keep):
    """Though /proc does not tell where a process is that may not dump core."""
    folder, as_user = as_nobody.folder, ["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                                         "--clear-groups", "--"]
    os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    shutil.copy(BINARY, folder / "tunnel")
    (folder / "tunnelcap").symlink_to("tunnel")
    config = as_nobody.config()
    del config["user"]
    write_config(folder, {**config, "control": "c"}, "mine.toml").chmod(0o644)
    instance = keep(Background([*as_user, folder / "tunnel", "--foreground", "mine.toml"],
                                       folder, "instance", cwd=folder))
    instance.wait_until(lambda: "READY" in instance.text().upper(), "is ready")
    listed = subprocess.run([*as_user, folder / "tunnelcap", "--extcap-interfaces",
                             "--extcap-version=4.0"], text=True, capture_output=True, timeout=60,
                            cwd=folder)
    assert listed.returncode == 0, listed.stderr
    assert f"interface {{value=tunnel:{folder}/c:svc}}" in listed.stdout


RESTART = "a restart takes the change over"


def test_reload_says_that_a_restart_could_read_a_key_of_roots(as_nobody):
    tunnel, leaf = as_nobody.tunnel, as_nobody.pki.leaf()
    for name, source, mode in (("cert", leaf.chain_file, 0o644), ("key", leaf.key_file, 0o600)):
        shutil.copy(source, as_nobody.folder / name)
        (as_nobody.folder / name).chmod(mode)
    tls = {"cert": str(as_nobody.folder / "cert"), "key": str(as_nobody.folder / "key")}
    line = tunnel.reload(as_nobody.config(tls=tls))
    assert line["event"] == "reload_failed"
    assert RESTART in line["msg"] and str(as_nobody.folder / "key") in line["msg"]
    expect.served(tunnel, tunnel.connect("svc"))
    os.chown(as_nobody.folder / "key", NOBODY.pw_uid, NOBODY.pw_gid)
    assert tunnel.reload()["event"] == "reloaded"


def test_renewed_key_of_roots_is_not_taken_over_and_the_old_one_serves_on(as_nobody):
    tunnel, leaf = as_nobody.tunnel, as_nobody.pki.leaf()
    for name, source in (("cert", leaf.chain_file), ("key", leaf.key_file)):
        shutil.copy(source, as_nobody.folder / name)
        (as_nobody.folder / name).chmod(0o644)
    tls = {"cert": str(as_nobody.folder / "cert"), "key": str(as_nobody.folder / "key")}
    config = {**as_nobody.config(tls=tls), "certificate_poll": "1s"}
    assert tunnel.reload(config)["event"] == "reloaded"
    new = as_nobody.folder / "new"
    shutil.copy(as_nobody.folder / "key", new)
    new.chmod(0o600)
    new.rename(as_nobody.folder / "key")
    tunnel.log.wait_for("notice", msg=lambda m: "the old ones serve on" in m and RESTART in m)
    expect.served(tunnel, tunnel.connect("svc"))


def test_reload_says_that_a_restart_could_read_a_configuration_of_roots(as_nobody):
    path = as_nobody.tunnel.rewrite(as_nobody.config())
    path.chmod(0o600)
    line = as_nobody.tunnel.reload()
    assert line["event"] == "reload_failed" and RESTART in line["msg"] and str(path) in line["msg"]


def free_low_port():
    if int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) < 1024:
        pytest.skip("everybody may bind every port here")
    for port in range(1023, 512, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port below 1024 is free")


def test_new_port_below_1024_waits_for_a_restart_and_the_rest_is_in_force(as_nobody):
    tunnel, low = as_nobody.tunnel, f"127.0.0.1:{free_low_port()}"
    old = tunnel.address("svc")
    config = as_nobody.config(accept=low, max_tries=7)
    config["new"] = {**config["svc"], "accept": [low.replace("127.0.0.1", "127.0.0.2"), "127.0.0.1:0"]}
    for _ in range(2):
        line = tunnel.reload(config)
        assert line["event"] == "reloaded"
        assert f"only after a restart: {low} of [svc] (ports below 1024 need root" in line["msg"]
        # What it listened at, it listens at.
        with Peer.connect(old) as client:
            client.send(b"x")
            assert client.recv_exact(1) == b"x"
        tunnel.connect("new").close()
    with pytest.raises(OSError):
        Peer.connect(low)
