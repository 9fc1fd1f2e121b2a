# SPDX-License-Identifier: MIT
"""Servers that run as their packages' own users when the tests run as root, and as us when not."""

import os
import pathlib
import shutil
import tempfile

IS_ROOT = os.getuid() == 0


def as_user(user):
    """In front of a command. Who changes the user must ask again to die with its parent."""
    if not IS_ROOT:
        return ()
    return ("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--pdeathsig", "KILL",
            "--")


def as_owner(user):
    """Who owns that user's files: for shutil.chown."""
    return (user, user) if IS_ROOT else (os.getuid(), os.getgid())


def new_folder(user, identity, **files):
    """The user's own folder, with a certificate and the given files. Not below pytest's folder,
    which is closed to other users. Whoever asks for it removes it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"e2e-{user}-"))
    for name, source in (("tls.crt", identity.chain_file), ("tls.key", identity.key_file)):
        shutil.copy(source, folder / name)
        (folder / name).chmod(0o600)
    for name, text in files.items():
        (folder / name).write_text(text)
    if IS_ROOT:
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user, user)
    return folder
