"""The case engine stays small: what a running case goes through, and the effects that a kind can name (adr/0013)."""

from __future__ import annotations

import ast
from pathlib import Path

from yunhe.core.cases.types import EffectSpec

CASES = Path(__file__).resolve().parents[2] / "src" / "yunhe" / "core" / "cases"
MOST_LINES, MOST_EFFECTS = 2500, 12
ENGINE = {
    "types": ("kinds",),
    "rules": (
        "books", "clock", "conditions", "course", "digests", "going_back", "guards", "migrating", "moving", "operators", "periods",
        "position", "retiming", "timing",
    ),
    "api": (
        "acting", "batching", "migrating", "operating", "ranking", "replaying", "seating", "slots", "steps", "store",
        "warning",
    ),
}  # fmt: skip


def lines_of_code(source: str) -> int:
    """Return how many lines do something: no blanks, comments, docstrings, imports."""
    tree, passed = ast.parse(source), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        ):
            passed |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(source.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.strip().startswith("#") and number not in passed for number, line in lines)


def test_the_engine_is_within_its_budget() -> None:
    sizes = {f"{part}/{name}": lines_of_code((CASES / part / f"{name}.py").read_text("utf-8")) for part in ENGINE for name in ENGINE[part]}
    assert sum(sizes.values()) <= MOST_LINES, sorted(sizes.items(), key=lambda pair: -pair[1])


def test_effects_are_a_small_closed_set() -> None:
    assert len(EffectSpec(close_case="done").parts) <= MOST_EFFECTS


def test_the_count_counts_what_does_something() -> None:
    assert lines_of_code('"""Text\n\nof two."""\n\nimport os\n\n# why\nX = 1\n\n\ndef f():\n    """Say."""\n    return os, X\n') == 3
