"""Quality rules out of a contract: from its elements, its own rules, and from fields that speak of one person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from yunhe.data.catalog.types import Contract, ContractField, ContractRule
from yunhe.data.standards.types import Element, RuleSpec
from yunhe.engine.types import Rule, Severity

# What a citizen id says by itself must agree with the field beside it: element -> (kind, severity).
# The first six digits are the region of first registration, which a person may have left since: information.
CROSS: Mapping[str, tuple[str, Severity, Mapping[str, object]]] = {
    "birth_date": ("id_birth_date", "warn", {}),
    "gender": ("id_gender", "warn", {}),
    "gender_name": ("id_gender", "warn", {"male": ("男", "男性"), "female": ("女", "女性")}),
    "region": ("id_region", "info", {}),
}


def rules_of_contract(contract: Contract, specs: Mapping[str, tuple[RuleSpec, ...]], elements: Mapping[str, Element]) -> tuple[Rule, ...]:
    """Return every rule of the resource, in the order of its fields; codes are unique.

    `specs` are the rules of each element named by a field. Element rules warn unless the field says block.
    """
    rules: list[Rule] = []
    for one in contract.fields:
        rules += _field_rules(one, specs.get(one.element, ()), elements.get(one.element))
    rules += _cross_rules(contract.fields)
    rules += [contract_rule(rule) for rule in contract.rules]
    return tuple(_with_unique_codes(rules))


def code_set_keys(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the code-set keys (`gender`, `gender:title`) that the rules ask for."""
    found = (str(rule.arguments["code_set"]) for rule in rules if rule.kind == "in_code_set")
    return tuple(dict.fromkeys(found))


def _field_rules(one: ContractField, specs: tuple[RuleSpec, ...], element: Element | None) -> list[Rule]:
    severity: Severity = "block" if one.block else "warn"
    rules = []
    if one.required:
        rules.append(Rule(f"{one.name}.required", "required", "completeness", severity, (one.name,)))
    if element is not None and one.type == "string" and element.type != "string":
        rules.append(_readable(one, element, severity))
        specs = ()
    for spec in specs:
        weight: Severity = "block" if one.block else spec.severity
        rules.append(Rule(f"{one.name}.{spec.kind}", spec.kind, spec.dimension, weight, (one.name,), dict(spec.arguments)))
    return rules


def _readable(one: ContractField, element: Element, severity: Severity) -> Rule:
    """Return the rule that a text column of a typed element holds values of that type, within its bounds."""
    sql_type = {"integer": "BIGINT", "decimal": "DECIMAL(18, 6)"}.get(element.type, element.type.upper())
    cast = f"CAST({one.name} AS {sql_type})"
    conditions = [f"{cast} = {cast}"]  # unknown, so not checked, where the value is missing; false where it cannot be cast
    for spec in element.rules:
        conditions += _bounds(spec, cast)
    where = " AND ".join(conditions)
    return Rule(f"{one.name}.readable", "expression", "normativity", severity, (one.name,), {"where": where})


def _bounds(spec: RuleSpec, cast: str) -> list[str]:
    form = {"range": "{}", "date_range": "DATE '{}'"}.get(spec.kind)
    if form is None:
        return []
    signs = ((spec.arguments.get("min"), ">="), (spec.arguments.get("max"), "<="))
    return [f"{cast} {sign} {form.format(bound)}" for bound, sign in signs if bound is not None]


def _cross_rules(fields: tuple[ContractField, ...]) -> list[Rule]:
    ids = [one for one in fields if one.element == "citizen_id"]
    rules = []
    for element, (kind, severity, arguments) in CROSS.items():
        needed = "date" if kind == "id_birth_date" else "string"
        others = [one for one in fields if one.element == element and one.type == needed]
        for one, other in _pairs(ids, others):
            code = f"{one.name}.{kind}"
            rules.append(Rule(code, kind, "consistency", severity, (one.name, other.name), dict(arguments)))
    return rules


def _pairs(ids: list[ContractField], others: list[ContractField]) -> list[tuple[ContractField, ContractField]]:
    """Return which id belongs to which other field: the only one, or the one that shares its prefix.

    A marriage has two ids and two birth dates (男方…, 女方…); without a telling prefix nothing is paired.
    """
    if len(ids) == 1 and len(others) == 1:
        return [(ids[0], others[0])]
    found = []
    for one in ids:
        best = [other for other in others if _prefix(one) and _prefix(one) == _prefix(other)]
        if len(best) == 1:
            found.append((one, best[0]))
    return found


def _prefix(one: ContractField) -> str:
    if "_" in one.name:
        return one.name.split("_", 1)[0]
    return one.title[:2]


def contract_rule(rule: ContractRule) -> Rule:
    """Return a contract's own rule in the engine's words."""
    arguments: dict[str, object] = dict(rule.arguments)
    if rule.kind == "expression":
        arguments["where"] = rule.where
    return Rule(rule.code, rule.kind, rule.dimension, rule.severity, rule.columns, arguments)


def _with_unique_codes(rules: list[Rule]) -> Iterable[Rule]:
    seen: Counter[str] = Counter()
    for rule in rules:
        seen[rule.code] += 1
        yield rule if seen[rule.code] == 1 else replace(rule, code=f"{rule.code}_{seen[rule.code]}")
