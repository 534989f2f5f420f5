"""Environments of peers: one per lock file in bench/peers/, apart from ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from bench._harness import WORK, note

LOCKS = Path(__file__).parent / "peers"


def peer_python(name: str) -> Path:
    """Return the Python of a peer's environment, made from its lock file where it is not there yet."""
    lock, home = LOCKS / f"{name}.txt", WORK / "peers" / name
    python, made = home / "bin" / "python", home / "lock.txt"
    if not made.exists() or made.read_text() != lock.read_text():
        note(f"making the environment of the peer {name}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock))
        subprocess.run([str(python), "-m", "pip", "install", *options], check=True, stdout=sys.stderr)
        shutil.copy(lock, made)
    return python


