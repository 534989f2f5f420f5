"""The CSV connector: UTF-8 or GB18030 text, read strictly, nothing lost.

Options: `encoding` (auto, utf-8, gb18030), `delimiter` (auto, or one ASCII character).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from yunhe.engine.connectors import Staged, source_file
from yunhe.engine.connectors.csv.blocks import CsvSource, open_source, parse_records, read_blocks
from yunhe.engine.connectors.csv.encoding import NotUtf8Throughout, compare_encodings
from yunhe.engine.connectors.csv.reading import REJECTED_FILE, stage_file
from yunhe.engine.connectors.names import check_columns
from yunhe.engine.connectors.profiles import profile_columns
from yunhe.engine.errors import OptionInvalid
from yunhe.engine.types import Check, Column, Limits, Progress, Shape, SourceSpec

_OPTIONS = {"encoding", "delimiter"}
_SAMPLE_ROWS = 2000


class CsvConnector:
    """Reads delimited text files."""

    kind = "csv"

    def probe(self, spec: SourceSpec, *, limits: Limits) -> Shape:
        """Return names, encoding, delimiter and what a sample of the first block seems to hold."""
        source = _open(spec, spec.options.get("encoding", "auto"))
        sample = None
        for block in read_blocks(source):
            sample = parse_records(block, source, source.names).slice(0, _SAMPLE_ROWS)
            break
        profiles = () if sample is None else profile_columns(sample, limits=limits)
        return Shape(source.names, source.encoding, source.delimiter, source.size, profiles)

    def stage(
        self,
        spec: SourceSpec,
        columns: Sequence[Column],
        keys: Sequence[str],
        *,
        work: Path,
        limits: Limits,
        progress: Progress,
        check: Check,
    ) -> Staged:
        """Stage the declared columns of every readable record; keep the rest raw."""
        source = _open(spec, spec.options.get("encoding", "auto"))
        ignored = check_columns(source.path, source.names, columns)
        run = partial(
            stage_file, columns=columns, keys=keys, ignored=ignored, work=work, limits=limits,
            progress=progress, check=check,
        )  # fmt: skip
        try:
            return run(source)
        except NotUtf8Throughout:
            (work / REJECTED_FILE).unlink(missing_ok=True)
            return run(_open(spec, compare_encodings(source.path)))


def _open(spec: SourceSpec, encoding: str) -> CsvSource:
    unknown = sorted(set(spec.options) - _OPTIONS)
    if unknown:
        raise OptionInvalid(option=unknown[0], expected=" / ".join(sorted(_OPTIONS)), found=spec.options[unknown[0]])
    return open_source(
        source_file(spec),
        encoding=encoding,
        delimiter=spec.options.get("delimiter", "auto"),
    )


CONNECTOR = CsvConnector()
