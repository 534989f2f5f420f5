"""Evidence (存证): one durable line for every act that touches data or rights."""

from yunhe.core.evidence.api.alike import append_alike
from yunhe.core.evidence.api.records import (
    access_evidence,
    append,
    append_all,
    find,
    get_evidence,
    is_commitment_of,
    is_intact,
    list_openable,
)
from yunhe.core.evidence.api.segments import collect_segments, register_taker

__all__ = [
    "access_evidence",
    "append",
    "append_alike",
    "append_all",
    "collect_segments",
    "find",
    "get_evidence",
    "is_commitment_of",
    "is_intact",
    "list_openable",
    "register_taker",
]
