"""bench.quality: 30 rules over 10 million generated persons, counted in one pass, against SQL written by hand.

Each round runs ours and the peer in fresh processes; the failures of every rule must be equal. The keys pass and its
peak memory are measured apart. Persons are generated and belong to no one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import date
from pathlib import Path
from typing import Any

from bench._harness import WORK, Result, compare, interleave, note, parser, peak_mb, run_apart, show
from bench._peers import peer_python
from bench.peers.quality_duckdb import REGIONS
from yunhe.engine.checks import CheckPlan, collect_keys, compile_rules, count_failures
from yunhe.engine.duck import session
from yunhe.engine.quoting import quote_literal
from yunhe.engine.types import Column, Limits, Rule, Severity
from yunhe.kernel.check_digits import CITIZEN_CHECKS, CITIZEN_WEIGHTS

ON = date(2026, 1, 1)
MEMORY_MB = 512
THREADS = 2
COLUMNS = (
    Column("id"), Column("name"), Column("birth_date", "date"), Column("gender"), Column("address"),
    Column("region"), Column("phone"), Column("updated", "timestamp"),
)  # fmt: skip


def _rule(code: str, kind: str, columns: str, severity: Severity = "warn", **arguments: object) -> Rule:
    return Rule(code, kind, "accuracy", severity, tuple(columns.split()), arguments)


def _where(code: str, text: str) -> Rule:
    return _rule(code, "expression", "", where=text)


RULES = (
    *(_rule(f"{name}_there", "required", name) for name in ("id", "name", "birth_date", "gender", "region")),
    _rule("id_valid", "citizen_id", "id"),
    _rule("id_born", "id_birth_date", "id birth_date"),
    _rule("id_sex", "id_gender", "id gender"),
    _rule("id_place", "id_region", "id region"),
    _rule("gender_code", "in_code_set", "gender", codes=("0", "1", "2", "9")),
    _rule("region_code", "in_code_set", "region", codes=REGIONS),
    _rule("region_form", "pattern", "region", pattern="[0-9]{6}"),
    _rule("name_han", "pattern", "name", pattern=r"[\p{Han}·]{2,30}"),
    _rule("name_size", "length", "name", min=2, max=30),
    _rule("phone_form", "pattern", "phone", pattern="1[3-9][0-9]{9}"),
    _rule("phone_size", "length", "phone", min=11, max=11),
    _rule("address_size", "length", "address", min=5, max=100),
    _where("address_city", "contains(address, '市')"),
    _rule("born_past", "not_future", "birth_date"),
    _rule("born_since", "date_range", "birth_date", min="1900-01-01"),
    _rule("updated_past", "not_future", "updated"),
    _rule("updated_since", "date_range", "updated", min="2000-01-01"),
    _where("born_before_update", "birth_date <= CAST(updated AS DATE)"),
    _where("age", "full_years(birth_date, DATE '2026-01-01') <= 120"),
    _where("name_not_address", "name <> address"),
    _where("reachable", "phone IS NOT NULL OR address IS NOT NULL"),
    _rule("id_size", "length", "id", min=18, max=18),
    _where("region_province", "left(region, 2) IN ('11', '32', '33', '42', '44', '51', '61')"),
    _where("name_one_word", "NOT contains(name, ' ')"),
    _rule("updated_there", "required", "updated"),
)


def generate_persons(file: Path, rows: int) -> None:
    """Write `rows` persons of nobody, about 1 % wrong by each kind of error, the same for the same `rows`."""
    total = " + ".join(f"(ascii(substr(body, {at}, 1)) - 48) * {weight}"
                       for at, weight in enumerate(CITIZEN_WEIGHTS, start=1))  # fmt: skip
    regions = ", ".join(quote_literal(code) for code in REGIONS[:10])
    surnames, given = "['王','李','张','刘','陈','杨','黄','赵']", "['伟','芳','娜','敏','静','丽','强','磊','洋','艳']"
    sql = f"""
    WITH dice AS (SELECT i, hash(i) a, hash(i + 1000000007) b, hash(i * 31 + 7) c, hash(i * 17 + 3) d FROM range({rows}) r(i)),
    person AS (SELECT *, [{regions}][CAST(a % 10 AS INT) + 1] AS place, DATE '1940-01-01' + CAST(b % 30000 AS INT) AS born,
               CAST(c % 999 AS INT) + 1 AS serial FROM dice),
    numbered AS (SELECT *, place || strftime(born, '%Y%m%d') || lpad(CAST(serial AS VARCHAR), 3, '0') AS body FROM person),
    checked AS (SELECT *, body || substr('{CITIZEN_CHECKS}', ({total} + CAST(a % 100 = 7 AS INT)) % 11 + 1, 1) AS good FROM numbered)
    SELECT i AS _record,
      CASE WHEN b % 211 = 1 THEN NULL WHEN b % 307 = 2 THEN substr(good, 1, 6) || substr(good, 9, 9)
           WHEN b % 401 = 3 THEN good || '1' WHEN b % 503 = 4 THEN '１' || substr(good, 2)
           WHEN b % 401 = 5 THEN substr(good, 1, 10) || '1332' || substr(good, 15) ELSE good END AS id,
      CASE WHEN c % 150 = 1 THEN NULL WHEN c % 100 = 3 THEN '张3' ELSE {surnames}[CAST(c % 8 AS INT) + 1]
           || {given}[CAST(d % 10 AS INT) + 1] || CASE WHEN d % 3 = 0 THEN '华' ELSE '' END END AS name,
      CASE WHEN d % 120 = 1 THEN NULL WHEN d % 97 = 3 THEN born + 1 WHEN d % 1001 = 5 THEN DATE '2199-01-01' ELSE born END AS birth_date,
      CASE WHEN a % 130 = 1 THEN NULL WHEN a % 101 = 5 THEN '3' WHEN c % 89 = 4 THEN CAST(1 + serial % 2 AS VARCHAR)
           ELSE CAST(2 - serial % 2 AS VARCHAR) END AS gender,
      CASE WHEN b % 70 = 1 THEN NULL WHEN b % 99 = 2 THEN '路'
           ELSE '江苏省南京市鼓楼区中山路' || CAST(d % 900 AS VARCHAR) || '号' || CAST(c % 40 AS VARCHAR) || '室' END AS address,
      CASE WHEN c % 110 = 1 THEN NULL WHEN d % 95 = 2 THEN '11010a' WHEN d % 93 = 2 THEN '320583' ELSE place END AS region,
      CASE WHEN d % 50 = 1 THEN NULL WHEN d % 103 = 7 THEN '1380000' ELSE '13' || lpad(CAST(c % 1000000000 AS VARCHAR), 9, '0') END AS phone,
      CASE WHEN a % 140 = 1 THEN NULL WHEN a % 107 = 2 THEN TIMESTAMP '2031-01-01' WHEN a % 109 = 3 THEN TIMESTAMP '1990-01-01'
           ELSE TIMESTAMP '2024-01-01' + INTERVAL (d % 60000000) SECOND END AS updated
    FROM checked"""
    with session(limits=Limits(memory_mb=1024, threads=2), temp=file.parent / "spill") as duck:
        duck.run("generate", f"COPY ({sql}) TO {quote_literal(str(file))} (FORMAT parquet, COMPRESSION zstd)")


def make_plan() -> CheckPlan:
    """Return the plan of the 30 rules."""
    return compile_rules(RULES, COLUMNS, on=ON)


def run_once(file: str, keys: Path | None) -> dict[str, Any]:
    """Count once in this process, with the keys pass if asked, and return seconds, counts and peak memory."""
    limits = Limits(memory_mb=MEMORY_MB, threads=THREADS)
    started = time.perf_counter()
    plan = make_plan()
    counts = count_failures(files=[file], plan=plan, limits=limits)
    answer: dict[str, Any] = {"seconds": time.perf_counter() - started, "counts": [count.failed for count in counts],
        "processor": round(time.process_time(), 2),
                              "peak_mb": peak_mb()}  # fmt: skip
    if keys is not None:
        started = time.perf_counter()
        answer["lines"] = collect_keys(
            files=[file], plan=plan, counts=counts, keys=["id"], destination=keys, limits=limits
        )
        answer |= {"keys_seconds": time.perf_counter() - started, "keys_peak_mb": peak_mb()}
    return answer


def measure(rows: int, rounds: int) -> Result:
    """Run the rounds, interleaved, check that both sides count alike, and return the result."""
    file = WORK / f"quality-{rows}.parquet"
    if not file.exists():
        note(f"generating {rows:,} persons")
        WORK.mkdir(exist_ok=True)
        draft = file.with_suffix(".part")
        generate_persons(draft, rows)
        draft.replace(file)
    python = peer_python("duckdb")
    mine, theirs = interleave(
        lambda: run_apart("bench.quality", "--once", file),
        lambda: run_apart("bench.peers.quality_duckdb", file, THREADS, MEMORY_MB, python=python),
        rounds=rounds,
    )
    for report in (*mine, *theirs):
        if report["counts"] != mine[0]["counts"]:
            raise SystemExit(f"counts differ: {mine[0]['counts']} {report['counts']}")
    kept = run_apart("bench.quality", "--once", file, "--keys", WORK / "quality-keys.parquet")
    also = {
        "rules": len(RULES),
        "threads": THREADS,
        "peak_mb": max(report["peak_mb"] for report in mine),
        "processor_seconds": statistics.median(report["processor"] for report in mine),
        "peer_processor_seconds": statistics.median(report["processor"] for report in theirs),
        "keys_seconds": round(kept["keys_seconds"], 2),
        "keys_lines": kept["lines"],
        "keys_peak_mb": kept["keys_peak_mb"],
    }
    return compare("quality", mine, theirs, peer_name="duckdb by hand", rows=rows, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("quality", rows=10_000_000, about="30 rules in one pass against SQL written by hand")
    line.add_argument("--once", default="", help=argparse.SUPPRESS)
    line.add_argument("--keys", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once, options.keys)))
        return
    show(measure(options.rows, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
