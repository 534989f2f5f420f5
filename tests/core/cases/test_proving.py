"""The proof of a kind against really running it: what it accepts strands nobody, what it calls unreachable never comes.

The judge runs `Course` from every choice of data, forms and people, remembers what it saw, and looks for ends itself.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.cases.kinds import SIMPLE, simple_kind, stranding_kind
from tests.core.cases.random_kinds import random_kind, rich_kind
from tests.core.cases.test_operators import permit_kind
from tests.soaking import amount
from yunhe.core.cases.errors import GuardRefused
from yunhe.core.cases.rules.books import GroupCount
from yunhe.core.cases.rules.course import OPEN, Course, Moment
from yunhe.core.cases.rules.going_back import go_back
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.rules.position import Position, apply_difference, empty_position
from yunhe.core.cases.rules.proving import Prover
from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.types import ActionSpec, KindSpec
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.workdays import WorkdayCalendar

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ACTOR: Actor = job_actor("tests")
MOST_POSITIONS = amount(small=60, full=1200)
MOST_OPEN = 5
Key = tuple[Any, ...]


class Judge:
    """Runs a kind for real, breadth first, and knows of each position it saw what follows."""

    def __init__(self, kind: KindSpec, *, bodies: tuple[int, ...] = (0, 1, 3), most: int = MOST_POSITIONS) -> None:
        self.kind, self.most = kind, most
        self.ids = itertools.count()
        self.next: dict[Key, set[Key]] = {}
        self.ways_back: set[Key] = set()
        self.closed: set[Key] = set()
        self.stuck: set[tuple[str, str]] = set()
        self.names: set[str] = set()
        self.phases: set[str] = set()
        self.classes: set[tuple[str, tuple[str, ...]]] = set()
        self.whole = True
        required = any(f.name == "bodies" and f.required for f in kind.fields)
        waiting: list[tuple[Key, Position]] = []
        for flag, n, count in itertools.product((True, False), (1, 2), bodies):
            for until in (None, "2026-01-01") if any(f.name == "until" for f in kind.fields) else (None,):
                if count or not required:
                    bodies_of = [f"b{i}" for i in range(count)] or None
                    data = {"flag": flag, "n": n, "note": None, "bodies": bodies_of, "extra": "x", "until": until}
                    waiting += self._open({f.name: data.get(f.name) for f in kind.fields})
        self._explore(waiting)

    def _open(self, data: dict[str, Any]) -> list[tuple[Key, Position]]:
        course = Course(self.kind, empty_position(), self._moment({}, (), 1), groups=lambda name: GroupCount())
        row = {"phase": self.kind.phases[0].code, "state": OPEN, "outcome": "", "opened_by": ACTOR.id, "organization": "x", "owner": "y",
               "opened_by_name": "", "due_at": None, "estimated": False}  # fmt: skip
        course.change("case", row)
        course.change("data", data)
        course.run(self.kind.start)
        return self._done(course, None, "start")

    def _explore(self, waiting: list[tuple[Key, Position]]) -> None:
        while waiting:
            key, position = waiting.pop(0)
            if key in self.next or len(key[2]) > MOST_OPEN:
                self.whole = self.whole and key in self.next
                continue
            if len(self.next) >= self.most:
                self.whole = False
                return
            self.next[key] = set()
            for course, where in self._steps(position):
                waiting += self._done(course, key, where)

    def _steps(self, position: Position) -> Iterator[tuple[Course, str]]:
        opened = [(i, row) for i, row in position["obligations"].items() if row["state"] == OPEN]
        seq = 2 + max((row["closed_seq"] or 0 for row in position["obligations"].values()), default=1)
        for name in dict.fromkeys(row["name"] for _, row in opened):
            chosen = next(i for i, row in opened if row["name"] == name)
            for action_name, action in self.kind.obligations[name].actions.items():
                scored = any(f.name == "score" for f in action.fields)
                ticked = any(f.name == "yes" and f.shown for f in action.fields)
                told = ((True, "x"), (True, None)) if ticked else ((True, "x"), (False, None))
                for (yes, note), score in itertools.product(told, (0, 9) if scored else (None,)):
                    values = {"yes": yes, "note": note, **({"score": score} if scored else {})}
                    course = self._course(position, action, values, seq)
                    try:
                        course.check_guards(action)
                    except GuardRefused:
                        continue
                    course.close_obligation(chosen, action.outcome)
                    course.run(action.effects)
                    yield course, f"obligations.{name}.actions.{action_name}"
            yield from self._of_part(name, chosen, position, seq)
        yield from self._by_itself(opened, position, seq)
        if "send_back" in self.kind.operators:
            yield from self._sent_back(position, seq)

    def _of_part(self, name: str, chosen: str, position: Position, seq: int) -> Iterator[tuple[Course, str]]:
        """Yield how the sub-case of an obligation can end, and what it can give back."""
        child = self.kind.obligations[name].child
        for outcome in ("", *child.outcomes) if child else ():
            for back in ("x", None) if child and child.results else ("",):
                course = self._course(position, None, {}, seq)
                course.close_obligation(chosen, outcome)
                if child and child.results:
                    course.change("data", dict.fromkeys(child.results, back))
                yield course, f"obligations.{name}.child"

    def _by_itself(self, opened: list[tuple[str, dict[str, Any]]], position: Position, seq: int) -> Iterator[tuple[Course, str]]:
        """Yield what time does: one lapses, or all of a name, or all that can; what comes again comes."""
        over = [(key, row["name"]) for key, row in opened if row["lapse_at"]]
        rounds = [over[at : at + 1] for at in range(len(over))] + [[one for one in over if one[1] == name] for name in {name for _, name in over}]
        for lapsing in {tuple(one): one for one in [*rounds, *([over] if over else [])]}.values():
            course = self._course(position, None, {}, seq)
            for key, name in lapsing:
                told = self.kind.obligations[name].on_due
                if told and course.position["obligations"][key]["state"] == OPEN:
                    course.close_obligation(key, told.outcome)
                    course.run(told.effects)
            yield course, f"obligations.{lapsing[0][1]}.on_due"
        for key, row in position["obligations"].items():
            if row["next_at"]:
                course = self._course(position, None, {}, seq)
                course.change("obligations", {key: {"next_at": None}})
                course.reopen_like({**row, "assignee": ""})
                yield course, "recur"

    def _sent_back(self, position: Position, seq: int) -> Iterator[tuple[Course, str]]:
        rows = live(position)
        for phase in {row["phase"] for row in rows} - {position["case"]["phase"]}:
            course = self._course(position, None, {}, seq)
            go_back(course, phase, min(row["opened_seq"] for row in rows if row["phase"] == phase), position)
            yield course, "send_back"

    def _course(self, position: Position, action: ActionSpec | None, values: dict[str, Any], seq: int) -> Course:
        def count(name: str) -> GroupCount:
            rows = [row for row in live(position) if row["group"] == name]
            outcomes = Counter(row["outcome"] for row in rows if row["state"] == "done")
            scores = tuple(Decimal(row["score"]) for row in rows if row["state"] == "done" and row["score"] is not None)
            return GroupCount(outcomes, sum(row["state"] == OPEN for row in rows), scores)

        return Course(self.kind, position, self._moment(values, action.fields if action else (), seq), groups=count)

    def _moment(self, values: dict[str, Any], form: Any, seq: int) -> Moment:
        return Moment(ACTOR, AT, seq, "act", lambda: WorkdayCalendar(()), lambda: f"o{next(self.ids)}", form, values)

    def _done(self, course: Course, before: Key | None, where: str) -> list[tuple[Key, Position]]:
        course.settle_groups()
        course.settle()
        if course.is_stuck():
            self.stuck.add((where, course.position["case"]["phase"]))
            return []
        position = apply_difference(course.before, course.difference)
        key = self._key(position)
        if before is not None and where != "send_back":
            self.next[before].add(key)
        opened = [row["name"] for row in position["obligations"].values() if row["state"] == OPEN]
        self.names |= set(opened)
        self.phases.add(position["case"]["phase"])
        if position["case"]["state"] != OPEN:
            self.closed.add(key)
            self.next.setdefault(key, set())
            return []
        self.classes.add((position["case"]["phase"], tuple(sorted(opened))))
        return [(key, position)]

    def _key(self, position: Position) -> Key:
        rows = live(position)
        opened = tuple(sorted(row["name"] for row in rows if row["state"] == OPEN))
        done = tuple(sorted(Counter((row["group"], row["outcome"]) for row in rows if row["state"] == "done" and row["group"]).items()))
        first: dict[str, tuple[Any, ...]] = {}
        for phase in {row["phase"] for row in rows}:
            seq = min(row["opened_seq"] for row in rows if row["phase"] == phase)
            first[phase] = tuple(sorted(row["name"] for row in rows if row["phase"] == phase and row["opened_seq"] == seq))
        data = tuple((name, str(value)) for name, value in sorted(position["data"].items()))
        timed = tuple(sorted((row["name"], bool(row["lapse_at"]), bool(row["next_at"])) for row in rows if row["lapse_at"] or row["next_at"]))
        scores = tuple(sorted(row["score"] for row in rows if row["state"] == "done" and row["score"] is not None))
        return position["case"]["phase"], position["case"]["state"], opened, done, tuple(sorted(first.items())), data, (timed, scores)

    @property
    def stranded(self) -> set[Key]:
        """Return the positions that were looked at to the end and from which no end was found."""
        before: dict[Key, set[Key]] = {}
        for key, after in self.next.items():
            for one in after:
                before.setdefault(one, set()).add(key)
        good, waiting = set(self.closed), list(self.closed)
        unknown = {one for after in self.next.values() for one in after if one not in self.next}
        good |= unknown
        waiting += list(unknown)
        while waiting:
            fresh = before.get(waiting.pop(), set()) - good
            good |= fresh
            waiting += list(fresh)
        return set(self.next) - good


def live(position: Position) -> list[dict[str, Any]]:
    """Return the obligations that no send-back superseded."""
    return [row for row in position["obligations"].values() if row.get("superseded_seq") is None]


def changed(**changes: Any) -> KindSpec:
    body = copy.deepcopy(SIMPLE)
    for path, value in changes.items():
        *way, last = path.split("__")
        place: Any = body
        for step in way:
            place = place[step]
        place[last] = value
    return KindSpec.model_validate(body)


def words(kind: KindSpec) -> str:
    return "\n".join(f"{where} {zh} {en}" for where, zh, en in check_kind(kind))


def test_what_nothing_follows_is_said_with_the_way_there() -> None:
    found = check_kind(stranding_kind())
    places = [where for where, _, _ in found]
    assert "obligations.answer.actions.vanish" in places and "obligations.opinion" in places
    (told,) = [zh for where, zh, _ in found if where == "obligations.opinion.actions.say"]
    assert "阶段“办理”" in told and "“会签”" in told and "答复·不了了之" in told
    assert check_kind(simple_kind()) == ()


def test_conditions_that_exclude_or_complete_one_another_are_understood() -> None:
    two = [{"open_obligation": "answer", "when": "amount >= 100"}, {"open_obligation": "mend", "when": "amount < 100"}]
    assert check_kind(changed(start=[*two, {"open_obligation": "opinion", "when": "amount > 500"}])) == ()
    gap = [{"open_obligation": "answer", "when": "amount > 100"}, {"open_obligation": "mend", "when": "amount < 100"}]
    assert "start" in words(changed(start=[*gap, {"open_obligation": "opinion", "when": "amount > 500"}]))
    empty = [{"open_obligation": "answer", "when": "days >= 1"}, {"open_obligation": "mend", "when": "NOT days >= 1"}]
    assert "start" in words(changed(start=[*empty, {"open_obligation": "opinion", "when": "days = 3"}]))  # days may be empty
    both = "coalesce(days, 0) >= amount"
    opposite = [{"open_obligation": "answer", "when": both}, {"open_obligation": "mend", "when": f"NOT ({both})"}]
    found = words(changed(start=[*opposite, {"open_obligation": "opinion", "when": both}]))
    assert "start" in found  # a function may give unknown: neither holds


def test_a_guard_over_what_a_case_is_must_leave_a_way() -> None:
    guard = [{"when": "amount >= 100", "message": "不行"}]
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["actions"]["agree"]["guards"] = guard
    del body["obligations"]["answer"]["actions"]["back"]
    del body["obligations"]["mend"]
    found = words(KindSpec.model_validate(body))
    assert "amount = 99" in found and "永远无法办结" in found
    body["obligations"]["answer"]["actions"]["agree"]["guards"] = [{"when": "form_text <> 'x'", "message": "不行"}]
    assert words(KindSpec.model_validate(body)) == ""  # who fills in the form can do otherwise


def test_an_empty_list_opens_nothing_and_a_veto_that_stays_is_seen() -> None:
    group = {"opinions": {"rules": [{"when": "open_count = 0", "effects": [{"close_case": "done"}]}]}}
    each = {**SIMPLE["obligations"]["opinion"], "who": {"organization": "each", "each": "items", "roles": ["data_admin"]}, "group": "opinions"}
    body = {**SIMPLE, "start": [{"open_obligation": "opinion"}], "obligations": {"opinion": each}, "groups": group, "phases": SIMPLE["phases"][:1]}
    assert [where for where, _, _ in check_kind(KindSpec.model_validate(body))] == ["start"]
    body = copy.deepcopy(body)
    body["fields"][2]["required"] = True
    assert check_kind(KindSpec.model_validate(body)) == ()
    body["obligations"]["opinion"]["actions"]["object"] = {"title": "反对", "outcome": "objected"}
    body["obligations"]["mend"] = {"title": "修改", "who": {"person": "opener"}, "actions": {
        "again": {"title": "再报", "outcome": "again", "effects": [{"open_obligation": "opinion"}]}}}  # fmt: skip
    body["groups"]["opinions"]["rules"].insert(0, {"when": "open_count = 0 AND count_objected > 0", "effects": [{"open_obligation": "mend"}]})
    assert "obligations.mend" in words(KindSpec.model_validate(body))  # an objection is counted for ever: the loop has no end


def test_a_sub_case_may_end_in_a_way_that_no_rule_names() -> None:
    child = {"kind": "leave_note", "outcomes": ["agreed"]}
    rules = [{"when": "count_agreed > 0", "effects": [{"close_case": "done"}]}]
    body = {**SIMPLE, "start": [{"open_obligation": "part"}], "phases": SIMPLE["phases"][:1], "groups": {"parts": {"rules": rules}},
            "obligations": {"part": {"title": "子件", "who": {"organization": "owner", "roles": ["x"]}, "group": "parts", "child": child}}}  # fmt: skip
    assert "子办件办结" in words(KindSpec.model_validate(body))
    rules.append({"when": "open_count = 0", "effects": [{"close_case": "failed"}]})
    assert words(KindSpec.model_validate(body)) == ""


def test_what_sending_back_opens_again_must_lead_on_too() -> None:
    """On entering "done" only the opinion was opened; sent back there, nobody else owes anything."""
    body = copy.deepcopy(SIMPLE)
    body["phases"].append({"code": "late", "title": "其后"})
    body["start"] = [{"open_obligation": "answer"}, {"open_obligation": "mend"}]
    finish = {"title": "办结", "outcome": "finished", "effects": [{"close_case": "x"}]}
    body["obligations"]["finish"] = {"title": "收尾", "who": {"person": "opener"}, "actions": {"finish": finish}}
    actions = body["obligations"]["answer"]["actions"]
    del actions["back"]
    actions["agree"]["effects"] = [{"close_obligations": "opinion"}, {"go_to_phase": "late"}, {"open_obligation": "finish"}]
    body["obligations"]["mend"]["actions"]["resend"]["effects"] = [{"go_to_phase": "done"}, {"open_obligation": "opinion"}]
    told = words(KindSpec.model_validate(body))
    assert "退回" in told and "obligations.opinion.actions.say" in told
    assert words(KindSpec.model_validate({**body, "operators": ["hand_on", "retract"]})) == ""


def test_a_class_is_judged_without_its_past() -> None:
    assert judge_class(permit_kind(), "review", ("opinion", "opinion"), frozenset()) is None
    assert judge_class(permit_kind(), "review", (), frozenset()) is not None


def test_what_the_proof_accepts_strands_nobody_and_what_it_calls_unreachable_never_comes() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=amount(small=30, full=3000))
    @given(st.integers(0, 10**9))
    def kinds(seed: int) -> None:
        compare((rich_kind if seed % 2 else random_kind)(seed), seen)

    kinds()
    assert seen["sound"] >= 3 and seen["stranding"] >= 8 and seen["caught"] >= 8, seen


def compare(kind: KindSpec, seen: Counter[str]) -> None:
    proof = Prover(kind).prove()
    judge = Judge(kind)
    assert proof.complete
    assert judge.names <= proof.opened
    assert judge.phases <= {state.phase for state in proof.edges}
    proved = {(state.phase, state.opened) for state in proof.edges}
    for phase, names in judge.classes:
        assert (phase, tuple(sorted((name, names.count(name) > 1) for name in set(names)))) in proved
    sound = not proof.stuck and not proof.dead
    seen["sound" if sound else "stranding"] += 1
    if sound:
        assert not judge.stuck and not judge.stranded
    seen["caught"] += bool(judge.stuck or judge.stranded)
    if not sound:
        assert not judge.whole or judge.stuck or judge.stranded, "refused, and nothing of it strands anybody"


def test_every_class_that_is_let_through_ends() -> None:
    """Of a class alone, with nothing known of its past: if it is let through, every position of it ends."""
    seen: Counter[str] = Counter()
    for number in range(amount(small=8, full=800)):
        kind = (rich_kind if number % 2 else random_kind)(number)
        judge = Judge(kind, most=60)
        stranded = {(key[0], key[2]) for key in judge.stranded if key[1] == OPEN}
        for phase, names in sorted(judge.classes):
            let = judge_class(kind, phase, names, frozenset()) is None
            seen["let" if let else "held"] += 1
            assert not (let and (phase, names) in stranded)
    assert seen["let"] > 20 and seen["held"] > 5, seen


def small_kind(obligations: dict[str, Any], groups: dict[str, Any] | None = None, start: tuple[str, ...] = ("a",), **more: Any) -> KindSpec:
    base = {"code": "small", "title": "小", "prefix": "XS", "opens": {"permission": "cases.act"}, "phases": [{"code": "p", "title": "办"}]}
    fields = [{"name": "flag", "title": "是否", "type": "boolean", "required": True}]
    opened = [{"open_obligation": name} for name in start]
    return KindSpec.model_validate({**base, "fields": fields, "start": opened, "obligations": obligations, "groups": groups or {}, **more})


def ending(guard: str = "") -> dict[str, Any]:
    guards = [{"when": guard, "message": "不行"}] if guard else []
    return {"title": "结束", "outcome": "ok", "guards": guards, "effects": [{"close_case": "done"}]}


def test_what_must_be_ticked_is_no_way_out() -> None:
    """Nobody can leave a required box unticked: an end for those who do is none. What only must be told is yes or no."""

    def kind(**box: Any) -> KindSpec:
        form = [{"name": "sure", "title": "承诺", "type": "boolean", **box}]
        effects = [{"close_case": "done", "when": "NOT form_sure"}, {"open_obligation": "a", "when": "form_sure"}]
        say = {"title": "说", "outcome": "said", "fields": form, "effects": effects}
        return small_kind({"a": {"title": "办", "who": {"organization": "owner", "roles": ["officer"]}, "actions": {"say": say}}})

    assert [where for where, *_ in check_kind(kind(required=True))] == ["obligations.a"]
    assert check_kind(kind(required=True, shown=False)) == ()


def test_a_guard_that_no_role_of_the_seat_passes_is_a_dead_end() -> None:
    seat = {"organization": "applicant", "roles": ["officer"]}

    def kind(guard: str) -> KindSpec:
        return small_kind({"a": {"title": "办", "who": seat, "actions": {"ok": ending(guard)}}})

    assert [where for where, *_ in check_kind(kind("actor_role = 'data_leader'"))] == ["obligations.a"]
    assert check_kind(kind("actor_role = 'officer'")) == check_kind(kind("actor_role <> 'data_leader'")) == ()


def test_a_lapse_is_no_way_to_an_end_while_its_clock_stands() -> None:
    opener, day = {"person": "opener"}, [{"amount": 2, "unit": "days", "basis": "依据"}]
    lapse = {"outcome": "over", "title": "期满", "effects": [{"close_case": "over"}]}
    waits = {"title": "等", "who": opener, "limits": day, "on_due": lapse, "actions": {"ok": ending("flag")}}

    def kind(*after: dict[str, Any]) -> KindSpec:
        stop = {"title": "停", "outcome": "stopped", "effects": [{"pause_clocks": "依据"}, *after]}
        more = {"title": "续", "who": opener, "actions": {"go": {"title": "续", "outcome": "gone", "effects": [{"resume_clocks": True}]}}}
        found = {"a": waits, "b": {"title": "停", "who": opener, "actions": {"stop": stop}}}
        return small_kind({**found, **({"c": more} if after else {})}, start=("a", "b"))

    assert check_kind(small_kind({"a": waits})) == ()
    assert [where for where, *_ in check_kind(kind())] == ["obligations.a"]
    assert check_kind(kind({"open_obligation": "c"})) == ()
    assert judge_class(kind(), "p", ("a",), frozenset()) is not None  # its clock may stand


def test_one_person_cannot_owe_two_of_what_takes_another_person_each() -> None:
    part = {"title": "办", "who": {"person": "opener"}, "group": "g", "actions": {"ok": {"title": "好", "outcome": "ok"}}}
    other = {**part, "who": {"organization": "owner", "roles": ["officer"]}}
    rules = [{"when": "open_count = 0", "effects": [{"close_case": "done"}]}]

    def problems(obligations: dict[str, Any], start: tuple[str, ...], *, distinct: bool) -> list[str]:
        return [where for where, *_ in check_kind(small_kind(obligations, {"g": {"distinct": distinct, "rules": rules}}, start=start))]

    assert problems({"a": part}, ("a", "a"), distinct=True) == ["groups.g"]
    assert problems({"a": part, "b": part}, ("a", "b"), distinct=True) == ["groups.g"]
    assert problems({"a": part, "b": other}, ("a", "b"), distinct=True) == problems({"a": part}, ("a", "a"), distinct=False) == []


ROOM_ENDS: dict[str, Any] = {**ending(), "by_room": True}


def room_waits(**more: Any) -> dict[str, Any]:
    return {"title": {"zh": "等登记", "en": "Waits"}, "who": {"organization": "owner", "roles": ["officer"]}, "actions": {"ok": ROOM_ENDS}, **more}


def test_what_only_a_room_ends_needs_somebody_to_see_to_it() -> None:
    def kind(*, operators: tuple[str, ...] = (), beside: dict[str, Any] | None = None, **more: Any) -> KindSpec:
        ask = {"title": "问", "outcome": "asked", "effects": [{"go_to_phase": "q"}, {"open_obligation": "wait"}]}
        drop = {"title": "不问", "outcome": "dropped", "effects": [{"close_case": "dropped"}]}
        first = {"title": "先办", "who": {"person": "opener"}, "actions": {"ask": ask, "drop": drop}}
        phases = [{"code": "p", "title": "办"}, {"code": "q", "title": "等"}]
        start = ("a", *(beside or {}))
        return small_kind({"a": first, "wait": room_waits(**more), **(beside or {})}, start=start, phases=phases, operators=operators)

    ((where, zh, en),) = check_kind(kind())
    assert where == "obligations.wait" and "“等登记”" in zh and "先办·问" in zh and "on_due" in zh and "on_due" in en and "send_back" in en
    limit = {"amount": 3, "unit": "days", "basis": "依据"}
    over = {"outcome": "late", "title": "期满", "effects": [{"close_case": "late"}]}
    assert check_kind(kind(limits=[limit], on_due=over)) == ()
    assert check_kind(kind(limits=[{**limit, "when": "flag"}], on_due=over)) != ()  # its time need not be over ever
    assert check_kind(kind(limits=[limit], on_due={**over, "effects": [{"open_obligation": "wait"}]})) != ()  # and waits again
    assert check_kind(kind(actions={"ok": ROOM_ENDS, "stop": ending()})) == ()
    assert check_kind(kind(operators=("send_back",))) == ()
    assert check_kind(kind(operators=("hand_on", "retract", "remind", "suspend"))) != ()
    stop = {"title": "看着", "who": {"person": "opener"}, "actions": {"stop": ending()}}
    assert check_kind(kind(beside={"watch": stop})) == ()  # who owes the other ends both
    join = {"title": "会办", "who": {"person": "opener"}, "actions": {"said": {"title": "说", "outcome": "said"}}}
    assert [place for place, *_ in check_kind(kind(beside={"join": join}))] == ["obligations.wait"]


def test_a_room_in_a_join_needs_somebody_as_well() -> None:
    rules = {"g": {"rules": [{"when": "open_count = 0", "effects": [{"close_case": "done"}]}]}}
    one = {"title": "会签", "who": {"person": "opener"}, "group": "g", "actions": {"ok": {"title": "同意", "outcome": "ok"}}}
    wait = room_waits(group="g", actions={"ok": {"title": "已登记", "outcome": "ok", "by_room": True}})
    found = check_kind(small_kind({"a": one, "b": wait}, rules, start=("a", "b"), operators=["send_back"]))
    assert [where for where, *_ in found] == ["obligations.b"]  # there is no earlier phase to send it back to
    give_up = {"title": "不再等", "outcome": "ok"}
    wait["actions"]["stop"] = give_up
    assert check_kind(small_kind({"a": one, "b": wait}, rules, start=("a", "b"), operators=[])) == ()


def test_what_only_effects_set_is_empty_until_one_does() -> None:
    fields = [{"name": "flag", "title": "是否", "type": "boolean", "required": True}, {"name": "said", "title": "答复", "internal": True},
              {"name": "whom", "title": "问谁", "type": "list", "internal": True}]  # fmt: skip
    opener = {"person": "opener"}
    say = {"title": "说", "outcome": "said", "effects": [{"set_field": {"field": "said", "value": "yes"}}, {"open_obligation": "b"}]}
    end = {"title": "结束", "outcome": "ok", "effects": [{"close_case": "done"}]}

    def kind(first: str, second: str, **more: Any) -> KindSpec:
        a = {"title": "先", "who": opener, "actions": {"say": {**say, "guards": [{"when": first, "message": "不行"}]}}}
        b = {"title": "后", "who": opener, "actions": {"end": {**end, "guards": [{"when": second, "message": "不行"}]}}}
        return small_kind({"a": a, "b": b, **more}, fields=fields)

    assert check_kind(kind("said IS NULL", "said = 'yes'")) == ()
    assert [where for where, *_ in check_kind(kind("said = 'yes'", "said = 'yes'"))] == ["obligations.b", "obligations.a"]
    assert [where for where, *_ in check_kind(kind("said IS NULL", "said IS NULL"))] == ["obligations.a", "obligations.b"]
    told = {"title": "会签", "who": {"organization": "each", "each": "whom", "roles": ["officer"]}, "actions": {"ok": end}}
    nobody = small_kind({"a": told}, fields=fields)  # nothing says whom to ask when it opens
    assert {where for where, *_ in check_kind(nobody)} == {"start", "obligations.a"}
