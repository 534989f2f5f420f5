"""What can go wrong in quality."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Terminal

__all__ = ["NotJudgedYet"]


class NotJudgedYet(Terminal):
    code = "not_judged_yet"
    kind: ClassVar = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 还没有质量结果。请先装载一次（yunhe load {resource}）。",
        "en": "Resource {resource} has no quality result yet. Load it first (yunhe load {resource}).",
    }
