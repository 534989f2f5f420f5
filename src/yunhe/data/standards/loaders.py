"""How packs bring data elements and code sets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from yunhe.core.packs.errors import BadPackItem
from yunhe.core.packs.types import LoadContext, PackItem, PlannedChange
from yunhe.core.registers import api as registers
from yunhe.core.registers.types import EntryDraft
from yunhe.data.standards import rules
from yunhe.data.standards.types import (
    CODE_SET_TYPE,
    DIMENSIONS,
    ELEMENT_TYPE,
    CodeItem,
    CodeSet,
    Element,
    RuleSpec,
    Source,
)
from yunhe.engine import checks
from yunhe.engine.masks import MASKS
from yunhe.engine.types import Column, Rule
from yunhe.kernel.errors import YunheError
from yunhe.kernel.sayings import Unfit

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
SHARED_OWNER = ""  # standards of a pack belong to no department


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleDeclaration(_Strict):
    """One rule of an element; kinds and arguments are those of engine.checks."""

    kind: Name
    dimension: str
    severity: Literal["block", "warn", "info"] = "warn"
    arguments: dict[str, str | int | float] = {}

    @model_validator(mode="after")
    def _known_dimension(self) -> RuleDeclaration:
        if self.dimension not in DIMENSIONS:
            raise Unfit(f"dimension 只能是{'、'.join(DIMENSIONS)}", f"dimension is one of {', '.join(DIMENSIONS)}")
        return self

    @property
    def typed_arguments(self) -> dict[str, object]:
        """Return the arguments with their bounds as numbers."""
        return {name: rules.typed_argument(name, value) for name, value in self.arguments.items()}


class SourceDeclaration(_Strict):
    """The standard or law, and its clause."""

    standard: Text
    clause: str = Field(default="", max_length=200)


class ElementDeclaration(_Strict):
    """A data element as a pack writes it (elements/*.yml, one or a list)."""

    code: Name
    title: Text
    title_en: str = Field(default="", max_length=200)
    definition: str = Field(min_length=1, max_length=2000)
    type: Literal["string", "integer", "decimal", "date", "timestamp", "boolean"] = "string"
    notation: str = Field(min_length=1, max_length=40)
    object_class: str = Field(default="", max_length=100)
    unit: str = Field(default="", max_length=40)
    aliases: tuple[Text, ...] = ()
    columns: tuple[Text, ...] = ()
    mask: str = "none"
    grade: int = Field(default=1, ge=1, le=4)
    personal: bool = False
    sensitive: bool = False
    rules: tuple[RuleDeclaration, ...] = ()
    code_set: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,62})?$")] = ""
    code_set_by: Literal["code", "title"] = "code"
    source: SourceDeclaration
    valid_from: date | None = None

    @model_validator(mode="after")
    def _known_mask(self) -> ElementDeclaration:
        if self.mask not in MASKS:
            raise Unfit(f"mask 只能是{'、'.join(MASKS)}", f"mask is one of {', '.join(MASKS)}")
        return self

    def as_element(self) -> Element:
        """Return the element, before it has a version."""
        values: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        del values["valid_from"]
        values["source"] = Source(self.source.standard, self.source.clause)
        values["rules"] = tuple(RuleSpec(r.kind, r.dimension, r.severity, r.typed_arguments) for r in self.rules)
        return Element(**values)


class ItemDeclaration(_Strict):
    """One value of a code set."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    title: Text
    title_en: str = Field(default="", max_length=200)
    parent: str = Field(default="", max_length=60)
    alpha: str = Field(default="", max_length=20)
    aliases: tuple[Text, ...] = ()
    maps: dict[Name, str] = {}
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str = Field(default="", max_length=60)


class CodeSetDeclaration(_Strict):
    """A code set as a pack writes it (code_sets/*.yml)."""

    code: Name
    title: Text
    title_en: str = Field(default="", max_length=200)
    standard: Text
    edition: Text
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = Field(default="", max_length=2000)
    items: tuple[ItemDeclaration, ...] = Field(min_length=1, max_length=20_000)

    def as_code_set(self) -> CodeSet:
        """Return the code set, before it has a version."""
        values: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        values["items"] = tuple(CodeItem(**{n: getattr(i, n) for n in type(i).model_fields}) for i in self.items)
        return CodeSet(**values)


def plan_code_sets(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which code sets would be made or changed; refuse values that contradict each other."""
    for item in items:
        _check_values(item)
        draft = _code_set_draft(item)
        yield _planned(CODE_SET_TYPE, "code_set", draft)


def apply_code_sets(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Publish the pack's code sets as entries."""
    _load(context, CODE_SET_TYPE, [_code_set_draft(item) for item in items])


def plan_elements(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which elements would be made or changed; refuse rules that the engine cannot compile."""
    for item in items:
        _check_rules(item)
        yield _planned(ELEMENT_TYPE, "element", _element_draft(item))


def apply_elements(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Publish the pack's elements as entries; each names a code set that is there."""
    for item in items:
        wanted = item.value.code_set
        if wanted and registers.find_entry(type_code=CODE_SET_TYPE, code=wanted) is None:
            raise BadPackItem(item=item, field=f"{item.value.code}.code_set", expected={"zh": "已有的代码集", "en": "a code set that there is"}, found=wanted)
    _load(context, ELEMENT_TYPE, [_element_draft(item) for item in items])


def _load(context: LoadContext, type_code: str, drafts: list[EntryDraft]) -> None:
    registers.load_entries(
        type_code=type_code, owner=SHARED_OWNER, entries=drafts, source=context.manifest.name, actor=context.actor
    )


def _planned(type_code: str, what: str, draft: EntryDraft) -> PlannedChange:
    held = registers.find_entry(type_code=type_code, code=draft.code)
    if held is None:
        return PlannedChange(what, draft.code, "create")
    same = held.title == draft.title and held.body == draft.body and held.state == "published"
    return PlannedChange(what, draft.code, "keep" if same else "update")


def _element_draft(item: PackItem) -> EntryDraft:
    declared: ElementDeclaration = item.value
    element = declared.as_element()
    return EntryDraft(declared.code, declared.title, rules.element_to_body(element), declared.valid_from)


def _code_set_draft(item: PackItem) -> EntryDraft:
    declared: CodeSetDeclaration = item.value
    return EntryDraft(declared.code, declared.title, rules.code_set_to_body(declared.as_code_set()))


def _check_rules(item: PackItem) -> None:
    declared: ElementDeclaration = item.value
    specs = [spec for spec in rules.rules_of(declared.as_element()) if spec.kind != "in_code_set"]
    column = Column(declared.code, declared.type)
    made = [Rule(spec.kind, spec.kind, spec.dimension, spec.severity, (column.name,), spec.arguments) for spec in specs]
    try:
        checks.compile_rules(made, (column,), {})
    except YunheError as error:
        expected, found = {"zh": "可以执行的规则", "en": "rules that can be run"}, error.texts
        raise BadPackItem(item=item, field=f"{declared.code}.rules", expected=expected, found=found) from error


def _check_values(item: PackItem) -> None:
    declared: CodeSetDeclaration = item.value
    known = {one.code for one in declared.items}
    spans: dict[str, list[tuple[date, date]]] = {}
    for one in declared.items:
        start, end = one.valid_from or date.min, one.valid_until or date.max
        if start >= end:
            raise BadPackItem(item=item, field=f"{one.code}.valid_until", expected={"zh": f"晚于 {start}", "en": f"later than {start}"}, found=end)
        if any(start < other_end and other_start < end for other_start, other_end in spans.get(one.code, [])):
            expected = {"zh": "同一时间一个代码只出现一次", "en": "each code once at a time"}
            raise BadPackItem(item=item, field="items", expected=expected, found=one.code)
        spans.setdefault(one.code, []).append((start, end))
        for name in ("parent", "successor"):
            if getattr(one, name) and getattr(one, name) not in known:
                expected = {"zh": "本代码集里的代码", "en": "a code of this set"}
                raise BadPackItem(item=item, field=f"{one.code}.{name}", expected=expected, found=getattr(one, name))
