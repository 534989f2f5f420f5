"""What can go wrong with resources and contracts; each says the next step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from yunhe.data.catalog.types import ContractProblem
from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal

__all__ = [
    "ColumnsMissing",
    "ContractBroken",
    "MetadataIncomplete",
    "ProviderUnknown",
    "ResourceBusy",
    "ResourceNotFound",
    "TitleTaken",
    "VersionNotFound",
]


class _WithProblems(Invalid):
    """An error that names one place in its sentence and holds every problem."""

    def __init__(self, problems: Iterable[ContractProblem], **facts: object) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            file=first.file,
            line=first.line,
            field=first.field,
            expected=first.expected["en"],
            found=first.found,
            next=first.next_step["en"],
            count=len(self.problems),
            **facts,
        )

    def say(self, language: str = "zh") -> str:
        """Return the first problem's sentence, and how many more there are."""
        rest = len(self.problems) - 1
        first = self.problems[0].say(language)
        if not rest:
            return first
        return f"{first} ({rest} more.)" if language[:2] == "en" else f"{first}（另有 {rest} 处。）"


class ContractBroken(_WithProblems):
    """The contract file cannot be taken; `problems` names every place."""

    code = "contract_broken"


class MetadataIncomplete(_WithProblems):
    """The entry lacks what the national core metadata ask for before review."""

    code = "metadata_incomplete"


class ColumnsMissing(_WithProblems):
    """The contract names columns that the source does not have."""

    code = "contract_columns_missing"


class ResourceNotFound(Missing):
    code = "resource_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到数据资源“{name}”，或您无权查看。请在“一本账”里核对代码。",
        "en": 'No data resource "{name}", or you may not see it. Check the code in the ledger.',
    }


class VersionNotFound(Missing):
    code = "resource_version_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "数据资源“{name}”没有第 {version} 版。请在“沿革”里选择。",
        "en": 'Data resource "{name}" has no version {version}. Choose one in its history.',
    }


class ProviderUnknown(Invalid):
    code = "provider_unknown"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{place}provider：没有机构“{name}”。请写统一社会信用代码、全称或简称；{near}",
        "en": '{place}provider: no organisation "{name}". Write its credit code, full or short name; {near_en}',
    }


class TitleTaken(Conflict):
    code = "resource_title_taken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{provider} 已有名为“{title}”的数据资源（{code_taken}）。请改名称，或在 code 写上该代码来更新它。",
        "en": '{provider} already has a resource "{title}" ({code_taken}). Rename it, or write that code to update it.',
    }


class ResourceBusy(Terminal):
    code = "resource_busy"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "数据资源“{name}”正在审核中。请先撤回或等审核结束，再修改。",
        "en": 'Data resource "{name}" is in review. Take it back or wait for the decision before you change it.',
    }
