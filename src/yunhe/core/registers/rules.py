"""The pure part of registers: search text, facets, code fronts, differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yunhe.core.registers.types import CodePart, Difference, RegisterType

LONGEST_SEARCH = 20_000


def search_text(*, code: str, title: str, body: Mapping[str, Any], fields: Iterable[str]) -> str:
    """Return what a search looks through: code, title, its pinyin initials, the type's search fields; lower case."""
    parts = [code, title, pinyin_initials(title), *(_words(body.get(name)) for name in fields)]
    return " ".join(parts).lower()[:LONGEST_SEARCH]


def pinyin_initials(text: str) -> str:
    """Return the first letter of each syllable, so that 企业登记 is found by qydj."""
    from pypinyin import Style, lazy_pinyin  # heavy (its phrase tables): only writers pay

    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER, errors="ignore")).lower()


def facet_values(declared: RegisterType, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return each (facet, value) of a body, once; booleans as true and false."""
    found: dict[tuple[str, str], None] = {}
    for name in declared.facets:
        value = body.get(name)
        for one in value if isinstance(value, list) else [value]:
            if one not in (None, ""):
                found[(name, str(one).lower() if isinstance(one, bool) else str(one)[:200])] = None
    return tuple(found)


def facet_labels(declared: RegisterType) -> dict[tuple[str, str], str]:
    """Return the Chinese title of each declared value of a facet."""
    labels = {(f.name, choice.value): choice.title.zh for f in declared.fields for choice in f.choices}
    flags = [f.name for f in declared.fields if f.type == "boolean"]
    return {**labels, **{(name, word): said for name in flags for word, said in (("true", "是"), ("false", "否"))}}


def series_and_text(
    parts: tuple[CodePart, ...], *, type_code: str, owner: str, owner_serial: int, body: Mapping[str, Any]
) -> tuple[str, str, int]:
    """Return the series a new code counts in, the text before its number, and the number's width."""
    front = ""
    for part in parts[:-1]:
        if part.owner_serial:
            front += f"{owner_serial:0{part.owner_serial}d}"
        else:
            front += part.text or str(body.get(part.field) or part.default)
    return f"code:{type_code}:{front}", front, parts[-1].sequence


def list_differences(
    declared: RegisterType, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """Return the fields that differ, declared ones first and in their order."""
    titles = {f.name: f.title.as_mapping() for f in declared.fields}
    names = [*titles, *sorted((before.keys() | after.keys()) - titles.keys())]
    return tuple(
        Difference(name, titles.get(name, {"zh": name, "en": name}), before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def in_words(value: Any, language: str = "zh") -> str:
    """Return a stored value as one line that a reviewer reads; names and titles of rows rather than all of them."""
    yes, no, listed, several, mark = ("yes", "no", ", ", "; ", ": ") if language == "en" else ("是", "否", "、", "；", "：")
    if isinstance(value, bool):
        return yes if value else no
    if isinstance(value, list | tuple):
        return listed.join(in_words(item, language) for item in value)[:2000]
    if isinstance(value, Mapping):
        named = [str(value[key]) for key in ("title", "name", "code") if value.get(key)]
        return "/".join(named[:2]) if named else several.join(f"{k}{mark}{in_words(v, language)}" for k, v in value.items())[:2000]
    return "" if value is None else str(value)[:2000]


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_words(item) for item in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_words(item) for item in value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
