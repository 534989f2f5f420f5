"""Commands of the work on cases: the inbox, lists, saved filters, several cases at once, handing over."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from yunhe.cli.case_options import count_option, data_option, require_kind
from yunhe.cli.commands import Command, Context, Output, both, named_lines, say
from yunhe.kernel.errors import Invalid, Missing
from yunhe.kernel.pages import MAX_PAGE_SIZE, Page, PageRequest

PAGES = ("inbox", "list")
LAST_PAGE = 1_000_000


class BadQuery(Invalid):
    code = "bad_filter_query"
    sentences = {
        "zh": "--query 里没有“{found}”这样的条件；可用：{expected}。",
        "en": '--query has no condition "{found}"; there are: {expected}.',
    }


class NotAText(Invalid):
    code = "filter_query_not_text"
    sentences = {
        "zh": "--query 的 {found} 须是文字。写法：{{\"{found}\": \"…\"}}",
        "en": "{found} of --query must be a text. Write {{\"{found}\": \"…\"}}",
    }


def inbox(context: Context, arguments: argparse.Namespace) -> Output:
    """List what waits for the actor, by due time; with `--filter` what a saved filter of the inbox finds."""
    from yunhe.cli.case_lines import stood_in, when
    from yunhe.core.cases import api as cases

    page = cases.list_waiting(request=_asked(context, "inbox", arguments), actor=context.actor())
    language = context.language
    rows = [
        (w.case_id, w.number, w.case_title, w.title[language] + stood_in(w.on_behalf_name, language), w.pause_basis if w.light == "paused" else when(w.due_at))
        for w in page.items
    ]
    lines = (*named_lines(("case", "number", "title", "to do", "due"), rows), _place(page))
    return Output({"waiting": [asdict(w) for w in page.items], "total": page.total}, lines)


def list_cases(context: Context, arguments: argparse.Namespace) -> Output:
    """List cases that the actor may see, the newest first; with `--filter` what a saved filter finds."""
    from yunhe.cli.case_lines import case_data, due_of, stands, stood_in
    from yunhe.core.cases import api as cases

    actor, language = context.actor(), context.language
    page = cases.list_cases(request=_asked(context, "list", arguments), actor=actor)
    absent = cases.list_stood_in(cases=page.items, actor=actor)
    rows = [
        (c.number, c.title, c.kind_title[language], stands(c, language) + stood_in(absent.get(c.case_id, ""), language), due_of(c, language))
        for c in page.items
    ]
    lines = (*named_lines(("number", "title", "kind", "stands", "due"), rows), _place(page))
    return Output({"cases": [case_data(c) for c in page.items], "total": page.total}, lines)


def filter_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List the actor's saved filters of the inbox and of the list of cases, each with its count of now."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    actor.require("cases.view")
    found = [view for page in PAGES for view in cases.list_views(page=page, actor=actor)]
    rows = [(v.page, v.name, f"{v.count}{'+' if v.more else ''}", " ".join(f"{k}={told}" for k, told in v.query.items())) for v in found]
    return Output({"filters": [asdict(v) for v in found]}, named_lines(("page", "name", "cases", "query"), rows))


def filter_save(context: Context, arguments: argparse.Namespace) -> Output:
    """Save a filter under a name; the same name again replaces it."""
    from yunhe.core.cases import api as cases

    actor, query = context.actor(), data_option(arguments.query, "--query")
    actor.require("cases.view")
    if unknown := query.keys() - set(cases.VIEW_QUERIES[arguments.page]):
        expected = ", ".join(cases.VIEW_QUERIES[arguments.page])
        raise BadQuery(found=", ".join(sorted(unknown))[:200], expected=expected)
    for key, told in query.items():
        if not isinstance(told, str):
            raise NotAText(found=key)
    view = cases.save_view(page=arguments.page, name=arguments.name, query=query, actor=actor)
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

    data = data_option(arguments.data)
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


def _saved_request(context: Context, page: str, name: str) -> PageRequest:
    """Return what to list: everything, or what a saved filter of the actor says."""
    if not name:
        return PageRequest()
    query = dict(_view(context, page, name).query)
    search, sort = query.pop("q", ""), query.pop("sort", "")
    return PageRequest(search=search, sort=sort, filters=query)


def _asked(context: Context, page: str, arguments: argparse.Namespace) -> PageRequest:
    """Return what to list: a saved filter, if one is named, and what the command itself asks for on top of it."""
    saved = _saved_request(context, page, arguments.filter)
    if arguments.kind:
        require_kind(arguments.kind)
    filters = {**saved.filters, **({"kind": arguments.kind} if arguments.kind else {})}
    return replace(saved, filters=filters, search=arguments.search or saved.search, page=arguments.page, size=arguments.size)


def _place(page: Page[Any]) -> str:
    return f"{len(page.items)} / {page.total}{say(f'（第 {page.page} 页，共 {page.pages} 页）', f' (page {page.page} of {page.pages})')}"


def _view(context: Context, page: str, name: str) -> Any:
    from yunhe.core.cases import api as cases

    found = next((view for view in cases.list_views(page=page, actor=context.actor()) if view.name == name), None)
    if found is None:
        raise Missing(what="saved_view", name=name)
    return found


def _outcomes(found: Iterable[Any]) -> Output:
    """Say what became of each case; the exit code is 1 if any was refused."""
    told = [{"number": one.number, "case": one.case_id, "done": one.refusal is None, "refusal": one.refusal} for one in found]
    rows = [(one["number"], "✓" if one["done"] else "✗", say(one["refusal"]["zh"], one["refusal"]["en"]) if one["refusal"] else "") for one in told]
    done = sum(one["done"] for one in told)
    lines = (*named_lines(("number", "done", "refusal"), rows), f"{done} / {len(told)}")
    return Output({"outcomes": told, "done": done, "refused": len(told) - done}, lines, exit_code=int(done < len(told)))


def _inbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--filter", default="", metavar="NAME", help="a saved filter")
    parser.add_argument("--kind", default="", metavar="KIND", help="of one kind, by its code")
    parser.add_argument("--search", default="", metavar="TEXT", help="in number, title, names and what was filled in")
    parser.add_argument("--page", type=count_option(LAST_PAGE), default=1, metavar="N")
    parser.add_argument("--size", type=count_option(MAX_PAGE_SIZE), default=100, metavar="N", help=f"cases a page, 1 to {MAX_PAGE_SIZE}")


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


COMMANDS: tuple[Command, ...] = (
    Command(("case", "inbox"), "cases.view", both("列出待办", "list what waits"), inbox, _inbox),
    Command(("case", "list"), "cases.view", both("列出办件", "list cases"), list_cases, _inbox),
    Command(("case", "filter", "list"), "cases.view", both("列出常用筛选", "list saved filters"), filter_list),
    Command(("case", "filter", "save"), "cases.view", both("保存常用筛选", "save a filter"), filter_save, _filter_save),
    Command(("case", "filter", "delete"), "cases.view", both("删除常用筛选", "delete a saved filter"), filter_delete, _filter),
    Command(("case", "bulk", "act"), "cases.act", both("批量办理", "act on several cases"), bulk_act, _bulk_act),
    Command(("case", "bulk", "hand-on"), "cases.act", both("批量转办", "hand several cases on"), bulk_hand_on, _bulk_hand_on),
    Command(("case", "bulk", "remind"), "cases.view", both("批量催办", "remind of several cases"), bulk_remind, _bulk_remind),
    Command(("case", "hand-over"), "cases.supervise", both("移交某人手里的待办", "hand over what a person holds"), hand_over, _hand_over),
)
