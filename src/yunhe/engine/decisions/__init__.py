"""Decision tables with DMN 1.3 semantics: read, decided, analysed, written as SQL and as DMN (services 7.4)."""

from __future__ import annotations

from yunhe.engine.decisions.analysis import Analysis, Overlap, analyse
from yunhe.engine.decisions.dmn import Imported, read_dmn, write_dmn
from yunhe.engine.decisions.errors import (
    CellRefused,
    InputRefused,
    NoRuleMatched,
    RulesDisagree,
    SeveralRulesMatched,
    TableNotInSql,
    TableRefused,
)
from yunhe.engine.decisions.reading import read_table
from yunhe.engine.decisions.table import Table
from yunhe.engine.decisions.types import Decision, Rule

__all__ = [
    "Analysis",
    "CellRefused",
    "Decision",
    "Imported",
    "InputRefused",
    "NoRuleMatched",
    "Overlap",
    "Rule",
    "RulesDisagree",
    "SeveralRulesMatched",
    "Table",
    "TableNotInSql",
    "TableRefused",
    "analyse",
    "read_dmn",
    "read_table",
    "write_dmn",
]
