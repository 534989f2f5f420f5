"""Strict CSV with line numbers: UTF-8, a header, the same width in each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from yunhe.core.packs.rules.problems import problem, said_in_chinese
from yunhe.core.packs.rules.yaml_text import YamlRefused, decode


def read_csv(data: bytes, *, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line at which the row begins, row). An empty row is passed over.

    Raises: YamlRefused with file and line.
    """
    reader = csv.reader(io.StringIO(decode(data, file=file), newline=""), strict=True)
    header: list[str] | None = None
    begins = 1
    try:
        for cells in reader:
            if header is None:
                header = _header(cells, file)
            elif cells:
                if len(cells) != len(header):
                    raise YamlRefused(problem(file, begins, "", "bad_width", expected=len(header), found=len(cells)))
                yield begins, dict(zip(header, (cell.strip() for cell in cells), strict=True))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise YamlRefused(problem(file, begins, "", "bad_csv", detail=said_in_chinese(str(error)), detail_en=error)) from None
    if header is None:
        raise YamlRefused(problem(file, 1, "", "empty_csv"))


def _header(cells: list[str], file: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise YamlRefused(problem(file, 1, "", "empty_csv"))
    for name in names:
        if names.count(name) > 1:
            raise YamlRefused(problem(file, 1, "", "duplicate_column", key=name))
    return names
