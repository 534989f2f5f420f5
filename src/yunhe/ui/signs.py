"""The signs between words of a page, by its language: Chinese ones in Chinese, others in English."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language

LIST, SERIES, COMMA, NAME, STOP = "、", "；", "，", "：", "。"
ENGLISH = {LIST: ", ", SERIES: "; ", COMMA: ", ", NAME: ": ", STOP: ". "}


def sign(chinese: str) -> str:
    """Return a Chinese sign as the page's language writes it."""
    return ENGLISH[chinese] if is_english() else chinese


def is_english() -> bool:
    """Tell whether the page is in English."""
    return (get_language() or "zh")[:2] == "en"


def listed(names: Iterable[str]) -> str:
    """Return names one after the other: 甲、乙."""
    return sign(LIST).join(names)


def several(parts: Iterable[str]) -> str:
    """Return several things said in one line: 甲；乙."""
    return sign(SERIES).join(parts)


def pair(name: object, value: object) -> str:
    """Return a name and what it holds: 甲：乙."""
    return f"{name}{sign(NAME)}{value}"


def in_brackets(text: object, more: object) -> str:
    """Return a text and what explains it: 甲（乙）; the text alone where there is nothing more."""
    if not more:
        return str(text)
    return f"{text} ({more})" if is_english() else f"{text}（{more}）"


def sentences(parts: Iterable[str]) -> str:
    """Return whole sentences, each with its full stop."""
    ends = [part.rstrip("。. ") for part in parts if part]
    return (". ".join(ends) + ".") if is_english() else "。".join(ends) + "。"
