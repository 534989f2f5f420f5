"""Commands about data: resource, load, quality, query, release."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunhe.cli.commands import Command, Context, Output, both, named_lines, say, table_lines
from yunhe.cli.files import text_of, write_out
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

if TYPE_CHECKING:
    from yunhe.data.catalog.types import Resource


def draft(context: Context, arguments: argparse.Namespace) -> Output:
    """Profile a source and propose a contract for it."""
    from yunhe.data.lake import api as lake

    drafted = lake.draft_contract(
        source=arguments.source,
        connector=arguments.connector,
        provider=arguments.provider,
        title=arguments.title,
        actor=context.actor(),
    )
    fields = [asdict(field) for field in drafted.fields]
    data = {"out": arguments.out or "", "keys": list(drafted.keys), "fields": fields, "sampled": drafted.rows_sampled}
    if not arguments.out:
        return Output(data | {"text": drafted.text}, (drafted.text,))
    write_out(arguments.out, drafted.text, makes_folder=True)
    rows = [(f.column, f.name, f.type, f.element or "—", "；".join(f.reasons)) for f in drafted.fields]
    head = f"{say('约定草稿', 'draft')} → {arguments.out}    {say('主键：', 'keys: ')}{', '.join(drafted.keys) or '—'}"
    return Output(data, (head, *named_lines(("column", "name", "type", "element", "why"), rows)))


def _draft_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a CSV or Parquet file")
    parser.add_argument("--out", metavar="FILE", help="where the contract goes; without it, stdout")
    parser.add_argument("--connector", default="", help="csv, parquet; by the file's ending if not given")
    parser.add_argument("--provider", default="", help="the owner department: code, name or short name")
    parser.add_argument("--title", default="", help="the resource's name")


def register(context: Context, arguments: argparse.Namespace) -> Output:
    """Register a contract as a resource; `--publish` submits it and, for the operator, publishes it."""
    from yunhe.data.catalog import api as catalog

    text = text_of(arguments.file)
    actor = context.actor()
    contract = catalog.parse_contract(text=text, file=str(Path(arguments.file)))
    resource = catalog.register_resource(contract=contract, actor=actor)
    if arguments.publish:
        resource = _publish(resource.code, actor, arguments.reason)
    data = {"code": resource.code, "version": resource.version, "state": resource.state}
    return Output(data, (f"{resource.code}  {resource.title}  v{resource.version}  {resource.state}",))


def _publish(code: str, actor: Actor, reason: str) -> Resource:
    """Publish as the local operator, with a visible waiver; anyone else submits for review."""
    from yunhe.data.catalog import api as catalog

    if actor.kind == "operator":
        return catalog.publish_resource(code=code, actor=actor, waiver=reason)
    return catalog.submit_resource(code=code, actor=actor)


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a contract")
    parser.add_argument("--publish", action="store_true", help="submit; the local operator publishes with a recorded waiver")
    parser.add_argument("--reason", default="本机操作员直接发布 published by the local operator", help="why the second person is waived")


def list_resources(context: Context, arguments: argparse.Namespace) -> Output:
    """List the ledger."""
    from yunhe.data.catalog import api as catalog

    filters = {k: v for k, v in (("state", arguments.state), ("provider", arguments.provider)) if v}
    request = PageRequest(page=arguments.page, size=arguments.size, search=arguments.search, filters=filters)
    page = catalog.list_resources(request=request, actor=context.actor())
    rows = [
        {"code": r.code, "title": r.title, "provider": r.owner_name, "state": r.state, "version": r.version}
        for r in page.items
    ]
    lines = named_lines(("code", "title", "provider", "state", "v"), [tuple(row.values()) for row in rows])
    return Output({"resources": rows, "total": page.total, "page": page.page}, (*lines, say(f"共 {page.total} 条", f"{page.total} in all")))


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--search", default="")
    parser.add_argument("--state", default="")
    parser.add_argument("--provider", default="")
    parser.add_argument("--page", type=int, default=1)
    parser.add_argument("--size", type=int, default=50)


def show(context: Context, arguments: argparse.Namespace) -> Output:
    """Show one resource with its fields and current release."""
    from yunhe.data.catalog import api as catalog
    from yunhe.data.lake import api as lake

    resource = catalog.access_resource(code=arguments.code, actor=context.actor())
    release = lake.find_current_release(code=resource.code)
    fields = [
        {"name": f.name, "title": f.title, "type": f.type, "element": f.element, "sharing": f.sharing, "mask": f.mask}
        for f in resource.contract.fields
    ]
    data = {
        "code": resource.code,
        "title": resource.title,
        "provider": resource.owner_name,
        "owner": resource.owner,
        "state": resource.state,
        "version": resource.version,
        "sharing": resource.contract.sharing,
        "keys": list(resource.contract.keys),
        "fields": fields,
        "release": asdict(release) if release else None,
    }
    head = f"{resource.code}  {resource.title}  {resource.owner_name}  {resource.state} v{resource.version}"
    current = (
        say(f"当前发布：{release.number}  {release.rows} 行  {release.at}", f"release: {release.number}  {release.rows} rows  {release.at}")
        if release else say("尚无数据", "no data yet")
    )  # fmt: skip
    return Output(data, (head, current, *named_lines(fields[0].keys() if fields else ("—",), [f.values() for f in fields])))


def load(context: Context, arguments: argparse.Namespace) -> Output:
    """Load a resource from its source, wait for the release and its serving file."""
    from yunhe.cli.waiting import wait_for_job
    from yunhe.data.lake import api as lake

    actor = context.actor()
    job = lake.start_load(code=arguments.code, actor=actor)
    result = dict(wait_for_job(job_id=job, context=context))
    result.pop("load_id", None)
    lines = (
        say(
            "读入 {rows_in} = 保留 {kept} + 隔离 {quarantined} + 拒收 {rejected}",
            "rows in {rows_in} = kept {kept} + quarantined {quarantined} + rejected {rejected}",
        ).format(**result),
        f"{say('回执', 'digest')} {result['digest']}",
        f"{say('快照', 'snapshot')} {result['snapshot']}  {say('发布', 'release')} {result['release']}",
    )
    return Output(result, lines)


def findings(context: Context, arguments: argparse.Namespace) -> Output:
    """Show every rule's result for the newest snapshot."""
    from yunhe.data.catalog import api as catalog
    from yunhe.data.quality import api as quality

    actor = context.actor()
    resource = catalog.access_resource(code=arguments.code, actor=actor)
    found = quality.list_findings(code=resource.code, actor=actor, owner=resource.owner)
    rules = [
        {
            "rule": f.rule,
            "dimension": f.dimension,
            "severity": f.severity,
            "checked": f.told_checked,
            "failed": f.told_failed,
            "reasons": dict(f.reasons),
            **({"below": f.below} if f.below else {}),
        }
        for f in found
    ]
    rows = [(r["rule"], r["dimension"], r["severity"], r["checked"], r["failed"], r["reasons"] or "") for r in rules]
    return Output({"rules": rules}, named_lines(("rule", "dimension", "severity", "checked", "failed", "reasons"), rows))


def keys(context: Context, arguments: argparse.Namespace) -> Output:
    """Show the keys of every row that failed a rule."""
    from yunhe.data.exchange import api as exchange

    page = exchange.read_rows(
        actor=context.actor(),
        resource_code=arguments.code,
        source="failing_keys",
        rule=arguments.rule,
        purpose=arguments.purpose,
        offset=arguments.offset,
        limit=arguments.limit,
    )
    data = {"rows": [dict(row) for row in page.rows], "total": page.total, "evidence": page.evidence_id}
    return Output(data, (*table_lines(page.columns, [r.values() for r in page.rows]), say(f"共 {page.total} 条", f"{page.total} in all")))


def _keys_arguments(parser: argparse.ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("--rule", default="")
    parser.add_argument("--purpose", default="质量整改 quality work")
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--limit", type=int, default=50)


def rows(context: Context, arguments: argparse.Namespace) -> Output:
    """Show rows: current, quarantined or rejected."""
    from yunhe.data.exchange import api as exchange

    page = exchange.read_rows(
        actor=context.actor(),
        resource_code=arguments.code,
        source=arguments.source,
        purpose=arguments.purpose,
        offset=arguments.offset,
        limit=arguments.limit,
    )
    data = {"rows": [dict(row) for row in page.rows], "total": page.total, "evidence": page.evidence_id}
    return Output(data, (*table_lines(page.columns, [r.values() for r in page.rows]), say(f"共 {page.total} 条", f"{page.total} in all")))


def _rows_arguments(parser: argparse.ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("--source", choices=("current", "quarantine", "rejected"), default="current")
    parser.add_argument("--purpose", required=True)
    parser.add_argument("--offset", type=int, default=0)
    parser.add_argument("--limit", type=int, default=50)


def query(context: Context, arguments: argparse.Namespace) -> Output:
    """Run one SELECT over resources named by code in double quotes."""
    from yunhe.data.exchange import api as exchange

    result = exchange.run_query(sql=arguments.sql, purpose=arguments.purpose, actor=context.actor())
    data = {"columns": list(result.columns), "rows": [list(r) for r in result.rows], "truncated": result.truncated}
    more = (say("…（已截断）", "… (truncated)"),) if result.truncated else ()
    return Output(data, (*table_lines(result.columns, result.rows), *more))


def _query_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sql", metavar="SQL", help='for example: SELECT count(*) FROM "3070/0001"')
    parser.add_argument("--purpose", default="命令行查询 command line query")


def roll_back(context: Context, arguments: argparse.Namespace) -> Output:
    """Make an earlier release current again: at once as the node's operator; a person asks for it."""
    from yunhe.data.lake import api as lake

    actor = context.actor()
    told: dict[str, Any] = {"code": arguments.code, "release_id": arguments.release, "reason": arguments.reason, "actor": actor}
    if actor.kind == "user":
        return _asked(lake.request_roll_back(**told))
    release = lake.roll_back(**told)
    return Output(asdict(release), (f"{release.resource_code} → {say('发布', 'release')} {release.number} ({release.release_id})",))


def return_records(context: Context, arguments: argparse.Namespace) -> Output:
    """Return the set-aside records of a load to their source."""
    from yunhe.data.lake import api as lake

    return _asked(lake.return_to_source(load_id=arguments.load, reason=arguments.reason, actor=context.actor()))


def _asked(case: Any) -> Output:
    data = {"case": case.case_id, "number": case.number, "phase": case.phase, "state": case.state}
    return Output(data, (f"{case.number}  {case.phase}/{case.state}",))


def _return_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("load", metavar="LOAD", help="the load's id")
    parser.add_argument("--reason", required=True)


def _roll_back_arguments(parser: argparse.ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("release", metavar="RELEASE")
    parser.add_argument("--reason", required=True)


def releases(context: Context, arguments: argparse.Namespace) -> Output:
    """List the releases of a resource."""
    from yunhe.data.lake import api as lake

    page = lake.list_releases(code=arguments.code, actor=context.actor(), request=PageRequest(size=200))
    rows_ = [(r.number, r.release_id, r.rows, r.at, r.actor_name, "✓" if r.current else "") for r in page.items]
    data = {"releases": [asdict(r) for r in page.items], "total": page.total}
    return Output(data, named_lines(("#", "release", "rows", "at", "by", "current"), rows_))


def _code(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="the resource's code")


COMMANDS: tuple[Command, ...] = (
    Command(("resource", "draft"), "ledger.edit", both("分析数据源，拟出约定", "profile a source, propose a contract"), draft, _draft_arguments),
    Command(("resource", "register"), "ledger.edit", both("登记资源", "register a resource"), register, _register_arguments),
    Command(("resource", "list"), "ledger.view", both("列出一本账", "list the ledger"), list_resources, _list_arguments),
    Command(("resource", "show"), "ledger.view", both("查看资源", "show a resource"), show, _code),
    Command(("resource", "rows"), "lake.view", both("查看记录", "show rows"), rows, _rows_arguments),
    Command(("load",), "lake.load", both("装载并发布", "load and release"), load, _code),
    Command(("quality", "findings"), "quality.view", both("查看质量结果", "show quality findings"), findings, _code),
    Command(("quality", "keys"), "quality.keys", both("查看不合格主键", "show failing keys"), keys, _keys_arguments),
    Command(("query",), "query.run", both("查询", "run a query"), query, _query_arguments),
    Command(("release", "list"), "lake.view", both("列出发布", "list releases"), releases, _code),
    Command(("release", "rollback"), "lake.load", both("回退发布", "roll back a release"), roll_back, _roll_back_arguments),
    Command(("quality", "return"), "lake.load", both("退回数源", "return set-aside records to their source"), return_records, _return_arguments),
)
