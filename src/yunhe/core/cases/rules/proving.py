"""Prove of a kind that nobody can be stranded: every class of cases it can reach, and from each a way to an end.

A class is a phase, the open obligations by name (one of them, or many), what earlier conditions told of the case's own
fields, and how often each outcome of a group came (counted up to where no rule tells it apart). That is finite. One
transition runs as `Course` runs it; what is not known branches. Fields of the case are given, so each of their answers
must lead to an end; what people choose (actions, forms, who acts) only has to offer one.
A registered effect and a decision table are taken to leave required fields filled. A clock that a step stopped ends nothing
until a step lets it go on. What only effects set (internal) is empty until one does. What lapses ends alone or together
with the others of its name. Added reviewers only wait and are left out.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from yunhe.core.cases.rules.truths import Truths
from yunhe.core.cases.types import ActionSpec, EffectSpec, FieldSpec, KindSpec, LapseSpec

MOST_STATES = 20_000
MOST_COUNTED = 4
STANDS = "="
"""Begins the fact that a clock stands, of an obligation that would end by itself."""
NOT_OWN = "#~="
"""What facts begin with that are not about fields of the case."""
Opened = tuple[tuple[str, bool], ...]
"""Open obligations by name, and whether there are several."""
Class = tuple[str, tuple[str, ...]]


class State(NamedTuple):
    """One class of cases. `been`: the phases that it was in with something to do, in that order, for who sends back."""

    phase: str
    opened: Opened
    facts: frozenset[tuple[str, Any]] = frozenset()
    been: tuple[str, ...] = ()
    outcome: str | None = None


class Edge(NamedTuple):
    """One step; a target of None would leave an open case with nobody to act. `counts`: it is a way towards an end."""

    where: str
    target: State | None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found: the states with their steps, those that ask first what a field is, those that reach an end."""

    edges: dict[State, tuple[Edge, ...]]
    came_by: dict[State, tuple[State, str] | None]
    ending: frozenset[State]
    opened: frozenset[str]
    taken: frozenset[str]
    stuck: tuple[tuple[State | None, str], ...]
    complete: bool

    @property
    def dead(self) -> tuple[State, ...]:
        """Return the open states from which no end is reachable, in the order they were found."""
        return tuple(state for state in self.edges if state not in self.ending)

    def path_to(self, state: State | None) -> tuple[str, ...]:
        """Return the steps of a shortest way there."""
        way: list[str] = []
        while state is not None and (before := self.came_by.get(state)) is not None:
            state, where = before
            way += [where] if where else []
        return tuple(reversed(way))


class _NeedsFact(Exception):
    def __init__(self, key: str, answers: tuple[Any, ...]) -> None:
        self.key, self.answers = key, answers


@dataclass
class _Walk:
    """One transition in the abstract, with the choices that were made in it. `state` is None when a case opens."""

    prover: Prover
    state: State | None
    prefix: tuple[int, ...]
    trail: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        kind, state = self.prover.kind, self.state
        self.phase = state.phase if state else kind.phases[0].code
        self.opened = dict(state.opened) if state else {}
        self.left = set(self.opened)
        self.facts = dict(state.facts) if state else {}
        self.fresh: dict[str, bool] = {}
        self.passing: dict[str, Any] = {}
        self.changed: set[str] = set()
        self.outcome: str | None = None
        self.called = False

    def choose(self, answers: tuple[Any, ...]) -> Any:
        at = len(self.trail)
        index = self.prefix[at] if at < len(self.prefix) else 0
        self.trail.append((index, len(answers)))
        return answers[index]

    def ask(self, key: str, answers: tuple[Any, ...], fields: frozenset[str]) -> Any:
        """Return what is known, or choose: of the case for good, of the form and who acts for this step."""
        kept = fields <= self.prover.truths.own
        held = self.facts if kept else self.passing
        if key not in held:
            if kept and self.state is not None and not fields & self.changed:
                raise _NeedsFact(key, answers)
            held[key] = self.choose(answers)
            self.prover.about[key] = fields
        return held[key]

    def holds(self, text: str, form: tuple[FieldSpec, ...] = (), group: str = "") -> bool:
        truths = self.prover.truths
        return not text or truths.holds(truths.tree(text, form, group), self.ask, lambda name: self.number(name, group))

    def number(self, name: str, group: str) -> Any:
        """Return the phase, or a count of the group as a rule sees it."""
        if name == "case_phase":
            return self.phase
        if name.startswith("count_"):
            return self.count(group, name.removeprefix("count_"))
        if name == "open_count":
            members = [many for one, many in self.opened.items() if self.prover.kind.obligations[one].group == group]
            return sum(self.sample(f"open {at}", (2, 3)) if many else 1 for at, many in enumerate(members))
        done = sum(self.count(group, outcome) for outcome in self.prover.outcomes[group])
        return done if name == "done_count" else done + self.number("open_count", group)

    def count(self, group: str, outcome: str) -> int:
        held, most = self.stored(group, outcome), self.prover.most[group]
        return held if held < most else self.sample(f"{group} {outcome}", (most, most + 1, 2 * most + 1))

    def stored(self, group: str, outcome: str) -> int:
        key = f"#{group}.{outcome}"
        if key not in self.facts and ("#", True) in self.facts.items():
            raise _NeedsFact(key, tuple(range(self.prover.most[group] + 1)))
        return int(self.facts.get(key, 0))

    def sample(self, key: str, answers: tuple[int, ...]) -> int:
        if key not in self.passing:
            self.passing[key] = self.choose(answers)
        return int(self.passing[key])

    def close(self, name: str, outcome: str, *, all_at_once: bool = False) -> None:
        """End one of the obligations of a name, or all that there are; its group remembers the outcome."""
        self.left.discard(name)
        if self.opened.pop(name) and all_at_once:
            self.facts.pop(f"{STANDS}{name}", None)
            self.remember(name, outcome, self.choose((2, 3)))
            return
        if self.was_many(name):
            self.opened[name] = self.choose((False, True))
            self.left.add(name)
        else:
            self.facts.pop(f"{STANDS}{name}", None)
        self.remember(name, outcome, 1)

    def was_many(self, name: str) -> bool:
        return self.state is not None and dict(self.state.opened)[name]

    def remember(self, name: str, outcome: str, number: int) -> None:
        group = self.prover.kind.obligations[name].group
        told = outcome if outcome in self.prover.outcomes.get(group, ()) else ""
        if told in self.prover.outcomes.get(group, ()):
            self.facts[f"#{group}.{told}"] = min(self.stored(group, told) + number, self.prover.most[group])

    def run(self, effects: tuple[EffectSpec, ...], form: tuple[FieldSpec, ...] = ()) -> None:
        for effect in effects:
            if not self.holds(effect.when, form):
                continue
            if effect.open_obligation:
                self.open(effect.open_obligation)
            elif effect.close_obligations or effect.close_group:
                self.cancel(effect)
            elif effect.set_field:
                self.set_field(effect.set_field.field, effect.set_field.source, effect.set_field.value, form)
            elif effect.close_case:
                self.opened, self.outcome = {}, effect.close_case
            elif effect.decide:
                self.change_own()
            elif effect.pause_clocks:
                self.facts |= {f"{STANDS}{name}": True for name in self.opened if self.prover.kind.obligations[name].on_due}
            elif effect.resume_clocks:
                self.facts = {key: told for key, told in self.facts.items() if key[0] != STANDS}
            self.phase = effect.go_to_phase or self.phase
            self.called = self.called or bool(effect.call)

    def open(self, name: str) -> None:
        spec = self.prover.kind.obligations[name]
        many, who = False, spec.who
        if who.each:
            empties = (False, True) if who.each in self.prover.truths.nullable else (False,)
            if self.ask(f"{who.each} is empty", empties, frozenset({who.each})):
                return
            many = who.each in self.prover.lists and self.choose((False, True))
        if spec.recurs and not (spec.recurs.until and self.choose((False, True))):
            self.facts[f"~{name}"] = True
        self.fresh[name] = many or name in self.fresh
        self.opened[name] = many or name in self.opened

    def cancel(self, effect: EffectSpec) -> None:
        """Cancel what the effect names, and what would have opened again by itself."""
        for name, spec in self.prover.kind.obligations.items():
            if effect.close_obligations in ("all", name) or (effect.close_group and effect.close_group == spec.group):
                self.opened.pop(name, None)
                self.left.discard(name)
                self.facts.pop(f"~{name}", None)
                self.facts.pop(f"{STANDS}{name}", None)

    def set_field(self, name: str, source: str, value: Any, form: tuple[FieldSpec, ...]) -> None:
        self.forget(lambda fields: name in fields)
        self.changed.add(name)
        given = next((one for one in form if f"form.{one.name}" == source), None)
        if given and given.required and (given.type == "list" or given.format == "organization"):
            self.facts[f"{name} is empty"] = False
        elif given and f"form_{given.name}" in self.passing:
            self.facts[name] = self.passing[f"form_{given.name}"]
        elif source.startswith("'") or (not source and isinstance(value, str | int)):
            self.facts[name] = source.strip("'") if source else value

    def forget(self, which: Callable[[frozenset[str]], bool]) -> None:
        for key in [key for key in self.facts if which(self.prover.about.get(key, frozenset({key})))]:
            del self.facts[key]

    def change_own(self) -> None:
        """Take every field of the case to be another now."""
        self.forget(lambda fields: bool(fields & self.prover.own))
        self.changed |= self.prover.own

    def settle(self, group: str) -> None:
        """Ask the rules of the group in which something was done."""
        if group in self.prover.most and self.outcome is None:
            rules = self.prover.kind.groups[group].rules
            hit = next((rule for rule in rules if self.holds(rule.when, group=group)), None)
            self.run(hit.effects if hit else ())

    def result(self) -> State | None:
        """Return where the case stands now; None if nobody would owe anything."""
        if self.called:
            self.change_own()
        if self.outcome is not None:
            return State(self.phase, (), outcome=self.outcome)
        if not self.opened and not any(key.startswith("~") for key in self.facts):
            return None
        been = self.state.been if self.state else ()
        if self.fresh and self.phase not in been:
            self.prover.entries[self.phase].add((tuple(sorted(self.fresh.items())), self.standing()))
            been = (*been, self.phase)
        return State(self.phase, tuple(sorted(self.opened.items())), frozenset(self.facts.items()), been)

    def standing(self) -> frozenset[tuple[str, Any]]:
        """Return what sending back to here restores: how often each outcome came, and what comes again by itself.

        What was open before and is still open may be done by then, and counts: of its group nothing is known.
        """
        kept = {key: told for key, told in self.facts.items() if key[0] in NOT_OWN}
        unknown = {self.prover.kind.obligations[name].group for name in self.left} & self.prover.most.keys()
        if unknown and "#" not in kept:
            zeros = {f"#{group}.{outcome}": 0 for group, told in self.prover.outcomes.items() for outcome in told}
            kept = {**zeros, **kept, "#": True}
        return frozenset((key, told) for key, told in kept.items() if key[1:].partition(".")[0] not in unknown)


class Prover:
    """Explores one kind. `empty` names fields that may hold nothing although the kind requires them (cases that moved)."""

    def __init__(self, kind: KindSpec, empty: frozenset[str] = frozenset()) -> None:
        self.kind = kind
        self.own = frozenset(one.name for one in kind.fields)
        self.lists = frozenset(one.name for one in kind.fields if one.type == "list")
        self.truths = Truths(kind, empty)
        self.about: dict[str, frozenset[str]] = {}
        self.outcomes = {name: self.truths.counted_outcomes(name) for name in kind.groups}
        self.entries: dict[str, set[tuple[Opened, frozenset[tuple[str, Any]]]]] = defaultdict(set)
        self._known: dict[State, tuple[Edge, ...]] = {}
        self.most = {name: self.truths.most_counted(name, MOST_COUNTED) for name in kind.groups}

    def prove(self, seeds: Iterable[State] = ()) -> Proof:
        """Return what can happen from the start of the kind, or from the given classes."""
        begins = [Edge("start", seed) for seed in seeds] or list(self._branches(None, "start", self._start))
        edges: dict[State, tuple[Edge, ...]] = {}
        came_by: dict[State, tuple[State, str] | None] = {edge.target: None for edge in begins if edge.target}
        stuck: list[tuple[State | None, str]] = []
        stuck += [(None, "start") for edge in begins if edge.target is None][:1]
        waiting = deque(came_by)
        while waiting and len(edges) < MOST_STATES:
            state = waiting.popleft()
            edges[state] = self._known.get(state) or self._known.setdefault(state, self._steps(state))
            stuck += dict.fromkeys((state, edge.where) for edge in edges[state] if edge.target is None)
            for edge in edges[state]:
                if edge.target is not None and edge.target not in came_by:
                    came_by[edge.target] = state, edge.where
                    waiting.append(edge.target)
            if not waiting:
                waiting += self._sent_back(edges, came_by)
        taken = frozenset(edge.where for found in edges.values() for edge in found)
        opened = frozenset(name for state in edges for name, _ in state.opened)
        return Proof(edges, came_by, ending_of(edges), opened, taken, tuple(stuck), not waiting)

    def _steps(self, state: State) -> tuple[Edge, ...]:
        if state.outcome is not None:
            return ()
        try:
            found = list(self._taken(state))
        except _NeedsFact as needed:
            return tuple(Edge("", state._replace(facts=state.facts | {(needed.key, answer)})) for answer in needed.answers)
        return tuple(dict.fromkeys(found))

    def _sent_back(
        self, edges: Mapping[State, tuple[Edge, ...]], came_by: dict[State, tuple[State, str] | None]
    ) -> Iterator[State]:
        """Yield the classes that sending back leads to and no other step: an earlier phase with what entering it opens.

        What was opened on entering a phase, and what counted then, is taken from all steps that enter it, so it is at
        least what is possible.
        """
        if "send_back" not in self.kind.operators:
            return
        for state in [one for one, found in edges.items() if one.outcome is None and any(edge.where for edge in found)]:
            own = {fact for fact in state.facts if fact[0][0] not in NOT_OWN}
            for at, phase in enumerate(state.been):
                been = state.been[: at + 1]
                for opened, standing in self.entries[phase]:
                    target = State(phase, opened, frozenset({*own, *standing}), been)
                    if phase != state.phase and target not in came_by:
                        came_by[target] = state, "send_back"
                        yield target

    def _taken(self, state: State) -> Iterator[Edge]:
        for name, many in state.opened:
            spec = self.kind.obligations[name]
            for action_name, action in spec.actions.items():
                where = f"obligations.{name}.actions.{action_name}"
                yield from self._branches(state, where, partial(self._act, name, action))
            for outcome in ("", *spec.child.outcomes) if spec.child else ():
                yield from self._branches(state, f"obligations.{name}.child", partial(self._end, name, outcome))
            stands = (f"{STANDS}{name}", True) in state.facts
            if spec.on_due and not (stands and not many):
                certain = any(not limit.when for limit in spec.limits) and not stands
                for together in (False, True)[: 1 + many]:
                    run = partial(self._lapse, name, spec.on_due, together)
                    yield from self._branches(state, f"obligations.{name}.on_due", run, counts=certain)
        for key, _told in sorted(fact for fact in state.facts if fact[0].startswith("~")):
            yield from self._branches(state, "recur", partial(self._recur, key.removeprefix("~")))
        if self.kind.waiver:
            yield from self._branches(state, "waiver", self._waive, counts=False)
        if self.kind.withdraw and state.phase in (self.kind.withdraw.phases or (state.phase,)):
            yield from self._branches(state, "withdraw", self._withdraw, counts=False)

    def _branches(self, state: State | None, where: str, run: Callable[[_Walk], bool], *, counts: bool = True) -> Iterator[Edge]:
        """Yield the outcome of a transition under every row of choices that it asks for."""
        waiting: list[tuple[int, ...]] = [()]
        while waiting:
            walk = _Walk(self, state, waiting.pop())
            if run(walk):
                yield Edge(where, walk.result(), counts)
            taken = tuple(index for index, _ in walk.trail)
            for at in range(len(walk.prefix), len(walk.trail)):
                waiting += [(*taken[:at], other) for other in range(1, walk.trail[at][1])]

    def _start(self, walk: _Walk) -> bool:
        """Open a case: what a form gives is not known, what only effects set (internal) is empty."""
        walk.changed = set(self.truths.own)
        for name in sorted(one.name for one in self.kind.fields if one.internal):
            if self.truths.is_named(name):
                walk.facts[name] = None
            if any(spec.who.each == name for spec in self.kind.obligations.values()):
                walk.facts[f"{name} is empty"] = True
                self.about[f"{name} is empty"] = frozenset({name})
        walk.run(self.kind.start)
        return True

    def _act(self, name: str, action: ActionSpec, walk: _Walk) -> bool:
        roles = self.kind.obligations[name].who.roles
        if roles and self.truths.is_named("actor_role"):
            walk.passing["actor_role"] = walk.choose(roles)  # who has the seat holds one of its roles
        if not all(walk.holds(guard.when, action.fields) for guard in action.guards):
            return False
        walk.close(name, action.outcome)
        walk.run(action.effects, action.fields)
        walk.settle(self.kind.obligations[name].group)
        return True

    def _end(self, name: str, outcome: str, walk: _Walk) -> bool:
        walk.close(name, outcome)
        child = self.kind.obligations[name].child
        for given in child.results if child else ():
            walk.set_field(given, "", None, ())
        walk.settle(self.kind.obligations[name].group)
        return True

    def _lapse(self, name: str, lapse: LapseSpec, together: bool, walk: _Walk) -> bool:
        walk.close(name, lapse.outcome, all_at_once=together)
        walk.run(lapse.effects)
        if together:  # it ran for each of them
            walk.run(lapse.effects)
        walk.settle(self.kind.obligations[name].group)
        return True

    def _recur(self, name: str, walk: _Walk) -> bool:
        del walk.facts[f"~{name}"]
        recurs = self.kind.obligations[name].recurs
        walk.fresh[name] = walk.opened[name] = name in walk.opened
        if recurs and not (recurs.until and walk.choose((False, True))):
            walk.facts[f"~{name}"] = True
        return True

    def _waive(self, walk: _Walk) -> bool:
        walk.opened = {}
        walk.run(self.kind.waiver.effects if self.kind.waiver else ())
        return True

    def _withdraw(self, walk: _Walk) -> bool:
        walk.run(self.kind.withdraw.effects if self.kind.withdraw else ())
        return True


def ending_of(edges: Mapping[State, tuple[Edge, ...]], *, but: Container[str] = (), enough: Iterable[State] = ()) -> frozenset[State]:
    """Return the states that reach an end: by one of their steps; by every answer where a field is asked first.

    `but`: steps that are no way. `enough`: states that are as good as an end.
    """
    before: dict[State, list[State]] = defaultdict(list)
    missing: dict[State, int] = {}
    for state, found in edges.items():
        asks = bool(found) and all(edge.where == "" for edge in found)
        targets = {edge.target for edge in found if edge.counts and edge.target is not None and edge.where not in but}
        missing[state] = len(targets) if asks else 1
        for target in targets:
            before[target].append(state)
    ending: set[State] = set()
    waiting = [*enough, *(state for state in edges if state.outcome is not None)]
    while waiting:
        state = waiting.pop()
        if state not in ending:
            ending.add(state)
            for source in before[state]:
                missing[source] -= 1
                waiting += [source] if missing[source] == 0 else []
    return frozenset(ending)
