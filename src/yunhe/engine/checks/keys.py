"""The keys pass: every failing row of every rule, as Parquet (rule, reason, record, key columns as text)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yunhe.engine.checks.duplicates import duplicate_rows_sql
from yunhe.engine.checks.plan import CheckPlan, Compiled
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import RECORD_COLUMN, Limits, RuleCount

if TYPE_CHECKING:
    from yunhe.engine.duck import Session

# A reason's place is packed beside its rule's into one number of the unnested list.
_PLACES = 16
OWN_COLUMNS = ("rule", "reason", "record")


def collect_keys(
    *,
    files: Sequence[str | Path],
    plan: CheckPlan,
    counts: Sequence[RuleCount],
    keys: Sequence[str],
    destination: Path,
    limits: Limits,
) -> int:
    """Write all failing rows to `destination` and return how many lines they are.

    A row that fails three rules gives three lines. Only rules with failures in `counts` are computed again; with
    none, an empty file of the same shape is written. The file appears whole or not at all.
    Shape: rule, reason (text), record (int64), then each key as text (`key_` before a name of these three).
    Cost: one more scan; memory stays within `limits`, sorted by rule and record so that a page of one rule reads
    few row groups.
    Raises: QueryFailed, QueryInterrupted, OutOfMemory, DiskFull.
    """
    from yunhe.engine.duck import session  # heavy (duckdb)

    failing = {count.rule for count in counts if count.failed}
    chosen = [compiled for compiled in plan.rules if compiled.rule.code in failing]
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".keys-", dir=destination.parent) as temp:
        with session(limits=limits, temp=Path(temp) / "spill") as duck:
            made = Path(temp) / "keys.parquet"
            written = _write(duck, _keys_sql(files, plan, chosen, keys), made)
        made.replace(destination)
    return written


def _write(duck: Session, sql: str, made: Path) -> int:
    options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 50000"
    rows = duck.run("collect keys", f"COPY ({sql}) TO {quote_literal(str(made))} ({options})")
    return int(rows[0][0])


def _keys_sql(files: Sequence[str | Path], plan: CheckPlan, chosen: list[Compiled], keys: Sequence[str]) -> str:
    names = [quote_identifier(f"key_{key}" if key in OWN_COLUMNS else key) for key in keys]
    if not files or not chosen:
        texts = "".join(f", CAST(NULL AS VARCHAR) AS {name}" for name in names)
        return f"SELECT '' AS rule, '' AS reason, CAST(0 AS BIGINT) AS record{texts} WHERE FALSE"
    from yunhe.engine.duck import read_parquet_sql  # heavy (duckdb)

    source = read_parquet_sql(files)
    as_text = [f"CAST({quote_identifier(key)} AS VARCHAR) AS {name}" for key, name in zip(keys, names, strict=True)]
    parts = [_duplicates(compiled, source, as_text) for compiled in chosen if compiled.whole_table]
    row_rules = [compiled for compiled in chosen if not compiled.whole_table]
    if row_rules:
        parts.append(_rows(row_rules, plan, source, keys, as_text))
    return f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY rule, record"


def _duplicates(compiled: Compiled, source: str, as_text: list[str]) -> str:
    rule, (reason,) = quote_literal(compiled.rule.code), compiled.reasons
    record = f"{quote_identifier(RECORD_COLUMN)} AS record"
    wanted = ", ".join([f"{rule} AS rule", f"{quote_literal(reason)} AS reason", record, *as_text])
    return duplicate_rows_sql(source, compiled.rule.columns, wanted)


def _rows(rules: list[Compiled], plan: CheckPlan, source: str, keys: Sequence[str], as_text: list[str]) -> str:
    """Return one scan that gives a line for each failure: a list of packed numbers, unnested."""
    carried = [quote_identifier(name) for name in dict.fromkeys((RECORD_COLUMN, *keys))]
    fails = [f"CASE WHEN {compiled.result} > 0 THEN {at * _PLACES} + {compiled.result} END"
             for at, compiled in enumerate(rules)]  # fmt: skip
    any_fails = " OR ".join(f"{compiled.result} > 0" for compiled in rules)
    lines = f"unnest(list_filter([{', '.join(fails)}], lambda x: x IS NOT NULL))"
    listed = f"SELECT {', '.join(carried)}, {lines} AS line FROM {plan.rows(source, chosen=rules, extra=carried)} WHERE {any_fails}"
    rule = f"[{', '.join(quote_literal(compiled.rule.code) for compiled in rules)}][line // {_PLACES} + 1]"
    padded = [(*compiled.reasons, *[""] * (_PLACES - 1 - len(compiled.reasons))) for compiled in rules]
    reasons = ", ".join(quote_literal(code) for row in padded for code in ("", *row))
    columns = [f"{rule} AS rule", f"[{reasons}][line + 1] AS reason", f"{carried[0]} AS record", *as_text]
    return f"SELECT {', '.join(columns)} FROM ({listed})"
