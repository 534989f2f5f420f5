"""Empty values per column, from the footers of Parquet files: no value is read."""

from __future__ import annotations

from collections.abc import Sequence


def count_nulls(files: Sequence[str]) -> dict[str, int]:
    """Return how many values of each column are null over all files.

    A column whose files do not all carry statistics is left out. Cost: one footer per file.
    """
    from pyarrow import parquet  # heavy: only processes that need it pay

    counts: dict[str, int] = {}
    unknown: set[str] = set()
    for file in files:
        footer = parquet.read_metadata(file)
        for group in range(footer.num_row_groups):
            for position in range(footer.num_columns):
                column = footer.row_group(group).column(position)
                name, statistics = column.path_in_schema, column.statistics
                if statistics is None or not statistics.has_null_count:
                    unknown.add(name)
                    continue
                counts[name] = counts.get(name, 0) + statistics.null_count
    return {name: count for name, count in counts.items() if name not in unknown}
