"""Why a rule cannot be compiled: which rule, what was expected, what was found."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal


class RuleRefused(Terminal):
    """A rule does not fit its columns or its kind. Facts: rule, part, expected, found."""

    code: ClassVar[str] = "rule_refused"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "质量规则“{rule}”的 {part}：需要{expected}，实际是“{found}”。请修改合同的 rules 部分。",
        "en": 'Quality rule "{rule}", {part}: expected {expected}, found "{found}". Change the rules part of the contract.',
    }
