"""What people read for the codes of a kind: its conditions, the groups that it joins, the steps that are no action of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from yunhe.core.cases.rules.outcomes import outcome_titles
from yunhe.core.cases.types import BUILT_IN, FieldSpec, KindSpec

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

OWN_EVENTS: Mapping[str, Mapping[str, str]] = {
    "open": {"zh": "提出", "en": "Opened"},
    "waiver": {"zh": "免除第二人审核", "en": "Second person waived"},
    "recount": {"zh": "按新日历重算时限", "en": "Due dates recounted"},
    "retitle": {"zh": "事项改名", "en": "Renamed"},
    "migrate": {"zh": "按新流程续办", "en": "Moved to the new procedure"},
    "warn": {"zh": "时限预警", "en": "Time running out"},
    "hand_on": {"zh": "转办", "en": "Handed on"},
    "reassign": {"zh": "指派", "en": "Assigned"},
    "take_back": {"zh": "收回转办", "en": "Given back to all"},
    "add_reviewer": {"zh": "加签", "en": "Reviewer added"},
    "drop_reviewer": {"zh": "撤回加签", "en": "Reviewer dropped"},
    "give_opinion": {"zh": "提交意见", "en": "Opinion given"},
    "send_back": {"zh": "退回", "en": "Sent back"},
    "retract": {"zh": "撤回上一步", "en": "Last step taken back"},
    "withdraw": {"zh": "撤回申请", "en": "Withdrawn"},
    "remind": {"zh": "催办", "en": "Reminded"},
    "escalate": {"zh": "督办", "en": "Put under supervision"},
    "suspend": {"zh": "中止", "en": "Suspended"},
    "resume": {"zh": "恢复办理", "en": "Resumed"},
    "extend": {"zh": "延期", "en": "Extended"},
    "merge": {"zh": "并案", "en": "Merged"},
    "unmerge": {"zh": "解除并案，继续办理", "en": "Goes on by itself"},
    "take_in": {"zh": "并入重复办件", "en": "A duplicate came in"},
    "split": {"zh": "拆分", "en": "Split"},
    "child_closed": {"zh": "子办件办结", "en": "Sub-case ended"},
    "cancel": {"zh": "随主办件终止", "en": "Ended with the case above"},
    "lapse": {"zh": "期满", "en": "Time is over"},
    "recur": {"zh": "新一期开始", "en": "A new period began"},
    "take_members": {"zh": "列入清单", "en": "Cases put on the list"},
    "drop_members": {"zh": "移出清单", "en": "Cases taken off the list"},
    "join_batch": {"zh": "列入批量办件", "en": "Put on the list of a batch"},
    "leave_batch": {"zh": "移出批量办件", "en": "Taken off the list of a batch"},
    "for_members": {"zh": "由批量办件办理", "en": "Decided with its batch"},
}
"""What steps are called that are no action of a kind."""


def condition_in_words(text: str, kind: KindSpec, *, language: str, roles: Text, form: tuple[FieldSpec, ...] = ()) -> str:
    """Return a condition with what people read for its names, signs and codes; a name that nothing is known of stays.

    `form` are the fields that it may name as `form_x`; `roles` are the titles of roles by code.
    """
    names = _names(kind, form, language)
    codes = {**_codes(kind, form, language), **roles}
    return " ".join("".join(_told(token, names, codes) for token in _TOKEN.findall(text)).split())


def listed(titles: Iterable[Text]) -> Text:
    """Return several names as one, each once."""
    every = list(titles)
    found = {"zh": [one["zh"] for one in every], "en": [one.get("en") or one["zh"] for one in every]}
    return {language: ("、" if language == "zh" else ", ").join(dict.fromkeys(names)) for language, names in found.items()}


def step_named(kind: KindSpec, action: str) -> dict[str, Text]:
    """Return what an action, or another step of a case, is called, for a refusal; nothing for one that there is not."""
    declared = (spec.actions[action].title.as_mapping() for spec in (*kind.obligations.values(), *BUILT_IN.values()) if action in spec.actions)
    title = next(declared, OWN_EVENTS.get(action))
    return {"action": title} if title else {}


def kind_named(kind: KindSpec, name: str = "kind_code") -> dict[str, Text]:
    """Return what a kind is called, for a refusal that names it by its code."""
    return {name: kind.title.as_mapping()}


def phase_title(kind: KindSpec, code: str) -> Text:
    """Return the name of a phase; a code that the version does not know stands for itself."""
    return next((phase.title.as_mapping() for phase in kind.phases if phase.code == code), {"zh": code, "en": code})


def position_title(kind: KindSpec, phase: str, names: Iterable[str]) -> Text:
    """Return where cases stand in words: 审查 + 会签 ×3."""
    counted = sorted(Counter(names).items())
    titles = [(kind.obligation(name).title.as_mapping(), f" ×{count}" if count > 1 else "") for name, count in counted]
    parts = [(phase_title(kind, phase), ""), *titles]
    return {language: " + ".join(title[language] + times for title, times in parts) for language in ("zh", "en")}


def group_title(kind: KindSpec, group: str) -> dict[str, str]:
    """Return what people read for a group: the titles of what is joined in it."""
    joined = listed(obligation.title.as_mapping() for obligation in kind.obligations.values() if obligation.group == group)
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
