"""Commands about people and rules: user, organization, pack, case, job, evidence."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import asdict

from yunhe.cli.commands import Command, Context, Output, both, named_lines, say, spoken
from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import PageRequest


class LettersOrAll(Invalid):
    code = "letters_or_all"
    sentences = {
        "zh": "请写出要重试的死信（LETTER …），或用 --all 重试全部，二者选一。",
        "en": "Name the letters to try again (LETTER …), or all of them with --all: one of the two.",
    }


def user_create(context: Context, arguments: argparse.Namespace) -> Output:
    """Make a user; the password is random and shown once."""
    from yunhe.core.organizations import api as organizations

    made = organizations.create_user(username=arguments.username, display_name=arguments.name or arguments.username, actor=context.actor())
    data = {"username": made.person.username, "password": made.password}
    lines = [f"{made.person.username} / {made.password}  {say('（只显示这一次）', '(shown once)')}"]
    if arguments.organization and arguments.role:
        organizations.add_membership(
            username=made.person.username, organization=arguments.organization, role=arguments.role, actor=context.actor()
        )
        lines.append(f"{arguments.organization} · {arguments.role}")
    return Output(data, tuple(lines))


def _user_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("username", metavar="USERNAME")
    parser.add_argument("--name", default="", help="the person's name")
    parser.add_argument("--organization", default="", metavar="ORG")
    parser.add_argument("--role", default="")


def user_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List users."""
    from yunhe.core.organizations import api as organizations

    page = organizations.list_persons(request=PageRequest(size=500), actor=context.actor())
    rows = [(u.username, u.display_name, "✓" if u.is_active else "—") for u in page.items]
    return Output({"users": [asdict(u) for u in page.items], "total": page.total}, named_lines(("username", "name", "active"), rows))


def user_password(context: Context, arguments: argparse.Namespace) -> Output:
    """Set a user's password: typed twice, or read from standard input."""
    from yunhe.core.organizations import api as organizations

    actor = context.actor()  # before the new password: both may stand in standard input
    first = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    organizations.set_password(username=arguments.username, password=first, actor=actor)
    return Output({"username": arguments.username}, (f"{arguments.username}{say('：密码已改', ': password set')}",))


def user_recover(context: Context, arguments: argparse.Namespace) -> Output:
    """Give an account a new first password by right of the node's home; random and shown once."""
    from yunhe.core.organizations import api as organizations
    from yunhe.kernel.actor import job_actor

    made = organizations.set_password(username=arguments.username, actor=job_actor("node_recovery"))
    data = {"username": made.person.username, "password": made.password}
    return Output(data, (f"{made.person.username} / {made.password}  {say('（只显示这一次）', '(shown once)')}",))


def _username(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("username", metavar="USERNAME")


def organization_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List organisations."""
    from yunhe.core.organizations import api as organizations

    page = organizations.list_organizations(request=PageRequest(size=500, search=arguments.search), actor=context.actor())
    rows = [(o.code, o.name, o.short_name) for o in page.items]
    return Output({"organizations": [asdict(o) for o in page.items], "total": page.total}, named_lines(("code", "name", "short"), rows))


def organization_create(context: Context, arguments: argparse.Namespace) -> Output:
    """Make an organisation."""
    from yunhe.core.organizations import api as organizations

    made = organizations.create_organization(
        code=arguments.code,
        name=arguments.name,
        short_name=arguments.short_name,
        region=arguments.region,
        actor=context.actor(),
    )
    return Output(asdict(made), (f"{made.code}  {made.name}",))


def _organization_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="USCC", help="unified social credit code, 18 characters")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--short-name", default="")
    parser.add_argument("--region", required=True, help="division code")


def pack_check(context: Context, arguments: argparse.Namespace) -> Output:
    """Check a pack folder; every problem with file, line and path."""
    from yunhe.core.packs import api as packs

    report = packs.check_pack(path=arguments.pack)
    return _pack_output(report)


def pack_load(context: Context, arguments: argparse.Namespace) -> Output:
    """Load a pack."""
    from yunhe.core.packs import api as packs

    return _pack_output(packs.load_pack(name_or_path=arguments.pack, actor=context.actor()))


def _pack_output(report: object) -> Output:
    from yunhe.core.packs.types import PackReport

    assert isinstance(report, PackReport)
    if report.problems:
        for problem in report.problems:
            print(f"{problem.place}: {problem.say(spoken())}", file=sys.stderr)
        from yunhe.core.packs.errors import PackBroken

        raise PackBroken(name=report.name or "?", problems=report.problems)
    data = {"name": report.name, "version": report.version, "digest": report.digest}
    return Output(data, (f"{report.name} {report.version}  {report.digest[:16]}  ✓",))


def pack_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List loaded packs."""
    from yunhe.core.packs import api as packs

    found = packs.list_packs(actor=context.actor())
    rows = [(p.name, p.version, p.digest[:16], p.loaded_at) for p in found]
    return Output({"packs": [asdict(p) for p in found]}, named_lines(("pack", "version", "digest", "loaded"), rows))


def _pack_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pack", metavar="PACK", help="a pack's name or folder")


def job_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List jobs."""
    from yunhe.core.jobs import api as jobs

    page = jobs.list_jobs(request=PageRequest(size=arguments.size), actor=context.actor())
    rows = [(j.id, j.name, j.state, j.attempts, j.error_code) for j in page.items]
    return Output({"jobs": [asdict(j) for j in page.items], "total": page.total}, named_lines(("job", "name", "state", "tries", "error"), rows))


def job_cancel(context: Context, arguments: argparse.Namespace) -> Output:
    """Ask a job to stop."""
    from yunhe.core.jobs import api as jobs

    job = jobs.cancel_job(job_id=arguments.job, actor=context.actor())
    return Output({"job": arguments.job, "state": job.state}, (f"{arguments.job}  {job.state}",))


def job_retry(context: Context, arguments: argparse.Namespace) -> Output:
    """Run a failed job again."""
    from yunhe.core.jobs import api as jobs

    job = jobs.retry_job(job_id=arguments.job, actor=context.actor())
    return Output({"job": arguments.job, "state": job.state}, (f"{arguments.job}  {job.state}",))


def letter_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List dead letters."""
    from yunhe.core.jobs.api import outbox

    filters = {"state": arguments.state} if arguments.state else {}
    request = PageRequest(page=arguments.page, size=arguments.size, search=arguments.search, filters=filters)
    page = outbox.list_letters(request=request, actor=context.actor())
    told = "en" if context.language[:2] == "en" else "zh"
    rows: list[tuple[object, ...]] = []
    for d in page.items:
        about, why = d.about, d.reason or (d.about.error or d.error).get(told, d.error_code)
        named = (d.title[told], about.title.get(told, ""), about.whom, about.way.get(told, ""), about.number)
        rows.append((d.delivery_id, d.state, *named, about.tries or d.tries, why))
        rows += [("", "", "", f"  {one.title[told]}", "", "", one.number, "", "") for one in about.items]
    headings = ("letter", "state", "what", "about", "whom", "way", "case", "tries", "reason")
    return Output({"letters": [asdict(d) for d in page.items], "total": page.total}, named_lines(headings, rows))


def letter_retry(context: Context, arguments: argparse.Namespace) -> Output:
    """Give dead letters fresh tries."""
    from yunhe.core.jobs.api import outbox

    if arguments.all == bool(arguments.letters):
        raise LettersOrAll()
    wanted = PageRequest(search=arguments.search)
    count = outbox.retry_all_dead(request=wanted, delivery_ids=arguments.letters, actor=context.actor())
    return Output({"retried": count}, (say(f"{count} 条会再送一次", f"{count} to be tried again"),))


def letter_drop(context: Context, arguments: argparse.Namespace) -> Output:
    """Give dead letters up for good."""
    from yunhe.core.jobs.api import outbox

    count = outbox.drop_dead(delivery_ids=arguments.letters, reason=arguments.reason, actor=context.actor())
    return Output({"dropped": count}, (say(f"{count} 条已丢弃", f"{count} dropped"),))


def _letters_arguments(parser: argparse.ArgumentParser) -> None:
    _size_argument(parser)
    _search_argument(parser)
    parser.add_argument("--page", type=int, default=1)
    parser.add_argument("--state", choices=("dead", "dropped"), default="")


def _retry_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("letters", metavar="LETTER", type=int, nargs="*")
    parser.add_argument("--all", action="store_true", help="every dead letter, or every one that --search finds")
    _search_argument(parser)


def _drop_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("letters", metavar="LETTER", type=int, nargs="+")
    parser.add_argument("--reason", required=True)


def _job_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB")


def _size_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=100)


def evidence_find(context: Context, arguments: argparse.Namespace) -> Output:
    """Find evidence, newest first."""
    from yunhe.core.evidence import api as evidence

    filters = {k: v for k, v in (("kind", arguments.kind), ("subject_id", arguments.subject)) if v}
    page = evidence.find(request=PageRequest(page=arguments.page, size=arguments.size, filters=filters), actor=context.actor())
    rows = [(r.at, r.kind, r.actor_name, ":".join(filter(None, (r.via, r.os_user))), r.subject_id, r.digest[:16]) for r in page.items]
    headings = ("at", "kind", "by", "via", "subject", "digest")
    return Output({"records": [asdict(r) for r in page.items], "total": page.total}, named_lines(headings, rows))


def _evidence_arguments(parser: argparse.ArgumentParser) -> None:
    _size_argument(parser)
    parser.add_argument("--kind", default="")
    parser.add_argument("--subject", default="", help="for example a resource's code")
    parser.add_argument("--page", type=int, default=1)


def _search_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--search", default="")


COMMANDS: tuple[Command, ...] = (
    Command(("user", "create"), "organizations.manage", both("新建用户", "make a user"), user_create, _user_arguments),
    Command(("user", "list"), "organizations.view", both("列出用户", "list users"), user_list),
    Command(("user", "password"), "organizations.manage", both("设置密码", "set a password"), user_password, _username),
    Command(("user", "recover"), "operator", both("在节点本机找回账号", "recover an account on the node itself"), user_recover, _username),
    Command(("organization", "list"), "organizations.view", both("列出机构", "list organisations"), organization_list, _search_argument),
    Command(("organization", "create"), "organizations.manage", both("新建机构", "make an organisation"), organization_create, _organization_arguments),
    Command(("pack", "check"), "packs.view", both("检查能力包", "check a pack"), pack_check, _pack_argument),
    Command(("pack", "load"), "packs.load", both("装入能力包", "load a pack"), pack_load, _pack_argument),
    Command(("pack", "list"), "packs.view", both("列出能力包", "list packs"), pack_list),
    Command(("job", "list"), "jobs.view", both("列出作业", "list jobs"), job_list, _size_argument),
    Command(("job", "cancel"), "jobs.manage", both("取消作业", "cancel a job"), job_cancel, _job_argument),
    Command(("job", "retry"), "jobs.manage", both("重试作业", "retry a job"), job_retry, _job_argument),
    Command(("letter", "list"), "jobs.view", both("列出死信", "list dead letters"), letter_list, _letters_arguments),
    Command(("letter", "retry"), "jobs.manage", both("重试死信", "try dead letters again"), letter_retry, _retry_arguments),
    Command(("letter", "drop"), "jobs.manage", both("丢弃死信", "give dead letters up"), letter_drop, _drop_arguments),
    Command(("evidence", "find"), "evidence.view", both("查找存证", "find evidence"), evidence_find, _evidence_arguments),
)
