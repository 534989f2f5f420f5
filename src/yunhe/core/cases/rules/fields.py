"""Check a form against its declared fields, in their order: which it has now, what they hold, where that comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from yunhe.core.cases.errors import FieldProblem, FieldsInvalid
from yunhe.core.cases.rules.conditions import compile_condition
from yunhe.core.cases.rules.values import LARGEST_INTEGER, ValueChecker, is_bounded_json
from yunhe.core.cases.types import FieldElement, FieldSpec, KindSpec, Sourced

__all__ = [
    "HEADING_FIELD",
    "LARGEST_INTEGER",
    "OPENER_NAME",
    "Checked",
    "Surroundings",
    "check_values",
    "checked",
    "examine",
    "heading_of",
    "is_bounded_json",
    "scalar_types",
    "typed_scalar",
    "typed_scalars",
]


def _no_element(_code: str) -> FieldElement | None:
    return None


def _no_source(_spec: FieldSpec, _arguments: Mapping[str, Any]) -> Sourced:
    return Sourced("unavailable")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a form is filled in among.

    `named()` gives types and values of what conditions can name beside the form's own fields; `element` resolves an
    element, `ask` gets the value of a field that has a source, from the filled-in arguments.
    """

    named: Callable[[], tuple[Mapping[str, str], Mapping[str, Any]]] = lambda: ({}, {})
    element: Callable[[str], FieldElement | None] = _no_element
    ask: Callable[[FieldSpec, Mapping[str, Any]], Sourced] = _no_source


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: clean values, problems, the fields that the form does not have now, what shared data gave."""

    clean: dict[str, Any]
    problems: tuple[FieldProblem, ...]
    hidden: frozenset[str]
    sourced: Mapping[str, Sourced] = field(default_factory=dict)


PLAIN = Surroundings()
OPENER_NAME = "opener_name"
"""What a heading calls whoever opens the case."""
HEADING_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def examine(
    specs: Sequence[FieldSpec],
    values: Mapping[str, Any],
    *,
    context: Mapping[str, Any] | None = None,
    partial: bool = False,
    around: Surroundings = PLAIN,
) -> Checked:
    """Return the clean values (JSON-ready) and every problem found.

    `context` is the case's data, for `subset_of` and `default_from`. `partial` leaves required
    fields open, for drafts. A clean value is text, int, bool, an ISO date, a decimal as text, or a
    list or dict of them; an absent one is None, and so is one whose `when` does not hold.
    """
    checker = FormChecker(context or {}, partial, around)
    clean = checker.check_form(specs, values)
    problems = tuple(replace(one, title=title_of(one.field, specs)) for one in checker.problems)
    return Checked(clean, problems, frozenset(checker.hidden), checker.sourced)


PATH = re.compile(r"(\w+)(?:\[(\d+)\](?:\.(\w+))?)?$")
"""How a problem names its place: a field, the place of an item in it, the column of that row."""


def title_of(path: str, specs: Iterable[FieldSpec]) -> dict[str, str] | None:
    """Return what people read for a place of a form: 明细第 3 行的单价; None for one that its fields do not know."""
    found = PATH.match(path)
    name, place, column = found.groups() if found else ("", None, None)
    spec = next((one for one in specs if one.name == name), None)
    if spec is None:
        return None
    title = spec.title.as_mapping()
    if place is None:
        return dict(title)
    number, inner = int(place) + 1, next((one.title.as_mapping() for one in spec.fields if one.name == column), None)
    row = {"zh": "行" if spec.type == "rows" else "项", "en": "row" if spec.type == "rows" else "item"}
    told = {"zh": f"{title['zh']}第 {number} {row['zh']}", "en": f"{title['en']}, {row['en']} {number}"}
    return {"zh": f"{told['zh']}的{inner['zh']}", "en": f"{told['en']}, {inner['en']}"} if inner else told


def check_values(
    specs: Sequence[FieldSpec],
    values: Mapping[str, Any],
    *,
    context: Mapping[str, Any] | None = None,
    partial: bool = False,
) -> tuple[dict[str, Any], tuple[FieldProblem, ...]]:
    """Return the clean values and the problems as `examine` does, of a form that stands for itself."""
    found = examine(specs, values, context=context, partial=partial)
    return found.clean, found.problems


def checked(
    specs: Sequence[FieldSpec],
    values: Mapping[str, Any],
    context: Mapping[str, Any] | None = None,
    around: Surroundings = PLAIN,
) -> dict[str, Any]:
    """Return the clean values as `examine` does. Raises: FieldsInvalid."""
    found = examine(specs, values, context=context or values, around=around)
    if found.problems:
        raise FieldsInvalid(found.problems)
    return found.clean


class FormChecker(ValueChecker):
    """Checks a whole form: conditions and sources as well as values."""

    def __init__(self, context: Mapping[str, Any], partial: bool, around: Surroundings) -> None:
        super().__init__(context, partial, around.element)
        self.around = around
        self.hidden: set[str] = set()
        self.sourced: dict[str, Sourced] = {}

    def check_form(self, specs: Sequence[FieldSpec], values: Mapping[str, Any]) -> dict[str, Any]:
        """Check the fields in their order: what comes later can depend on what came before, never the other way."""
        self.refuse_unknown(specs, values, "")
        clean: dict[str, Any] = {}
        for place, spec in enumerate(specs):
            clean[spec.name] = self._check_field(spec, values.get(spec.name), specs[:place], clean)
        return clean

    def _check_field(self, spec: FieldSpec, value: Any, before: Sequence[FieldSpec], clean: dict[str, Any]) -> Any:
        if spec.when and not self._holds(spec.when, before, clean):
            self.hidden.add(spec.name)
            return None
        if spec.reason_for:
            return self._check_reason(spec, value, clean)
        if spec.source and (not spec.source.when or self._holds(spec.source.when, before, clean)):
            sourced = self.sourced[spec.name] = self._ask(spec, clean)
            if sourced.state == "found":
                return sourced.value
            if sourced.state == "waiting":
                if spec.required and not self.partial:
                    titles = [title_of(name, before) or {"zh": name, "en": name} for name in sourced.waits_for]
                    told = ("、".join(one["zh"] for one in titles), ", ".join(one["en"] for one in titles))
                    self.note(spec.name, "source_waits", told)
                return None
        return self.check(spec, value, spec.name)

    def _check_reason(self, spec: FieldSpec, value: Any, clean: Mapping[str, Any]) -> Any:
        """Keep the reason of a value that was filled in by hand where a source gave none; it is needed then, only then."""
        sourced = self.sourced.get(spec.reason_for)
        if sourced is None or sourced.state in ("found", "waiting"):
            self.hidden.add(spec.name)
            return None
        reason = self.check(spec, value, spec.name)
        if reason is None and clean[spec.reason_for] is not None and not self.partial:
            return self.note(spec.name, "reason_needed")
        return reason

    def _ask(self, spec: FieldSpec, clean: Mapping[str, Any]) -> Sourced:
        assert spec.source is not None
        parts = {"form": clean, "data": self.context}
        arguments: dict[str, Any] = {}
        missing: list[str] = []
        for name, told in spec.source.arguments.items():
            part, _, key = told.partition(".")
            arguments[name] = parts[part].get(key) if part in parts else told
            missing += [key] if arguments[name] is None else []
        return Sourced("waiting", waits_for=tuple(missing)) if missing else self.around.ask(spec, arguments)

    def _holds(self, condition: str, before: Sequence[FieldSpec], clean: Mapping[str, Any]) -> bool:
        types, named = self.around.named()
        fields = {**types, **scalar_types(before, "form_")}
        values = {**named, **typed_scalars(before, clean, "form_")}
        return compile_condition(condition, tuple(sorted(fields.items())))(values) is True

def scalar_types(specs: Iterable[FieldSpec], prefix: str = "") -> dict[str, str]:
    """Return the fields that an expression can name, with the engine's type of each."""
    kinds = {"text": "string", "choice": "string", "integer": "integer", "decimal": "decimal", "date": "date", "boolean": "boolean"}
    return {prefix + spec.name: kinds[spec.type] for spec in specs if spec.type in kinds}


def typed_scalars(specs: Iterable[FieldSpec], values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the same fields with values as Python holds them (date, Decimal), for a closure."""
    return {prefix + name: typed_scalar(kind, values.get(name)) for name, kind in scalar_types(specs).items()}


def typed_scalar(kind: str, value: Any) -> Any:
    """Return a stored value as Python holds it, by the engine's type: a date, a Decimal, else as it is."""
    if value is not None and kind == "date":
        return date.fromisoformat(value)
    return Decimal(value) if value is not None and kind == "decimal" else value


def heading_of(kind: KindSpec, values: Mapping[str, Any], say: Callable[[FieldSpec, Any], str]) -> str:
    """Return the title that a kind gives a case: its heading with the values that it names, as `say` tells them.

    `values` also holds `OPENER_NAME`, which is no field.
    """
    specs = {spec.name: spec for spec in kind.fields}

    def told_of(name: str) -> str:
        return say(specs[name], values.get(name)) if name in specs else str(values[name])

    told = HEADING_FIELD.sub(lambda found: told_of(found[1]), kind.heading)
    return " ".join(told.split())[:300]
