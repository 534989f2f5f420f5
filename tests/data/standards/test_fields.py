"""Elements in forms: what binds a column binds a field; codes are those of the day of the case."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.conftest import Cast
from tests.core.cases.form_kinds import form_kind, publish, text
from tests.core.cases.test_pages import signed_in
from tests.data.spine import uscc
from tests.soaking import amount, seed_of
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import BadKind, FieldsInvalid
from yunhe.data.standards import api, fields
from yunhe.engine import checks
from yunhe.engine.duck import session
from yunhe.engine.types import Column, Limits, Rule
from yunhe.kernel.check_digits import CITIZEN_CHECKS, CITIZEN_WEIGHTS
from yunhe.kernel.clock import local, now

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
TODAY = local(now()).date()


def citizen_id(body: str) -> str:
    """Return 17 digits with their check character."""
    return body + CITIZEN_CHECKS[sum(int(d) * w for d, w in zip(body, CITIZEN_WEIGHTS, strict=True)) % 11]


GOOD = citizen_id("32990019900307123")


def opened(cast: Cast, **data: Any) -> Any:
    return cases.open_case(kind="form_case", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)


def said(cast: Cast, **data: Any) -> dict[str, str]:
    with pytest.raises(FieldsInvalid) as refused:
        opened(cast, **data)
    return {p.field: p.zh for p in refused.value.problems}


@pytest.mark.usefixtures("national")
def test_an_element_binds_type_form_and_check_character(cast: Cast) -> None:
    spec = publish([text("id", element="citizen_id"), text("born", element="birth_date"), text("code", element="uscc"), text("sex", element="gender")])
    assert {f.name: f.type for f in spec.fields if f.element} == {"id": "text", "born": "date", "code": "text", "sex": "text"}
    kept = opened(cast, id=GOOD, born="1990-03-07", code=uscc(10_000_001), sex="1").data
    assert (kept["id"], kept["born"], kept["sex"]) == (GOOD, "1990-03-07", "1")
    wrong = GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1")
    assert said(cast, id=wrong) == {"id": "校验码不对，请逐位核对。"}
    assert said(cast, id=GOOD[:15]) == {"id": "这是旧的 15 位编码，请填现行的 18 位编码。"}
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    assert said(cast, born=tomorrow, code="x", sex="7").keys() == {"born", "code", "sex"}
    assert said(cast, born="昨天") == {"born": "需要日期，写作 2026-01-31。"}
    assert wrong not in str(said(cast, id=wrong))


@pytest.mark.usefixtures("national")
def test_the_page_offers_the_codes_in_both_languages(cast: Cast) -> None:
    publish([text("sex", element="gender"), text("code", element="uscc")])
    client = signed_in(cast.clerk)
    assert '<option value="1">男性</option>' in client.get("/inbox/new/form_case/").content.decode()
    refused = client.post("/inbox/new/form_case/", {"key": "K", "do-title": "一件", "do-owner": cast.owner.code, "do-code": "9132"})
    assert refused.status_code == 422 and "位数不对" in refused.content.decode()
    client.cookies["yunhe_language"] = "en"
    assert '<option value="1">Male</option>' in client.get("/inbox/new/form_case/").content.decode()


@pytest.mark.usefixtures("national")
def test_an_unknown_element_stops_the_kind(cast: Cast) -> None:
    with pytest.raises(BadKind, match=r"fields\.a.*citizen_ident"):
        cases.require_sound(form_kind([text("a", element="citizen_ident")]))


@pytest.mark.usefixtures("national")
def test_codes_are_those_in_force_on_the_day() -> None:
    sets = {element.code: element for element in api.get_elements().values() if element.code_set}
    for code, element in sets.items():
        for on in (date(1991, 1, 1), TODAY):
            found = fields.resolve(code, on)
            assert found is not None
            items = api.get_code_set(code=element.code_set, on=on).items
            assert set(found.choices) == {i.code if element.code_set_by == "code" else i.title for i in items}


@pytest.mark.usefixtures("national")
def test_a_field_and_a_column_are_judged_alike(tmp_path: Path) -> None:
    """The independent judge: the engine's own rules over a table, in SQL, for the same values."""
    dice = random.Random(seed_of("elements"))
    values = [_value(dice) for _ in range(amount(small=200, full=20_000))]
    judged = 0
    with session(limits=Limits(memory_mb=256, threads=1), temp=tmp_path) as duck:
        duck.register("t", pa.table({"v": pa.array(values, pa.string())}))
        for element in api.get_elements().values():
            found = fields.resolve(element.code, TODAY)
            if element.type != "string" or element.code_set or found is None:
                continue
            specs = enumerate(api.element_rules(element=element))
            rules = [Rule(f"r{at}", one.kind, one.dimension, "block", ("v",), one.arguments) for at, one in specs]
            conditions = [f"({sql})" for _, sql in checks.block_conditions(rules, (Column("v"),), on=TODAY)]
            failed = duck.run("judge", f"SELECT v FROM t WHERE {' OR '.join(conditions) or 'false'}")
            assert {value for value in values if found.problem(value)} == {row[0] for row in failed}, element.code
            judged += bool(conditions)
    assert judged >= 20


def _value(dice: random.Random) -> str:
    kinds = [
        lambda: uscc(dice.randrange(10_000_000, 99_999_999)),
        lambda: citizen_id(f"329900{dice.randrange(1900, 2030)}{dice.randrange(1, 14):02d}{dice.randrange(1, 33):02d}{dice.randrange(1000):03d}"),
        lambda: f"1{dice.randrange(10**10):010d}",
        lambda: "".join(dice.choice("0123456789ABCDXx-@.长") for _ in range(dice.randrange(1, 24))),
        lambda: f"苏A{dice.randrange(10**5):05d}",
        lambda: "字" * dice.randrange(1, 600),
    ]
    value = dice.choice(kinds)()
    return value if dice.random() < 0.7 else value[:-1] + dice.choice("0X9")
