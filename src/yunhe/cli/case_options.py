"""What people give to the commands of cases: JSON on the line or in a file; the name of an action, an obligation, a kind."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from yunhe.cli.commands import spoken
from yunhe.kernel.errors import Invalid, Missing

if TYPE_CHECKING:
    from yunhe.core.cases.errors import FieldProblem
    from yunhe.core.cases.types import CaseView, FieldSpec

MOST_SHOWN = 20


class BadJson(Invalid):
    code = "bad_data_option"
    sentences = {
        "zh": "{where} 不是 JSON 对象：{reason}。例：{{\"opinion\": \"同意\"}}",
        "en": "{where} is not a JSON object: {reason_en}. Example: {{\"opinion\": \"granted\"}}",
    }


class BadOperatorData(Invalid):
    code = "bad_operator_data"
    sentences = {
        "zh": "“{title}”（{operator}）的 --data 有 {count} 处要改：{problem}。写法：--data '{example}'",
        "en": '--data of "{title_en}" ({operator}): {count} to mend: {problem_en}. Write --data \'{example}\'',
    }


class NoSuchAction(Invalid):
    code = "no_such_action"
    sentences = {
        "zh": "办件 {number} 现在没有“{action}”这个动作，您可以办理：{offered}。",
        "en": 'Case {number} offers no action "{action}" now. You may take: {offered_en}.',
    }


class NoSuchObligation(Invalid):
    """An obligation that the case does not have, or that does not offer this; also none named where several offer it."""

    code = "no_such_obligation"
    sentences = {
        "zh": "--obligation {found}：办件 {number} 没有提供“{name}”的这个待办。可用：{offered}。",
        "en": '--obligation {found}: case {number} has no such obligation that offers "{name_en}". There are: {offered_en}.',
    }


class ObligationNeeded(Invalid):
    code = "obligation_needed"
    sentences = {
        "zh": "办件 {number} 有多个待办都可“{name}”。请用 --obligation 指明一个：{offered}。",
        "en": 'Several obligations of case {number} offer "{name_en}". Name one with --obligation: {offered_en}.',
    }


class NoSuchKind(Missing):
    code = "no_such_kind"
    sentences = {
        "zh": "没有办件类型“{name}”。{near}：{kinds}。",
        "en": 'There is no case kind "{name}". {near_en}: {kinds_en}.',
    }


def data_option(text: str, where: str = "--data") -> dict[str, Any]:
    """Return a JSON object; `where` is what people are told that it stands in. Raises: BadJson."""
    from yunhe.ui.errors import DoorError
    from yunhe.ui.strict_json import DEEPEST, read_json

    try:
        data = read_json(text, where)
    except DoorError as error:
        if isinstance(error.__cause__, json.JSONDecodeError):
            line, column = error.__cause__.lineno, error.__cause__.colno
            said = f"第 {line} 行第 {column} 列起写错了", f"wrong from line {line} column {column} on"
        elif error.code == "bad_json":
            said = f"嵌套超过 {DEEPEST} 层", f"nested more than {DEEPEST} deep"
        else:
            said = f"{error.facts['where'][:60]} 不能保存", f"{error.facts['where'][:60]} cannot be stored"
        raise BadJson(where=where, reason=said[0], reason_en=said[1]) from error
    if not isinstance(data, dict):
        raise BadJson(where=where, reason=f"给的是{_kind_of(data)['zh']}", reason_en=f"it is {_kind_of(data)['en']}")
    return data


def _kind_of(value: Any) -> Mapping[str, str]:
    """Return what a JSON value is, as people say it."""
    if isinstance(value, bool):
        return {"zh": "是否值", "en": "true or false"}
    if value is None:
        return {"zh": "空值", "en": "null"}
    return {"list": {"zh": "列表", "en": "a list"}, "str": {"zh": "文字", "en": "a text"}}.get(type(value).__name__, {"zh": "数字", "en": "a number"})


def operator_data(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a generic operator is given, checked against its form. Raises: BadOperatorData, which names every place."""
    from yunhe.core.cases import api as cases

    form = cases.OPERATOR_FORMS[name]
    gives_back = name == "reassign" and data.get("to") == ""  # back to its role
    asked = tuple(field.model_copy(update={"required": False}) if gives_back and field.name == "to" else field for field in form)
    clean, problems = cases.check_values(asked, data)
    if problems:
        raise _bad_data(name, form, problems)
    return {key: value for key, value in clean.items() if value is not None} | ({"to": ""} if gives_back else {})


def _bad_data(name: str, form: Sequence[FieldSpec], problems: Sequence[FieldProblem]) -> BadOperatorData:
    from yunhe.core.cases.errors import OPERATOR_TITLES

    example = json.dumps({field.name: _example(field) for field in form if field.required}, ensure_ascii=False)
    said = {
        tongue: join.join(f"{one.field}{mark}{one.say(tongue).rstrip('。.')}" for one in problems[:MOST_SHOWN])
        for tongue, join, mark in (("zh", "；", "："), ("en", "; ", ": "))
    }
    title = OPERATOR_TITLES[name]
    return BadOperatorData(
        operator=name, title=title["zh"], title_en=title["en"], count=len(problems), problem=said["zh"], problem_en=said["en"], example=example
    )


def _example(field: FieldSpec) -> Any:
    if field.type == "integer":
        return 5
    return ["…"] if field.type == "list" else "…"


def choose_obligation(view: CaseView, offering: Iterable[str], found: str, title: Mapping[str, str], *, needed: bool = True) -> str:
    """Return the obligation on which something is done: the one named, or the only one that offers it, else "".

    `offering` are the obligations that offer it to the actor. Raises: NoSuchObligation, ObligationNeeded.
    """
    ids = list(dict.fromkeys(filter(None, offering)))
    known = {one.obligation_id: one for one in view.obligations}
    told = {
        one: {tongue: f"{known[one].title[tongue]} {known[one].organization_name}".strip() for tongue in ("zh", "en")} for one in ids if one in known
    }
    facts = {"number": view.case.number, "name": title["zh"], "name_en": title["en"], **listed("offered", told)}
    if found and found not in ids and (ids or found not in known):
        raise NoSuchObligation(found=found[:40], **facts)
    if not found and len(ids) > 1 and needed:
        raise ObligationNeeded(**facts)
    return found or (ids[0] if len(ids) == 1 else "")


def listed(name: str, titles: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return codes with what people read for them, as facts of an error: `name` in Chinese, `name`_en in English."""
    zh = "、".join(f"{code}（{title['zh']}）" for code, title in titles.items()) or "—"
    en = ", ".join(f"{code} ({title.get('en') or title['zh']})" for code, title in titles.items()) or "—"
    return {name: zh, f"{name}_en": en}


def require_kind(code: str) -> str:
    """Return the code of a kind that there is. Raises: NoSuchKind with the names that are near it."""
    from yunhe.core.cases import api as cases

    known = {kind.code: kind.title for kind in cases.list_kinds()}
    if code in known:
        return code
    near = near_names(code, known)
    heads = ("相近的", "Near it") if near else ("现有", "There are")
    shown = {one: known[one] for one in near or tuple(known)[:MOST_SHOWN]}
    raise NoSuchKind(name=code[:80], near=heads[0], near_en=heads[1], **listed("kinds", shown))


def near_names(name: str, known: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return the codes that a wrong name may have meant: by their own letters, or by what people read for them."""
    titled = [code for code, title in known.items() if name and any(name.lower() in text.lower() for text in (code, *title.values()))]
    return tuple(dict.fromkeys([*get_close_matches(name, known, n=5, cutoff=0.5), *titled]))[:5]


def day_option(text: str) -> date:
    """Return the day that an option names. Raises: ArgumentTypeError."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    said = {"zh": f"“{text[:40]}”不是日期，写作 2026-01-31", "en": f'"{text[:40]}" is no day; it is written 2026-01-31'}
    raise argparse.ArgumentTypeError(said[spoken()])


def count_option(most: int) -> Any:
    """Return how an option takes a number from 1 to `most`."""

    def counted(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            said = {"zh": f"“{text[:40]}”不是 1 到 {most} 的整数", "en": f'"{text[:40]}" is no whole number from 1 to {most}'}
            raise argparse.ArgumentTypeError(said[spoken()])
        return int(text)

    return counted
