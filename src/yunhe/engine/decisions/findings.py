"""The mistakes found while one table is read, each with its place; all are told at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from yunhe.engine.decisions.errors import CellRefused, TableRefused

T = TypeVar("T")


class Findings:
    """Collects mistakes; `row` 0 is the declaration, 1 the header row."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[TableRefused] = []

    def attempt(self, work: Callable[[], T], *, row: int, column: str) -> T | None:
        """Return what `work` gives; None after a CellRefused, which is kept."""
        try:
            return work()
        except CellRefused as refused:
            self.problems.append(TableRefused(refused, file=self._file, row=row, column=column))
            return None

    def refuse(self, problem: str, *, row: int, column: str, found: object, **facts: Any) -> None:
        """Keep one mistake."""
        cause = CellRefused(problem, found=found, **facts)
        self.problems.append(TableRefused(cause, file=self._file, row=row, column=column))

    def finish(self) -> None:
        """Do nothing if all was well. Raises: TableRefused, which tells of every mistake."""
        if self.problems:
            first = self.problems[0]
            first.problems = tuple(self.problems)
            raise first
