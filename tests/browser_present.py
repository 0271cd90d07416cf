"""Make sure that the browser tests have a Chromium, or say plainly that they will be skipped.

Run by `make test`. Debian's package is installed where we may (root, apt-get); under CI=true a
missing browser is a failure, since nothing may be skipped there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def main() -> int:
    if shutil.which("chromium"):
        return 0
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's chromium for the browser tests …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
        ):
            if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
                break
    if shutil.which("chromium"):
        return 0
    print("There is no chromium: the browser tests will be skipped. Mend: apt-get install chromium")
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
