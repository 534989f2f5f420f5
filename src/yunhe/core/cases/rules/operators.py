"""What the generic operators ask for: one table for the api that checks, the page and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases.types import Choice, FieldSpec, Titles


def field_of(name: str, zh: str, en: str, **more: Any) -> FieldSpec:
    """Return a required field."""
    return FieldSpec(name=name, title=Titles(zh=zh, en=en), required=True, **more)


TITLE = field_of("title", "标题", "Title", max_length=300)
REASON = field_of("reason", "理由", "Reason", multiline=True)
BASIS = field_of("basis", "依据", "Basis", max_length=500)
AMOUNT = field_of("amount", "延长（按原时限的单位）", "By (in the limit's own unit)", type="integer", minimum=1, maximum=3660)
TO = field_of("to", "转给", "To", max_length=150)
PHASE = field_of("phase", "退回到", "Back to", max_length=63)
INTO = field_of("into", "并入的办件编号", "Number of the case it goes into", max_length=40)
REVIEWERS = field_of("to", "请谁出具意见", "Whose opinion", type="list", max_length=150, max_items=20)
SIGNING = FieldSpec(
    name="signing", title=Titles(zh="需要谁的意见", en="Whose opinion is needed"), type="choice",
    choices=(
        Choice(value="all", title=Titles(zh="每个人的（会签）", en="Everybody's")),
        Choice(value="any", title=Titles(zh="任何一人的（或签）", en="Anybody's")),
    ),
)  # fmt: skip
PARTS = field_of("titles", "拆成的各件标题", "Title of each part", type="list", max_length=300, max_items=20)

FORMS: Mapping[str, tuple[FieldSpec, ...]] = {
    "hand_on": (TO, REASON),
    "reassign": (TO, REASON),
    "take_back": (),
    "add_reviewer": (REVIEWERS, SIGNING, REASON),
    "drop_reviewer": (),
    "send_back": (PHASE, REASON),
    "retract": (REASON,),
    "withdraw": (REASON,),
    "remind": (REASON,),
    "escalate": (REASON,),
    "suspend": (BASIS, REASON),
    "resume": (REASON,),
    "extend": (AMOUNT, BASIS, REASON),
    "merge": (INTO, REASON),
    "split": (PARTS, REASON),
}
