"""Commands of cases: kinds, the inbox, opening, acting, the generic operators, replay."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from yunhe.cli.commands import Command, Context, Output, table_lines
from yunhe.cli.sharing_commands import find_case_id
from yunhe.kernel.errors import Invalid, Missing
from yunhe.kernel.pages import PageRequest

# Named here, too: the parser of every command is built before anything heavy is imported. A test compares.
OPERATORS = (
    "hand_on", "take_back", "add_reviewer", "drop_reviewer", "send_back", "retract", "withdraw", "remind", "escalate",
    "suspend", "resume", "extend", "merge", "split",
)  # fmt: skip

PAGES = ("inbox", "list")


class BadJson(Invalid):
    code = "bad_data_option"
    sentences = {
        "zh": "--data 不是 JSON 对象：{reason}。例：{{\"opinion\": \"同意\"}}",
        "en": "--data is not a JSON object: {reason}. Example: {{\"opinion\": \"granted\"}}",
    }


class BadOperatorData(Invalid):
    code = "bad_operator_data"
    sentences = {
        "zh": "“{operator}”的 --data 需要 {expected}，给了 {found}。",
        "en": '"{operator}" takes {expected} in --data, found {found}.',
    }


class BadQuery(Invalid):
    code = "bad_filter_query"
    sentences = {
        "zh": "--query 里没有“{found}”这样的条件；可用：{expected}。",
        "en": '--query has no condition "{found}"; there are: {expected}.',
    }


def kinds(context: Context, arguments: argparse.Namespace) -> Output:
    """List the published kinds."""
    from yunhe.core.cases import api as cases

    context.actor().require("cases.view")
    found = cases.list_kinds()
    rows = [(k.code, k.title["zh"], k.number, k.digest[:16], k.source) for k in found]
    return Output({"kinds": [asdict(k) for k in found]}, table_lines(("kind", "title", "version", "digest", "pack"), rows))


def check(context: Context, arguments: argparse.Namespace) -> Output:
    """Check a kind's file; nothing is written."""
    from yunhe.core.cases import api as cases

    spec = cases.read_kind(path=Path(arguments.file))
    cases.require_sound(spec)
    data = {"kind": spec.code, "phases": len(spec.phases), "obligations": len(spec.obligations), "sound": True}
    return Output(data, (f"{spec.code}  {spec.title.zh}  ✓",))


def diagram(context: Context, arguments: argparse.Namespace) -> Output:
    """Write the picture of a kind as SVG."""
    from yunhe.core.cases import api as cases

    return _written(arguments.out, cases.draw_kind(code=arguments.kind, language=arguments.language, actor=context.actor()))


def bpmn(context: Context, arguments: argparse.Namespace) -> Output:
    """Write a kind as BPMN 2.0 with its layout, for reading in other tools."""
    from yunhe.core.cases import api as cases

    text = cases.export_bpmn(code=arguments.kind, language=arguments.language, actor=context.actor())
    return _written(arguments.out or f"{arguments.kind}.bpmn", text)


def _written(name: str, text: str) -> Output:
    Path(name).write_text(text, "utf-8")
    return Output({"file": name, "bytes": len(text.encode())}, (name,))


def inbox(context: Context, arguments: argparse.Namespace) -> Output:
    """List what waits for the actor, by due time; with `--filter` what a saved filter of the inbox finds."""
    from yunhe.core.cases import api as cases

    page = cases.list_waiting(request=_saved_request(context, "inbox", arguments.filter), actor=context.actor())
    rows = [(w.case_id, w.number, w.case_title, w.title["zh"], w.due_at or "") for w in page.items]
    lines = table_lines(("case", "number", "title", "to do", "due"), rows)
    return Output({"waiting": [asdict(w) for w in page.items], "total": page.total}, lines)


def list_cases(context: Context, arguments: argparse.Namespace) -> Output:
    """List cases that the actor may see, the newest first; with `--filter` what a saved filter finds."""
    from yunhe.core.cases import api as cases

    page = cases.list_cases(request=_saved_request(context, "list", arguments.filter), actor=context.actor())
    rows = [(c.number, c.title, c.kind_title["zh"], f"{c.phase}/{c.state}", c.due_at or "") for c in page.items]
    lines = (*table_lines(("number", "title", "kind", "stands", "due"), rows), f"{len(page.items)} / {page.total}")
    return Output({"cases": [asdict(c) for c in page.items], "total": page.total}, lines)


def filter_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List the actor's saved filters of the inbox and of the list of cases, each with its count of now."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    actor.require("cases.view")
    found = [view for page in PAGES for view in cases.list_views(page=page, actor=actor)]
    rows = [(v.page, v.name, f"{v.count}{'+' if v.more else ''}", " ".join(f"{k}={told}" for k, told in v.query.items())) for v in found]
    return Output({"filters": [asdict(v) for v in found]}, table_lines(("page", "name", "cases", "query"), rows))


def filter_save(context: Context, arguments: argparse.Namespace) -> Output:
    """Save a filter under a name; the same name again replaces it."""
    from yunhe.core.cases import api as cases

    actor, query = context.actor(), _data(arguments.query)
    actor.require("cases.view")
    text = {key: str(told) for key, told in query.items()}
    if unknown := text.keys() - set(cases.VIEW_QUERIES[arguments.page]):
        expected = ", ".join(cases.VIEW_QUERIES[arguments.page])
        raise BadQuery(found=", ".join(sorted(unknown)), expected=expected)
    view = cases.save_view(page=arguments.page, name=arguments.name, query=text, actor=actor)
    return Output({"filter": asdict(view)}, (f"{view.page}  {view.name}  {view.count}{'+' if view.more else ''}",))


def filter_delete(context: Context, arguments: argparse.Namespace) -> Output:
    """Forget a saved filter."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    actor.require("cases.view")
    view = _view(context, arguments.page, arguments.name)
    cases.delete_view(view_id=view.view_id, actor=actor)
    return Output({"deleted": view.name, "page": view.page}, (view.name,))


def bulk_act(context: Context, arguments: argparse.Namespace) -> Output:
    """Take one action with one form in each of several cases; each is a transaction of its own."""
    from yunhe.core.cases import api as cases

    data = _data(arguments.data)
    return _outcomes(cases.act_on_numbers(numbers=arguments.cases, action=arguments.action, data=data, actor=context.actor()))


def bulk_hand_on(context: Context, arguments: argparse.Namespace) -> Output:
    """Hand what waits in each of several cases on to one colleague."""
    from yunhe.core.cases import api as cases

    return _outcomes(
        cases.hand_on_numbers(numbers=arguments.cases, to=arguments.to, reason=arguments.reason, actor=context.actor())
    )


def bulk_remind(context: Context, arguments: argparse.Namespace) -> Output:
    """Remind whose turn it is in each of several cases."""
    from yunhe.core.cases import api as cases

    return _outcomes(cases.remind_numbers(numbers=arguments.cases, reason=arguments.reason, actor=context.actor()))


def hand_over(context: Context, arguments: argparse.Namespace) -> Output:
    """Give all that was handed to a person of an organisation to a colleague, or back to its role."""
    from yunhe.core.cases import api as cases
    from yunhe.core.organizations import api as organizations

    actor = context.actor()
    person = organizations.get_person(username=arguments.person)
    found = cases.hand_over(
        organization=arguments.organization or actor.organization, person=f"user:{person.id}", to=arguments.to,
        reason=arguments.reason, actor=actor,
    )  # fmt: skip
    return _outcomes(found)


def open_case(context: Context, arguments: argparse.Namespace) -> Output:
    """Open a case of a kind."""
    from yunhe.core.cases import api as cases

    case = cases.open_case(
        kind=arguments.kind, title=arguments.title, data=_data(arguments.data), owner=arguments.owner,
        organization=arguments.organization, request_key=arguments.key, actor=context.actor(),
    )  # fmt: skip
    return _standing(case)


def act(context: Context, arguments: argparse.Namespace) -> Output:
    """Do one action on a case."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    case_id = find_case_id(context, arguments.case)
    view = cases.access_case(case_id=case_id, actor=actor)
    case = cases.act(
        case_id=case_id, action=arguments.action, data=_data(arguments.data), expected_version=view.case.version,
        obligation_id=arguments.obligation, actor=actor,
    )  # fmt: skip
    return _standing(case)


def operate(context: Context, arguments: argparse.Namespace) -> Output:
    """Use a generic operator on a case."""
    from yunhe.core.cases import api as cases

    actor, name = context.actor(), arguments.operator
    case_id, data = find_case_id(context, arguments.case), _data(arguments.data)
    if name == "merge" and "into" in data:
        data["into"] = find_case_id(context, str(data["into"]))
    offered = [one for one in cases.access_case(case_id=case_id, actor=actor).operators if one.name == name]
    chosen = arguments.obligation or (offered[0].obligation_id if len(offered) == 1 else "")
    told: dict[str, Any] = {**data, **({"obligation_id": chosen} if chosen else {})}
    try:
        getattr(cases, name)(case_id=case_id, actor=actor, **told)
    except TypeError as error:
        expected = ", ".join(field.name for field in cases.OPERATOR_FORMS[name]) or "—"
        raise BadOperatorData(operator=name, expected=expected, found=", ".join(data) or "—") from error
    return _standing(cases.get_case(case_id=case_id))


def show(context: Context, arguments: argparse.Namespace) -> Output:
    """Show one case: where it stands, what may be done, what was done."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    view = cases.access_case(case_id=find_case_id(context, arguments.case), actor=actor)
    events = [(e.seq, e.at, e.actor_name, e.action) for e in view.events]
    head = f"{view.case.number}  {view.case.title}  {view.case.phase}/{view.case.state}"
    may = f"可办 actions: {', '.join(sorted({a.name for a in view.actions})) or '—'}"
    more = f"更多 operators: {', '.join(dict.fromkeys(o.name for o in view.operators)) or '—'}"
    return Output(asdict(view), (head, may, more, *table_lines(("#", "at", "by", "action"), events)))


def replay(context: Context, arguments: argparse.Namespace) -> Output:
    """Fold the events of a case and compare them with its rows."""
    from yunhe.core.cases import api as cases

    found = cases.replay_case(case_id=find_case_id(context, arguments.case), actor=context.actor())
    line = f"{found.events} events  {'✓' if found.equal else ', '.join(found.differences)}"
    return Output(asdict(found), (line,))


def tables(context: Context, arguments: argparse.Namespace) -> Output:
    """List decision tables and dated limits."""
    from yunhe.core.cases import api as cases

    context.actor().require("cases.view")
    found, limits = cases.list_tables(), cases.list_limits()
    rows = [(t.code, t.title["zh"], t.hit, t.rules, t.number, t.source) for t in found]
    dated = [(one.code, one.amount, one.unit, one.valid_from, one.valid_until or "—", one.basis) for one in limits]
    lines = (
        *table_lines(("table", "title", "hit", "rules", "version", "pack"), rows),
        *table_lines(("limit", "amount", "unit", "from", "until", "basis"), dated),
    )
    return Output({"tables": [asdict(t) for t in found], "limits": [asdict(one) for one in limits]}, lines)


def decide(context: Context, arguments: argparse.Namespace) -> Output:
    """Ask a decision table with the rules of a day; nothing is written."""
    from yunhe.core.cases import api as cases
    from yunhe.kernel.clock import local, now

    context.actor().require("cases.view")
    on = arguments.on or local(now()).date()
    found = cases.try_table(code=arguments.table, values=_data(arguments.data), on=on)
    hits = [{"row": rule.row, "basis": rule.basis} for rule in found.hits]
    lines = [f"{name} = {value}" for name, value in found.outputs.items()]
    return Output(
        {"table": found.table, "digest": found.digest, "on": on, "outputs": dict(found.outputs), "rows": hits},
        (*lines, *(f"row {one['row']}  {one['basis']}" for one in hits)),
    )


def members(context: Context, arguments: argparse.Namespace) -> Output:
    """Show the list of a batch, best first, after putting cases on it or taking them off."""
    from yunhe.core.cases import api as cases

    actor, case_id = context.actor(), find_case_id(context, arguments.case)
    if arguments.add:
        cases.add_members(case_id=case_id, numbers=arguments.add, actor=actor)
    if arguments.drop:
        cases.drop_members(case_id=case_id, numbers=arguments.drop, actor=actor)
    found = cases.list_members(case_id=case_id, actor=actor)
    rows = [(m.rank, m.number, m.title, m.value, m.state) for m in found]
    return Output({"members": [asdict(m) for m in found]}, table_lines(("rank", "number", "title", "value", "state"), rows))


def migrate_plan(context: Context, arguments: argparse.Namespace) -> Output:
    """Show how running cases would move to the newest version of their kind; `--out` writes it to be corrected."""
    from yunhe.core.cases import api as cases

    plan = cases.plan_migration(kind=arguments.kind, source_number=arguments.source, actor=context.actor())
    data = asdict(plan)
    if arguments.out:
        told = {"kind": plan.kind, "from": plan.source_number, "to": plan.target_number, "moves": data["moves"]}
        Path(arguments.out).write_text(json.dumps(told, ensure_ascii=False, indent=2), "utf-8")
    changes = [f"{what} {part} {name}" for what, part, name in plan.changes]
    rows = [(m.phase, ", ".join(m.obligations) or "—", m.cases, m.choice) for m in plan.moves]
    lines = (f"{plan.kind} {plan.source_number} → {plan.target_number}", *changes, *table_lines(("phase", "open", "cases", "choice"), rows))
    return Output(data, lines)


def migrate_draft(context: Context, arguments: argparse.Namespace) -> Output:
    """Keep a plan for a second person, after a dry run."""
    from yunhe.core.cases import api as cases

    told = _data(Path(arguments.file).read_text("utf-8"))
    plan = cases.read_plan(told=told, actor=context.actor())
    return _migration(cases.draft_migration(plan=plan, reason=arguments.reason, actor=context.actor()))


def migrate_approve(context: Context, arguments: argparse.Namespace) -> Output:
    """Approve a change as the second person."""
    from yunhe.core.cases import api as cases

    return _migration(cases.approve_migration(migration_id=arguments.migration, actor=context.actor()))


def migrate_apply(context: Context, arguments: argparse.Namespace) -> Output:
    """Move the cases; goes on where it was stopped."""
    from yunhe.core.cases import api as cases

    def progress(done: int, total: int) -> None:
        print(f"{done} / {total}", file=sys.stderr)

    return _migration(cases.apply_migration(migration_id=arguments.migration, actor=context.actor(), progress=progress))


def migrate_undo(context: Context, arguments: argparse.Namespace) -> Output:
    """Write the plan that leads back from a change, to be drafted and approved like any other."""
    from yunhe.core.cases import api as cases

    plan = cases.undo_plan(migration_id=arguments.migration, actor=context.actor())
    told = {"kind": plan.kind, "from": plan.source_number, "to": plan.target_number, "moves": asdict(plan)["moves"]}
    told["undoes"] = plan.undoes
    Path(arguments.out).write_text(json.dumps(told, ensure_ascii=False, indent=2), "utf-8")
    return Output(told, (f"{arguments.out}",))


def migrate_withdraw(context: Context, arguments: argparse.Namespace) -> Output:
    """Take a change back that is not done; what it moved stays moved."""
    from yunhe.core.cases import api as cases

    return _migration(cases.withdraw_migration(migration_id=arguments.migration, actor=context.actor()))


def migrate_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List changes of procedures."""
    from yunhe.core.cases import api as cases

    found = cases.list_migrations(request=PageRequest(size=200), actor=context.actor()).items
    rows = [(m.migration_id, m.kind, f"{m.source_number} → {m.target_number}", m.state, m.moved, m.author_name) for m in found]
    return Output({"migrations": [asdict(m) for m in found]}, table_lines(("change", "kind", "versions", "state", "moved", "by"), rows))


def _saved_request(context: Context, page: str, name: str) -> PageRequest:
    """Return what to list: everything, or what a saved filter of the actor says."""
    if not name:
        return PageRequest(size=100)
    query = dict(_view(context, page, name).query)
    search, sort = query.pop("q", ""), query.pop("sort", "")
    return PageRequest(size=100, search=search, sort=sort, filters=query)


def _view(context: Context, page: str, name: str) -> Any:
    from yunhe.core.cases import api as cases

    found = next((view for view in cases.list_views(page=page, actor=context.actor()) if view.name == name), None)
    if found is None:
        raise Missing(what="常用筛选 saved filter", name=name)
    return found


def _outcomes(found: Iterable[Any]) -> Output:
    """Say what became of each case; the exit code is 1 if any was refused."""
    told = [{"number": one.number, "case": one.case_id, "done": one.refusal is None, "refusal": one.refusal} for one in found]
    rows = [(one["number"], "✓" if one["done"] else "✗", one["refusal"]["zh"] if one["refusal"] else "") for one in told]
    done = sum(one["done"] for one in told)
    lines = (*table_lines(("number", "done", "refusal"), rows), f"{done} / {len(told)}")
    return Output({"outcomes": told, "done": done, "refused": len(told) - done}, lines, exit_code=int(done < len(told)))


def _migration(found: Any) -> Output:
    data = {"migration": found.migration_id, "state": found.state, "moved": found.moved}
    return Output(data, (f"{found.migration_id}  {found.state}  {found.moved}",))


def _standing(case: Any) -> Output:
    data = {"case": case.case_id, "number": case.number, "phase": case.phase, "state": case.state, "version": case.version}
    return Output(data, (f"{case.number}  {case.phase}/{case.state}",))


def _data(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadJson(reason=str(error)) from error
    if not isinstance(data, dict):
        raise BadJson(reason=type(data).__name__)
    return data


def _case(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", metavar="CASE", help="number or id")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a kind as YAML")


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--title", required=True)
    parser.add_argument("--data", default="{}", help="the case's fields as a JSON object")
    parser.add_argument("--owner", default="", metavar="ORG", help="the organisation that is asked")
    parser.add_argument("--organization", default="", metavar="ORG", help="who applies; the actor's own if not given")
    parser.add_argument("--key", default="", help="the same key again gives the case that was opened with it")


def _inbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--filter", default="", metavar="NAME", help="a saved filter")


def _filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--page", choices=PAGES, default="inbox", help="of the inbox, or of the list of cases")


def _filter_save(parser: argparse.ArgumentParser) -> None:
    _filter(parser)
    parser.add_argument("--query", required=True, help="a JSON object, for example {\"kind\": \"permit\", \"q\": \"…\"}")


def _cases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("cases", nargs="+", metavar="NUMBER")


def _bulk_act(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="ACTION")
    _cases(parser)
    parser.add_argument("--data", default="{}", help="the action's fields as a JSON object, for all of them")


def _bulk_hand_on(parser: argparse.ArgumentParser) -> None:
    _cases(parser)
    parser.add_argument("--to", required=True, metavar="USER")
    parser.add_argument("--reason", required=True)


def _bulk_remind(parser: argparse.ArgumentParser) -> None:
    _cases(parser)
    parser.add_argument("--reason", required=True)


def _hand_over(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("person", metavar="USER", help="whose work it is now")
    parser.add_argument("--to", default="", metavar="USER", help="who takes it; back to its role if not given")
    parser.add_argument("--organization", default="", metavar="ORG", help="the actor's own if not given")
    parser.add_argument("--reason", required=True)


def _picture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--out", default="", metavar="FILE", help="KIND.bpmn if not given")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")


def _diagram(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--out", required=True, metavar="FILE", help="an SVG file")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")


def _act(parser: argparse.ArgumentParser) -> None:
    _case(parser)
    parser.add_argument("action", metavar="ACTION")
    parser.add_argument("--data", default="{}", help="the action's fields as a JSON object")
    parser.add_argument("--obligation", default="", help="which obligation, where several offer the action")


def _operate(parser: argparse.ArgumentParser) -> None:
    _case(parser)
    parser.add_argument("operator", choices=OPERATORS)
    parser.add_argument("--data", default="{}", help="for example {\"to\": \"zhang\", \"reason\": \"…\"}")
    parser.add_argument("--obligation", default="", help="which obligation, where it is offered on several")


def _decide(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE")
    parser.add_argument("--data", default="{}", help="the inputs as a JSON object")
    parser.add_argument("--on", type=date.fromisoformat, default=None, metavar="DATE", help="with the rules of that day; today if not given")


def _members(parser: argparse.ArgumentParser) -> None:
    _case(parser)
    parser.add_argument("--add", nargs="+", default=(), metavar="NUMBER", help="cases to put on the list")
    parser.add_argument("--drop", nargs="+", default=(), metavar="NUMBER", help="cases to take off the list")


def _migrate_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--source", type=int, default=None, help="the older version; the one with most cases if not given")
    parser.add_argument("--out", default="", metavar="FILE", help="write the plan as JSON")


def _migrate_draft(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--reason", required=True)


def _migration_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("migration", metavar="CHANGE")


def _migrate_undo(parser: argparse.ArgumentParser) -> None:
    _migration_argument(parser)
    parser.add_argument("--out", required=True, metavar="FILE")


def _text(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


COMMANDS: tuple[Command, ...] = (
    Command(("case", "kinds"), "cases.view", _text("列出办件类型", "list the kinds of cases"), kinds),
    Command(("case", "check"), "packs.view", _text("检查办件类型文件", "check a kind's file"), check, _file),
    Command(("case", "diagram"), "cases.view", _text("画出办件类型的流程图", "draw a kind as SVG"), diagram, _diagram),
    Command(("case", "bpmn"), "cases.view", _text("导出 BPMN", "export a kind as BPMN 2.0"), bpmn, _picture),
    Command(("case", "inbox"), "cases.view", _text("列出待办", "list what waits"), inbox, _inbox),
    Command(("case", "list"), "cases.view", _text("列出办件", "list cases"), list_cases, _inbox),
    Command(("case", "filter", "list"), "cases.view", _text("列出常用筛选", "list saved filters"), filter_list),
    Command(("case", "filter", "save"), "cases.view", _text("保存常用筛选", "save a filter"), filter_save, _filter_save),
    Command(("case", "filter", "delete"), "cases.view", _text("删除常用筛选", "delete a saved filter"), filter_delete, _filter),
    Command(("case", "bulk", "act"), "cases.act", _text("批量办理", "act on several cases"), bulk_act, _bulk_act),
    Command(("case", "bulk", "hand-on"), "cases.act", _text("批量转办", "hand several cases on"), bulk_hand_on, _bulk_hand_on),
    Command(("case", "bulk", "remind"), "cases.view", _text("批量催办", "remind of several cases"), bulk_remind, _bulk_remind),
    Command(("case", "hand-over"), "cases.supervise", _text("移交某人手里的待办", "hand over what a person holds"), hand_over, _hand_over),
    Command(("case", "open"), "cases.act", _text("提出办件", "open a case"), open_case, _open),
    Command(("case", "show"), "cases.view", _text("查看办件", "show a case"), show, _case),
    Command(("case", "act"), "cases.act", _text("办理", "act on a case"), act, _act),
    Command(("case", "do"), "cases.view", _text("转办、加签、退回等", "hand on, add a reviewer, send back …"), operate, _operate),
    Command(("case", "replay"), "cases.view", _text("按经过重算并核对", "fold the events and compare"), replay, _case),
    Command(("case", "tables"), "cases.view", _text("列出决策表与时限", "list decision tables and limits"), tables),
    Command(("case", "decide"), "cases.view", _text("试算决策表", "ask a decision table"), decide, _decide),
    Command(("case", "members"), "cases.act", _text("查看和修改批量办件的清单", "see and change the list of a batch"), members, _members),
    Command(("case", "migrate", "plan"), "cases.change", _text("拟定流程变更", "plan a change of procedure"), migrate_plan, _migrate_plan),
    Command(("case", "migrate", "draft"), "cases.change", _text("起草流程变更", "draft a change"), migrate_draft, _migrate_draft),
    Command(("case", "migrate", "approve"), "cases.change", _text("批准流程变更", "approve a change"), migrate_approve, _migration_argument),
    Command(("case", "migrate", "apply"), "cases.change", _text("执行流程变更", "move the cases"), migrate_apply, _migration_argument),
    Command(("case", "migrate", "undo"), "cases.change", _text("拟定撤销方案", "plan the way back"), migrate_undo, _migrate_undo),
    Command(("case", "migrate", "withdraw"), "cases.change", _text("撤回流程变更", "take a change back"), migrate_withdraw, _migration_argument),
    Command(("case", "migrate", "list"), "cases.change", _text("列出流程变更", "list changes"), migrate_list),
)
