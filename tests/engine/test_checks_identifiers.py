"""The SQL of the identifier rules gives exactly what the kernel's check digits give, value by value."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount, seed_of
from yunhe.engine.checks import block_conditions, collect_keys, compile_rules, count_failures
from yunhe.engine.duck import session
from yunhe.engine.types import Column, Limits, Rule
from yunhe.kernel import check_digits as kernel

ON = date(2026, 7, 1)
LIMITS = Limits(memory_mb=256, threads=1)
VALID = {
    "citizen_id": ["11010519491231002X", "440524188001010014", "110105200002290024"],
    "uscc": ["91350100M000100Y43", "11100000000013338W", "11330105002500287C"],
    "organization_code": ["00001333-8", "000013338", "MB0327169", "06122244L"],
    "licence_id": [
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
        "1.2.156.3005.2.12100000MB03271699022.340100.000000016.001.9",
    ],
}
KERNEL = {
    "citizen_id": lambda value: kernel.check_citizen_id(value, on=ON),
    "uscc": kernel.check_uscc,
    "organization_code": kernel.check_organization_code,
    "licence_id": kernel.check_licence_id,
}
ODD = list("0123456789XxABIOSVZ-.* _'\"%１２Ｘｘ٣一é́👩\u200d\t\n+e")


def _reasons(tmp: Path, kind: str, values: list[str]) -> list[str]:
    """Return the reason of each value by the keys pass, "" where it passed."""
    tmp.mkdir(parents=True, exist_ok=True)
    file = tmp / "values.parquet"
    pq.write_table(pa.table({"v": pa.array(values, pa.string()), "_record": range(len(values))}), file)
    plan = compile_rules([Rule("r", kind, "accuracy", "block", ("v",))], [Column("v")], on=ON)
    counts = count_failures(files=[file], plan=plan, limits=LIMITS)
    out = tmp / "keys.parquet"
    lines = collect_keys(files=[file], plan=plan, counts=counts, keys=["v"], destination=out, limits=LIMITS)
    rows = pq.read_table(out).to_pylist()
    assert lines == len(rows) == counts[0].failed == sum(counts[0].reasons.values())
    assert counts[0].checked == len(values)
    found = [""] * len(values)
    for row in rows:
        found[row["record"]] = row["reason"]
    return found


def _plain_reasons(tmp: Path, kind: str, values: list[str]) -> list[str]:
    """Return the reason of each value by the loader's conditions: the plain form without shared parts."""
    rule = Rule("r", kind, "accuracy", "block", ("v",))
    conditions = block_conditions([rule], [Column("v")], on=ON)
    arms = " ".join(f"WHEN {condition} THEN '{code.partition(':')[2]}'" for code, condition in conditions)
    with session(limits=LIMITS, temp=tmp / "spill") as duck:
        duck.register("t", pa.table({"v": pa.array(values, pa.string()), "n": range(len(values))}))
        return [row[0] for row in duck.run("reasons", f"SELECT CASE {arms} ELSE '' END FROM t ORDER BY n")]


def _near(dice: random.Random, value: str) -> str:
    """Return the value with one to three small changes."""
    signs = list(value)
    for _ in range(dice.randint(0, 3)):
        at = dice.randrange(len(signs) + 1)
        change = dice.randrange(4)
        if change == 0 and at < len(signs):
            signs[at] = dice.choice(ODD)
        elif change == 1 and at < len(signs):
            signs[at] = dice.choice("0123456789")
        elif change == 2:
            signs.insert(at, dice.choice(ODD))
        elif at < len(signs):
            del signs[at]
    return "".join(signs)


def _ids(dice: random.Random, count: int) -> list[str]:
    """Return citizen ids of nobody: any digits, dates that mostly exist, right and wrong check digits."""
    made = []
    for _ in range(count):
        day = f"{dice.choice([0, 1, 1899, 1900, 1968, 2000, 2023, 2024, 2026, 9999]):04}{dice.randint(0, 13):02}{dice.randint(0, 32):02}"
        body = f"{dice.choice([0, dice.randrange(10**6)]):06}{day}{dice.randrange(1000):03}"
        total = sum(int(d) * w for d, w in zip(body, kernel.CITIZEN_WEIGHTS, strict=True))
        made.append(body + kernel.CITIZEN_CHECKS[(total + dice.choice([0, 0, 0, 1])) % 11])
    return made


@pytest.mark.parametrize("kind", sorted(VALID))
def test_near_valid_values_agree_with_the_kernel(kind: str, tmp_path: Path) -> None:
    dice = random.Random(seed_of(kind))
    values = [
        *VALID[kind],
        "",
        " ",
        "0" * 15,
        "0" * 18,
        "1" * 15,
        "X" * 18,
        VALID[kind][0].lower(),
        VALID[kind][0] + " ",
    ]
    values += [_near(dice, dice.choice(VALID[kind])) for _ in range(amount(small=4000, full=200_000))]
    if kind == "citizen_id":
        made = _ids(dice, amount(small=6000, full=200_000))
        values += made + [_near(dice, value) for value in made]
    expected = [KERNEL[kind](value).reason for value in values]
    assert {"", "length", "alphabet", "check_digit"} <= set(expected)
    assert _reasons(tmp_path, kind, values) == expected
    assert _plain_reasons(tmp_path, kind, values) == expected


@pytest.mark.parametrize("kind", sorted(VALID))
@settings(max_examples=amount(small=15, full=2000), deadline=None, derandomize=True)
@given(data=st.data())
def test_any_text_agrees_with_the_kernel(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    signs = st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
    lengths = st.sampled_from([9, 10, 15, 18, 30, 71])
    texts = lengths.flatmap(lambda size: st.text(signs, max_size=size))
    digits = lengths.flatmap(lambda size: st.text("0123456789X.", min_size=size, max_size=size))
    values = data.draw(st.lists(st.one_of(texts, digits), min_size=1, max_size=60))
    tmp = tmp_path_factory.mktemp("values")
    assert _reasons(tmp, kind, values) == [KERNEL[kind](value).reason for value in values]


def test_the_birth_date_may_be_the_day_of_the_check_but_not_the_day_after(tmp_path: Path) -> None:
    today, tomorrow = "110105202607010011", "110105202607020011"
    values = [_checked(today), _checked(tomorrow), _checked("110105202402290011"), _checked("110105202302290011")]
    assert _reasons(tmp_path, "citizen_id", values) == ["", "birth_date", "", "birth_date"]


def _checked(value: str) -> str:
    total = sum(int(d) * w for d, w in zip(value[:17], kernel.CITIZEN_WEIGHTS, strict=True))
    return value[:17] + kernel.CITIZEN_CHECKS[total % 11]
