"""The backend that `ENGINE` names: a thread that begins a transaction waits for its turn, then for other processes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base

from yunhe.settings.sqlite.turns import Turns

_turns: defaultdict[str, Turns] = defaultdict(Turns)
"""By file: each has one writer at a time."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection. A transaction that finds no turn in time begins all the same, and waits as SQLite does."""

    _turn: Turns | None = None

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._give_turn()
            raise

    def _commit(self) -> Any:
        done = super()._commit()  # type: ignore[misc]
        self._give_turn()
        return done

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._give_turn()

    def _take_turn(self) -> None:
        self._give_turn()
        turns = _turns[str(self.settings_dict["NAME"])]
        if not self.is_in_memory_db() and turns.take(self.settings_dict["OPTIONS"].get("timeout", 5)):
            self._turn = turns

    def _give_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.give()
