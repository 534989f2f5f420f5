"""Whether a source still has the columns that a contract names."""

from __future__ import annotations

from collections.abc import Iterable

from yunhe.data.catalog.rules.problems import Problems, did_you_mean
from yunhe.data.catalog.types import ColumnCheck, Contract


def check_columns(contract: Contract, columns: Iterable[str], problems: Problems) -> ColumnCheck:
    """Return which named columns are missing and which of the source are not named; add each missing one."""
    present = list(columns)
    named = [one.column or one.name for one in contract.fields]
    missing = tuple(dict.fromkeys(column for column in named if column not in set(present)))
    for index, one in enumerate(contract.fields):
        column = one.column or one.name
        if column in missing:
            problems.add(
                contract.lines.get(f"fields[{index}]", 0), f"fields[{index}].column", zh="数据源里有的列",
                en="a column of the source", found=column, **did_you_mean(column, present),
            )  # fmt: skip
    return ColumnCheck(missing, tuple(column for column in present if column not in set(named)))
