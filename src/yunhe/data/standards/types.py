"""What standards hands out: data elements, code sets, rules made from them, proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from yunhe.engine.types import ColumnType, Severity

__all__ = [
    "CODE_SET_TYPE",
    "DIMENSIONS",
    "ELEMENT_TYPE",
    "PERMISSIONS",
    "Binding",
    "CodeItem",
    "CodeSet",
    "Element",
    "ElementProposal",
    "Reason",
    "RuleSpec",
    "Source",
    "Usage",
]

PERMISSIONS = {
    "standards.view": {"zh": "查看数据标准", "en": "See data standards"},
    "standards.edit": {"zh": "编辑数据标准", "en": "Edit data standards"},
}

ELEMENT_TYPE = "data_element"
CODE_SET_TYPE = "code_set"

# The six dimensions of GB/T 36344-2018, chapter 5.
DIMENSIONS: Mapping[str, Mapping[str, str]] = {
    "normativity": {"zh": "规范性", "en": "Normativity"},
    "completeness": {"zh": "完整性", "en": "Completeness"},
    "accuracy": {"zh": "准确性", "en": "Accuracy"},
    "consistency": {"zh": "一致性", "en": "Consistency"},
    "timeliness": {"zh": "时效性", "en": "Timeliness"},
    "accessibility": {"zh": "可访问性", "en": "Accessibility"},
}


@dataclass(frozen=True, slots=True)
class Source:
    """Which text says so: standard or law, and the clause."""

    standard: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """A quality rule of an element, before it is bound to a column; the words are engine.types.Rule's."""

    kind: str
    dimension: str
    severity: Severity = "warn"
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Element:
    """A data element (数据元): what a field means, how it is written, how it is checked and masked.

    Source: GB/T 18391 (object class, property, representation); GB/T 19488.1-2004.
    """

    code: str
    title: str
    title_en: str
    definition: str
    type: ColumnType
    notation: str
    source: Source
    object_class: str = ""
    unit: str = ""
    aliases: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    mask: str = "none"
    grade: int = 1
    personal: bool = False
    sensitive: bool = False
    rules: tuple[RuleSpec, ...] = ()
    code_set: str = ""
    code_set_by: str = "code"
    version: int = 0
    state: str = "published"
    owner: str = ""
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeItem:
    """One value of a code set, valid during [valid_from, valid_until); None is not bounded."""

    code: str
    title: str
    title_en: str = ""
    parent: str = ""
    alpha: str = ""
    aliases: tuple[str, ...] = ()
    maps: Mapping[str, str] = field(default_factory=dict)
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str = ""

    def is_valid_on(self, on: date) -> bool:
        """Tell whether the value may be used for a record of the day `on`."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on < self.valid_until
        )


@dataclass(frozen=True, slots=True)
class CodeSet:
    """A code set (代码集) of one edition of one standard."""

    code: str
    title: str
    title_en: str
    standard: str
    edition: str
    items: tuple[CodeItem, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""
    version: int = 0
    state: str = "published"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is proposed. `code` is stable: code column title alias part sample."""

    code: str
    zh: str
    en: str

    def say(self, language: str = "zh") -> str:
        """Return the sentence in `language`."""
        return self.en if language[:2] == "en" else self.zh


@dataclass(frozen=True, slots=True)
class ElementProposal:
    """An element that a column may be. Units: confidence 0..1."""

    element: Element
    confidence: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """One field of a subject that follows an element (and by it a code set)."""

    field: str
    title: str
    element: str
    code_set: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Where an element or a code set is used (使用情况)."""

    subject_type: str
    subject_code: str
    subject_title: str
    organization: str
    organization_name: str
    field: str
    field_title: str
    element: str
    state: str
