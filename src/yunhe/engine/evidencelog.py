"""Segment files of evidence lines: durable before the answer leaves (architecture 7, "Durable").

A folder holds numbered segments; one process writes, any may read. A line is the CRC-32 of the text in
eight hexadecimal digits, a blank, the record as JSON, a line feed. All records that wait are written
together and synced once (group commit), at most `GROUP_RECORDS` at a time. What a crash tore off at a
segment's end was never answered; the reader passes over it and the next writer starts a new segment.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import os
import queue
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import msgspec

from yunhe.kernel.errors import Kind, Terminal, Transient

GROUP_RECORDS = 64
SEGMENT_BYTES = 64 * 2**20
SPOOL_BYTES = 4 * 2**30
LINE_BYTES = 1 * 2**20
CLOSE_SECONDS = 30
_SEGMENT = re.compile(r"[0-9]{12}\.log")
_encode = msgspec.json.Encoder().encode
_POSITION = re.compile(r"([0-9]{12}):([0-9]{1,15})")
_sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class SpoolUnavailable(Transient):
    """No evidence line can be written now: full, read-only, failing, or closed."""

    code = "evidence_unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证暂时无法写入（{problem}）。未留存证不提供数据，请稍后再试并通知管理员检查磁盘。",
        "en": "Evidence cannot be written now ({problem}). No evidence, no data: try later, have the disk checked.",
    }


class SpoolInUse(Terminal):
    code = "evidence_spool_in_use"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证目录 {folder} 正被另一个进程写入。请先停掉它。",
        "en": "The evidence folder {folder} is being written by another process. Stop that one first.",
    }


class SegmentBroken(Terminal):
    """A line inside a segment, with whole lines after it, does not match its checksum."""

    code = "evidence_segment_broken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证文件 {file} 第 {offset} 字节处的内容已损坏。请保留原文件并通知审计管理员。",
        "en": "The evidence file {file} is damaged at byte {offset}. Keep the file and tell the audit administrator.",
    }


class BadPosition(Terminal):
    code = "bad_evidence_position"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证位置需要写成“段号:字节”，实际是“{found}”。",
        "en": 'An evidence position reads "segment:byte", found "{found}".',
    }


class LoggedRecord(NamedTuple):
    """One record with the position after it; pass that as `after` to go on from there."""

    position: str
    record: dict[str, Any]


@dataclass(slots=True)
class _Waiting:
    """One encoded line with the future that learns of its fate; `loop` is None where a thread waits."""

    line: bytes
    future: Future[None] | asyncio.Future[None]
    loop: asyncio.AbstractEventLoop | None = None


class SegmentWriter:
    """The one writer of a folder. Raises: SpoolInUse, SpoolUnavailable at the start.

    Cost: one write and one sync for all records that wait together.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, spool_bytes: int = SPOOL_BYTES) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._spool_bytes = spool_bytes
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._file: BinaryIO | None = None
        self._written = 0
        self._spooled = 0
        self._closed = False
        self._gate = threading.Lock()
        self.records = 0
        self.groups = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (folder / ".writer").open("ab")
            self._spooled = _total_bytes(folder)
        except OSError as error:
            raise SpoolUnavailable(problem=_name(error)) from error
        _take_lock(self._lock, folder)
        self._thread = threading.Thread(target=self._run, name="evidence-writer", daemon=True)
        self._thread.start()

    def append(self, record: Mapping[str, Any]) -> None:
        """Do write one record and return once it is durable. Raises: SpoolUnavailable."""
        future: Future[None] = Future()
        self._put(_Waiting(encode_line(record), future))
        future.result()

    async def append_async(self, record: Mapping[str, Any]) -> None:
        """Do as `append`, without holding up the event loop. Raises: SpoolUnavailable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._put(_Waiting(encode_line(record), future, loop))
        await future

    def check(self) -> None:
        """Do nothing if a record could be written now, as far as can be told. Raises: SpoolUnavailable."""
        if self._closed:
            raise SpoolUnavailable(problem="closed")
        try:
            full = _total_bytes(self._folder) >= self._spool_bytes
        except OSError as error:
            raise SpoolUnavailable(problem=_name(error)) from error
        if full or not os.access(self._folder, os.W_OK):
            raise SpoolUnavailable(problem="full" if full else "read-only")

    def close(self) -> None:
        """Do write what waits, then let the folder go. Closing twice is no error."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join(CLOSE_SECONDS)
        self._drop_file()
        self._lock.close()

    def _put(self, waiting: _Waiting) -> None:
        with self._gate:
            if self._closed:
                raise SpoolUnavailable(problem="closed")
            self._queue.put(waiting)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, ended = [first], False
            while len(group) < GROUP_RECORDS and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    ended = True
                    break
                group.append(item)
            self._commit(group)
            if ended:
                return

    def _commit(self, group: list[_Waiting]) -> None:
        failure: SpoolUnavailable | None = None
        data = b"".join(waiting.line for waiting in group)
        try:
            self._write(data)
        except SpoolUnavailable as error:
            failure = error
        except (OSError, ValueError) as error:
            self._abandon()
            failure = SpoolUnavailable(problem=_name(error))
        else:
            self.records += len(group)
            self.groups += 1
        _tell(group, failure)

    def _write(self, data: bytes) -> None:
        if self._spooled + len(data) > self._spool_bytes:
            self._spooled = _total_bytes(self._folder)
            if self._spooled + len(data) > self._spool_bytes:
                raise SpoolUnavailable(problem="full")
        if self._file is None or self._written + len(data) > self._segment_bytes:
            self._file = self._open_segment()
        _write_all(self._file.fileno(), data)
        _sync(self._file.fileno())
        self._written += len(data)
        self._spooled += len(data)

    def _open_segment(self) -> BinaryIO:
        self._drop_file()
        names = list_segments(self._folder)
        number = int(names[-1].stem) + 1 if names else 1
        path = self._folder / f"{number:012d}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        _sync_folder(self._folder)
        self._written = 0
        return os.fdopen(descriptor, "wb", buffering=0)

    def _abandon(self) -> None:
        """Do cut off what a failed write left, as far as the disk lets us, and leave the segment."""
        if self._file is None:
            return
        try:
            os.ftruncate(self._file.fileno(), self._written)
        except OSError:
            pass  # the reader passes over a torn end
        finally:
            self._drop_file()

    def _drop_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return


def encode_line(record: Mapping[str, Any]) -> bytes:
    """Return the line of a record. Raises: SpoolUnavailable if it is longer than a line may be."""
    text = _encode(record)
    if len(text) > LINE_BYTES:
        raise SpoolUnavailable(problem=f"record of {len(text)} bytes")
    return b"%08x %b\n" % (zlib.crc32(text), text)


def _tell(group: list[_Waiting], failure: SpoolUnavailable | None) -> None:
    """Do settle the futures of a group; an event loop is woken once, however many wait in it."""
    waking: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in group:
        if waiting.loop is None:
            _settle([waiting], failure)
        else:
            waking.setdefault(waiting.loop, []).append(waiting)
    for loop, waiters in waking.items():
        with suppress(RuntimeError):  # nobody waits in a loop that was closed
            loop.call_soon_threadsafe(_settle, waiters, failure)


def _settle(group: list[_Waiting], failure: SpoolUnavailable | None) -> None:
    for waiting in group:
        if waiting.future.done():
            continue
        if failure is None:
            waiting.future.set_result(None)
        else:
            waiting.future.set_exception(failure)


def list_segments(folder: Path) -> list[Path]:
    """Return the segment files of a folder in the order of their writing."""
    return sorted(path for path in folder.iterdir() if _SEGMENT.fullmatch(path.name))


def read_segments(folder: Path, after: str = "") -> Iterator[LoggedRecord]:
    """Yield the records after a position ("" for all) in the order of their writing.

    May run beside the writer: it ends before a line that is not whole yet.
    Raises: SegmentBroken, BadPosition.
    """
    segment, offset = _parse_position(after)
    for path in list_segments(folder) if folder.is_dir() else ():
        if path.stem >= segment:
            yield from _read_segment(path, offset if path.stem == segment else 0)


def drop_segments(folder: Path, until: str) -> int:
    """Do delete the segments that lie wholly before the position; return how many.

    The newest segment always stays, so that numbers go on rising.
    """
    segment, _ = _parse_position(until)
    done = [path for path in list_segments(folder)[:-1] if path.stem < segment]
    for path in done:
        path.unlink()
    return len(done)


def _read_segment(path: Path, offset: int) -> Iterator[LoggedRecord]:
    torn_at: int | None = None
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            record = _decode_line(line)
            if record is None:
                torn_at = offset if torn_at is None else torn_at
            elif torn_at is not None:
                raise SegmentBroken(file=str(path), offset=torn_at)
            else:
                yield LoggedRecord(f"{path.stem}:{offset + len(line)}", record)
            offset += len(line)


def _decode_line(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n") or line[8:9] != b" ":
        return None
    text = line[9:-1]
    if line[:8] != b"%08x" % zlib.crc32(text):
        return None
    record = json.loads(text)
    return record if isinstance(record, dict) else None


def _parse_position(position: str) -> tuple[str, int]:
    if not position:
        return "", 0
    found = _POSITION.fullmatch(position)
    if found is None:
        raise BadPosition(found=position)
    return found[1], int(found[2])


def _take_lock(lock: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SpoolInUse(folder=str(folder)) from error


def _total_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in list_segments(folder))


def _write_all(descriptor: int, data: bytes) -> None:
    """Do write everything: a disk that fills up takes a part first and fails at the next call."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(error: OSError | ValueError) -> str:
    return errno.errorcode.get(getattr(error, "errno", None) or 0, "EIO")
