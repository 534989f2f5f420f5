"""A kind as a graph for reading: what people owe, where it is joined, how it ends, and what leads where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from yunhe.core.cases.rules.outcomes import outcome_title
from yunhe.core.cases.rules.wording import condition_in_words, group_title
from yunhe.core.cases.types import EffectSpec, KindSpec

START, LAPSE, WITHDRAW, CLOCK = "start", "on_due", "withdraw", "clock"
OVER = {"zh": "期满：", "en": "Time over: "}
# The commonest joins in few words; of any other rule its condition is told.
RULES: Mapping[str, Mapping[str, str]] = {
    "open_count = 0": {"zh": "全部办完", "en": "all are done"}, "done_count >= 1": {"zh": "一个办完", "en": "one is done"},
}  # fmt: skip
Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """One way out of a node: an action, a rule of a group; `when` is a condition of its own ("" for none)."""

    source: str
    name: str
    title: Text
    target: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A node: the start, an obligation, a join of a group, an end; the withdrawal, the clock of the whole case.

    `phase` is where it is first met. `says` is what people read for the outcome of an end, where that is not its title.
    The withdrawal is possible from wherever the kind allows it, so nothing leads to it.
    """

    name: str
    kind: Literal["start", "task", "child", "join", "end", "withdraw", "clock"]
    title: Text
    phase: str
    code: str = ""
    says: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """Every node and every way; `joined` names for each obligation the join that waits for it."""

    places: tuple[Place, ...]
    steps: tuple[Step, ...]
    joined: Mapping[str, str]

    def place(self, name: str) -> Place:
        """Return a node by name."""
        return next(place for place in self.places if place.name == name)


def conditions_of(kind: KindSpec, step: Step) -> tuple[str, ...]:
    """Return what must hold for a way to be gone: the rule of a join, the guards of an action, the condition of its effect."""
    found = []
    if step.source.startswith("join."):
        found.append(kind.groups[step.source.removeprefix("join.")].rules[int(step.name)].when)
    elif step.source in kind.obligations and step.name in kind.obligations[step.source].actions:
        found += [guard.when for guard in kind.obligations[step.source].actions[step.name].guards]
    return tuple(dict.fromkeys([*found, *([step.when] if step.when else [])]))


def when_to_withdraw(kind: KindSpec) -> Text:
    """Return while what the opener may take a case back, in words; of a kind that allows it."""
    titles = {phase.code: phase.title.as_mapping() for phase in kind.phases}
    phases = [titles[code] for code in (kind.withdrawal.phases if kind.withdrawal else ())]
    if not phases:
        return {"zh": "还没有人办理时", "en": "while nobody has dealt with it"}
    return {"zh": f"在这些阶段：{'、'.join(one['zh'] for one in phases)}", "en": f"in: {', '.join(one['en'] for one in phases)}"}


def graph_of(kind: KindSpec) -> Graph:
    """Return the graph of a kind. Effects that open and close the case are ways; the others change nothing here."""
    maker = _Maker(kind)
    maker.follow(START, "start", {"zh": "提出", "en": "Opened"}, kind.start, kind.phases[0].code)
    while maker.waiting:
        name, phase = maker.waiting.pop(0)
        spec = kind.obligations[name]
        for action_name, action in spec.actions.items():
            maker.follow(name, action_name, action.title.as_mapping(), action.effects, phase)
        if spec.on_due:
            told = {language: f"{OVER[language]}{title}" for language, title in spec.on_due.title.as_mapping().items()}
            maker.follow(name, LAPSE, told, spec.on_due.effects, phase)
        if spec.group in kind.groups:
            maker.join(name, spec.group, phase)
    maker.frame()
    return maker.graph()


class _Maker:
    def __init__(self, kind: KindSpec) -> None:
        self.kind = kind
        self.phases = {phase.code: phase.title.as_mapping() for phase in kind.phases}
        first = kind.phases[0].code
        self.places: dict[str, Place] = {START: Place(START, "start", {"zh": "提出", "en": "Opened"}, first)}
        self.steps: list[Step] = []
        self.joined: dict[str, str] = {}
        self.waiting: list[tuple[str, str]] = []

    def follow(self, source: str, name: str, title: Text, effects: tuple[EffectSpec, ...], phase: str) -> None:
        """Note where the effects lead; each in the phase that holds at their end."""
        for effect in effects:
            if effect.open_obligation or effect.close_case:
                moves = [e.go_to_phase for e in effects if e.go_to_phase and e.when in ("", effect.when)]
                there = moves[-1] if moves else phase
                target = self._open(effect.open_obligation, there) if effect.open_obligation else self._end(effect.close_case, there)
                step = Step(source, name, title, target, effect.when)
                self.steps += [] if step in self.steps else [step]

    def frame(self) -> None:
        """Note what holds for the whole case: its limits, and how whoever opened it takes it back."""
        found, first = self.kind.withdrawal, next(iter(self.phases))
        if self.kind.limits:
            self.places[CLOCK] = Place(CLOCK, "clock", {"zh": "全程时限", "en": "Limit of the whole case"}, first)
        if found:
            self.places[WITHDRAW] = Place(WITHDRAW, "withdraw", {"zh": "撤回申请", "en": "Withdraw"}, found.phases[0] if found.phases else first)
            moved = [effect.go_to_phase for effect in found.effects if effect.go_to_phase]
            closing = tuple(effect for effect in found.effects if not effect.open_obligation)
            self.follow(WITHDRAW, WITHDRAW, {"zh": "撤回申请", "en": "Withdraw"}, closing, moved[-1] if moved else "")

    def join(self, member: str, group: str, phase: str) -> None:
        """Note that an obligation of a group is waited for, and what the rules of the group lead to."""
        name = f"join.{group}"
        self.joined[member] = name
        if name in self.places:
            return
        self.places[name] = Place(name, "join", group_title(self.kind, group), phase, group)
        for number, rule in enumerate(self.kind.groups[group].rules):
            told = RULES.get(rule.when) or {tongue: condition_in_words(rule.when, self.kind, language=tongue, roles={}) for tongue in ("zh", "en")}
            self.follow(name, str(number), told, rule.effects, phase)

    def graph(self) -> Graph:
        """Return what was found: nodes in the order of the kind's phases, ends last."""
        order = {code: at for at, code in enumerate(self.phases)}
        places = sorted(self.places.values(), key=lambda place: (place.kind == "end", order.get(place.phase, 0)))
        return Graph(tuple(places), tuple(self.steps), self.joined)

    def _open(self, name: str, phase: str) -> str:
        if name not in self.places:
            spec = self.kind.obligations[name]
            self.places[name] = Place(name, "child" if spec.child else "task", spec.title.as_mapping(), phase, spec.child.kind if spec.child else "")
            self.waiting.append((name, phase))
        return name

    def _end(self, outcome: str, phase: str) -> str:
        name = f"end.{outcome}.{phase}"
        said = outcome_title(self.kind, outcome)
        title = self.phases.get(phase) or said
        self.places.setdefault(name, Place(name, "end", title, phase, outcome, {} if said == title else said))
        return name
