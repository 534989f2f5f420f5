"""Shared parts of the one pass: each is computed once per row, in a layer below those that use it."""

from __future__ import annotations

from collections.abc import Sequence

from yunhe.engine.quoting import quote_identifier


class Parts:
    """Named SQL expressions in layers; a part of layer n sees the columns and the parts of layers below."""

    def __init__(self) -> None:
        self._layers: list[dict[str, str]] = []
        self._level: dict[str, int] = {}

    def share(self, name: str, sql: str, *, uses: Sequence[str] = ()) -> str:
        """Add a part unless it is there, and return its quoted name. `uses` are parts that `sql` names."""
        quoted = quote_identifier(f"_part {name}")
        if quoted not in self._level:
            level = 1 + max((self._level[used] for used in uses), default=-1)
            while len(self._layers) <= level:
                self._layers.append({})
            self._layers[level][quoted] = sql
            self._level[quoted] = level
        return quoted

    def over(self, source: str) -> str:
        """Return `source` (a FROM item) with every part as a further column."""
        for layer in self._layers:
            added = ", ".join(f"{sql} AS {name}" for name, sql in layer.items())
            source = f"(SELECT *, {added} FROM {source})"
        return source
