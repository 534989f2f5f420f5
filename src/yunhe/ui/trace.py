"""The trace id: one per request, in the answer's header, in every log line and on error pages."""

from __future__ import annotations

from contextvars import ContextVar, Token

from yunhe.kernel.ids import new_id

HEADER = "X-Trace-Id"
_trace_id: ContextVar[str] = ContextVar("yunhe_trace_id", default="")


def current_trace_id() -> str:
    """Return the trace id of the request at hand, or "" outside of one."""
    return _trace_id.get()


def start_trace() -> Token[str]:
    """Begin a new trace. A caller's own id is never taken over: it could forge log lines."""
    return _trace_id.set(new_id())


def end_trace(token: Token[str]) -> None:
    """Forget the trace that `start_trace` began."""
    _trace_id.reset(token)
