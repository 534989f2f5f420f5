"""Rules out of an element: written ones, its code set, and what its format notation says."""

from __future__ import annotations

import re

from yunhe.data.standards.types import CodeSet, Element, RuleSpec

# Format notation of GB/T 19488.1-2004: a letters, n digits, an both; a length, or `..` and the most.
NOTATION = re.compile(r"^(a|n|an)(\.\.)?([0-9]+|ul)$")
CLASSES = {"a": "[A-Za-z]", "n": "[0-9]", "an": "[A-Za-z0-9]"}
SHAPES = frozenset({"citizen_id", "uscc", "organization_code", "licence_id", "pattern", "length"})


def rules_of(element: Element) -> tuple[RuleSpec, ...]:
    """Return the rules that a column bound to `element` must meet (written, code set, notation).

    The notation speaks only where no written rule gives the form.
    """
    found = list(element.rules)
    if element.code_set:
        found.append(RuleSpec("in_code_set", "normativity", "warn", {"code_set": code_set_key(element)}))
    if not element.code_set and not any(rule.kind in SHAPES for rule in element.rules):
        found.extend(notation_rules(element))
    return tuple(found)


def code_set_key(element: Element) -> str:
    """Return the name of the values that the element accepts: the set's codes, or its titles."""
    return element.code_set if element.code_set_by == "code" else f"{element.code_set}:title"


def notation_rules(element: Element) -> tuple[RuleSpec, ...]:
    """Return the rule that the format notation of a text element says, if it says one.

    Source: GB/T 19488.1-2004, representation of the data format.
    """
    match = NOTATION.match(element.notation)
    if element.type != "string" or match is None or match[3] == "ul":
        return ()
    letters, upto, size = match[1], match[2], int(match[3])
    if upto and letters == "an":  # texts in Chinese are written an.. as well, so only their length counts
        return (RuleSpec("length", "normativity", "warn", {"max": size}),)
    least = 1 if upto else size
    return (RuleSpec("pattern", "normativity", "warn", {"pattern": f"^{CLASSES[letters]}{{{least},{size}}}$"}),)


def accepted_values(code_set: CodeSet, *, by: str = "code") -> tuple[tuple[str, str | None, str | None], ...]:
    """Return (value, valid from, valid until) of every value; `by` title also accepts the short names.

    Shape: dates as ISO text, None where not bounded; a value without its own dates takes the set's.
    """
    rows = []
    for item in code_set.items:
        since = item.valid_from
        until = item.valid_until or code_set.valid_until
        values = (item.code,) if by == "code" else (item.title, *item.aliases)
        rows += [(v, since.isoformat() if since else None, until.isoformat() if until else None) for v in values]
    return tuple(dict.fromkeys(rows))
