"""The table that other rooms hold: declared once, asked for one record or written as SQL for a population."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from yunhe.engine.decisions.deciding import compile_table
from yunhe.engine.decisions.digests import digest_of
from yunhe.engine.decisions.sql import output_sql, rule_sql
from yunhe.engine.decisions.types import Decision, Declaration


@dataclass(frozen=True)
class Table:
    """One checked decision table (决策表)."""

    declaration: Declaration

    @property
    def name(self) -> str:
        """Return the table's name."""
        return self.declaration.name

    @cached_property
    def digest(self) -> str:
        """Return the SM3 digest (hex) of everything the table means."""
        return digest_of(self.declaration)

    def decide(self, values: Mapping[str, Any], *, on: date) -> Decision:
        """Return what the table decides for these field values with the rules valid on that date.

        A missing field is unknown: it meets only `-` and `null`. Values are str, int, Decimal (or int), date or bool
        as the input declares.
        Raises: InputRefused, NoRuleMatched, SeveralRulesMatched, RulesDisagree.
        """
        return self._decide(values, on)

    def sql(self, output: str, *, on: date) -> str:
        """Return a DuckDB expression of one output over columns named as the fields.

        It is the default where no rule matches, NULL where `decide` would raise.
        Raises: TableNotInSql if the hit policy is not unique, first or priority; KeyError if there is no such output.
        """
        outputs = {entry.name: entry for entry in self.declaration.outputs}
        return output_sql(self.declaration, outputs[output], on)

    def rule_sql(self, *, on: date) -> str:
        """Return a DuckDB expression of the deciding rule's row.

        It is 0 where no rule matches, -1 where several do under `unique`, NULL where an input is refused.
        Raises: TableNotInSql.
        """
        return rule_sql(self.declaration, on)

    @cached_property
    def _decide(self) -> Callable[[Mapping[str, Any], date], Decision]:
        return compile_table(self.declaration, self.digest)
