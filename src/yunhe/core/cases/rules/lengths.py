"""Limits and how they were made longer (延期), in words: 5 + 3 个工作日, by whom and why, due when before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yunhe.kernel.clock import local

Text = Mapping[str, str]
UNITS: Mapping[str, Text] = {
    "workdays": {"zh": "个工作日", "en": "workday"}, "days": {"zh": "个自然日", "en": "calendar day"}, "hours": {"zh": "小时", "en": "hour"},
}  # fmt: skip
PAUSED: Text = {"zh": "暂停中", "en": "paused"}
WHOLE: Text = {"zh": "全程", "en": "The whole case"}


@dataclass(frozen=True, slots=True)
class Longer:
    """One time that a limit was made longer: its row before and after, as positions hold it, in the step `seq`."""

    seq: int
    part: str
    key: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    at: str
    by: str
    by_body: str

    def as_told(self) -> dict[str, Any]:
        """Return it as JSON tells it: by how much and why, who, when, and when it was due before and after (null: it stood still)."""
        who = {"at": self.at, "by": self.by, "by_organization": self.by_body}
        return {**self.after["extensions"][-1], **who, "due_before": self.before["due_at"], "due_after": self.after["due_at"]}


def amount_in_words(amount: int, unit: str, *more: int) -> dict[str, str]:
    """Return an amount of a limit's unit, and by what it was made longer, in both languages: 5 + 3 个工作日."""
    said, total = UNITS[unit], " + ".join(map(str, (amount, *more)))
    return {"zh": f"{total} {said['zh']}", "en": f"{total} {said['en']}{'' if amount == 1 and not more else 's'}"}


def too_long(left: int, unit: str) -> tuple[str, str]:
    """Return why a limit cannot be made so much longer (Chinese, English)."""
    if left <= 0:
        return "已延长到上限，不能再延长", "it was made longer by as much as may be"
    told = amount_in_words(left, unit)
    return f"最多还能延长 {told['zh']}，请改小后重新提交", f"it may be made longer by {told['en']} at most; choose fewer"


def due_in_words(due_at: str | datetime | None, unit: str) -> str | None:
    """Return when a limit ends: the day that is its last, of hours the minute; None while it stands still."""
    if due_at is None:
        return None
    at = local(datetime.fromisoformat(due_at) if isinstance(due_at, str) else due_at)
    return f"{at:%Y-%m-%d %H:%M}" if unit == "hours" else at.date().isoformat()


def moved_in_words(before: str | None, after: str | None, unit: str, *, estimated: bool = False) -> Text:
    """Return from when to when a due date moved; `estimated`: the holidays of a year in it are not announced yet."""
    old, new = due_in_words(before, unit), due_in_words(after, unit)
    if old is None or new is None:
        return {"zh": "暂停中，恢复时按新时限重算", "en": "paused; counted by the new limit when it goes on"}
    zh, en = ("（暂按周末推算）", " (estimated)") if estimated else ("", "")
    return {"zh": f"由 {old} 改为 {new}{zh}", "en": f"{new}{en} instead of {old}"}


def longer_in_words(before: Mapping[str, Any], row: Mapping[str, Any], of: Text) -> tuple[tuple[str, Text, Text], ...]:
    """Return what an extension is: name, title and text of each thing to be told of it.

    `before` and `row` are the row whose limit it is, as it was and is; `of` says what is to be done in that time.
    """
    *earlier, last = row["extensions"]
    amounts = [int(each["amount"]) for each in (*earlier, last)]
    told = {
        "limit": ({"zh": "延长的时限", "en": "Limit made longer"}, of),
        "amount": ({"zh": "延长", "en": "By"}, amount_in_words(int(last["amount"]), row["limit_unit"])),
        "total": ({"zh": "延长后的时限", "en": "Limit now"}, amount_in_words(int(row["limit_amount"]), row["limit_unit"], *amounts)),
        "due": ({"zh": "到期", "en": "Due"}, moved_in_words(before["due_at"], row["due_at"], row["limit_unit"], estimated=row["estimated"])),
        "basis": ({"zh": "延期依据", "en": "Basis of the extension"}, _same(last["basis"])),
        "reason": ({"zh": "延期理由", "en": "Reason"}, _same(last["reason"])),
        "limit_basis": ({"zh": "原时限依据", "en": "Basis of the limit"}, _same(row["limit_basis"])),
    }
    return tuple((name, title, text) for name, (title, text) in told.items() if text["zh"])


def _same(text: Any) -> Text:
    return {"zh": str(text), "en": str(text)}


def told_of(found: Iterable[Longer], key: str, extensions: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return the extensions of a row, each with who made it and what it did; one of which no step tells, as it is."""
    known = {len(one.after["extensions"]): one.as_told() for one in found if one.key == key}
    told = ((place, dict(one)) for place, one in enumerate(extensions, start=1))
    return tuple(known[place] if place in known and known[place].items() >= one.items() else one for place, one in told)
