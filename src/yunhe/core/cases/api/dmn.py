"""Decision tables to and from DMN 1.3: what other tools read, and what a pack makes of what they write."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from yunhe.core.cases.api.rulebook import find_title, get_table, tell_holes
from yunhe.core.cases.errors import TableCodeNeeded
from yunhe.core.cases.types import ConvertedTable
from yunhe.core.cases.types.kinds import NAME
from yunhe.engine.decisions import Table, TableRefused, declaration_of, read_dmn, read_table, rules_of, write_dmn
from yunhe.kernel.actor import Actor


def export_table(*, code: str, actor: Actor) -> str:
    """Return the newest version of a decision table as DMN 1.3. Raises: Refused without cases.view, TableNotFound."""
    actor.require("cases.view")
    return write_dmn(get_table(code=code), labels=find_title(code=code))


def convert_dmn(*, text: str, file: str, actor: Actor, decision: str = "", code: str = "") -> ConvertedTable:
    """Return the files of a pack for one decision table of a DMN document; nothing is written or published.

    `decision` names which one, the first if not given; `code` is what the pack calls it, the decision's name if that can
    be a code. What DMN says and a table here cannot is told in `passed_over`, what would keep it from being published
    in `holes`.
    Raises: Refused without packs.view; TableRefused with every mistake if there is no such table or a part of it that
    changes its meaning cannot be taken over; TableCodeNeeded.
    """
    actor.require("packs.view")
    imported = read_dmn(text, name=decision, file=file)
    if imported.table is None:
        first = imported.unsupported[0]
        first.problems = imported.unsupported
        raise first
    name = code or imported.table.name
    if not re.fullmatch(NAME, name):
        raise TableCodeNeeded(found=name)
    return _files(name, imported.table, imported.labels, imported.unsupported)


def _files(code: str, read: Table, labels: Mapping[str, str], passed_over: tuple[TableRefused, ...]) -> ConvertedTable:
    declared = declaration_of(read)
    del declared["name"]
    title = {"zh": labels.get("zh", code), **({"en": labels["en"]} if "en" in labels else {})}
    declaration, rules = {"code": code, "title": title, **declared}, rules_of(read)
    told = yaml.safe_dump(declaration, allow_unicode=True, sort_keys=False, width=120)
    table = read_table({**declared, "name": code}, rules, file=f"tables/{code}.csv")
    holes = tuple({"zh": zh, "en": en} for zh, en in tell_holes(table))
    return ConvertedTable(code, title, table.declaration.hit, len(table.declaration.rules), table.digest, told, rules, passed_over, holes)
