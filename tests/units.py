#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The systemd units, as systemd-analyze sees them: units.py PROGRAM. They must verify, and expose no
more than the thresholds; without systemd-analyze there is nothing to ask."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
# In tenths, as `systemd-analyze security --threshold` takes them.
SERVICES = {"tunnel@.service": 15, "tunnel-activated@.service": 11}


def main():
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze: nothing was checked")
        return 77
    problems = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tunnel").symlink_to(pathlib.Path(sys.argv[1]).resolve())
        for service in SERVICES:
            text = (DOCS / (service + ".in")).read_text().replace("@bindir@", str(folder))
            (folder / service).write_text(text)
        shutil.copy(DOCS / "tunnel-activated@.socket", folder)
        asked = [["verify", "--man=no", folder / unit.replace("@", "@ldap")]
                 for unit in [*SERVICES, "tunnel-activated@.socket"]]
        for unit in [*SERVICES, "tunnel-activated@.socket"]:
            (folder / unit.replace("@", "@ldap")).symlink_to(folder / unit)
        asked += [["security", "--offline=true", f"--threshold={most}", folder / service]
                  for service, most in SERVICES.items()]
        for arguments in asked:
            done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True)
            said = [line for line in done.stderr.splitlines() if str(folder) in line or "tunnel" in line]
            if done.returncode != 0 or (arguments[0] == "verify" and said):
                problems += 1
                print(*arguments, done.returncode, done.stderr, done.stdout[-2000:], sep="\n")
    print(f"{len(asked)} checks, {problems} problems")
    return problems != 0


if __name__ == "__main__":
    sys.exit(main())
