"""A CSV file of persons to the release pointer with its receipt, on a node as `make demo` has it, against DuckDB alone.

Ours is the whole load as a department asks for it: the job is enqueued, claimed and run; the file is probed, every
record digested, parsed strictly and given its fate, written as Parquet (zstd) and committed; every rule of the bound
elements and across fields is counted and the keys of failing rows are kept; counts, release, ledger and evidence are
committed together. Each round loads into a fresh copy of the node, in a process that has its libraries loaded, as a
worker has. What the gateway answers from is built by the next job and is timed apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench._harness import WORK, Result, compare, interleave, note, parser, peak_mb, run_apart, show
from bench._peers import peer_python
from yunhe.kernel.check_digits import CITIZEN_CHECKS, CITIZEN_WEIGHTS

ROWS = 3_000_000
CONTRACT = """\
yunhe: resource/1
code: ""
title: 人口基本信息
provider: {provider}
summary: 生成的人口，不指任何人
legal_basis: 基准所用，并无其事
sharing: conditional
sharing_basis: 含个人信息，须经提供部门同意
opening: closed
update_cycle: monthly
grade: 3
personal: true
source: {{connector: csv, location: "{source}"}}
keys: [id]
fields:
  - {{name: id, title: 公民身份号码, column: id, type: string, element: citizen_id, required: true}}
  - {{name: name, title: 姓名, column: name, type: string, element: person_name, required: true}}
  - {{name: birth_date, title: 出生日期, column: birth_date, type: date, element: birth_date}}
  - {{name: gender, title: 性别代码, column: gender, type: string, element: gender}}
  - {{name: address, title: 住址, column: address, type: string, element: home_address}}
  - {{name: region, title: 区划代码, column: region, type: string, element: region}}
  - {{name: phone, title: 手机号码, column: phone, type: string, element: mobile}}
  - {{name: updated_at, title: 更新时间, column: updated_at, type: timestamp, element: updated_at}}
minima: {{rows: 1}}
"""
PARTS = ("source", "table", "quality", "release")


def make_source(rows: int) -> Path:
    """Write the generated persons once, about 1 % wrong in the check digit and in some other fields; they belong to no one."""
    from yunhe.engine.duck import session
    from yunhe.engine.quoting import quote_literal
    from yunhe.engine.types import Limits

    path = WORK / f"persons-{rows}.csv"
    if path.exists():
        return path
    note(f"generating {rows:,} persons")
    WORK.mkdir(exist_ok=True)
    total = " + ".join(f"(ascii(substr(body, {at}, 1)) - 48) * {weight}" for at, weight in enumerate(CITIZEN_WEIGHTS, start=1))
    sql = f"""
    WITH place AS (SELECT CAST(i * 7919 % {rows} AS BIGINT) AS n, hash(i) AS a, hash(i + 1000000007) AS b FROM range({rows}) r(i)),
    person AS (SELECT *, CAST(329901 + n % 30 AS VARCHAR) AS place, DATE '1940-01-01' + CAST(n // 30 % 25000 AS INT) AS born,
               n // 750000 * 3 + 1 + a % 3 AS serial FROM place),
    numbered AS (SELECT *, place || strftime(born, '%Y%m%d') || lpad(CAST(serial AS VARCHAR), 3, '0') AS body FROM person)
    SELECT body || substr('{CITIZEN_CHECKS}', ({total} + CAST(b % 101 = 7 AS INT)) % 11 + 1, 1) AS id,
      substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', CAST(a % 20 AS INT) + 1, 1)
        || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平', CAST(b % 20 AS INT) + 1, 1)
        || substr('伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平', CAST(a // 20 % 20 AS INT) + 1, 1) AS name,
      born + CAST(b % 211 = 3 AS INT) AS birth_date,
      CASE WHEN a % 199 = 5 THEN 3 - (2 - serial % 2) ELSE 2 - serial % 2 END AS gender,
      '示范省运河市' || ['解放', '建军', '人民', '开放', '青年'][CAST(b % 5 AS INT) + 1] || '路' || CAST(a % 999 AS VARCHAR) || '号'
        || CAST(b % 30 AS VARCHAR) || '幢' || CAST(a // 7 % 1200 AS VARCHAR) || '室' AS address,
      place AS region,
      CASE WHEN b % 113 = 1 THEN NULL WHEN b % 157 = 2 THEN '12' ELSE '13' END || lpad(CAST(a % 1000000000 AS VARCHAR), 9, '0') AS phone,
      strftime(TIMESTAMP '2024-01-01' + INTERVAL (CAST(a % 31000000 AS INT)) SECOND, '%Y-%m-%d %H:%M:%S') AS updated_at
    FROM numbered"""
    draft = path.with_suffix(".part")
    with session(limits=Limits(memory_mb=1024, threads=2), temp=WORK / "spill") as duck:
        duck.run("generate", f"COPY ({sql}) TO {quote_literal(str(draft))} (FORMAT csv, HEADER)")
    draft.replace(path)
    return path


def start_node(home: Path) -> None:
    """Have Django stand on the embedded node in `home`."""
    os.environ.update(YUNHE_HOME=str(home), YUNHE_PROFILE="embedded", DJANGO_SETTINGS_MODULE="yunhe.settings.django")
    import django

    django.setup()


def make_node(home: Path, source: Path) -> dict[str, Any]:
    """Make the node that rounds start from, with the resource published by the local operator."""
    start_node(home)
    from yunhe.cli import setup
    from yunhe.core.organizations import api as organizations
    from yunhe.data.catalog import api as catalog

    made = setup.make_node(note=note)
    operator = organizations.operator_actor()
    contract = catalog.parse_contract(text=CONTRACT.format(provider=made["organization"], source=source), file="bench.yml")
    code = catalog.register_resource(contract=contract, actor=operator).code
    catalog.publish_resource(code=code, actor=operator, waiver="bench")
    return {"code": code, "rules": len(catalog.rules_for(resource=catalog.get_resource(code=code)))}


def run_once(home: Path, code: str) -> dict[str, Any]:
    """Load and release once, build the serving file after the clock has stopped; return the report."""
    start_node(home)
    from django.db import connection

    from yunhe.core.jobs import api as jobs
    from yunhe.core.organizations import api as organizations
    from yunhe.data.lake import api as lake
    from yunhe.engine import connectors, load, query, tables  # noqa: F401  a worker has them loaded

    marks: dict[str, float] = {}
    with connection.execute_wrapper(_noting_stages(marks)):
        began, processor = time.perf_counter(), time.process_time()
        job = lake.start_load(code=code, actor=organizations.operator_actor())
        jobs.run_pending(limit=1, job_id=job)
        ended, processor = time.perf_counter(), time.process_time() - processor
    peak, done, release = peak_mb(), jobs.get_job(job_id=job), lake.find_current_release(code=code)
    if release is None or done.result is None or done.result["release"] != release.release_id:
        sys.exit(f"the load did not release: {done.error}")
    stops = [*(marks[part] for part in PARTS[1:]), ended]
    size = sum(Path(file).stat().st_size for file in lake.release_files(release=release))
    return {
        "seconds": ended - began, "processor": processor, "rows": release.rows, "peak_mb": peak, "bytes": size,
        "parts": {part: stop - marks[part] for part, stop in zip(PARTS, stops, strict=True)},
    }  # fmt: skip


def serve_once(home: Path, code: str) -> dict[str, Any]:
    """Build the serving file of a loaded node's release, and whatever else waits there."""
    start_node(home)
    from yunhe.core.jobs import api as jobs
    from yunhe.data.lake import api as lake

    began = time.perf_counter()
    jobs.run_pending()
    seconds = time.perf_counter() - began
    if not Path(lake.current_release(code=code).serving_path).is_file():
        sys.exit("the serving file was not built")
    return {"seconds": seconds, "peak_mb": peak_mb()}


def _noting_stages(marks: dict[str, float]) -> Callable[..., Any]:
    """Return a wrapper of SQL that notes when a load enters its stages."""

    def wrap(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and '"stage"' in sql and params and params[0] in PARTS:
            marks.setdefault(params[0], time.perf_counter())
        return execute(sql, params, many, context)

    return wrap


def measure(rows: int, rounds: int) -> Result:
    """Run the rounds, interleaved, check that both sides have every row, and return the result."""
    source, python, folder = make_source(rows), peer_python("duckdb"), WORK / "load"
    source.read_bytes()  # both sides find the file in memory
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = run_apart("bench.load", "--make", folder / "node", source)

    def ours() -> dict[str, Any]:
        shutil.rmtree(folder / "ours", ignore_errors=True)
        shutil.copytree(folder / "node", folder / "ours")
        return run_apart("bench.load", "--once", folder / "ours", made["code"])

    mine, theirs = interleave(
        ours, lambda: run_apart("bench.peers.load_duckdb", source, folder, python=python), rounds=rounds
    )
    counts = {report["rows"] for report in (*mine, *theirs)}
    if counts != {rows}:
        sys.exit(f"the sides did not load the same rows: {sorted(counts)}")
    served = run_apart("bench.load", "--serve", folder / "ours", made["code"])
    also = {
        "rules": made["rules"],
        "rows_per_second": round(rows / statistics.median(report["seconds"] for report in mine)),
        "processor_seconds": _median(report["processor"] for report in mine),
        "peer_processor_seconds": _median(report["processor"] for report in theirs),
        "peak_mb": max(report["peak_mb"] for report in mine),
        "peer_peak_mb": max(report["peak_mb"] for report in theirs),
        **{f"{part}_seconds": _median(report["parts"][part] for report in mine) for part in PARTS},
        "serving_seconds": round(served["seconds"], 2),
        "serving_peak_mb": served["peak_mb"],
        "bytes": mine[-1]["bytes"],
        "peer_bytes": theirs[-1]["bytes"],
        "source_bytes": source.stat().st_size,
    }
    shutil.rmtree(folder, ignore_errors=True)
    return compare("load", mine, theirs, peer_name="duckdb read_csv to parquet zstd", rows=rows, also=also)


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 2)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("load", rows=ROWS, about=__doc__ or "")
    line.add_argument("--make", nargs=2, metavar=("NODE", "SOURCE"), help=argparse.SUPPRESS)
    line.add_argument("--once", nargs=2, metavar=("NODE", "CODE"), help=argparse.SUPPRESS)
    line.add_argument("--serve", nargs=2, metavar=("NODE", "CODE"), help=argparse.SUPPRESS)
    given = line.parse_args()
    if given.make:
        print(json.dumps(make_node(Path(given.make[0]), Path(given.make[1]))))
    elif given.once:
        print(json.dumps(run_once(Path(given.once[0]), given.once[1])))
    elif given.serve:
        print(json.dumps(serve_once(Path(given.serve[0]), given.serve[1])))
    else:
        show(measure(given.rows, given.rounds), as_json=given.json)


if __name__ == "__main__":
    main()
