"""Counters of this process for /metrics, in Prometheus' text form; no library needed for three numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


@dataclass(slots=True)
class Requests:
    """Answered requests by status and by time taken. Units: seconds of wall clock."""

    _lock: Lock = field(default_factory=Lock)
    _statuses: Counter[int] = field(default_factory=Counter)
    _buckets: Counter[float] = field(default_factory=Counter)
    _seconds: float = 0.0

    def count(self, *, status: int, seconds: float) -> None:
        """Count one answered request."""
        with self._lock:
            self._statuses[status] += 1
            self._seconds += seconds
            for bound in BOUNDS:
                if seconds <= bound:
                    self._buckets[bound] += 1

    def lines(self) -> list[str]:
        """Return the counters as lines of Prometheus' text form."""
        with self._lock:
            statuses, buckets, seconds = dict(self._statuses), dict(self._buckets), self._seconds
        total = sum(statuses.values())
        out = ["# TYPE yunhe_requests_total counter"]
        out += [f'yunhe_requests_total{{status="{status}"}} {count}' for status, count in sorted(statuses.items())]
        out.append("# TYPE yunhe_request_seconds histogram")
        out += [f'yunhe_request_seconds_bucket{{le="{bound}"}} {buckets.get(bound, 0)}' for bound in BOUNDS]
        out.append(f'yunhe_request_seconds_bucket{{le="+Inf"}} {total}')
        return [*out, f"yunhe_request_seconds_sum {seconds:.6f}", f"yunhe_request_seconds_count {total}"]


REQUESTS = Requests()
