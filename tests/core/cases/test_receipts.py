"""S-R3: values from shared data cannot be altered by who fills the form in, whatever they send, by page or by API."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.form_kinds import publish, text
from tests.core.cases.test_pages import signed_in
from tests.soaking import amount, is_soaking
from yunhe.core.cases import api
from yunhe.core.cases.api import slots
from yunhe.core.cases.api.receipts import Desk
from yunhe.core.cases.errors import FieldsInvalid
from yunhe.core.cases.models import ReceiptRecord
from yunhe.core.cases.types import Case, CaseView, FieldSpec, SourceAnswer, Sourced, SourceQuestion
from yunhe.core.organizations.models import Membership
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import Transient
from yunhe.kernel.ids import new_id

pytestmark = pytest.mark.django_db
OPEN = "/inbox/new/form_case/"


class Away(Transient):
    code = "register_away"
    sentences = {"zh": "登记系统没有应答。", "en": "The register does not answer."}


@dataclass
class Register:
    """Other people's data: what each key holds, and every question that was asked."""

    records: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    asked: list[SourceQuestion] = field(default_factory=list)

    def fetch(self, question: SourceQuestion) -> SourceAnswer:
        self.asked.append(question)
        if self.away:
            raise Away
        key = str(question.arguments["key"])
        title = {"zh": "登记库", "en": "Register"}
        return SourceAnswer(key in self.records, title, self.records.get(key), "S1", f"EV{len(self.asked)}")


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    made = Register({"k1": "张记书店", "k2": "李记茶馆"})
    monkeypatch.setitem(slots._sources, "test.register", slots.ValueSource("test.register", frozenset({"key"}), made.fetch))
    return made


def sourced(name: str, key: str = "form.key", **more: Any) -> dict[str, Any]:
    told = {name: more.pop(name) for name in ("when",) if name in more}
    return text(name, source={"from": "test.register", "key": key, **told}, **more)


def opened(cast: Cast, data: dict[str, Any], **more: Any) -> Case:
    return api.open_case(kind="form_case", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code, **more)


def refused(call: Callable[[], Any]) -> dict[str, str]:
    with pytest.raises(FieldsInvalid) as said:
        call()
    return {p.field: p.code for p in said.value.problems}


def test_the_value_is_the_source_s_whatever_is_sent(cast: Cast, register: Register) -> None:
    publish([text("key", required=True), sourced("holder", required=True)])
    case = opened(cast, {"key": "k1", "holder": "我说了算", "holder_reason": "因为"})
    assert (case.data["holder"], case.data["holder_reason"]) == ("张记书店", None)
    (receipt,) = api.access_case(case_id=case.case_id, actor=cast.steward.actor).receipts
    assert (receipt.state, receipt.value, receipt.snapshot, receipt.evidence_id) == ("found", "张记书店", "S1", "EV1")
    assert receipt.intact and receipt.digest and receipt.field_title["zh"] == "字段holder"
    assert register.asked[0].actor == cast.clerk.actor and "表单件" in register.asked[0].purpose
    page = signed_in(cast.steward).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "登记库" in page and "取自共享数据" in page and "EV1" in page


def test_by_hand_only_with_a_reason_and_only_where_there_is_none(cast: Cast, register: Register) -> None:
    publish([text("key", required=True), sourced("holder", required=True)])
    assert refused(lambda: opened(cast, {"key": "k9"})) == {"holder": "required"}
    assert refused(lambda: opened(cast, {"key": "k9", "holder": "王记"})) == {"holder_reason": "reason_needed"}
    case = opened(cast, {"key": "k9", "holder": "王记", "holder_reason": "新设，未入库"})
    assert (case.data["holder"], case.data["holder_reason"]) == ("王记", "新设，未入库")
    assert api.access_case(case_id=case.case_id, actor=cast.clerk.actor).receipts[0].state == "absent"
    register.away = True
    case = opened(cast, {"key": "k1", "holder": "张记", "holder_reason": "系统停机"})
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert view.receipts[0].problem["zh"] == "登记系统没有应答。"
    page = signed_in(cast.steward).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "取不到，手工填写" in page and "系统停机" in page and "登记系统没有应答" in page


def test_a_value_that_does_not_fit_the_field_is_not_taken(cast: Cast, register: Register) -> None:
    publish([text("key"), {**sourced("year"), "type": "integer", "maximum": 2100}])
    register.records = {"k1": "1999", "k2": "很久以前"}
    assert opened(cast, {"key": "k1"}).data["year"] == 1999
    assert refused(lambda: opened(cast, {"key": "k2", "year": 5})) == {"year_reason": "reason_needed"}


def test_read_only_on_a_condition(cast: Cast, register: Register) -> None:
    publish([text("key"), text("local"), sourced("holder", when="form_local = 'yes'")])
    assert opened(cast, {"key": "k1", "local": "yes", "holder": "假"}).data["holder"] == "张记书店"
    assert opened(cast, {"key": "k1", "local": "no", "holder": "外地"}).data["holder"] == "外地"
    assert opened(cast, {"local": "yes", "holder": "假"}).data["holder"] is None


def test_an_action_takes_its_value_with_what_the_case_holds(cast: Cast, register: Register) -> None:
    publish([text("key"), text("result")], [sourced("result", key="data.key")])
    case = opened(cast, {"key": "k2"})
    body = {"data": {"result": "伪造"}}
    assert Caller(cast.steward).post(f"/cases/{case.case_id}/actions/finish", body).status == 200
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert view.case.data["result"] == "李记茶馆" and view.receipts[0].state == "found"
    assert register.asked[0].actor == cast.steward.actor and register.asked[0].case == case.number
    assert api.replay_case(case_id=case.case_id, actor=cast.steward.actor).equal
    stranger = Caller(cast.bureau_clerk)
    assert stranger.post(f"/cases/{case.case_id}/actions/finish", body).refusal == (404, "case_not_found")
    assert len(register.asked) == 1  # nobody without the right has anything fetched


def test_the_page_fetches_shows_and_asks_to_look_before_it_sends(cast: Cast, register: Register) -> None:
    publish([text("key"), sourced("holder", required=True)])
    client = signed_in(cast.clerk)
    told = {"key": "P1", "do-title": "一件", "do-owner": cast.owner.code, "do-key": "k1"}
    assert "先填好" in client.get(OPEN).content.decode() and register.asked == []
    first = client.post(OPEN, {**told, "do-holder": "假"})
    assert "请核对后再提交" in first.content.decode() and "张记书店" in first.content.decode() and "假" not in first.content.decode()
    assert client.post(OPEN, {**told, "step": "refresh"}).content.decode().count("<output") == 1
    done = client.post(OPEN, {**told, "do-holder": "假"})
    assert done.status_code == 302 and len(register.asked) == 1
    data = api.access_case(case_id=done["Location"].split("/")[-2], actor=cast.clerk.actor).case.data
    assert data["holder"] == "张记书店"


def test_a_receipt_is_one_person_s_for_one_form_field_and_question(cast: Cast, register: Register) -> None:
    publish([text("key"), sourced("holder")])

    def look(actor: Any, scope: str, key: str) -> Any:
        state = api.look_at_opening(kind="form_case", values={"key": key}, scope=scope, actor=actor)
        return state.sourced["holder"].value

    api.look_at_opening(kind="form_case", values={"key": "k1"}, scope="S", actor=cast.clerk.actor, fetch=True)
    assert look(cast.clerk.actor, "S", "k1") == "张记书店"
    assert look(cast.clerk.actor, "S", "k2") is None and look(cast.clerk.actor, "T", "k1") is None
    for actor in (cast.steward.actor, replace(cast.clerk.actor, organization=cast.owner.code)):
        assert look(actor, "S", "k1") is None
    register.records["k1"] = "换了名"
    assert opened(cast, {"key": "k1"}, draft="S").data["holder"] == "张记书店"
    theirs = api.open_case(
        kind="form_case", title="一件", data={"key": "k1"}, actor=cast.steward.actor, owner=cast.owner.code, draft="S"
    )  # fmt: skip
    assert theirs.data["holder"] == "换了名"  # not what another fetched under the same name
    assert ReceiptRecord.objects.filter(case=None).count() == 0


def test_what_was_tampered_with_or_is_old_counts_no_more(cast: Cast, register: Register, clock: FrozenClock) -> None:
    Membership.objects.update(valid_from=date(2026, 1, 1))  # the clock stands on an earlier day
    publish([text("key"), sourced("holder")])

    def fetch(scope: str) -> None:
        api.look_at_opening(kind="form_case", values={"key": "k1"}, scope=scope, actor=cast.clerk.actor, fetch=True)

    fetch("S")
    ReceiptRecord.objects.update(value="篡改")
    assert opened(cast, {"key": "k1"}, draft="S").data["holder"] == "张记书店" and len(register.asked) == 2
    fetch("T")
    clock.advance(timedelta(days=8))
    register.records["k1"] = "新名"
    case = opened(cast, {"key": "k1"}, draft="T")
    assert case.data["holder"] == "新名"
    assert api.access_case(case_id=case.case_id, actor=cast.clerk.actor).receipts[0].intact
    ReceiptRecord.objects.filter(case=case.case_id).update(value="事后改")
    assert not api.access_case(case_id=case.case_id, actor=cast.clerk.actor).receipts[0].intact


CONDITIONS = ("", "form_flag = 'on'", "form_flag <> 'on'", "form_key = 'k1' or form_flag = 'on'", "form_key >= 'k2'")
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("k1x张on我\x00'", max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("kh0_", max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = ("s0", "s1", "s2", "s0_reason", "s1_reason", "s2_reason")


SENT = st.fixed_dictionaries({name: st.sampled_from(["伪造", "k1", "理由"]) | JUNK for name in NAMES})
SHAPES = st.lists(st.tuples(st.sampled_from(CONDITIONS), st.sampled_from(CONDITIONS), st.booleans()), min_size=1, max_size=3)


# Three protected fields, each of them forged with a reason: what every run of the attack begins with, by page and by API.
FORGED: dict[str, Any] = {
    "shapes": [("", "", False)] * 3, "key": "k1", "flag": "on", "unknown": {},
    "sent": {name: "理由" if "reason" in name else "伪造" for name in NAMES},
}  # fmt: skip


def test_s_r3_stored_values_equal_their_receipts(cast: Cast, register: Register) -> None:
    seen = Counter[tuple[str, str, int]]()

    @settings(
        max_examples=amount(small=40, full=2000),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @example(**FORGED, by_page=True)
    @example(**FORGED, by_page=False)
    @given(
        shapes=SHAPES, key=st.sampled_from(["k1", "k2", "k9", ""]), flag=st.sampled_from(["on", "off", ""]), sent=SENT,
        unknown=st.sampled_from([{}, {}, {}, {"x9": 1}, {"receipt": "01"}]), by_page=st.booleans(),
    )  # fmt: skip
    def attack(by_page: bool, **told: Any) -> None:
        found = attacked(cast, register, by_page=by_page, **told)
        seen.update((verdict, "page" if by_page else "api", place) for place, verdict in enumerate(found))

    attack()
    # A value was sent where a receipt stood, and lost: through both doors and in every place of the form.
    assert all(seen["forged", way, place] >= amount(small=1, full=20) for way in ("page", "api") for place in range(3)), seen
    counts = {word: sum(seen[key] for key in seen if key[0] == word) for word in ("forged", "hidden", "by hand")}
    assert counts["forged"] >= amount(small=12, full=200), seen
    assert counts["hidden"] and (counts["by hand"] or not is_soaking()), seen


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize(("method", "by_page"), [("_known", True), ("need", False)], ids=["page", "api"])
def test_one_field_that_needs_no_receipt_is_found(
    cast: Cast, register: Register, monkeypatch: pytest.MonkeyPatch, method: str, by_page: bool, place: int
) -> None:
    whole = getattr(Desk, method)

    def by_hand(desk: Desk, spec: FieldSpec, arguments: Any) -> Any:
        return Sourced("unavailable") if spec.name == f"s{place}" else whole(desk, spec, arguments)

    assert attacked(cast, register, by_page=by_page, **FORGED) == ["forged"] * 3
    monkeypatch.setattr(Desk, method, by_hand)
    with pytest.raises(AssertionError, match=f"s{place}"):
        attacked(cast, register, by_page=by_page, **FORGED)


def attacked(
    cast: Cast, register: Register, *, shapes: list[tuple[str, str, bool]], key: str, flag: str, sent: dict[str, Any],
    unknown: dict[str, Any], by_page: bool,
) -> list[str]:  # fmt: skip
    """Send a form with forgeries through one of the doors; return what became of each value, nothing if it was not accepted."""
    forged = {**sent, **unknown, "key": key, "flag": flag}
    forged = {name: value for name, value in forged.items() if name[:2] not in {f"s{n}" for n in range(len(shapes), 9)}}
    fields = _fields(shapes)
    if by_page:
        publish(fields)
        view = _by_page(cast, signed_in(cast.clerk), forged)
    else:
        publish([{**text(one["name"]), "internal": True} for one in fields[2:]], fields)
        view = _by_api(cast, Caller(cast.steward), forged)
    return [] if view is None else list(_judge(view, register, shapes, key, flag, forged))


def _fields(shapes: list[tuple[str, str, bool]]) -> list[dict[str, Any]]:
    fields = [text("key"), text("flag")]
    for place, (shown, read_only, required) in enumerate(shapes):
        one = sourced(f"s{place}", **({"when": read_only} if read_only else {}))
        fields.append({**one, "required": required, "when": shown})
    return fields


def _judge(
    view: CaseView, register: Register, shapes: list[tuple[str, str, bool]], key: str, flag: str, forged: dict[str, Any]
) -> Iterator[str]:
    """Assert that each value is what it may be; yield of each which kind of it was seen."""
    receipts = {one.field: one for one in view.receipts}
    for place, (shown, read_only, _) in enumerate(shapes):
        name, value = f"s{place}", view.case.data[f"s{place}"]
        if not _true(shown, key, flag):
            assert value is None
            yield "hidden"
        elif not _true(read_only, key, flag):
            assert name not in receipts
            yield "free"
        elif not key:
            assert value is None
            yield "not asked"
        elif key in register.records:
            assert name in receipts, (name, value)
            assert receipts[name].intact and value == receipts[name].value == register.records[key]
            yield "forged" if forged.get(name) not in (None, "", [], {}, value) else "found"
        else:
            assert name in receipts and receipts[name].state == "absent"
            yield "by hand" if value else "none"


def _true(condition: str, key: str, flag: str) -> bool:
    """The oracle of the five conditions, with unknown for what is empty."""
    at = CONDITIONS.index(condition)  # of "" the first: it always holds
    is_k1, is_on = (key == "k1" if key else None), (flag == "on" if flag else None)
    verdicts = [True, is_on, None if is_on is None else not is_on, bool(is_k1) or bool(is_on), key >= "k2" if key else None]
    return verdicts[at] is True


def _by_page(cast: Cast, client: Client, forged: dict[str, Any]) -> Any:
    told = {"key": new_id(), "do-title": "一件", "do-owner": cast.owner.code}
    told |= {f"do-{name}": value if isinstance(value, str) else json.dumps(value) for name, value in forged.items()}
    for _ in range(2):
        answer = client.post(OPEN, told)
        if answer.status_code == 302:
            return api.access_case(case_id=answer["Location"].split("/")[-2], actor=cast.clerk.actor)
        assert answer.status_code in (200, 422)
    return None


def _by_api(cast: Cast, caller: Caller, forged: dict[str, Any]) -> Any:
    case = opened(cast, {})
    answer = caller.post(f"/cases/{case.case_id}/actions/finish", {"data": forged})
    assert answer.status in (200, 422), answer.body
    return api.access_case(case_id=case.case_id, actor=cast.clerk.actor) if answer.status == 200 else None
