"""What people read for the codes of a kind: its conditions, the groups that it joins, the outcomes that it ends with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.types import FieldSpec, KindSpec

Text = Mapping[str, str]
_TOKEN = re.compile(r"'(?:[^']|'')*'|[^\W\d]\w*|\d+(?:\.\d+)?|<>|!=|<=|>=|\s+|.", re.DOTALL)
_SIGNS = {"<>": "≠", "!=": "≠", "<=": "≤", ">=": "≥"}
_WORDS: Mapping[str, Text] = {
    "and": {"zh": "且", "en": "and"}, "or": {"zh": "或", "en": "or"}, "not": {"zh": "非", "en": "not"},
    "is": {"zh": "为", "en": "is"}, "null": {"zh": "空", "en": "empty"}, "in": {"zh": "属于", "en": "in"},
    "true": {"zh": "是", "en": "yes"}, "false": {"zh": "否", "en": "no"},
    "actor_id": {"zh": "办理人", "en": "who acts"}, "actor_kind": {"zh": "办理人类别", "en": "kind of actor"},
    "actor_organization": {"zh": "办理人单位", "en": "body of who acts"}, "actor_role": {"zh": "办理人岗位", "en": "role of who acts"},
    "opener_id": {"zh": "提出人", "en": "who opened it"}, "applicant_organization": {"zh": "申请单位", "en": "applicant"},
    "owner_organization": {"zh": "办理单位", "en": "handling body"}, "case_phase": {"zh": "所在阶段", "en": "phase"},
    "open_count": {"zh": "未办件数", "en": "open"}, "done_count": {"zh": "已办件数", "en": "done"},
    "total_count": {"zh": "总件数", "en": "all"}, "score_mean": {"zh": "平均分", "en": "mean score"},
}  # fmt: skip


def condition_in_words(text: str, kind: KindSpec, *, language: str, roles: Text, form: tuple[FieldSpec, ...] = ()) -> str:
    """Return a condition with what people read for its names, signs and codes; a name that nothing is known of stays.

    `form` are the fields that it may name as `form_x`; `roles` are the titles of roles by code.
    """
    names = _names(kind, form, language)
    codes = {**_codes(kind, form, language), **roles}
    return " ".join("".join(_told(token, names, codes) for token in _TOKEN.findall(text)).split())


def outcome_titles(kind: KindSpec) -> dict[str, Text]:
    """Return what people read for each outcome with which a case or an obligation ends.

    An action or a lapse with that outcome says it; else whatever closes the case with it: its action, or the phase there.
    """
    phases = {phase.code: phase.title.as_mapping() for phase in kind.phases}
    found: dict[str, Text] = {}
    for where, effects, _form, _group in blocks_of(kind):
        moved = [effect.go_to_phase for effect in effects if effect.go_to_phase]
        for effect in effects:
            if effect.close_case and moved:
                found.setdefault(effect.close_case, phases[moved[-1]])
            elif effect.close_case and where == "withdraw":
                found.setdefault(effect.close_case, {"zh": "已撤回", "en": "Withdrawn"})
    for obligation in kind.obligations.values():
        for action in obligation.actions.values():
            closed = [effect.close_case for effect in action.effects if effect.close_case]
            found |= {outcome: action.title.as_mapping() for outcome in (*closed, action.outcome)}
        if obligation.on_due:
            found.setdefault(obligation.on_due.outcome, obligation.on_due.title.as_mapping())
    return found


def group_title(kind: KindSpec, group: str) -> dict[str, str]:
    """Return what people read for a group: the titles of what is joined in it."""
    members = [obligation.title.as_mapping() for obligation in kind.obligations.values() if obligation.group == group]
    joined = {"zh": "、".join(dict.fromkeys(one["zh"] for one in members)), "en": ", ".join(dict.fromkeys(one["en"] for one in members))}
    return {"zh": f"汇合：{joined['zh']}", "en": f"Join: {joined['en']}"}


def _told(token: str, names: Text, codes: Text) -> str:
    if token.startswith("'"):
        code = token[1:-1].replace("''", "'")
        return f"“{codes.get(code, code)}”"
    return names.get(token) or names.get(token.lower()) or _SIGNS.get(token, token)


def _names(kind: KindSpec, form: tuple[FieldSpec, ...], language: str) -> dict[str, str]:
    told = {word: text[language] for word, text in _WORDS.items()}
    told |= {f"count_{code}": _counted(title[language], language) for code, title in outcome_titles(kind).items()}
    told |= {field.name: field.title.as_mapping()[language] for field in kind.fields}
    return told | {f"form_{field.name}": field.title.as_mapping()[language] for field in form}


def _counted(title: str, language: str) -> str:
    return f"“{title}”件数" if language == "zh" else f'number of "{title}"'


def _codes(kind: KindSpec, form: tuple[FieldSpec, ...], language: str) -> dict[str, str]:
    told = {phase.code: phase.title.as_mapping()[language] for phase in kind.phases}
    return told | {value: title[language] for value, title in _choices((*kind.fields, *form))}


def _choices(fields: tuple[FieldSpec, ...]) -> Iterator[tuple[str, Text]]:
    for field in fields:
        yield from ((choice.value, choice.title.as_mapping()) for choice in field.choices)
