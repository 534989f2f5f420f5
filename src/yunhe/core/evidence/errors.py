"""What can go wrong with evidence."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Invalid, Kind, Terminal


class EvidenceOutsideTransaction(Terminal):
    code = "evidence_outside_transaction"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证“{evidence}”必须与业务写在同一事务里。请在 transaction.atomic() 之内调用 append。",
        "en": 'Evidence "{evidence}" must be written in the transaction of its act. Call append inside transaction.atomic().',
    }


class EvidenceIsAppendOnly(Terminal):
    code = "evidence_is_append_only"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证只能追加，不能{action}。更正请另写一条。",
        "en": "Evidence is only appended; {action} is refused. Write another record to correct one.",
    }


class BadEvidence(Invalid):
    code = "bad_evidence"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存证{where}：需要{expected}，实际是{found}。",
        "en": "Evidence {where}: expected {expected}, found {found}.",
    }
