"""Measurements: `python -m bench.NAME --json` against one named peer, from a clone as it is."""

from __future__ import annotations

import sys
from pathlib import Path

_SOURCES = str(Path(__file__).resolve().parents[1] / "src")
if _SOURCES not in sys.path:
    sys.path.insert(0, _SOURCES)
