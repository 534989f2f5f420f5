"""Decision tables with DMN 1.3 semantics: read, decided, analysed, written as SQL, as DMN and as packs hold them (services 7.4)."""

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
from yunhe.engine.decisions.types import EVERY_HIT, Decision, Rule
from yunhe.engine.decisions.writing import declaration_of, rules_of

__all__ = [
    "EVERY_HIT",
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
    "declaration_of",
    "read_dmn",
    "read_table",
    "rules_of",
    "write_dmn",
]
