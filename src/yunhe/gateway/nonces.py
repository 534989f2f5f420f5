"""Used nonces: a call is answered once. One small SQLite file, so that a restart forgets nothing."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from yunhe.gateway.errors import NoncesUnavailable
from yunhe.kernel import clock

GROUP_CLAIMS = 256
SWEEP_SECONDS = 5
CLOSE_SECONDS = 30
_SCHEMA = """
CREATE TABLE IF NOT EXISTS nonce (
  key TEXT NOT NULL, nonce TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (key, nonce)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonce_expires ON nonce (expires_at);
"""


@dataclass(slots=True)
class _Claim:
    key: str
    nonce: str
    expires_at: int
    future: asyncio.Future[bool]
    loop: asyncio.AbstractEventLoop


class NonceStore:
    """Claims nonces, many in one transaction, each durable before its answer.

    Raises: NoncesUnavailable if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[_Claim | None] = queue.SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._swept_at = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = _connect(path)
        except (OSError, sqlite3.Error) as error:
            raise NoncesUnavailable from error
        self._thread = threading.Thread(target=self._run, name="nonces", daemon=True)
        self._thread.start()

    async def claim(self, *, key: str, nonce: str, expires_at: int) -> bool:
        """Return whether the nonce was new; if it was, its use is durable now.

        `expires_at` (Unix seconds): until then it is remembered. Raises: NoncesUnavailable.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._put(_Claim(key, nonce, expires_at, future, loop))
        return await future

    def close(self) -> None:
        """Do finish what waits and close the file. Closing twice is no error."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)
        self._connection.close()

    def _put(self, claim: _Claim) -> None:
        with self._gate:
            if self._closed:
                raise NoncesUnavailable
            self._queue.put(claim)

    def _run(self) -> None:
        ended = False
        while not ended and (first := self._queue.get()) is not None:
            group = [first]
            while len(group) < GROUP_CLAIMS and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    ended = True
                    break
                group.append(item)
            _tell(group, self._commit(group))

    def _commit(self, group: list[_Claim]) -> list[bool | None]:
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._sweep()
                new = self._insert(group)
        except sqlite3.Error:
            return [None] * len(group)
        answers: list[bool | None] = []
        for claim in group:  # of two equal claims in one group, the first is new
            answers.append((claim.key, claim.nonce) in new)
            new.discard((claim.key, claim.nonce))
        return answers

    def _insert(self, group: list[_Claim]) -> set[tuple[str, str]]:
        """Return which nonces were new. One statement: each one hands the interpreter's lock around."""
        slots = ", ".join(["(?, ?, ?)"] * len(group))
        sql = f"INSERT INTO nonce VALUES {slots} ON CONFLICT DO NOTHING RETURNING key, nonce"  # noqa: S608 - slots only
        values = [value for claim in group for value in (claim.key, claim.nonce, claim.expires_at)]
        return set(self._connection.execute(sql, values).fetchall())

    def _sweep(self) -> None:
        """Do forget what has expired, now and then: the skew check refuses it from then on."""
        if time.monotonic() - self._swept_at < SWEEP_SECONDS:
            return
        self._connection.execute("DELETE FROM nonce WHERE expires_at < ?", (int(clock.now().timestamp()),))
        self._swept_at = time.monotonic()


def _tell(group: list[_Claim], answers: list[bool | None]) -> None:
    """Do settle the futures of a group; an event loop is woken once, however many wait in it."""
    waking: dict[asyncio.AbstractEventLoop, list[tuple[_Claim, bool | None]]] = {}
    for claim, is_new in zip(group, answers, strict=True):
        waking.setdefault(claim.loop, []).append((claim, is_new))
    for loop, settled in waking.items():
        with suppress(RuntimeError):  # nobody waits in a loop that was closed
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: list[tuple[_Claim, bool | None]]) -> None:
    for claim, is_new in settled:
        if claim.future.done():
            continue
        if is_new is None:
            claim.future.set_exception(NoncesUnavailable())
        else:
            claim.future.set_result(is_new)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(_SCHEMA)
    path.chmod(0o600)
    return connection
