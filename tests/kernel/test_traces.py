"""What a log says of an exception: where and which, never a value."""

from __future__ import annotations

import duckdb
import psycopg
import pytest
from django.db import IntegrityError

from yunhe.kernel.errors import Invalid
from yunhe.kernel.traces import describe

VALUE = "11010519491231002X"


def _caught(*errors: BaseException) -> BaseException:
    """Return the last error, raised from the one before, and so on."""
    before: BaseException | None = None
    for error in errors:
        try:
            raise error from before
        except BaseException as raised:  # noqa: BLE001
            before = raised
    assert before is not None
    return before


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(f"duplicate key\nDETAIL:  Key (id)=({VALUE}) already exists."),
        psycopg.errors.UniqueViolation(f"DETAIL: Failing row contains ({VALUE})."),
        duckdb.ConversionException(f"Could not convert string '{VALUE}' to INT32"),
        ValueError(f"invalid literal for int() with base 10: '{VALUE}'"),
        KeyError(VALUE),
        RuntimeError(VALUE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_message_of_a_foreign_error_is_left_out_also_as_a_cause(error: Exception) -> None:
    error.add_note(VALUE)
    for shown in (describe(_caught(error)), describe(_caught(error, Invalid(where="a", expected="b", found="c")))):
        assert VALUE not in shown
        assert type(error).__name__ in shown
        assert f"{__file__}:" in shown and " _caught" in shown


def test_a_context_that_was_not_named_is_told_unless_suppressed() -> None:
    def fall() -> None:
        try:
            int(VALUE)
        except ValueError:
            1 / 0  # noqa: B018

    with pytest.raises(ZeroDivisionError) as caught:
        fall()
    shown = describe(caught.value)
    assert shown.index("ValueError") < shown.index("led to: ZeroDivisionError")
    caught.value.__suppress_context__ = True
    assert "ValueError" not in describe(caught.value)


def test_our_own_sentence_and_what_speaks_of_the_code_stay() -> None:
    assert "a: expected b, found c." in describe(Invalid(where="a", expected="b", found="c"))
    assert "no such file" in describe(FileNotFoundError("no such file"))


def test_errors_in_a_ring_and_deep_ones_end() -> None:
    one, other = ValueError(), TypeError()
    one.__context__, other.__context__ = other, one
    assert describe(one) == "TypeError\nled to: ValueError"

    def fall(depth: int) -> None:
        fall(depth + 1)

    with pytest.raises(RecursionError) as caught:
        fall(0)
    assert len(describe(caught.value).splitlines()) <= 41
