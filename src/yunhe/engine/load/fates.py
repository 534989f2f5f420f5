"""Staged text to kept and quarantined records, by generated SQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yunhe.engine.casts import filled_sql, typed_sql
from yunhe.engine.connectors import Staged
from yunhe.engine.duck import Session, session
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import RECORD_COLUMN, Check, Column, Limits, Progress

KEY_MISSING: Final = "key_missing"
KEY_DUPLICATE: Final = "key_duplicate"
_MARKS_AT_ONCE: Final = 1 << 24
_POLL_SECONDS: Final = 0.5
_FILE_BYTES: Final = "256MB"


@dataclass(frozen=True, slots=True)
class Fates:
    """Where the readable records went."""

    kept_files: tuple[Path, ...]
    quarantine_file: Path | None
    reasons: Mapping[str, int]


def decide_fates(
    staged: Staged,
    columns: Sequence[Column],
    keys: Sequence[str],
    blocks: Sequence[tuple[str, str]],
    uniques: Sequence[tuple[str, Sequence[str]]],
    *,
    work: Path,
    limits: Limits,
    progress: Progress,
    check: Check,
) -> Fates:
    """Write the kept and the quarantined records of a staged source.

    Steps: duplicates (which keys stand twice), kept (typed, one pass), quarantine (texts and
    reasons; only if kept is short of the staged count), reasons.
    """
    if not staged.files:
        return Fates((), None, {})
    with session(limits=limits, temp=work / "spill") as duck:
        # Pushed below the casts, the conditions would compute every cast twice.
        duck.run("settings", "SET disabled_optimizers = 'filter_pushdown'")
        steps = _Steps(duck, staged, columns, keys, blocks, uniques, work, check)
        progress(0, 3, "checking keys")
        steps.find_duplicates()
        progress(1, 3, "writing kept records")
        kept_files, kept = steps.write_kept()
        if kept == staged.sums.rows:
            return Fates(kept_files, None, {})
        progress(2, 3, "writing quarantined records")
        file, reasons = steps.write_quarantine()
        return Fates(kept_files, file, reasons)


class _Steps:
    def __init__(
        self,
        duck: Session,
        staged: Staged,
        columns: Sequence[Column],
        keys: Sequence[str],
        blocks: Sequence[tuple[str, str]],
        uniques: Sequence[tuple[str, Sequence[str]]],
        work: Path,
        check: Check,
    ) -> None:
        self._duck = duck
        self._staged = staged
        self._columns = columns
        self._keys = tuple(keys)
        self._blocks = blocks
        self._uniques = uniques
        self._work = work
        self._check = check
        self._repeated: list[tuple[str, Sequence[str]]] = []

    def find_duplicates(self) -> None:
        """Find which values stand twice in the key and in each further unique set of columns."""
        if self._keys:
            self._find_repeated(KEY_DUPLICATE, self._keys, repeated_marks(self._staged.marks))
        for reason, names in self._uniques:
            self._find_repeated(reason, names, None)

    def _find_repeated(self, reason: str, names: Sequence[str], marks: NDArray[np.uint64] | None) -> None:
        """Make a table of the values of these columns that stand twice, if there are any.

        `marks` are the hashes met twice (8 bytes a record instead of its key); values are compared
        exactly, so that two of one hash are not taken for a duplicate. None: no hashes were kept.
        """
        if marks is not None and not len(marks):
            return
        table = f"duplicate_{len(self._repeated)}"
        picked = [column for column in self._columns if column.name in names]
        listed = ", ".join(map(quote_identifier, names))
        where = [f"{quote_identifier(name)} IS NOT NULL" for name in names]
        if marks is not None:
            self._duck.register("suspect", pa.table({"mark": marks}))
            where.append(f"hash({listed}) IN (SELECT mark FROM suspect)")
        self._run(
            "duplicates",
            f"CREATE TEMP TABLE {table} AS SELECT {listed} FROM {self._typed_relation(picked)}"
            f" WHERE {' AND '.join(where)} GROUP BY {listed} HAVING count(*) > 1",
        )
        if self._duck.run("duplicates", f"SELECT count(*) FROM {table}")[0][0]:
            self._repeated.append((reason, names))
        else:
            self._duck.run("duplicates", f"DROP TABLE {table}")

    def write_kept(self) -> tuple[tuple[Path, ...], int]:
        """Write the records without any reason, typed; return the files and their rows."""
        folder = self._work / "kept"
        names = ", ".join([RECORD_COLUMN, *(quote_identifier(column.name) for column in self._columns)])
        conditions = [f"NOT ({condition})" for _, condition in self._conditions()]
        where = " AND ".join(conditions) or "true"
        rows = self._run(
            "kept",
            f"COPY (SELECT {names} FROM {self._judged_relation()} WHERE {where}) TO {quote_literal(str(folder))}"
            f" (FORMAT parquet, COMPRESSION zstd, PER_THREAD_OUTPUT true, FILE_SIZE_BYTES '{_FILE_BYTES}',"
            " ROW_GROUP_SIZE 245760, DICTIONARY_SIZE_LIMIT 4000, RETURN_STATS true)",
        )
        files = [(Path(row[0]), int(row[1])) for row in rows]
        for file, count in files:
            if not count:
                file.unlink(missing_ok=True)
        return tuple(sorted(file for file, count in files if count)), sum(count for _, count in files)

    def write_quarantine(self) -> tuple[Path, dict[str, int]]:
        """Write the other records as they came, with every reason; return reasons and counts."""
        file = self._work / "quarantine.parquet"
        target = quote_literal(str(file))
        conditions = [f"CASE WHEN {condition} THEN {quote_literal(code)} END" for code, condition in self._conditions()]
        texts = [f"{_raw(index)} AS {quote_identifier(column.name)}" for index, column in enumerate(self._columns)]
        self._run(
            "quarantine",
            f"COPY (SELECT * FROM (SELECT {RECORD_COLUMN}, list_filter([{', '.join(conditions)}],"
            f" lambda reason: reason IS NOT NULL) AS _reasons, {', '.join(texts)} FROM {self._judged_relation()})"
            f" WHERE len(_reasons) > 0 ORDER BY {RECORD_COLUMN}) TO {target} (FORMAT parquet, COMPRESSION zstd)",
        )
        counts = self._duck.run(
            "quarantine_reasons",
            f"SELECT reason, count(*) FROM (SELECT unnest(_reasons) AS reason FROM read_parquet({target}))"
            " GROUP BY reason ORDER BY reason",
        )
        return file, {str(reason): int(count) for reason, count in counts}

    def _conditions(self) -> list[tuple[str, str]]:
        """Return (reason, condition): conditions are never NULL."""
        found = [
            (f"cast:{column.name}", f"({quote_identifier(column.name)} IS NULL AND {_filled(index)} IS NOT NULL)")
            for index, column in enumerate(self._columns)
            if column.type != "string"
        ]
        if self._keys:
            missing = [
                f"{_filled(index)} IS NULL" for index, column in enumerate(self._columns) if column.name in self._keys
            ]
            found.append((KEY_MISSING, f"({' OR '.join(missing)})"))
        found.extend((reason, f"_repeated_{index}") for index, (reason, _) in enumerate(self._repeated))
        found.extend((reason, f"coalesce(({condition}), false)") for reason, condition in self._blocks)
        return found

    def _judged_relation(self) -> str:
        typed = self._typed_relation(self._columns)
        marks, joins = "", ""
        for index, (_, names) in enumerate(self._repeated):
            table = f"duplicate_{index}"
            same = [f"typed.{name} = {table}.{name}" for name in map(quote_identifier, names)]
            marks += f", {table}.{quote_identifier(names[0])} IS NOT NULL AS _repeated_{index}"
            joins += f" LEFT JOIN {table} ON {' AND '.join(same)}"
        return f"(SELECT typed.*{marks} FROM {typed} AS typed{joins})" if joins else typed

    def _typed_relation(self, columns: Sequence[Column]) -> str:
        """Return the FROM item of typed columns, their texts (`_raw_N`) and filled texts (`_text_N`)."""
        texts = ", ".join(
            f"{quote_identifier(column.name)} AS {_raw(index)},"
            f" {filled_sql(column, quote_identifier(column.name))} AS {_filled(index)}"
            for index, column in enumerate(columns)
        )
        typed = ", ".join(
            f"{_raw(index)}, {_filled(index)}, {typed_sql(column, _filled(index))} AS {quote_identifier(column.name)}"
            for index, column in enumerate(columns)
        )
        lanes = " UNION ALL ".join(f"SELECT * FROM lane_{index}" for index in range(len(self._staged.files)))
        return f"(SELECT {RECORD_COLUMN}, {typed} FROM (SELECT {RECORD_COLUMN}, {texts} FROM ({lanes})))"

    def _run(self, step: str, sql: str) -> list[tuple[Any, ...]]:
        with ExitStack() as stack:
            for index, file in enumerate(self._staged.files):
                stream = stack.enter_context(pa.ipc.open_stream(stack.enter_context(pa.OSFile(str(file), "rb"))))
                self._duck.register(f"lane_{index}", stream)
                stack.callback(self._duck.unregister, f"lane_{index}")
            return watched(self._duck, self._check, lambda: self._duck.run(step, sql))


def repeated_marks(files: Sequence[Path], *, at_once: int = _MARKS_AT_ONCE) -> NDArray[np.uint64]:
    """Return the 64-bit marks that stand more than once in these files, sorted.

    Cost: memory for about `at_once` marks; more marks are read in several passes, by their upper bits.
    """
    parts = [np.memmap(file, np.uint64, "r") for file in files if file.stat().st_size]
    count = sum(len(part) for part in parts)
    passes = 1 << max(0, (count - 1).bit_length() - (at_once.bit_length() - 1))
    shift = np.uint64(65 - passes.bit_length())
    found: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    for number in range(passes):
        chosen = [part[(part >> shift) == number] if passes > 1 else np.asarray(part) for part in parts]
        marks = np.sort(np.concatenate([*chosen, found[0]]))
        found.append(np.unique(marks[1:][marks[1:] == marks[:-1]]))
    return np.concatenate(found)


def watched(duck: Session, check: Check, work: Callable[[], list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Run `work` on another thread and call `check` meanwhile; what it raises stops the statement."""
    results: list[list[tuple[Any, ...]]] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  handed to the caller's thread below
            errors.append(error)

    thread = threading.Thread(target=run, name="engine-step")
    thread.start()
    try:
        while thread.is_alive():
            check()
            thread.join(_POLL_SECONDS)
    except BaseException:
        while thread.is_alive():
            duck.interrupt()
            thread.join(_POLL_SECONDS)
        raise
    if errors:
        raise errors[0]
    return results[0]


def _raw(index: int) -> str:
    return f"_raw_{index}"


def _filled(index: int) -> str:
    return f"_text_{index}"
