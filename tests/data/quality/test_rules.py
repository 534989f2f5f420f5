"""The arithmetic of quality: scores per dimension, and what is told where counts are small."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from yunhe.data.quality import rules
from yunhe.data.quality.types import Finding

FLOOR = 10


def hide(one: Finding, rows: int = 1000) -> Finding:
    return rules.hide_small(one, rows=rows, floor=FLOOR)


def finding(rule: str = "a.uscc", *, checked: int = 1000, failed: int = 0, dimension: str = "accuracy", **reasons: int) -> Finding:
    columns = (rule.split(".", maxsplit=1)[0],)
    return Finding(rule, {"zh": rule}, columns, dimension, "warn", checked, failed, reasons or ({"length": failed} if failed else {}))


@st.composite
def findings(draw: st.DrawFn) -> list[Finding]:
    found = []
    for number in range(draw(st.integers(1, 5))):
        parts = draw(st.dictionaries(st.sampled_from(["length", "alphabet", "check_digit"]), st.integers(1, 40), max_size=3))
        failed = sum(parts.values())
        checked = failed + draw(st.integers(0, 200))
        dimension = draw(st.sampled_from(rules.DIMENSIONS))
        found.append(finding(f"c{number}.uscc", checked=checked, failed=failed, dimension=dimension, **parts))
    return found


def test_a_dimension_is_passed_over_checked() -> None:
    scores = rules.score_dimensions(
        [finding(failed=20), finding("b.uscc", failed=30), finding("b.required", dimension="completeness")], {}
    )
    assert [(s.dimension, s.checked, s.passed, s.at_least) for s in scores] == [
        ("completeness", 1000, 1000, False),
        ("accuracy", 2000, 1950, False),
    ]


def test_few_failures_are_told_as_fewer_than_the_floor_and_their_reasons_not_at_all() -> None:
    told = hide(finding(failed=3))
    assert (told.failed, told.told_failed, dict(told.reasons), told.below) == (9, None, {}, 10)
    assert told.share == 1 - 9 / 1000
    assert told == hide(finding(failed=7))


def test_none_and_many_are_told_as_they_are() -> None:
    assert hide(finding()).told_failed == 0
    told = hide(finding(failed=600, length=3, alphabet=97, check_digit=500))
    assert (told.told_failed, dict(told.reasons)) == (600, {"check_digit": 500, "others": 100})


def test_how_few_values_are_empty_cannot_be_read_off_another_rule() -> None:
    told = hide(finding("a.length", checked=997))
    assert (told.told_checked, told.checked, told.told_failed) == (None, 1000, 0)
    assert hide(finding("a.length", checked=990)).told_checked == 990
    assert hide(finding("a.length", checked=4)).told_checked is None


def test_a_score_over_hidden_counts_says_at_least() -> None:
    (score,) = rules.score_dimensions([hide(finding(failed=2)), finding("b.uscc", failed=50)], {})
    assert (score.passed, score.at_least) == (2000 - 9 - 50, True)


@given(findings())
def test_what_is_told_is_a_bound_and_the_same_for_every_hidden_count(found: list[Finding]) -> None:
    told = [hide(one, rows=500) for one in found]
    for exact, seen in zip(found, told, strict=True):
        assert seen.failed >= exact.failed
        assert seen.checked >= exact.checked
        assert seen.failed <= seen.checked
        assert all(count >= FLOOR for count in seen.reasons.values())
    for exact, seen in zip(
        rules.score_dimensions(found, {}), rules.score_dimensions(told, {}), strict=True
    ):
        if not seen.at_least:
            assert Fraction(seen.passed, seen.checked or 1) == Fraction(exact.passed, exact.checked or 1) or seen.checked != exact.checked


@given(findings(), st.integers(1, 9), st.integers(1, 9))
def test_two_tables_that_differ_only_in_a_hidden_count_look_alike(found: list[Finding], one: int, other: int) -> None:
    def public(failed: int) -> object:
        return rules.public_quality([*found, finding("z.uscc", failed=failed)], nulls={"z": failed}, rows=5000, keys=failed, floor=FLOOR)

    assert public(one) == public(other)


def test_the_public_view_names_each_column_with_its_shares() -> None:
    told = rules.public_quality(
        [finding("a.uscc", failed=100), finding("a.required", failed=0, dimension="completeness")],
        nulls={"a": 0, "b": 250, "c": 4, "d": 997}, rows=1000, keys=100, floor=FLOOR,
    )  # fmt: skip
    assert told.columns == {"a": (0.95, 0.0, 100), "b": (None, 0.25, 0), "c": (None, 0.009, 0), "d": (None, 0.991, 0)}
    assert (told.failing_keys, told.below) == (100, 0)
