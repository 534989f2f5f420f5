"""Check characters: published vectors, and twelve-line oracles written from the standards' formulas."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.kernel.check_digits import (
    CheckResult,
    check_citizen_id,
    check_licence_id,
    check_organization_code,
    check_uscc,
    mod37_2,
    mod37_36,
)

TODAY = date(2026, 6, 30)
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LICENCES = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
)


@pytest.mark.parametrize("value", ["11010519491231002X", "440524188001010014"])
def test_known_citizen_ids_pass(value: str) -> None:
    assert check_citizen_id(value, on=TODAY) == CheckResult(True, "")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("110105194912310020", "check_digit"),
        ("110105491231002", "old_form"),
        ("11010549123100X", "length"),
        ("1101051949123100", "length"),
        ("", "length"),
        ("11010519491231002x", "alphabet"),
        ("1101051949123100２X", "alphabet"),
        ("A1010519491231002X", "alphabet"),
        ("11010519490229002X", "birth_date"),
        ("110105000001010025", "birth_date"),
        ("11010520260701002X", "birth_date"),
        (" 1010519491231002X", "alphabet"),
    ],
)
def test_wrong_citizen_ids_name_the_first_reason(value: str, reason: str) -> None:
    assert check_citizen_id(value, on=TODAY) == CheckResult(False, reason)  # type: ignore[arg-type]


def test_a_birth_today_is_valid_and_tomorrow_is_not() -> None:
    value = "11010520260630" + "002"
    full = next(value + c for c in "0123456789X" if check_citizen_id(value + c, on=TODAY).ok)

    assert check_citizen_id(full, on=date(2026, 6, 29)).reason == "birth_date"


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(
    region=st.integers(110000, 659999),
    born=st.dates(date(1900, 1, 1), TODAY),
    serial=st.integers(0, 999),
    check=st.sampled_from("0123456789X"),
)
def test_citizen_ids_agree_with_iso_7064(region: int, born: date, serial: int, check: str) -> None:
    value = f"{region:06d}{born:%Y%m%d}{serial:03d}{check}"
    # ISO 7064 MOD 11-2 says it without a table of weights: Σ a_i · 2^(n-i) ≡ 1 (mod 11).
    number = sum((10 if c == "X" else int(c)) * 2 ** (17 - at) for at, c in enumerate(value))

    assert check_citizen_id(value, on=TODAY).ok == (number % 11 == 1)


@pytest.mark.parametrize("value", ["91350100M000100Y43", "11100000000013338W", "11370800MB28559184"])
def test_known_usccs_pass(value: str) -> None:
    assert check_uscc(value) == CheckResult(True, "")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("91350100M000100Y4Z", "alphabet"),
        ("91350100M000100Y44", "check_digit"),
        ("91350100m000100Y43", "alphabet"),
        ("９1350100M000100Y43", "alphabet"),
        ("320900000012345", "old_form"),
        ("91350100M000100Y4", "length"),
        ("", "length"),
        ("N/A", "length"),
    ],
)
def test_wrong_usccs_name_the_first_reason(value: str, reason: str) -> None:
    assert check_uscc(value) == CheckResult(False, reason)  # type: ignore[arg-type]


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18))
def test_usccs_agree_with_the_formula_of_the_standard(value: str) -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(value[i - 1]) * pow(3, i - 1, 31) for i in range(1, 18))
    expected = 31 - total % 31
    expected = 0 if expected == 31 else expected

    assert check_uscc(value).ok == (alphabet.index(value[17]) == expected)


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16), st.data())
@settings(max_examples=amount(small=100, full=2000), deadline=None)
def test_one_wrong_character_of_a_uscc_is_always_found(body: str, at: int, data: st.DataObject) -> None:
    good = next(body + c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if check_uscc(body + c).ok)
    other = data.draw(st.sampled_from([c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if c != good[at]]))

    assert check_uscc(good[:at] + other + good[at + 1 :]) == CheckResult(False, "check_digit")


@pytest.mark.parametrize("value", ["M000100Y-4", "00001333-8", "MB032716-9", "00612224-4", "M000100Y4"])
def test_known_organization_codes_pass(value: str) -> None:
    assert check_organization_code(value).ok


@pytest.mark.parametrize(
    ("value", "reason"),
    [("M000100Y-5", "check_digit"), ("M000100Y-A", "alphabet"), ("m000100Y-4", "alphabet"), ("M000100Y", "length"),
     ("M000100Y--", "alphabet"), ("M000100-Y4", "length"), ("", "length")],
)  # fmt: skip
def test_wrong_organization_codes_name_the_first_reason(value: str, reason: str) -> None:
    assert check_organization_code(value) == CheckResult(False, reason)  # type: ignore[arg-type]


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(st.text(alphabet=ALPHANUMERIC, min_size=8, max_size=8), st.sampled_from("0123456789X"))
def test_organization_codes_agree_with_the_formula(body: str, check: str) -> None:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    value = {10: "X", 11: "0"}
    c9 = 11 - sum(int(c, 36) * w for c, w in zip(body, weights, strict=True)) % 11

    assert check_organization_code(body + check).ok == (check == value.get(c9, str(c9)))


@pytest.mark.parametrize("value", LICENCES)
def test_licence_ids_seen_in_the_field_pass(value: str) -> None:
    assert check_licence_id(value) == CheckResult(True, "")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (LICENCES[0][:-1] + "V", "check_digit"),
        (LICENCES[0].replace("20230000403", "20230000404"), "check_digit"),
        (LICENCES[0].removeprefix("1.2.156.3005.2."), "length"),
        (LICENCES[0].replace(".001.", ".1."), "length"),
        (LICENCES[0].replace(".001.", ".00A."), "alphabet"),
        (LICENCES[0].replace("W011", "w011"), "alphabet"),
        (LICENCES[0] + ".1", "length"),
        ("", "length"),
    ],
)
def test_wrong_licence_ids_name_the_first_reason(value: str, reason: str) -> None:
    assert check_licence_id(value) == CheckResult(False, reason)  # type: ignore[arg-type]


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(st.text(alphabet=ALPHANUMERIC, max_size=60))
def test_mod37_36_verifies_by_the_recursion_of_iso_7064(body: str) -> None:
    value = body + mod37_36(body)
    product = 36
    for at, character in enumerate(value):
        total = (product + int(character, 36)) % 36
        if at == len(value) - 1:
            assert total == 1
        product = (total or 36) * 2 % 37


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(st.text(alphabet=ALPHANUMERIC, max_size=60))
def test_mod37_2_makes_the_weighted_sum_one(body: str) -> None:
    value = body + mod37_2(body)
    total = sum((36 if c == "*" else int(c, 36)) * pow(2, at, 37) for at, c in enumerate(reversed(value)))

    assert total % 37 == 1


def test_mod37_2_of_the_national_data_infrastructure_example() -> None:
    assert mod37_2("591350100M000100Y433501A1B2C3D4") == "T"


@pytest.mark.parametrize("function", [mod37_36, mod37_2])
def test_a_character_outside_the_alphabet_is_no_check_character(function: object) -> None:
    with pytest.raises(ValueError, match="substring"):
        function("a")  # type: ignore[operator]
