"""A small source on its way: contract text, publication by the operator, a load run in this process."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import JobInfo
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.lake import api as lake
from yunhe.kernel.actor import Actor

COLUMNS = ("统一社会信用代码", "企业名称", "成立日期", "登记区划", "注册资本")
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

CONTRACT = """\
yunhe: resource/1
code: ""
title: {title}
provider: {provider}
summary: 用于测试的企业
legal_basis: ""
sharing: {sharing}
sharing_basis: {basis}
opening: closed
update_cycle: weekly
grade: 1
personal: false
source: {{connector: csv, location: "{location}"}}
keys: [uscc]
fields:
  - {{name: uscc, title: 统一社会信用代码, column: 统一社会信用代码, type: string, element: uscc, required: true}}
  - {{name: enterprise_name, title: 企业名称, column: 企业名称, type: string}}
  - {{name: registered_on, title: 成立日期, column: 成立日期, type: date}}
  - {{name: region, title: 登记区划, column: 登记区划, type: string}}
  - {{name: capital, title: 注册资本, column: 注册资本, type: integer, null_marks: [N/A]}}
minima: {{rows: {minimum}}}
"""


def uscc(number: int) -> str:
    """Return a valid code of an enterprise in a division that does not exist."""
    body = f"{number:08d}"
    check = (11 - sum(int(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11) % 11
    head = "91329900" + body + ("X" if check == 10 else str(check))
    return head + ALPHABET[(31 - sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(head)) % 31) % 31]


def rows(count: int = 20) -> list[list[object]]:
    """Return good rows."""
    return [
        [uscc(10_000_000 + n), f"示范{n}", "2020-01-01", "329901" if n % 2 else "329902", "N/A" if n % 5 == 0 else n]
        for n in range(count)
    ]


def write_csv(path: Path, lines: Iterable[Sequence[object]], columns: Sequence[str] = COLUMNS) -> Path:
    """Write a source."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(lines)
    return path


def publish(
    source: Path, owner: str, *, title: str = "示范企业", sharing: str = "conditional", minimum: int = 1, fields: Mapping[str, str] | None = None
) -> str:
    """Register and publish a resource over the source as the local operator; return its code."""
    operator = organizations.operator_actor()
    basis = "演示" if sharing != "unconditional" else '""'
    text = CONTRACT.format(title=title, provider=owner, sharing=sharing, basis=basis, location=source, minimum=minimum)
    for name, more in (fields or {}).items():
        text = text.replace(f"{{name: {name},", f"{{name: {name}, {more},")
    contract = catalog.parse_contract(text=text, file=str(source.with_suffix(".yml")))
    code = catalog.register_resource(contract=contract, actor=operator).code
    catalog.publish_resource(code=code, actor=operator, waiver="测试")
    return code


def load(code: str, actor: Actor) -> JobInfo:
    """Load a resource in this process, serving file included; return the load's job."""
    job_id = lake.start_load(code=code, actor=actor)
    jobs.run_pending(limit=1, job_id=job_id)
    return jobs.get_job(job_id=job_id)
