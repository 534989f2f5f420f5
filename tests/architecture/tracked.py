"""What must never be in a tracked file: this machine's paths, registry addresses, secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

# Written in pieces, so that this file does not name what it forbids.
_HOSTS = ("files.pythonhosted" + r"\.org", "pypi" + r"\.org/simple", "registry" + r"\.npmjs", "registry" + r"\.yarnpkg", "npmmirror" + r"\.com",
          "mirrors?" + r"\.[a-z]+\.(?:edu\.cn|com)/(?:pypi|npm|simple)", "pypi" + r"\.tuna")  # fmt: skip
FORBIDDEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a machine's path", re.compile(r"(?<![\w.:/-])/(?:work|root|home/[a-z][\w-]*|Users/\w+)/(?!\s)[\w.]")),
    ("a machine's path", re.compile(r"[A-Z]:\\" + r"Users\\")),
    ("a registry's address", re.compile("|".join(_HOSTS))),
    ("a private key", re.compile("-----BEGIN (?:[A-Z0-9]+ )*PRIVATE" + " KEY-----")),
    ("an access token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}|xox[abp]-[0-9A-Za-z-]{20,})\b")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+]+://[\w.-]+:(?!password@|\{|\$|<|\*)[^@\s/:'\"]{4,}@[\w.]")),
)
LARGEST_BYTES = 2_000_000


def tracked_files(root: Path) -> list[Path]:
    """Return the files that git tracks, or would (not ignored); empty outside a clone."""
    command = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard", "-z"]
    done = subprocess.run(command, capture_output=True, check=False)
    return [root / name for name in done.stdout.decode().split("\0") if name and (root / name).is_file()]


def breaches(path: Path, text: str) -> list[str]:
    """Return what `text` must not hold, with its line."""
    return [
        f"{path}:{number}: {what}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in FORBIDDEN
        if pattern.search(line)
    ]
