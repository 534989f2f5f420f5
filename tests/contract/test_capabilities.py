"""docs/capabilities.md: every id once, a known state, and a partly row says what is missing."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.architecture.graph import ROOT

# How many rows each kind of the inventory has.
KINDS = {"D": 38, "T": 17, "V": 34, "G": 28, "B": 35, "M": 30, "X": 66, "N": 23}
STATES = ("works", "partly", "not yet", "outside")
ROW = re.compile(r"^\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|(.*)\|$", re.MULTILINE)


def faults(page: str) -> list[str]:
    """Return a sentence for each fault of the page."""
    rows = ROW.findall(page)
    found = [f"{id_} stands {n} times" for id_, n in Counter(row[0] for row in rows).items() if n > 1]
    wanted = {f"{kind}{number}" for kind, count in KINDS.items() for number in range(1, count + 1)}
    found += [f"{id_} is missing" for id_ in sorted(wanted - {row[0] for row in rows})]
    for id_, _, _, state, note in rows:
        if state not in STATES:
            found.append(f"{id_}: state {state} is unknown")
        if state == "partly" and "Missing:" not in note:
            found.append(f"{id_} is partly, but of what is missing nothing is said")
    counts = Counter(row[3] for row in rows)
    summary = " | ".join(str(counts[state]) for state in STATES) + f" | {len(rows)}"
    if f"| {summary} |" not in page:
        found.append(f"the table of counts should say {summary}")
    return found


def test_the_page_is_whole() -> None:
    assert faults((ROOT / "docs" / "capabilities.md").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("| D8 |", "| D9 |"), ("| not yet |  |", "| soon |  |"), ("Missing:", "Later:"), ("| 271 |", "| 270 |")],
)
def test_a_fault_is_seen(old: str, new: str) -> None:
    assert faults((ROOT / "docs" / "capabilities.md").read_text("utf-8").replace(old, new, 1))
