"""What catalog hands out: contracts, resources, freshness, uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from yunhe.engine.types import Column, ColumnType, Severity, SourceSpec

__all__ = [
    "CATEGORIES",
    "CYCLES",
    "FORMATS",
    "GRADES",
    "OPENINGS",
    "PERMISSIONS",
    "RESOURCE_TYPE",
    "SHARINGS",
    "STATES",
    "TYPES",
    "ColumnCheck",
    "Contract",
    "ContractField",
    "ContractProblem",
    "ContractRule",
    "Difference",
    "FieldQuality",
    "Freshness",
    "LedgerNumbers",
    "Receival",
    "Resource",
    "ResourceLine",
    "ResourceVersion",
    "ResourceView",
    "Use",
]

PERMISSIONS = {
    "ledger.view": {"zh": "查看数据目录", "en": "See the ledger"},
    "ledger.edit": {"zh": "编制数据目录", "en": "Write ledger entries"},
    "ledger.review": {"zh": "审核数据目录", "en": "Review ledger entries"},
    "ledger.publish": {"zh": "发布数据目录", "en": "Publish ledger entries"},
}

RESOURCE_TYPE = "data_resource"

Sharing = Literal["unconditional", "conditional", "refused"]
Opening = Literal["open", "conditional", "closed"]
Cycle = Literal[
    "realtime", "daily", "weekly", "monthly", "quarterly", "half_yearly", "yearly", "irregular", "static"
]
State = Literal["draft", "in_review", "published", "withdrawn"]
Labels = Mapping[str, Mapping[str, str]]

# Sharing types: 国发〔2016〕51号 and State Council decree 809.
SHARINGS: Labels = {
    "unconditional": {"zh": "无条件共享", "en": "Unconditional"},
    "conditional": {"zh": "有条件共享", "en": "Conditional"},
    "refused": {"zh": "不予共享", "en": "Not shared"},
}
# Opening to society is another attribute than sharing: GB/T 38664.1-2020.
OPENINGS: Labels = {
    "open": {"zh": "无条件开放", "en": "Open"},
    "conditional": {"zh": "有条件开放", "en": "Open on condition"},
    "closed": {"zh": "不予开放", "en": "Not open"},
}
# Update cycles: catalogue compilation guide 2017; NDI-TR-2025-06 numbers them 001 to 009 in this order.
CYCLES: Labels = {
    "realtime": {"zh": "实时", "en": "Real time"},
    "daily": {"zh": "每日", "en": "Daily"},
    "weekly": {"zh": "每周", "en": "Weekly"},
    "monthly": {"zh": "每月", "en": "Monthly"},
    "quarterly": {"zh": "每季度", "en": "Quarterly"},
    "half_yearly": {"zh": "每半年", "en": "Half-yearly"},
    "yearly": {"zh": "每年", "en": "Yearly"},
    "irregular": {"zh": "不定期", "en": "Irregular"},
    "static": {"zh": "历史存量", "en": "Static"},
}
# Classes of the catalogue compilation guide 2017; the first digit of a resource's code.
CATEGORIES: Labels = {
    "1": {"zh": "基础信息资源", "en": "Basic"},
    "2": {"zh": "主题信息资源", "en": "Theme"},
    "3": {"zh": "部门信息资源", "en": "Department"},
}
# Grades of general data: GB/T 43697-2024 annex H.
GRADES: Labels = {
    "1": {"zh": "一级", "en": "Grade 1"},
    "2": {"zh": "二级", "en": "Grade 2"},
    "3": {"zh": "三级", "en": "Grade 3"},
    "4": {"zh": "四级", "en": "Grade 4"},
}
# Format classes: catalogue compilation guide 2017.
FORMATS: Labels = {
    "file": {"zh": "电子文件", "en": "Document"},
    "sheet": {"zh": "电子表格", "en": "Spreadsheet"},
    "database": {"zh": "数据库", "en": "Database"},
    "image": {"zh": "图形图像", "en": "Image"},
    "stream": {"zh": "流媒体", "en": "Stream"},
    "self_describing": {"zh": "自描述格式", "en": "Self-describing"},
    "spatial": {"zh": "空间数据", "en": "Spatial data"},
}
TYPES: Labels = {
    "string": {"zh": "字符", "en": "Text"},
    "integer": {"zh": "整数", "en": "Integer"},
    "decimal": {"zh": "数值", "en": "Decimal"},
    "date": {"zh": "日期", "en": "Date"},
    "timestamp": {"zh": "日期时间", "en": "Date and time"},
    "boolean": {"zh": "是否", "en": "Yes or no"},
}
STATES: Labels = {
    "draft": {"zh": "草稿", "en": "Draft"},
    "in_review": {"zh": "审核中", "en": "In review"},
    "published": {"zh": "已发布", "en": "Published"},
    "withdrawn": {"zh": "已下架", "en": "Withdrawn"},
}


@dataclass(frozen=True, slots=True)
class ContractProblem:
    """One thing wrong with a contract: where, what was expected, what was found, what to do."""

    file: str
    line: int
    field: str
    expected: Mapping[str, str]
    found: str
    next_step: Mapping[str, str]

    def say(self, language: str = "zh") -> str:
        """Return one sentence in `language` (zh or en) with the place."""
        if language[:2] == "en":
            place = f"{self.file} line {self.line}" if self.line else self.file
            return f"{place}, {self.field}: expected {self.expected['en']}, found {self.found}. {self.next_step['en']}"
        place = f"{self.file} 第 {self.line} 行" if self.line else self.file
        return f"{place} {self.field}：需要{self.expected['zh']}，实际是{self.found}。{self.next_step['zh']}"


@dataclass(frozen=True, slots=True)
class ContractField:
    """An information item (信息项), bound to a column of the source and to a data element."""

    name: str
    title: str = ""
    column: str = ""
    type: ColumnType = "string"
    element: str = ""
    null_marks: tuple[str, ...] = ()
    scale: int | None = None
    zone: str = "Asia/Shanghai"
    required: bool = False
    sharing: Sharing = "unconditional"
    sharing_basis: str = ""
    opening: Opening = "closed"
    grade: int = 1
    personal: bool = False
    mask: str = "none"
    block: bool = False


@dataclass(frozen=True, slots=True)
class ContractRule:
    """A rule that the contract adds to those of its elements. `where` is what a good row fulfils."""

    code: str
    kind: str = "expression"
    where: str = ""
    columns: tuple[str, ...] = ()
    severity: Severity = "warn"
    dimension: str = "consistency"
    title: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a provider promises about a resource (数据资源约定): metadata, source, fields, rules.

    `provider` is what the file says (code, full or short name); `lines` is the line of every part
    in the file it was read from and takes no part in comparison.
    """

    title: str
    provider: str
    sharing: Sharing
    update_cycle: Cycle
    fields: tuple[ContractField, ...]
    code: str = ""
    category: str = "3"
    summary: str = ""
    legal_basis: str = ""
    sharing_basis: str = ""
    opening: Opening = "closed"
    opening_basis: str = ""
    grade: int = 1
    personal: bool = False
    format: str = ""
    officer: str = ""
    related: tuple[str, ...] = ()
    source: SourceSpec = field(default_factory=lambda: SourceSpec("csv", ""))
    keys: tuple[str, ...] = ()
    rules: tuple[ContractRule, ...] = ()
    minimum_rows: int = 0
    file: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the fields as the engine's columns, in order."""
        return tuple(
            Column(
                name=one.name,
                type=one.type,
                source=one.column or one.name,
                null_marks=one.null_marks,
                scale=one.scale,
                zone=one.zone,
            )
            for one in self.fields
        )

    @property
    def field_names(self) -> tuple[str, ...]:
        """Return the names of the fields, in order."""
        return tuple(one.name for one in self.fields)


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """How a contract and a source's columns fit: `missing` must be empty before a load."""

    missing: tuple[str, ...]
    unbound: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Tell whether every named column is there."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class FieldQuality:
    """What the last judgement says of one field. Units: shares 0..1; None is not measured."""

    share: float | None = None
    null_share: float | None = None
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether a resource was updated within its cycle (更新及时).

    `state`: never (no release yet), fresh, late, unbound (no cycle binds: irregular or static).
    """

    state: Literal["never", "fresh", "late", "unbound"]
    last_on: date | None = None
    due_on: date | None = None
    days_late: int = 0


@dataclass(frozen=True, slots=True)
class Resource:
    """A catalogued dataset (数据资源) with the contract in force and what rooms above reported.

    `version` numbers the contract shown; `open_state` (draft, in_review or empty) is that of a newer
    one being written beside it, or of the only one.
    """

    code: str
    entry_id: str
    title: str
    owner: str
    owner_name: str
    state: State
    version: int
    contract: Contract
    digest: str
    latest_version: int
    open_state: str
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = None
    release_id: str = ""
    snapshot_id: int | None = None
    rows: int | None = None
    released_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    share: float | None = None
    failing_rows: int | None = None
    judged_at: datetime | None = None
    field_quality: Mapping[str, FieldQuality] = field(default_factory=dict)
    users: int = 0

    @property
    def is_published(self) -> bool:
        """Tell whether a contract is in force."""
        return self.state == "published"

    @property
    def update_cycle(self) -> Cycle:
        """Return how often the provider promises to update."""
        return self.contract.update_cycle


@dataclass(frozen=True, slots=True)
class ResourceLine:
    """A resource as a list shows it."""

    code: str
    title: str
    summary: str
    owner: str
    owner_name: str
    sharing: str
    opening: str
    update_cycle: str
    grade: int
    personal: bool
    format: str
    fields: int
    version: int
    state: str
    open_state: str
    rows: int | None
    released_at: datetime | None
    share: float | None
    users: int
    freshness: Freshness
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerNumbers:
    """The numbers above the ledger, over what the actor may see."""

    resources: int
    providers: int
    fields: int
    loaded: int
    late: int
    due: int
    personal: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Receival:
    """One release that lake reported, for the update calendar."""

    release_id: str
    snapshot_id: int
    rows: int
    at: datetime
    counts: Mapping[str, int]
    load_id: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """One consumer's use of a resource by one channel (使用方): gateway, query, console, batch."""

    consumer: str
    consumer_name: str
    channel: str
    purpose: str
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ResourceVersion:
    """One version of a resource's contract (沿革)."""

    version: int
    state: str
    author: str
    at: datetime
    digest: str
    contract: Contract
    note: str = ""


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource as one actor sees it: what it was, and what may be done with it."""

    resource: Resource
    versions: tuple[ResourceVersion, ...]
    edit: int
    open_version: int | None
    may_edit: bool
    may_submit: bool
    may_withdraw: bool
    case_id: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two contracts: a path, before and after ("" where absent)."""

    path: str
    label: Mapping[str, str]
    before: str
    after: str
    kind: Literal["added", "removed", "changed"]
