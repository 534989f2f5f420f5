"""Pure decisions: fields, masks, ends of grants."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.data.exchange import rules
from yunhe.data.exchange.errors import BadUntil, FieldNotGranted, NotShared, UnknownFields

AT = datetime(2026, 3, 2, 17, 30, tzinfo=UTC)  # 01:30 of 3 March in Shanghai
SHARING = {"a": "unconditional", "b": "conditional", "c": "refused"}


def test_fields_come_in_the_resources_order_once() -> None:
    assert rules.check_requested_fields(resource="r", asked=["b", "a", "b"], sharing=SHARING, basis="") == ("a", "b")


@pytest.mark.parametrize(("asked", "error"), [(["c"], NotShared), (["x"], UnknownFields), ([], UnknownFields)])
def test_refused_and_unknown_fields_cannot_be_asked(asked: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        rules.check_requested_fields(resource="r", asked=asked, sharing=SHARING, basis="依据")


def test_the_last_day_counts_to_its_end_in_shanghai() -> None:
    end = rules.end_of_grant(until="2026-03-04", at=AT)
    assert end.astimezone(UTC) == datetime(2026, 3, 4, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("until", ["2026-03-03", "2026-03-02", "2040-01-01", "2026-02-30", "明天", "2026-3-9x"])
def test_a_grant_ends_after_today_and_not_too_late(until: str) -> None:
    with pytest.raises(BadUntil):
        rules.end_of_grant(until=until, at=AT)


def test_an_empty_end_is_a_year() -> None:
    assert rules.end_of_grant(until="", at=AT).date().isoformat() == "2027-03-04"


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["none", "name", "hide"]), min_size=1),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["none", "name", "hide"])),
)
def test_the_owner_can_mask_more_but_never_unmask(contract: dict[str, str], decided: dict[str, str]) -> None:
    masks = rules.stricter_masks(fields=contract, contract=contract, decided=decided)
    for name, mask in masks.items():
        if contract[name] == "none":
            assert mask == decided.get(name, "none")
        else:
            assert mask == ("hide" if decided.get(name) == "hide" else contract[name])


@given(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.lists(st.sampled_from("abcdefg"), unique=True))
def test_a_grant_is_never_wider_than_the_request(requested: list[str], granted: list[str]) -> None:
    if not granted or set(granted) - set(requested):
        with pytest.raises(FieldNotGranted):
            rules.narrow_fields(requested=requested, granted=granted, grant="g")
    else:
        assert set(rules.narrow_fields(requested=requested, granted=granted, grant="g")) == set(granted)
