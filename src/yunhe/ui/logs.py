"""Log lines as JSON, one object per line, with the trace id that error pages show; never a row's value."""

from __future__ import annotations

import json
import logging
from copy import copy
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from yunhe.kernel.traces import describe, name_error
from yunhe.ui.trace import current_trace_id

FACTS = ("method", "path", "status", "ms", "job_id", "code")


ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def without_values(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy whose arguments name errors by class: libraries write them into the message (`… (%s)`)."""
    record = copy(record)
    if isinstance(record.args, tuple):
        record.args = tuple(name_error(one) if isinstance(one, BaseException) else one for one in record.args)
    return record


class TextFormatter(logging.Formatter):
    """Write a record as text; an exception by class and places, without its message (kernel.traces)."""

    def format(self, record: logging.LogRecord) -> str:
        record = without_values(record)
        record.exc_text = None  # another handler may have left the full text there
        return super().format(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802  logging calls it so
        return describe(ei[1]) if ei[1] is not None else ""


class JsonFormatter(TextFormatter):
    """Write a record as one JSON line: at, level, logger, message, trace_id, facts, error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_values(record).getMessage(),
        }
        if trace_id := current_trace_id():
            line["trace_id"] = trace_id
        line.update({name: record.__dict__[name] for name in FACTS if name in record.__dict__})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)
