"""Commands of a change of procedure: how running cases move to another version of their kind."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from yunhe.cli.case_options import data_option, require_kind
from yunhe.cli.commands import Command, Context, Output, both, named_lines, say
from yunhe.cli.files import text_of, write_out
from yunhe.kernel.clock import local
from yunhe.kernel.pages import PageRequest


def migrate_plan(context: Context, arguments: argparse.Namespace) -> Output:
    """Show how running cases would move to the newest version of their kind; `--out` writes it to be corrected."""
    from yunhe.core.cases import api as cases

    plan = cases.plan_migration(kind=require_kind(arguments.kind), source_number=arguments.source, actor=context.actor())
    data = asdict(plan)
    if arguments.out:
        told = {"kind": plan.kind, "from": plan.source_number, "to": plan.target_number, "moves": data["moves"]}
        write_out(arguments.out, json.dumps(told, ensure_ascii=False, indent=2))
    changes = [f"{say(*WAYS[what])} {say(*PARTS[part])} {name}" for what, part, name in plan.changes]
    rows = [(m.phase, ", ".join(m.obligations) or "—", m.cases, m.choice) for m in plan.moves]
    lines = (f"{plan.kind} {plan.source_number} → {plan.target_number}", *changes, *named_lines(("phase", "open", "cases", "choice"), rows))
    return Output(data, lines)


def migrate_draft(context: Context, arguments: argparse.Namespace) -> Output:
    """Keep a plan for a second person; `--dry-run` moves cases by it and takes that back."""
    from yunhe.core.cases import api as cases

    told = data_option(text_of(arguments.file), arguments.file)
    plan = cases.read_plan(told=told, actor=context.actor())
    if arguments.dry_run:
        return _tried(cases.try_plan(plan=plan, actor=context.actor()), context.language)
    return _migration(cases.draft_migration(plan=plan, reason=arguments.reason, actor=context.actor()))


def migrate_approve(context: Context, arguments: argparse.Namespace) -> Output:
    """Approve a change as the second person; `--dry-run` shows what it does to cases first."""
    from yunhe.core.cases import api as cases

    if arguments.dry_run:
        change = cases.get_migration(migration_id=arguments.migration, actor=context.actor())
        return _tried(cases.try_plan(plan=change, actor=context.actor()), context.language)
    return _migration(cases.approve_migration(migration_id=arguments.migration, actor=context.actor()))


def migrate_apply(context: Context, arguments: argparse.Namespace) -> Output:
    """Move the cases; goes on where it was stopped. `--dry-run` moves some and takes that back."""
    from yunhe.core.cases import api as cases

    if arguments.dry_run:
        change = cases.get_migration(migration_id=arguments.migration, actor=context.actor())
        return _tried(cases.try_plan(plan=change, actor=context.actor()), context.language)

    def progress(done: int, total: int) -> None:
        print(f"{done} / {total}", file=sys.stderr)

    return _migration(cases.apply_migration(migration_id=arguments.migration, actor=context.actor(), progress=progress))


def migrate_undo(context: Context, arguments: argparse.Namespace) -> Output:
    """Write the plan that leads back from a change, to be drafted and approved like any other."""
    from yunhe.core.cases import api as cases

    plan = cases.undo_plan(migration_id=arguments.migration, actor=context.actor())
    told = {"kind": plan.kind, "from": plan.source_number, "to": plan.target_number, "moves": asdict(plan)["moves"]}
    told["undoes"] = plan.undoes
    write_out(arguments.out, json.dumps(told, ensure_ascii=False, indent=2))
    return Output(told, (f"{arguments.out}", *_left_out(plan)))


def _left_out(plan: Any) -> Iterator[str]:
    """Yield of each group what the way back does not open again."""
    for number, move in enumerate(plan.moves, start=1):
        if move.left_out:
            names = ", ".join(dict.fromkeys(move.left_out))
            zh, en = f"第 {number} 组（{move.cases} 件）：已取消的 {names} 不会再打开", f"group {number} ({move.cases} cases): {names} was cancelled"
            yield say(zh, f"{en} and is not opened again")


def migrate_withdraw(context: Context, arguments: argparse.Namespace) -> Output:
    """Take a change back that is not done; what it moved stays moved."""
    from yunhe.core.cases import api as cases

    return _migration(cases.withdraw_migration(migration_id=arguments.migration, actor=context.actor()))


def migrate_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List changes of procedures."""
    from yunhe.core.cases import api as cases

    found = cases.list_migrations(request=PageRequest(size=200), actor=context.actor()).items
    rows = [(m.migration_id, m.kind, f"{m.source_number} → {m.target_number}", _state(m), m.moved, m.author_name) for m in found]
    return Output({"migrations": [asdict(m) for m in found]}, named_lines(("change", "kind", "versions", "state", "moved", "by"), rows))


WAYS: Mapping[str, tuple[str, str]] = {"added": ("增加", "added"), "gone": ("去掉", "gone"), "changed": ("改动", "changed")}
PARTS: Mapping[str, tuple[str, str]] = {
    "phase": ("阶段", "phase"), "field": ("字段", "field"), "obligation": ("待办", "obligation"), "group": ("会签规则", "group"), "kind": ("类型", "kind"),
}  # fmt: skip
TRIED: Mapping[str, Mapping[str, str]] = {
    "sum": {
        "zh": "试办 {tried} / {moved} 件；{kept} 件留在原版本；什么都没有保留",
        "en": "tried {tried} of {moved}; {kept} stay on their version; nothing was kept",
    },
    "nobody": {"zh": "无人", "en": "nobody"},
    "paused": {"zh": "已暂停", "en": "paused"},
    "no_limit": {"zh": "无时限", "en": "no limit"},
    "opens": {"zh": "新开", "en": "opens"},
    "ends": {"zh": "了结", "en": "ends"},
}


def _tried(dry: Any, language: str) -> Output:
    """Show what a dry run did: in all, by case and obligation before and after, and what stands in the way."""
    from yunhe.core.cases import api as cases

    titles = cases.role_titles(language=language)
    problems = [{"phase": phase, "obligations": names, "problems": said} for (phase, names, _origin), said in dry.problems.items()]
    data = {"moved": dry.moved, "kept": dry.kept, "tried": dry.tried, "problems": problems, "groups": [asdict(group) for group in dry.groups]}
    comma = {"zh": "、", "en": ", "}[language]
    rows = [
        (one.number, *_before_and_after(line, language, titles), comma.join(line.told) or (TRIED["nobody"][language] if line.nobody else ""),
         comma.join(line.lost))
        for group in dry.groups for one in group.tried for line in one.lines
    ]  # fmt: skip
    lines = [TRIED["sum"][language].format(tried=dry.tried, moved=dry.moved, kept=dry.kept)]
    lines += named_lines(("case", "obligation", "before", "after", "told", "no longer theirs"), rows) if rows else ()
    mark = {"zh": "：", "en": ": "}[language]
    lines += [f"{one.number}{mark}{one.problem[language]}" for one in dry.failed]
    lines += [f"{phase} + {comma.join(names) or '—'}{mark}{one[language]}" for (phase, names, _origin), told in dry.problems.items() for one in told]
    return Output(data, tuple(lines), exit_code=0 if dry.is_sound else 1)


def _before_and_after(line: Any, language: str, titles: Mapping[str, str]) -> tuple[str, str, str]:
    def word(name: str) -> str:
        return TRIED[name][language]

    def said(item: Any) -> str:
        who = item.person_name or f"{item.organization_name} {' / '.join(titles.get(role, role) for role in item.roles)}".strip()
        until = word("paused") if item.paused else f"{local(item.due_at):%Y-%m-%d %H:%M}" if item.due_at else word("no_limit")
        return f"{who} {until}".strip()

    title = (line.after or line.before).title
    return title[language], said(line.before) if line.before else word("opens"), said(line.after) if line.after else word("ends")


def _migration(found: Any) -> Output:
    data = {"migration": found.migration_id, "state": found.state, "moved": found.moved}
    return Output(data, (f"{found.migration_id}  {_state(found)}  {found.moved}",))


def _state(change: Any) -> str:
    from yunhe.core.cases.errors import CHANGE_STATES

    return say(*CHANGE_STATES[change.state].values())


def _migrate_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND")
    parser.add_argument("--source", type=int, default=None, help="the older version; the one with most cases if not given")
    parser.add_argument("--out", default="", metavar="FILE", help="write the plan as JSON")


def _migrate_draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a plan as JSON, as `migrate plan --out` wrote it")
    parser.add_argument("--reason", default="", help="needed unless --dry-run")
    _dry_run(parser)


def _dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="move cases, show what became of them, and take it back")


def _migration_step(parser: argparse.ArgumentParser) -> None:
    _migration_argument(parser)
    _dry_run(parser)


def _migration_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("migration", metavar="CHANGE")


def _migrate_undo(parser: argparse.ArgumentParser) -> None:
    _migration_argument(parser)
    parser.add_argument("--out", required=True, metavar="FILE")


COMMANDS: tuple[Command, ...] = (
    Command(("case", "migrate", "plan"), "cases.change", both("拟定流程变更", "plan a change of procedure"), migrate_plan, _migrate_plan),
    Command(("case", "migrate", "draft"), "cases.change", both("起草流程变更", "draft a change"), migrate_draft, _migrate_draft),
    Command(("case", "migrate", "approve"), "cases.change", both("批准流程变更", "approve a change"), migrate_approve, _migration_step),
    Command(("case", "migrate", "apply"), "cases.change", both("执行流程变更", "move the cases"), migrate_apply, _migration_step),
    Command(("case", "migrate", "undo"), "cases.change", both("拟定撤销方案", "plan the way back"), migrate_undo, _migrate_undo),
    Command(("case", "migrate", "withdraw"), "cases.change", both("撤回流程变更", "take a change back"), migrate_withdraw, _migration_argument),
    Command(("case", "migrate", "list"), "cases.change", both("列出流程变更", "list changes"), migrate_list),
)
