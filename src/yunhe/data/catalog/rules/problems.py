"""Collecting everything that is wrong with a contract, in order of its lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from yunhe.data.catalog.types import ContractProblem

FOUND_LENGTH = 60
MEND = {"zh": "请改正后重新提交。", "en": "Mend it and submit again."}


class Problems:
    """A list that problems are added to while a contract is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[ContractProblem] = []

    def add(
        self,
        line: int,
        field: str,
        *,
        zh: str,
        en: str,
        found: object,
        next_zh: str = MEND["zh"],
        next_en: str = MEND["en"],
    ) -> None:
        """Add one problem: what was expected (zh, en), what was found, what to do."""
        step = {"zh": next_zh, "en": next_en}
        self.found.append(ContractProblem(self.file, line, field, {"zh": zh, "en": en}, show(found), step))

    @property
    def in_order(self) -> tuple[ContractProblem, ...]:
        """Return the problems by line."""
        return tuple(sorted(self.found, key=lambda one: one.line))


def show(found: object) -> str:
    """Return what was found, short and on one line; "空" / nothing is shown as ∅."""
    text = " ".join(str(found).split())
    if not text:
        return "∅"
    return text if len(text) <= FOUND_LENGTH else text[: FOUND_LENGTH - 1] + "…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is most like `word`, or "" if none is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> dict[str, str]:
    """Return the next step for an unknown name, as keyword arguments of Problems.add."""
    names = list(known)
    near = nearest(word, names)
    if near:
        return {"next_zh": f"是否想写“{near}”？", "next_en": f'Did you mean "{near}"?'}
    shown = "、".join(names[:12])
    return {"next_zh": f"可用的有：{shown}。", "next_en": f"Known: {', '.join(names[:12])}."}


def list_words(labels: Mapping[str, Mapping[str, str]], language: str) -> str:
    """Return the words that a choice takes, with their labels."""
    if language == "en":
        return ", ".join(f"{code} ({label['en']})" for code, label in labels.items())
    return "、".join(f"{code}（{label['zh']}）" for code, label in labels.items())
