"""What is wrong with a division, an organisation, a person or a role is told in one language at a time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from yunhe.core.organizations import rules
from yunhe.core.organizations.types import Region, RightSpec
from yunhe.kernel.errors import Invalid

BODY = "11329900003299028F"
WORDS = re.compile(r"\b(?:a|an|name|nothing|digits|after|valid|division|letter|first|characters|sets|another|or)\b")


def region(**changes: object) -> Callable[[], None]:
    told = {"code": "329900", "name": "N", "level": "city", **changes}
    return lambda: rules.check_region(Region(**told))  # type: ignore[arg-type]


def body(**changes: str) -> Callable[[], None]:
    return lambda: rules.check_organization(**{"code": BODY, "name": "N", "kind": "department", "region": "329900", **changes})


@pytest.mark.parametrize(
    "wrong",
    [
        region(code="x"), region(name=" "), region(valid_from=date(2026, 1, 2), valid_until=date(2026, 1, 1)), region(successor="1"),
        region(parent="329900"), body(code="x"), body(name=""), body(region="x"),
        lambda: rules.check_username("X"),
        lambda: rules.check_role(code="X", separation="", rights=()),
        lambda: rules.check_role(code="xy", separation="", rights=[RightSpec("x.y", (), (), ())]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_language(wrong: Callable[[], None]) -> None:
    with pytest.raises(Invalid) as caught:
        wrong()
    zh, en = caught.value.say("zh"), caught.value.say("en")
    assert not WORDS.search(zh.replace("name", "", 1) if ".name" in zh else zh), zh
    assert not [letter for letter in en if "\u4e00" <= letter <= "\u9fff"], en
