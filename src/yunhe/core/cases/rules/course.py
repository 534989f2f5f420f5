"""Work one transition out: from a position and what is done, the difference and the effects to call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from yunhe.core.cases.errors import GuardRefused
from yunhe.core.cases.rules import clock, guards, timing
from yunhe.core.cases.rules.books import NO_BOOK, GroupCount, Others, Rulebook
from yunhe.core.cases.rules.fields import typed_scalar
from yunhe.core.cases.rules.periods import next_period
from yunhe.core.cases.rules.position import FLAT, Position
from yunhe.core.cases.types import (
    OPINION,
    ActionSpec,
    DecideSpec,
    EffectSpec,
    FieldSpec,
    KindSpec,
    LimitSpec,
    MembersSpec,
    WhoSpec,
)
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local
from yunhe.kernel.workdays import WorkdayCalendar

OPEN, SUSPENDED, CLOSED, DONE, CANCELLED = "open", "suspended", "closed", "done", "cancelled"
BUREAU = "*"
BATCH = "batch"
ROLE_JOIN = "+"
ANY_SIGN = "_any"
"""The group of added reviewers of whom one opinion is enough (或签)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The surroundings of a transition: who, when, with what form, under which calendar and rules."""

    actor: Actor
    at: datetime
    seq: int
    action: str
    read_calendar: Callable[[], WorkdayCalendar]
    new_id: Callable[[], str]
    form: tuple[FieldSpec, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    book: Rulebook = NO_BOOK

    @property
    def calendar(self) -> WorkdayCalendar:
        """Return the calendar; read only by a transition that counts days."""
        return self.read_calendar()


@dataclass(frozen=True, slots=True)
class Child:
    """A sub-case that is to be opened in the same transaction, for an obligation."""

    obligation_id: str
    kind: str
    title: str
    owner: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A registered effect that is to run in the same transaction."""

    code: str
    arguments: Mapping[str, Any]


class Course:
    """One transition in the making. Pure: ids, time and calendar come in by `Moment`.

    `at` is from when on what it does counts: the time of the step; of what happens by itself, the time it fell due.
    """

    def __init__(
        self,
        kind: KindSpec,
        position: Position,
        moment: Moment,
        *,
        groups: Callable[[str], GroupCount] = lambda _name: GroupCount(),
        others: Others | None = None,
    ) -> None:
        self.kind = kind
        self.before = position
        self.position = {part: dict(rows) for part, rows in position.items()}
        self.moment = moment
        self.at = moment.at
        self.difference: dict[str, dict[str, Any]] = {}
        self.calls: list[Call] = []
        self.children: list[Child] = []
        self.decisions: list[dict[str, Any]] = []
        self.for_members: list[tuple[MembersSpec, ...]] = []
        self.ended_before: set[str] = set()
        self._groups = groups
        self._others = others
        self._joined: Mapping[str, Any] = {}

    def change(self, part: str, changes: Mapping[str, Any]) -> None:
        """Note changes of a part and see them at once."""
        rows, noted = self.position[part], self.difference.setdefault(part, {})
        for name, value in changes.items():
            rows[name] = value if part in FLAT else {**rows.get(name, {}), **value}
            noted[name] = value if part in FLAT else {**noted.get(name, {}), **value}

    def check_guards(self, action: ActionSpec, actor: Actor | None = None) -> None:
        """Do nothing if every guard of the action is true of who acts (or of `actor`). Raises: GuardRefused."""
        for guard in action.guards:
            if not self.holds(guard.when, actor):
                said = guard.message.as_mapping()
                raise GuardRefused(message_zh=said["zh"], message_en=said["en"])

    def holds(self, condition: str, actor: Actor | None = None) -> bool:
        """Tell whether a condition is true of the case as it now stands, and of who acts (or of `actor`)."""
        if not condition:
            return True
        fields = guards.expression_fields(self.kind, self.moment.form)
        return guards.holds(condition, fields, self._expression_values(actor))

    def close_obligation(self, obligation_id: str, outcome: str, state: str = DONE) -> None:
        """Note that an obligation is over; what it opens by itself ends with it if it is cancelled."""
        row = self.position["obligations"][obligation_id]
        group = self.kind.groups.get(row["group"])
        score = self.moment.values.get(group.score) if group and group.score and state == DONE else None
        closed = {
            "state": state,
            "score": None if score is None else f"{Decimal(str(score)):.4f}",
            "outcome": outcome,
            "closed_at": self.at.isoformat(),
            "closed_seq": self.moment.seq,
            "closed_by": self.moment.actor.id,
            "closed_by_name": self.moment.actor.name,
            "values": dict(self.moment.values) if state == DONE else {},
            **({"lapse_at": None} if row.get("lapse_at") else {}),
            **({"next_at": None} if row.get("next_at") and state == CANCELLED else {}),
        }
        self.change("obligations", {obligation_id: closed})
        if row["group"] == ANY_SIGN and state == DONE:
            others = (key for key in self.open_obligations(OPINION) if self.position["obligations"][key]["origin_id"] == row["origin_id"])
            for key in others:
                self.close_obligation(key, "", CANCELLED)

    def run(self, effects: tuple[EffectSpec, ...]) -> None:
        """Do apply the effects in order; a condition sees what the earlier ones did. What is over stays so."""
        for effect in effects:
            if self.holds(effect.when) and not ((effect.open_obligation or effect.close_case) and self.position["case"]["state"] == CLOSED):
                self._apply(effect)

    def settle_groups(self) -> None:
        """Ask the rules of every group of which an obligation was done in this transition; each group once.

        What is cancelled asks nothing: whoever cancels says what comes instead.
        """
        asked: set[str] = set()
        while self.position["case"]["state"] == OPEN and (name := next(iter(self._ended_groups() - asked), "")):
            asked.add(name)
            group = self.kind.groups[name]
            facts = self._group_facts(name)
            fields = {**guards.expression_fields(self.kind, self.moment.form), **guards.group_fields(self.kind, name)}
            for rule in group.rules:
                if guards.holds(rule.when, fields, {**self._expression_values(), **facts}):
                    self._joined = facts
                    self.run(rule.effects)
                    break

    def is_stuck(self) -> bool:
        """Tell whether the case is open, nobody owes anything and nothing opens by itself."""
        if self.position["case"]["state"] != OPEN or self._others:
            return False
        return not any(row["state"] == OPEN or row.get("next_at") for row in self.position["obligations"].values())

    def _settle_due(self) -> None:
        """Note when the open case is due: the earliest of its open obligations and running clocks."""
        if self.position["case"]["state"] != OPEN:
            return
        rows = [row for row in self.position["obligations"].values() if row["state"] == OPEN] + self._running_clocks()
        due = timing.earliest_due([*map(timing.due_of, rows), *([(self._others.due_at, self._others.estimated)] if self._others else [])])
        if any(self.position["case"][name] != value for name, value in due.items()):
            self.change("case", due)

    def found_by(self, part: str) -> dict[str, dict[str, Any]]:
        """Return by row what lists and rounds find it by, where that may have changed. It follows from the position: no event tells it.

        An open obligation by what is due first, its own limit or a clock of the case; a clock by when it is warned of next.
        """
        changed, clocks = self.difference.get(part, {}), self.difference.get("clocks", {})
        if part == "clocks":
            rows = {key: self.position["clocks"][key] for key in clocks}
            return {key: {"warn_at": None if row["stopped_at"] else timing.warn_at(row, self._percents())} for key, row in rows.items()}
        rows = self.position["obligations"]
        moved = [key for key, row in rows.items() if "due_at" in changed.get(key, {}) or (clocks and row["state"] == OPEN)]
        return {key: timing.found_by(map(timing.due_of, (rows[key], *self._running_clocks()))) for key in moved}

    def _running_clocks(self) -> list[Mapping[str, Any]]:
        return [row for row in self.position["clocks"].values() if row["stopped_at"] is None]

    def _percents(self) -> tuple[int, ...]:
        return tuple(sorted(rung.percent for rung in self.kind.ladder))

    def settle(self) -> None:
        """Note what follows from the changes: phases of what opened, warnings, when the case is due."""
        self.settle_opened()
        self._settle_due()

    def settle_opened(self) -> None:
        """Note what follows from the changes for the obligations: phases of what opened, warnings."""
        self._settle_phase()
        self._settle_warnings()

    def _settle_warnings(self) -> None:
        """Note of what runs and whose time changed when its bearers are warned next: again of a rung that lies ahead again."""
        percents = self._percents()
        for part in ("obligations", "clocks"):
            for key, changes in dict(self.difference.get(part, {})).items():
                row = self.position[part][key]
                passed = timing.count_passed(row, percents, self.moment.at) if changes.get("due_at") and row["warned"] else None
                if passed is not None and passed < row["warned"]:
                    self.change(part, {key: {"warned": passed}})
        for key, changes in self.difference.get("obligations", {}).items():
            row = self.position["obligations"][key]
            if row["state"] != OPEN or not ("due_at" in changes or "warned" in changes):
                continue
            self.change("obligations", {key: {"warn_at": timing.warn_at(row, percents)}})
            if self.kind.obligation(row["name"]).on_due:
                self.change("obligations", {key: {"lapse_at": row["due_at"]}})

    def _settle_phase(self) -> None:
        """Note of each obligation opened in this transition the phase that it leads to."""
        phase = self.position["case"]["phase"]
        for key in self.difference.get("obligations", {}).keys() - self.before["obligations"].keys():
            self.change("obligations", {key: {"phase": phase}})

    def open_obligations(self, name: str = "") -> list[str]:
        """Return the ids of open obligations, all or those of one name."""
        self._take_in_others()
        found = self.position["obligations"].items()
        return [key for key, row in found if row["state"] == OPEN and name in ("", row["name"])]

    def _take_in_others(self) -> None:
        """Read the open obligations that were left out, where a step reaches beyond the one it ends."""
        if self._others:
            rows = self._others.read()
            self._others = None
            self.before = {**self.before, "obligations": {**rows, **self.before["obligations"]}}
            self.position["obligations"] = {**rows, **self.position["obligations"]}

    def start_clock(self, limits: tuple[LimitSpec, ...], since: datetime | None = None) -> dict[str, Any]:
        """Return the due fields of something that starts now, or started at `since`: the first limit that applies."""
        at = since or self.at
        limit = clock.first_limit(limits, [self.holds(limit.when) for limit in limits])
        if limit and limit.use:
            found = self.moment.book.limit(limit.use, local(at).date())
            limit = limit.model_copy(update={name: getattr(found, name) for name in ("amount", "unit", "basis", "extend_most")})
        return timing.start(limit, at=at, calendar=self.moment.calendar) if limit else dict(timing.UNTIMED)

    def start_case_clock(self, action: str = "") -> None:
        """Start the clock of the whole case if none runs and a limit of the kind starts with the action, or with the opening."""
        limits = tuple(limit for limit in self.kind.limits if limit.starts_with == action)
        if not limits or self._running_clocks() or self.position["case"]["state"] != OPEN:
            return
        timed, key = self.start_clock(limits), next(iter(self.position["clocks"]), None) or self.moment.new_id()
        if timed["limit_amount"] is not None:
            self._take_in_others()  # their lines go by this clock, too
            fresh = {"name": "case", "started_at": self.at.isoformat(), "stopped_at": None, "warned": None}
            self.change("clocks", {key: {**fresh, **timed}})

    def take(self, obligation_id: str, action: ActionSpec) -> None:
        """End an obligation by the action of this moment: its effects, then the clock that starts with it."""
        self.close_obligation(obligation_id, action.outcome)
        self.run(action.effects)
        self.start_case_clock(self.moment.action)

    def change_clocks(self, changed: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        """Change the timing of every open obligation and running clock of the case."""
        self._take_in_others()
        for part, live in (("obligations", ("state", OPEN)), ("clocks", ("stopped_at", None))):
            for key, row in self.position[part].items():
                if row[live[0]] == live[1] and (changes := changed(row)):
                    self.change(part, {key: changes})

    def restore(self, part: str, key: str, earlier: Mapping[str, Any]) -> None:
        """Put a row back to what it was; its clock is counted anew."""
        row = {**({"superseded_seq": None} if part == "obligations" else {}), **earlier}
        runs = row["state"] == OPEN if part == "obligations" else row["stopped_at"] is None
        if runs and row["limit_amount"] is not None:
            row |= timing.recount(row, self.moment.calendar)
        self.change(part, {key: row})

    def reopen_like(self, row: Mapping[str, Any]) -> list[str]:
        """Open an obligation in the seat of an earlier one, with a fresh clock; return its id, of several where each of a list owes it."""
        name, listed = row["name"], self.kind.obligation(row["name"]).who.each
        if listed and (row["person"] or row["organization"] in ("", BUREAU)):  # a change of the procedure says that each of a list owes it now
            asked = {self.position["obligations"][key]["organization"] for key in self.open_obligations(name)}
            return [self._open_in_seat(name, self._seat(name, body)) for body in self._named_by(listed) if body not in asked]
        seat = {part: row[part] for part in ("organization", "role", "person", "assignee")}
        named = self._named_seat(name, row["organization"])
        moved = (named["role"], bool(named["person"])) != (row["role"], bool(row["person"]))
        return [self._open_in_seat(name, named if moved else seat)]  # moved: a change of the procedure says who owes it now

    def _apply(self, effect: EffectSpec) -> None:
        if effect.open_obligation:
            self._open_obligation(effect.open_obligation)
        elif effect.close_obligations:
            self._cancel("" if effect.close_obligations == "all" else "name", effect.close_obligations)
        elif effect.close_group:
            self._cancel("group", effect.close_group)
        elif effect.pause_clocks:
            self.change_clocks(lambda row: timing.pause(row, at=self.at, basis=effect.pause_clocks))
        elif effect.resume_clocks:
            self.change_clocks(lambda row: timing.resume(row, at=self.at, calendar=self.moment.calendar))
        elif effect.go_to_phase:
            self.change("case", {"phase": effect.go_to_phase})
        elif effect.close_case:
            self.close_case(effect.close_case)
        elif effect.set_field:
            source = effect.set_field.source
            self.change("data", {effect.set_field.field: self.refer(source) if source else effect.set_field.value})
        elif effect.decide:
            self._decide(effect.decide)
        elif effect.for_members:
            self.for_members.append(effect.for_members)
        else:
            self.calls.append(Call(effect.call, {name: self.refer(text) for name, text in effect.arguments.items()}))

    def _decide(self, asked: DecideSpec) -> None:
        """Ask a table with the rules of today; note what it answers, and which rows of which version did."""
        table, types = self.moment.book.table(asked.table), guards.reference_types(self.kind, self.moment.form)
        wanted = {one.name for one in table.declaration.inputs} | table.declaration.fields.keys()
        sources = {name: asked.inputs.get(name, f"data.{name}") for name in wanted}
        values = {name: typed_scalar(types.get(source, "string"), self.refer(source)) for name, source in sources.items()}
        decision = table.decide(values, on=local(self.at).date())
        self.change("data", {asked.into.get(name, name): _plain(value) for name, value in decision.outputs.items()})
        rows = [{"row": rule.row, "basis": rule.basis} for rule in decision.hits]
        self.decisions.append({"table": asked.table, "digest": table.digest, "on": decision.on.isoformat(), "rows": rows})

    def _open_obligation(self, name: str) -> None:
        who = self.kind.obligation(name).who
        told = self._organizations(who)
        for organization in self._named_by(who.each) if told is None else told:
            self._open_for(name, organization)

    def _named_by(self, field: str) -> Iterable[str]:
        """Return the organisations that a field of the case names: a list of them, or one."""
        value = self.position["data"].get(field) or ()
        return dict.fromkeys([value] if isinstance(value, str) else value)

    def open_added(self, name: str, organization: str) -> None:
        """Open an obligation beside those that are open; with an organisation, one more of a list of them.

        An organisation that owes it already is not asked twice.
        """
        who = self.kind.obligation(name).who
        if not organization:
            self._open_obligation(name)
            return
        if any(self.position["obligations"][key]["organization"] == organization for key in self.open_obligations(name)):
            return
        listed = list(self.position["data"].get(who.each) or ())
        if organization not in listed:
            self.change("data", {who.each: [*listed, organization]})
        self._open_for(name, organization)

    def _open_for(self, name: str, organization: str) -> None:
        self._open_in_seat(name, self._seat(name, organization))

    def reseat(self, obligation_id: str, name: str) -> None:
        """Give an open obligation the seat that the kind names for `name`: of its own organisation where each has one."""
        held = str(self.position["obligations"][obligation_id]["organization"])
        self.change("obligations", {obligation_id: self._named_seat(name, held)})

    def _named_seat(self, name: str, held: str) -> dict[str, str]:
        organizations = self._organizations(self.kind.obligation(name).who)
        return self._seat(name, held if organizations is None else organizations[0])

    def _seat(self, name: str, organization: str) -> dict[str, str]:
        who, case = self.kind.obligation(name).who, self.position["case"]
        body, person = (case.get("opened_for", ""), case["opened_by"]) if who.person == "opener" else (organization, who.person)
        return {"organization": body, "role": ROLE_JOIN.join(sorted(who.roles)), "person": person, "assignee": ""}

    def _organizations(self, who: WhoSpec) -> list[str] | None:
        """Return whose turn it is; None where a field of the case names them."""
        column = {"applicant": "organization", "owner": "owner"}.get(who.organization)
        if column:
            return [self.position["case"][column]]
        return {"bureau": [BUREAU], "": [""]}.get(who.organization)

    def _open_in_seat(self, name: str, seat: Mapping[str, str]) -> str:
        spec = self.kind.obligation(name)
        obligation_id = self.moment.new_id()
        self.change("obligations", {obligation_id: {**self.fresh_obligation(name, spec.group), **seat, **self.start_clock(spec.limits)}})
        if spec.recurs:
            self.come_again(obligation_id, spec.recurs.every, spec.recurs.until)
        if spec.child:
            data = {field: self.refer(source) for field, source in spec.child.data.items()}
            title = str(self.refer(spec.child.title))
            self.children.append(Child(obligation_id, spec.child.kind, title, seat["organization"], data))
        return obligation_id

    def come_again(self, obligation_id: str, every: str, until: str) -> None:
        """Note when the obligation opens next; not after the day that the field `until` names."""
        following, last = next_period(self.at, every), self.position["data"].get(until) if until else None
        if last is None or local(following).date().isoformat() <= last:
            self.change("obligations", {obligation_id: {"next_at": following.isoformat()}})

    def fresh_obligation(self, name: str, group: str) -> dict[str, Any]:
        """Return an obligation that opens now, without its seat and its timing."""
        at = self.at.isoformat()
        return {
            "name": name, "group": group, "phase": self.position["case"]["phase"], "state": OPEN, "outcome": "",
            "opened_at": at, "opened_seq": self.moment.seq, "started_at": at, "closed_at": None, "closed_seq": None,
            "closed_by": "", "closed_by_name": "", "values": {}, "score": None, "origin_id": None, "child_id": None, "warned": 0, "warn_at": None,
            "lapse_at": None, "next_at": None,
        }  # fmt: skip

    def _ended_groups(self) -> set[str]:
        changed = self.difference.get("obligations", {})
        before = self.before["obligations"]
        ended = (key for key, told in changed.items() if told.get("state") == DONE != before.get(key, {}).get("state"))
        done = {self.position["obligations"][key]["group"] for key in ended}
        return (done | self.ended_before) & self.kind.groups.keys()

    def _group_facts(self, name: str) -> dict[str, Any]:
        """Return what the rules of a group can name: how it stood before, and what this transition changed."""
        stood = self._groups(name)
        outcomes, opened, scores = dict(stood.outcomes), stood.open, list(stood.scores)
        for key in self.difference.get("obligations", {}):
            row = self.position["obligations"][key]
            if row["group"] != name:
                continue
            before = self.before["obligations"].get(key, {})
            opened += (row["state"] == OPEN) - (before.get("state") == OPEN)
            if row["state"] == DONE != before.get("state"):
                outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + 1
                scores += [Decimal(row["score"])] if row["score"] is not None else []
        facts: dict[str, Any] = {f"count_{outcome}": 0 for outcome in guards.group_outcomes(self.kind, name)}
        facts |= {f"count_{outcome}": count for outcome, count in outcomes.items() if f"count_{outcome}" in facts}
        done = sum(outcomes.values())
        mean = sum(scores) / len(scores) if scores else None
        return {**facts, "open_count": opened, "done_count": done, "total_count": opened + done, "score_mean": mean}

    def _cancel(self, column: str, value: str) -> None:
        """Cancel what is open and whose column holds the value, and what would open by itself; no column: all."""
        self._take_in_others()
        for obligation_id, row in self.position["obligations"].items():
            if column and row[column] != value:
                continue
            if row["state"] == OPEN:
                self.close_obligation(obligation_id, "", CANCELLED)
            elif row.get("next_at"):
                self.change("obligations", {obligation_id: {"next_at": None}})

    def close_case(self, outcome: str) -> None:
        """End the case: what is open is cancelled, what runs is stopped."""
        self._cancel("", "")
        at = self.at.isoformat()
        for clock_id, row in self.position["clocks"].items():
            if row["stopped_at"] is None:
                self.change("clocks", {clock_id: {"stopped_at": at}})
        self.change("case", {"state": CLOSED, "outcome": outcome, "closed_at": at})

    def refer(self, reference: str) -> Any:
        """Return what a reference names: 'literal', data.x, form.x, case.x, actor.x, action.name, group.x of the rule."""
        if reference.startswith("'"):
            return reference.strip("'")
        part, _, name = reference.partition(".")
        case, actor = self.position["case"], self.moment.actor
        parts: dict[str, Mapping[str, Any]] = {
            "data": self.position["data"],
            "form": self.moment.values,
            "case": {**case, "opener_id": case["opened_by"], "opener_name": case["opened_by_name"]},
            "actor": {"id": actor.id, "name": actor.name, "organization": actor.organization},
            "action": {"name": self.moment.action},
            "group": {key: f"{value:.4f}" if isinstance(value, Decimal) else value for key, value in self._joined.items()},
        }
        return parts[part].get(name)

    def _expression_values(self, who: Actor | None = None) -> dict[str, Any]:
        built_in = guards.built_in(who or self.moment.actor, self.position["case"])
        return guards.expression_values(
            self.kind, self.moment.form, data=self.position["data"], values=self.moment.values, built_in=built_in
        )


def _plain(value: Any) -> Any:
    """Return what a table answers as a case's data holds it."""
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else value
