"""Commands about sharing: request, grant, system, call."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from yunhe.cli.commands import Command, Context, Output, both, named_lines, say
from yunhe.cli.files import reasons
from yunhe.kernel.errors import Invalid
from yunhe.kernel.ids import is_id
from yunhe.kernel.pages import PageRequest
from yunhe.ui.errors import DoorError


class BadKeyFile(Invalid):
    code = "bad_key_file"
    sentences = {
        "zh": "密钥文件 {file} 读不了或格式不对：{reason}。它由 yunhe system create --out 生成。",
        "en": "The key file {file} cannot be used: {reason_en}. It is made by yunhe system create --out.",
    }


class NotAPair(Invalid):
    code = "not_a_pair"
    sentences = {
        "zh": "{what} 第 {place} 个没有写成“名称=值”。请补上名称和等号。",
        "en": "{what} number {place} is not written NAME=VALUE. Add the name and the equals sign.",
    }


class KeyFileTaken(Invalid):
    code = "key_file_not_writable"
    sentences = {
        "zh": "密钥文件 {file} 写不了：{reason}。没有新建接入系统。请换一个还不存在的文件。",
        "en": "The key file {file} cannot be written: {reason_en}. No system was made. Name a file that does not exist yet.",
    }


def request_create(context: Context, arguments: argparse.Namespace) -> Output:
    """Ask the owner for fields of a resource."""
    from yunhe.data.exchange import api as exchange

    case = exchange.request_access(
        resource_code=arguments.code,
        fields=_names(arguments.fields),
        purpose=arguments.purpose,
        legal_basis=arguments.basis,
        row_filter=arguments.filter,
        until=arguments.until,
        organization=arguments.organization,
        actor=context.actor(),
    )
    return _case_output(context, case.case_id)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.replace("，", ",").split(",") if name.strip())


def _pairs(texts: Iterable[str], what: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for place, (name, equals, _) in enumerate(pairs, start=1):
        if not (name and equals):
            raise NotAPair(what=what, place=place)  # never the text: it may be somebody's number
    return {name: value for name, _, value in pairs}


def _request_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE")
    parser.add_argument("--fields", required=True, help="field names by comma")
    parser.add_argument("--purpose", required=True)
    parser.add_argument("--basis", required=True, help="legal basis of the use")
    parser.add_argument("--filter", default="", help="row filter, an expression over the fields")
    parser.add_argument("--until", default="", help="YYYY-MM-DD; a year if not given")
    parser.add_argument("--organization", default="", metavar="ORG", help="who asks; the actor's own if not given")


def request_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List the data requests that the actor may see."""
    from yunhe.core.cases import api as cases

    request = PageRequest(size=arguments.size, filters={"kind": "data_request"})
    page = cases.list_cases(request=request, actor=context.actor())
    rows = [{"case": c.case_id, "number": c.number, "title": c.title, "phase": c.phase, "state": c.state} for c in page.items]
    return Output({"requests": rows, "total": page.total}, named_lines(("case", "number", "title", "phase", "state"), [r.values() for r in rows]))


def request_show(context: Context, arguments: argparse.Namespace) -> Output:
    """Show one request with what may be done."""
    return _case_output(context, find_case_id(context, arguments.case))


def request_grant(context: Context, arguments: argparse.Namespace) -> Output:
    """Grant a request, the same or narrower."""
    decision = {
        "fields": list(_names(arguments.fields)) if arguments.fields else [],
        "row_filter": arguments.filter,
        "until": arguments.until,
        "masks": _pairs(_names(arguments.masks), "--masks"),
        "opinion": arguments.opinion,
    }
    return _act(context, arguments.case, "grant", decision)


def _grant_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", metavar="CASE", help="the request's number or id")
    parser.add_argument("--fields", default="", help="only these of the asked fields")
    parser.add_argument("--filter", default="", help="a further row filter")
    parser.add_argument("--until", default="")
    parser.add_argument("--masks", default="", help="field=mask by comma")
    parser.add_argument("--opinion", default="同意 granted")


def request_refuse(context: Context, arguments: argparse.Namespace) -> Output:
    """Refuse a request with a reason."""
    return _act(context, arguments.case, "refuse", {"reason": arguments.reason})


def _refuse_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", metavar="CASE")
    parser.add_argument("--reason", required=True)


def _act(context: Context, case: str, action: str, data: dict[str, object]) -> Output:
    """Take the action with its form's defaults, overridden by what the person said."""
    from yunhe.core.cases import api as cases

    actor = context.actor()
    case_id = find_case_id(context, case)
    clean = {key: value for key, value in data.items() if value not in ("", [], {})}
    offered = cases.access_case(case_id=case_id, actor=actor)
    defaults = next((dict(a.defaults) for a in offered.actions if a.name == action), {})
    known = {k: v for k, v in defaults.items() if v not in (None, "", [], {})}
    cases.act(case_id=case_id, action=action, data={**known, **clean}, expected_version=offered.case.version, actor=actor)
    return _case_output(context, case_id)


def find_case_id(context: Context, text: str) -> str:
    from yunhe.core.cases import api as cases
    from yunhe.kernel.errors import Missing

    actor = context.actor()
    found = cases.list_cases(request=PageRequest(size=50, search=text), actor=actor).items
    for case in found:
        if text in (case.number, case.case_id):
            return case.case_id
    if is_id(text):
        return cases.access_case(case_id=text, actor=actor).case.case_id
    raise Missing(what="case", name=text)


def _case_output(context: Context, case_id: str) -> Output:
    from yunhe.core.cases import api as cases
    from yunhe.data.exchange import api as exchange

    actor = context.actor()
    view = cases.access_case(case_id=case_id, actor=actor)
    may = actor.may("exchange.view")
    grants = exchange.list_grants(request=PageRequest(search=view.case.number), actor=actor).items if may else ()
    data = {
        "case": view.case.case_id,
        "number": view.case.number,
        "phase": view.case.phase,
        "state": view.case.state,
        "actions": [action.name for action in view.actions],
        "grant": grants[0].grant_id if grants else "",
    }
    line = f"{view.case.number}  {view.case.title}  {view.case.phase}/{view.case.state}"
    return Output(data, (line, f"{say('可办：', 'actions: ')}{', '.join(data['actions']) or '—'}", f"{say('授权：', 'grant: ')}{data['grant'] or '—'}"))


def grant_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List grants given and held."""
    from yunhe.data.exchange import api as exchange

    filters = {k: v for k, v in (("state", arguments.state), ("resource", arguments.resource)) if v}
    page = exchange.list_grants(request=PageRequest(size=arguments.size, filters=filters), actor=context.actor())
    rows = [(g.grant_id, g.resource_code, g.resource_title, g.consumer_name, g.state, g.valid_until.date()) for g in page.items]
    lines = named_lines(("grant", "resource", "title", "consumer", "state", "until"), rows)
    return Output({"grants": [asdict(g) for g in page.items], "total": page.total}, lines)


def _grant_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=("active", "expired", "revoked"), default="")
    parser.add_argument("--resource", default="")
    parser.add_argument("--size", type=int, default=100)


def grant_show(context: Context, arguments: argparse.Namespace) -> Output:
    """Show one grant."""
    from yunhe.data.exchange import api as exchange

    grant = exchange.access_grant(grant_id=arguments.grant, actor=context.actor())
    data = asdict(grant)
    return Output(data, tuple(f"{key}: {value}" for key, value in data.items()))


def grant_revoke(context: Context, arguments: argparse.Namespace) -> Output:
    """Take a grant back."""
    from yunhe.data.exchange import api as exchange

    grant = exchange.revoke_grant(grant_id=arguments.grant, reason=arguments.reason, actor=context.actor())
    return Output({"grant": grant.grant_id, "state": grant.state}, (f"{grant.grant_id}  {grant.state}",))


def _grant_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("grant", metavar="GRANT")


def _revoke_arguments(parser: argparse.ArgumentParser) -> None:
    _grant_argument(parser)
    parser.add_argument("--reason", required=True)


def system_create(context: Context, arguments: argparse.Namespace) -> Output:
    """Make a calling system; its secret goes to a 0600 file or is shown once."""
    from yunhe.data.exchange import api as exchange

    actor = context.actor()
    with _key_file(arguments.out) as file:  # first, for the secret is shown once only
        made = exchange.create_system(name=arguments.name, organization=arguments.organization, actor=actor)
        if file:
            json.dump({"key": made.system.key_id, "secret": made.secret}, file)
    data = {"key": made.system.key_id, "name": made.system.name, "organization": made.system.organization}
    if arguments.out:
        return Output(data | {"out": arguments.out}, (f"{made.system.key_id} → {arguments.out} (0600)",))
    return Output(data | {"secret": made.secret}, (f"key    {made.system.key_id}", f"secret {made.secret}  {say('（只显示这一次）', '(shown once)')}"))


@contextmanager
def _key_file(path: str) -> Iterator[TextIO | None]:
    """Yield a new file that only its owner reads; it is gone again if what is done meanwhile fails."""
    if not path:
        yield None
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyFileTaken(file=path, **reasons(error)) from error
    try:
        with os.fdopen(handle, "w") as file:
            yield file
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise


def _system_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("organization", metavar="ORG")
    parser.add_argument("--out", default="", metavar="FILE", help="write key and secret there, mode 0600")


def system_list(context: Context, arguments: argparse.Namespace) -> Output:
    """List calling systems."""
    from yunhe.data.exchange import api as exchange

    page = exchange.list_systems(request=PageRequest(size=200), actor=context.actor())
    rows = [(s.key_id, s.name, s.organization_name, s.created_at, s.revoked_at or "") for s in page.items]
    return Output({"systems": [asdict(s) for s in page.items], "total": page.total}, named_lines(("key", "name", "organization", "made", "revoked"), rows))


def system_revoke(context: Context, arguments: argparse.Namespace) -> Output:
    """Take a system's key back."""
    from yunhe.data.exchange import api as exchange

    system = exchange.revoke_system(key_id=arguments.key, actor=context.actor())
    return Output({"key": system.key_id, "revoked_at": system.revoked_at}, (f"{system.key_id}  {say('已收回', 'revoked')}",))


def _key_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY")


def call(context: Context, arguments: argparse.Namespace) -> Output:
    """Call the gateway as a system would: signed, over HTTP."""
    from django.conf import settings

    from yunhe.client import Client

    key = _read_key(arguments.key_file)
    url = arguments.url or f"http://{settings.YUNHE['HOST']}:{settings.YUNHE['GATEWAY_PORT']}"
    client = Client(url, key["key"], key["secret"])
    keys = _pairs(arguments.key, "COLUMN=VALUE")
    answer = asdict(client.query(grant=arguments.grant, keys=keys, fields=list(_names(arguments.fields)) or None))
    return Output(answer, (json.dumps(answer, ensure_ascii=False, indent=2),))


def _read_key(file: str) -> dict[str, str]:
    from yunhe.ui.strict_json import read_json

    try:
        key = read_json(Path(file).read_text("utf-8"), file)
        return {"key": str(key["key"]), "secret": str(key["secret"])}
    except (OSError, UnicodeError) as error:
        raise BadKeyFile(file=file, **reasons(error)) from error
    except (DoorError, KeyError, TypeError) as error:
        expected = '{"key": "…", "secret": "…"}'
        raise BadKeyFile(file=file, reason=f"须是 {expected}", reason_en=f"{expected} is expected") from error


def _call_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("grant", metavar="GRANT")
    parser.add_argument("key", metavar="COLUMN=VALUE", nargs="+", help="the key of the wanted row")
    parser.add_argument("--fields", default="", help="only these of the granted fields")
    parser.add_argument("--key-file", required=True, help="made by yunhe system create --out")
    parser.add_argument("--url", default="", help="the gateway's address")


def _case_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", metavar="CASE")


def _size_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, default=100)


COMMANDS: tuple[Command, ...] = (
    Command(("request", "create"), "exchange.request", both("申请使用数据", "request data"), request_create, _request_arguments),
    Command(("request", "list"), "cases.view", both("列出数据需求", "list data requests"), request_list, _size_argument),
    Command(("request", "show"), "cases.view", both("查看数据需求", "show a data request"), request_show, _case_argument),
    Command(("request", "grant"), "exchange.decide", both("同意并授权", "grant a request"), request_grant, _grant_arguments),
    Command(("request", "refuse"), "exchange.decide", both("不同意", "refuse a request"), request_refuse, _refuse_arguments),
    Command(("grant", "list"), "exchange.view", both("列出授权", "list grants"), grant_list, _grant_list_arguments),
    Command(("grant", "show"), "exchange.view", both("查看授权", "show a grant"), grant_show, _grant_argument),
    Command(("grant", "revoke"), "exchange.decide", both("收回授权", "revoke a grant"), grant_revoke, _revoke_arguments),
    Command(("system", "create"), "exchange.systems", both("新建接入系统", "make a calling system"), system_create, _system_arguments),
    Command(("system", "list"), "exchange.systems", both("列出接入系统", "list calling systems"), system_list),
    Command(("system", "revoke"), "exchange.systems", both("收回系统密钥", "revoke a system's key"), system_revoke, _key_argument),
    Command(("call",), "grant", both("经网关取一条", "call the gateway for one row"), call, _call_arguments),
)
