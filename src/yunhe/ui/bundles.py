"""Where built assets lie: names with digests from the build's manifest, or the plain sheet without a build."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from django.templatetags.static import static

BUILD = Path(__file__).resolve().parent / "static" / "build"
MANIFEST = BUILD / "manifest.json"
PLAIN_SHEET = "yunhe/base.css"


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> dict[str, str]:
    return dict(json.loads(path.read_text("utf-8")))


def read_manifest() -> dict[str, str]:
    """Return asset name → file name of the last build; empty where nothing was built."""
    try:
        return _read(MANIFEST, MANIFEST.stat().st_mtime_ns)
    except OSError:
        return {}


def bundle_url(name: str) -> str:
    """Return the address of a built asset (`yunhe.css`, `yunhe.js`, `icons.svg`), or "" without a build."""
    built = read_manifest().get(name)
    return static(f"build/{built}") if built else ""


def sheet_url() -> str:
    """Return the address of the style sheet: the built one, else the small committed one."""
    return bundle_url("yunhe.css") or static(PLAIN_SHEET)
