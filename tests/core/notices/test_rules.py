"""What a notice may hold, when it may leave, and which addresses are none."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.core.notices import rules
from yunhe.core.notices.errors import BadAddress, BadNotice
from yunhe.kernel.clock import SHANGHAI, local

NIGHT = {"start": time(22, 0), "end": time(7, 30)}
GOOD = {"title": {"zh": "标题"}, "text": {"zh": "一\n二"}, "href": "/inbox/", "key": "k"}
SPAN = {"min_value": datetime(2020, 1, 1), "max_value": datetime(2030, 1, 1)}  # noqa: DTZ001  as hypothesis wants them
OWN = frozenset({8600, 8601})


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of 2026-11-23 by the wall clock of China."""
    return datetime(2026, 11, 23, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        pytest.param(at(21, 59, 59), at(21, 59, 59), id="last_second_before_the_night"),
        pytest.param(at(22), datetime(2026, 11, 24, 7, 30, tzinfo=SHANGHAI), id="first_second_of_the_night"),
        pytest.param(at(0), at(7, 30), id="midnight"),
        pytest.param(at(7, 29, 59), at(7, 30), id="last_second_of_the_night"),
        pytest.param(at(7, 30), at(7, 30), id="first_second_of_the_day"),
    ],
)
def test_quiet_hours_over_midnight(moment: datetime, due: datetime) -> None:
    assert rules.after_quiet(moment.astimezone(UTC), **NIGHT) == due


def test_quiet_hours_within_a_day_and_none() -> None:
    noon = {"start": time(12), "end": time(14)}
    assert rules.after_quiet(at(13), **noon) == at(14)
    assert rules.after_quiet(at(14), **noon) == at(14)
    for start, end in ((None, None), (time(8), None), (time(8), time(8))):
        assert rules.after_quiet(at(8), start=start, end=end) == at(8)


@given(st.datetimes(timezones=st.just(UTC), **SPAN), st.times(), st.times())
def test_what_waited_is_never_early_and_never_waits_a_day(moment: datetime, start: time, end: time) -> None:
    start, end = start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    due = rules.after_quiet(moment, start=start, end=end)
    assert 0 <= (due - moment).total_seconds() < 24 * 3600
    assert rules.after_quiet(due, start=start, end=end) == due
    assert due == moment or local(due).time() == end


@pytest.mark.parametrize(
    "href", ["https://a.example/", "//a.example/", "/\\a.example", "javascript:x", "inbox/", "/a b", "/a\r\nX: y", "/" + "x" * 600]
)
def test_an_address_that_leads_elsewhere_is_refused(href: str) -> None:
    with pytest.raises(BadNotice):
        rules.check_texts(**{**GOOD, "href": href})


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": {"en": "x"}}, {"title": {"zh": " "}}, {"title": {"zh": "a\nb"}}, {"title": {"zh": "x" * 201}},
        {"text": {"zh": "x" * 4001}}, {"text": {"zh": "a\x00"}}, {"title": {"zh": "a", "en": "b\r\nBcc: x"}}, {"key": "k" * 201},
    ],
)  # fmt: skip
def test_texts_that_cannot_be_sent_are_refused(wrong: dict[str, object]) -> None:
    rules.check_texts(**GOOD)  # type: ignore[arg-type]
    with pytest.raises(BadNotice):
        rules.check_texts(**{**GOOD, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("check", "typed", "kept"),
    [
        (rules.check_mail, " Wang.Wu@Example.ORG ", "Wang.Wu@example.org"), (rules.check_phone, "138 0013-8000", "13800138000"),
        (rules.check_phone, "+8613800138000", "13800138000"), (rules.check_phone, "+85221234567", "+85221234567"),
        (rules.check_web, "https://a.example:8443/hook?x=1", "https://a.example:8443/hook?x=1"),
    ],
)  # fmt: skip
def test_addresses_are_kept_in_one_form(check: object, typed: str, kept: str) -> None:
    assert check(typed) == kept  # type: ignore[operator]


@pytest.mark.parametrize(
    ("check", "typed"),
    [
        *((rules.check_mail, typed) for typed in (
            "", "wangwu", "a@b", "a@b.c", "a b@c.org", "a@c.org\nBcc: d@e.org", "a..b@c.org", ".a@c.org", "a.@c.org", "a@-c.org", "<a@c.org>", "长@c.org",
        )),
        *((rules.check_phone, typed) for typed in ("", "12800138000", "1380013800", "+86123", "+0123456789", "1380013800x", "１３８００１３８０００")),
        *((rules.check_web, typed) for typed in (
            "", "ftp://a.example/", "https://", "https://u:p@a.example/", "https://a.example/#x", "https://a.example:99999/", "https://a.example:0/",
            "https://a.example/\nx", "https://长.example/", "http://[::1",
        )),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(check: object, typed: str) -> None:
    with pytest.raises(BadAddress) as refused:
        check(typed)  # type: ignore[operator]
    assert not typed.strip() or typed.strip() not in refused.value.say("zh") + refused.value.say("en")


def test_masks_leave_too_little_to_write_to() -> None:
    assert rules.mask_mail("zhangsan@example.org") == "z***@example.org"
    assert rules.mask_phone("13800138000") == "138****8000"
    assert rules.mask_phone("+8522123") == "+8****23"
    assert rules.mask_web("https://a.example/token/123") == "https://a.example:443/…"


def test_an_origin_is_scheme_host_and_port() -> None:
    listed = "https://a.example, http://b.example:8080"
    allowed = ("https://a.example/x", "https://A.example:443/", "http://b.example:8080/y")
    refused = ("http://a.example/", "https://a.example:8443/", "http://b.example/", "https://a.example.evil/", "https://evil/https://a.example")
    assert all(rules.is_allowed(address, origins=listed) for address in allowed)
    assert not any(rules.is_allowed(address, origins=listed) for address in refused)
    assert not rules.is_allowed("https://a.example/", origins="")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.1.1", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0",
        "100.100.100.200", "fd00:ec2::254", "168.63.129.16", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "255.255.255.255", "ff02::1",
    ],
)  # fmt: skip
def test_addresses_that_are_never_asked(address: str) -> None:
    assert rules.forbidden_reason(address, port=443, is_own=False, own_ports=OWN)


def test_own_ports_are_refused_at_own_addresses_only() -> None:
    for address in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert rules.forbidden_reason(address, port=8601, is_own=False, own_ports=OWN)
        assert rules.forbidden_reason(address, port=9000, is_own=True, own_ports=OWN) is None
    assert rules.forbidden_reason("10.1.2.3", port=8600, is_own=True, own_ports=OWN)
    assert rules.forbidden_reason("10.1.2.3", port=8600, is_own=False, own_ports=OWN) is None


def test_an_sms_is_short_and_on_one_line() -> None:
    assert rules.text_message(title="标题", text="一\n二") == "【运河】标题：一 二"
    assert rules.text_message(title="Title", text="one\ntwo", language="en") == "【运河】Title: one two"
    assert rules.text_message(title="标题", text="") == "【运河】标题"
    assert len(rules.text_message(title="标题", text="长" * 1000)) == rules.SMS_LENGTH
