"""Commands of cases: kinds, opening, acting, the generic operators, replay, changes of procedure."""

from __future__ import annotations

import argparse
import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Any

from yunhe.cli.case_options import (
    NoSuchAction,
    choose_obligation,
    data_option,
    day_option,
    listed,
    operator_data,
    require_kind,
)
from yunhe.cli.commands import Command, Context, Output, both, named_lines
from yunhe.cli.files import text_of, write_out
from yunhe.cli.sharing_commands import find_case_id
from yunhe.kernel.clock import local
from yunhe.kernel.errors import Invalid

# Named here, too: the parser of every command is built before anything heavy is imported. A test compares.
OPERATORS = (
    "hand_on", "reassign", "take_back", "add_reviewer", "drop_reviewer", "send_back", "retract", "withdraw", "remind", "escalate",
    "suspend", "resume", "extend", "merge", "split",
)  # fmt: skip


def kinds(context: Context, arguments: argparse.Namespace) -> Output:
    """List the published kinds."""
    from yunhe.core.cases import api as cases

    context.actor().require("cases.view")
    found = cases.list_kinds()
    rows = [(k.code, k.title.get(context.language) or k.title["zh"], k.number, k.digest[:16], k.source) for k in found]
    return Output({"kinds": [asdict(k) for k in found]}, named_lines(("kind", "title", "version", "digest", "pack"), rows))


def check(context: Context, arguments: argparse.Namespace) -> Output:
    """Check a kind's file; nothing is written."""
    from yunhe.core.cases import api as cases

    spec = cases.read_kind(path=Path(arguments.file))
    cases.require_sound(spec)
    cases.require_roles(spec)
    data = {"kind": spec.code, "phases": len(spec.phases), "obligations": len(spec.obligations), "sound": True}
    return Output(data, (f"{spec.code}  {spec.title.as_mapping()[context.language]}  ✓",))


def diagram(context: Context, arguments: argparse.Namespace) -> Output:
    """Write the picture of a kind as SVG."""
    from yunhe.core.cases import api as cases

    return _written(arguments.out, cases.draw_kind(code=require_kind(arguments.kind), language=arguments.language, actor=context.actor()))


def bpmn(context: Context, arguments: argparse.Namespace) -> Output:
    """Write a kind as BPMN 2.0 with its layout, for reading in other tools."""
    from yunhe.core.cases import api as cases

    text = cases.export_bpmn(code=require_kind(arguments.kind), language=arguments.language, actor=context.actor())
    return _written(arguments.out or f"{arguments.kind}.bpmn", text)


def _written(name: str, text: str) -> Output:
    write_out(name, text)
    return Output({"file": name, "bytes": len(text.encode())}, (name,))


def open_case(context: Context, arguments: argparse.Namespace) -> Output:
    """Open a case of a kind."""
    from yunhe.core.cases import api as cases
    from yunhe.core.cases.errors import FieldProblem, FieldsInvalid

    kind, data = require_kind(arguments.kind), data_option(arguments.data)
    if arguments.title and cases.get_kind(code=kind).heading:
        said = "这类办件的标题由表单内容生成，请去掉 --title。", "The title is made from the form: leave --title out."
        raise FieldsInvalid([FieldProblem("title", "unknown", *said)])
    case = cases.open_case(
        kind=kind, title=arguments.title, data=data, owner=arguments.owner,
        organization=arguments.organization, request_key=arguments.key, actor=context.actor(),
    )  # fmt: skip
    return _standing(context, case)


def act(context: Context, arguments: argparse.Namespace) -> Output:
    """Do one action on a case."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    case_id, data = find_case_id(context, arguments.case), data_option(arguments.data)
    view = cases.access_case(case_id=case_id, actor=actor)
    offered = {one.name: one.title for one in view.actions}
    if offered and arguments.action not in offered:
        raise NoSuchAction(action=arguments.action[:80], number=view.case.number, **listed("offered", offered))
    offering = [one.obligation_id for one in view.actions if one.name == arguments.action]
    title = offered.get(arguments.action, {"zh": arguments.action[:80], "en": arguments.action[:80]})
    case = cases.act(
        case_id=case_id, action=arguments.action, data=data, expected_version=view.case.version,
        obligation_id=choose_obligation(view, offering, arguments.obligation, title), actor=actor,
    )  # fmt: skip
    return _standing(context, case)


def operate(context: Context, arguments: argparse.Namespace) -> Output:
    """Use a generic operator on a case."""
    from yunhe.core.cases import api as cases
    from yunhe.core.cases.errors import OPERATOR_TITLES, ActionNotOffered

    actor, name = context.actor(), arguments.operator
    told = operator_data(name, data_option(arguments.data))
    view = cases.access_case(case_id=find_case_id(context, arguments.case), actor=actor)
    if "into" in told:
        told["into"] = find_case_id(context, told["into"])
    call = getattr(cases, name)
    takes = inspect.signature(call).parameters.get("obligation_id")
    needed = takes is not None and takes.default is inspect.Parameter.empty
    offering = [one.obligation_id for one in view.operators if one.name == name]
    chosen = choose_obligation(view, offering, arguments.obligation, OPERATOR_TITLES[name], needed=needed)
    if needed and not chosen and name == "reassign" and view.case.state == "open":
        raise _not_now(view.case.number, name)
    if takes is not None:
        told["obligation_id"] = chosen
    try:
        call(case_id=view.case.case_id, actor=actor, **told)
    except ActionNotOffered as error:
        if error.facts["action"]:
            raise
        raise _not_now(view.case.number, name) from error
    return _standing(context, cases.get_case(case_id=view.case.case_id))


def _not_now(number: str, name: str) -> Invalid:
    """Return that an operator is not offered: it is not the actor's turn, or the case does not stand so."""
    from yunhe.core.cases.errors import CannotOperate

    problem, problem_en = "它现在不由您办，或情形不允许", "it is not your turn, or not possible where it stands"
    return CannotOperate(number=number, operator=name, problem=problem, problem_en=problem_en)


def show(context: Context, arguments: argparse.Namespace) -> Output:
    """Show one case: where it stands, who owes what by when, each clock, its facts, what may be done, what was done."""
    from yunhe.cli.case_lines import case_data, case_lines
    from yunhe.core.cases import api as cases

    view = cases.access_case(case_id=find_case_id(context, arguments.case), actor=context.actor())
    titles = cases.role_titles(language=context.language)
    told = {**asdict(view), "case": case_data(view.case)}
    return Output(told, tuple(case_lines(view, language=context.language, titles=titles)))


def replay(context: Context, arguments: argparse.Namespace) -> Output:
    """Fold the events of a case and compare them with its rows."""
    from yunhe.core.cases import api as cases

    found = cases.replay_case(case_id=find_case_id(context, arguments.case), actor=context.actor())
    line = f"{found.events} {'events' if context.language == 'en' else '条经过'}  {'✓' if found.equal else ', '.join(found.differences)}"
    return Output(asdict(found), (line,))


def tables(context: Context, arguments: argparse.Namespace) -> Output:
    """List decision tables and dated limits."""
    from yunhe.cli.case_lines import UNITS
    from yunhe.core.cases import api as cases

    context.actor().require("cases.view")
    found, limits = cases.list_tables(), cases.list_limits()
    rows = [(t.code, t.title.get(context.language) or t.title["zh"], t.hit, t.rules, t.number, t.source) for t in found]
    dated = [(one.code, one.amount, UNITS[one.unit][context.language].strip(), one.valid_from, one.valid_until or "—", one.basis) for one in limits]
    lines = (
        *named_lines(("table", "title", "hit", "rules", "version", "pack"), rows),
        *named_lines(("limit", "amount", "unit", "from", "until", "basis"), dated),
    )
    return Output({"tables": [asdict(t) for t in found], "limits": [asdict(one) for one in limits]}, lines)


def decide(context: Context, arguments: argparse.Namespace) -> Output:
    """Ask a decision table with the rules of a day; nothing is written."""
    from yunhe.core.cases import api as cases
    from yunhe.kernel.clock import now

    context.actor().require("cases.view")
    on = arguments.on or local(now()).date()
    found = cases.try_table(code=arguments.table, values=data_option(arguments.data), on=on)
    hits = [{"row": rule.row, "basis": rule.basis} for rule in found.hits]
    row = "row" if context.language == "en" else "第"
    lines = [f"{name} = {value}" for name, value in found.outputs.items()]
    return Output(
        {"table": found.table, "digest": found.digest, "on": on, "outputs": dict(found.outputs), "rows": hits},
        (*lines, *(f"{row} {one['row']}{' 行' if context.language == 'zh' else ''}  {one['basis']}" for one in hits)),
    )


def table_export(context: Context, arguments: argparse.Namespace) -> Output:
    """Write a decision table as DMN 1.3, for other tools."""
    from yunhe.core.cases import api as cases

    return _written(arguments.out or f"{arguments.table}.dmn", cases.export_table(code=arguments.table, actor=context.actor()))


def table_import(context: Context, arguments: argparse.Namespace) -> Output:
    """Check a DMN file and, with --out, write its table as a pack holds it; nothing is published."""
    from yunhe.core.cases import api as cases
    from yunhe.engine.decisions import TableRefused

    path, tongue = Path(arguments.file), context.language
    text = text_of(arguments.file)
    try:
        found = cases.convert_dmn(text=text, file=path.name, decision=arguments.decision, code=arguments.code, actor=context.actor())
    except TableRefused as refused:
        for other in refused.problems[1:]:
            context.note(other.say(tongue))
        raise
    told = [error.say(tongue) for error in found.passed_over] + [hole[tongue] for hole in found.holes]
    files = {f"tables/{found.code}.yml": found.declaration, f"tables/{found.code}.csv": found.rules}
    written = [write_out(Path(arguments.out) / name, text, makes_folder=True) for name, text in files.items()] if arguments.out else []
    data = {"table": found.code, "hit": found.hit, "rules": found.count, "digest": found.digest, "files": written, "problems": told}
    lines = (f"{found.code}  {found.title.get(tongue) or found.title['zh']}  {found.hit}  {found.count}  {'✗' if told else '✓'}", *told, *written)
    return Output(data, lines, exit_code=1 if told else 0)


def members(context: Context, arguments: argparse.Namespace) -> Output:
    """Show the list of a batch, best first, after putting cases on it or taking them off."""
    from yunhe.core.cases import api as cases
    from yunhe.core.cases.errors import ActionNotOffered, MembersRefused
    from yunhe.core.cases.types import CASE_STATES

    actor, case_id = context.actor(), find_case_id(context, arguments.case)
    try:
        if arguments.add:
            cases.add_members(case_id=case_id, numbers=arguments.add, actor=actor)
        if arguments.drop:
            cases.drop_members(case_id=case_id, numbers=arguments.drop, actor=actor)
    except ActionNotOffered as error:
        problem, problem_en = "它不是现在由您列清单的批量办件", "it is no batch whose list is yours to change now"
        which = " ".join((*arguments.add, *arguments.drop))[:200]
        raise MembersRefused(number=error.facts["number"], problem=problem, problem_en=problem_en, which=which) from error
    found = cases.list_members(case_id=case_id, actor=actor)
    rows = [(m.rank, m.number, m.title, m.value, CASE_STATES[m.state][context.language]) for m in found]
    return Output({"members": [asdict(m) for m in found]}, named_lines(("rank", "number", "title", "value", "state"), rows))


def _standing(context: Context, case: Any) -> Output:
    from yunhe.cli.case_lines import stands

    data = {"case": case.case_id, "number": case.number, "phase": case.phase, "state": case.state, "version": case.version}
    return Output(data, (f"{case.number}  {stands(case, context.language)}",))


def _case(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", metavar="CASE", help="number or id")


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a kind as YAML")


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--title", default="", help="what it is about; a kind with a heading makes its own, then none is given")
    parser.add_argument("--data", default="{}", help="the case's fields as a JSON object")
    parser.add_argument("--owner", default="", metavar="ORG", help="the organisation that is asked")
    parser.add_argument("--organization", default="", metavar="ORG", help="who applies; the actor's own if not given")
    parser.add_argument("--key", default="", help="the same key again gives the case that was opened with it")


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
    parser.add_argument("--on", type=day_option, default=None, metavar="DATE", help="with the rules of that day; today if not given")


def _table_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE")
    parser.add_argument("--out", default="", metavar="FILE", help="TABLE.dmn if not given")


def _table_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a DMN document")
    parser.add_argument("--decision", default="", metavar="NAME", help="which decision; the first with a table if not given")
    parser.add_argument("--code", default="", metavar="CODE", help="what the pack calls the table; the decision's name if not given")
    parser.add_argument("--out", default="", metavar="DIR", help="the folder of a pack, into which tables/CODE.yml and .csv are written")


def _members(parser: argparse.ArgumentParser) -> None:
    _case(parser)
    parser.add_argument("--add", nargs="+", default=(), metavar="NUMBER", help="cases to put on the list")
    parser.add_argument("--drop", nargs="+", default=(), metavar="NUMBER", help="cases to take off the list")


COMMANDS: tuple[Command, ...] = (
    Command(("case", "kinds"), "cases.view", both("列出办件类型", "list the kinds of cases"), kinds),
    Command(("case", "check"), "packs.view", both("检查办件类型文件", "check a kind's file"), check, _file),
    Command(("case", "diagram"), "cases.view", both("画出办件类型的流程图", "draw a kind as SVG"), diagram, _diagram),
    Command(("case", "bpmn"), "cases.view", both("导出 BPMN", "export a kind as BPMN 2.0"), bpmn, _picture),
    Command(("case", "open"), "cases.act", both("提出办件", "open a case"), open_case, _open),
    Command(("case", "show"), "cases.view", both("查看办件", "show a case"), show, _case),
    Command(("case", "act"), "cases.act", both("办理", "act on a case"), act, _act),
    Command(("case", "do"), "cases.view", both("转办、加签、退回等", "hand on, add a reviewer, send back …"), operate, _operate),
    Command(("case", "replay"), "cases.view", both("按经过重算并核对", "fold the events and compare"), replay, _case),
    Command(("case", "tables"), "cases.view", both("列出决策表与时限", "list decision tables and limits"), tables),
    Command(("case", "decide"), "cases.view", both("试算决策表", "ask a decision table"), decide, _decide),
    Command(("case", "table", "export"), "cases.view", both("把决策表导出为 DMN", "export a decision table as DMN 1.3"), table_export, _table_export),
    Command(
        ("case", "table", "import"), "packs.view", both("检查 DMN 并转成能力包的决策表", "check a DMN file, convert it for a pack"),
        table_import, _table_import,
    ),
    Command(("case", "members"), "cases.act", both("查看和修改批量办件的清单", "see and change the list of a batch"), members, _members),
)
