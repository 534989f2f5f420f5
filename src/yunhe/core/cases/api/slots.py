"""The slots that rooms above fill: effects that an action may call, what a case is about, elements and sources of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from yunhe.core.cases.errors import BadKind, EffectUnknown, SourceUnknown
from yunhe.core.cases.types import Case, EffectContext, FieldElement, SourceAnswer, SourceQuestion, SubjectView
from yunhe.kernel.actor import Actor

Describe = Callable[[Case, Actor], SubjectView | None]
Apply = Callable[..., Mapping[str, Any] | None]
Check = Callable[..., None]
Resolve = Callable[[str, date], FieldElement | None]
Fetch = Callable[[SourceQuestion], SourceAnswer]


@dataclass(frozen=True, slots=True)
class Effect:
    """A registered effect: its code, the arguments it takes, what it does, and what says beforehand that it will refuse."""

    code: str
    arguments: frozenset[str]
    apply: Apply
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class ValueSource:
    """A registered source of values: its code, the arguments it needs, how it is asked."""

    code: str
    arguments: frozenset[str]
    fetch: Fetch


_effects: dict[str, Effect] = {}
_subjects: dict[str, Describe] = {}
_elements: list[Resolve] = []
_sources: dict[str, ValueSource] = {}


def register_effect(*, code: str, arguments: tuple[str, ...], apply: Apply, check: Check | None = None) -> None:
    """Fill one slot: `apply(context, **arguments)` runs in the transaction of the step.

    It writes control data only. A mapping it returns goes into the case's fields of those names. `check(**arguments)` only
    reads, and raises what the effect would refuse: the action is held back with that before anyone fills a form in.
    Raises: BadKind when the code is taken, which stops the start.
    """
    if code in _effects:
        raise BadKind(name=code, where="register_effect", problem="已登记", problem_en="registered already")
    _effects[code] = Effect(code, frozenset(arguments), apply, check)


def register_subject(*, subject_type: str, describe: Describe) -> None:
    """Fill one slot: `describe(case, actor)` tells what cases of this subject type are about.

    It is asked only for an actor who may see the case. Raises: BadKind when the slot is taken.
    """
    if subject_type in _subjects:
        raise BadKind(name=subject_type, where="register_subject", problem="已登记", problem_en="registered already")
    _subjects[subject_type] = describe


def describe_subject(case: Case, actor: Actor) -> SubjectView | None:
    """Return what the case is about, if a room tells."""
    describe = _subjects.get(case.subject_type)
    return describe(case, actor) if describe else None


def list_effects() -> dict[str, frozenset[str]]:
    """Return the registered effects with the names of their arguments."""
    return {code: effect.arguments for code, effect in sorted(_effects.items())}


def call_effect(code: str, context: EffectContext, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run one registered effect; return what it gives back, empty if nothing. Raises: EffectUnknown."""
    effect = _effects.get(code)
    if effect is None:
        raise EffectUnknown(code_name=code)
    return effect.apply(context, **arguments) or {}


def check_effect(code: str, arguments: Mapping[str, Any]) -> None:
    """Do nothing unless a registered effect says already that it would refuse. Raises: what it refuses with."""
    effect = _effects.get(code)
    if effect is not None and effect.check is not None:
        effect.check(**arguments)


def register_element(*, resolve: Resolve) -> None:
    """Fill the one slot: `resolve(code, on)` tells what a data element says of a field on a day, None if there is none.

    Raises: BadKind when the slot is taken.
    """
    if _elements:
        raise BadKind(name="elements", where="register_element", problem="已登记", problem_en="registered already")
    _elements.append(resolve)


def resolve_element(code: str, on: date) -> FieldElement | None:
    """Return what an element says on a day, or None."""
    return _elements[0](code, on) if _elements else None


def register_source(*, code: str, arguments: tuple[str, ...], fetch: Fetch) -> None:
    """Fill one slot: `fetch(question)` gets a value from shared data through the room's own door, with its evidence.

    What it raises means "not available" and is shown to who fills the form in. Raises: BadKind when the code is taken.
    """
    if code in _sources:
        raise BadKind(name=code, where="register_source", problem="已登记", problem_en="registered already")
    _sources[code] = ValueSource(code, frozenset(arguments), fetch)


def list_sources() -> dict[str, frozenset[str]]:
    """Return the registered sources with the names of their arguments."""
    return {code: source.arguments for code, source in sorted(_sources.items())}


def ask_source(code: str, question: SourceQuestion) -> SourceAnswer:
    """Ask one registered source. Raises: SourceUnknown, and what the source raises."""
    if code not in _sources:
        raise SourceUnknown(source=code)
    return _sources[code].fetch(question)
