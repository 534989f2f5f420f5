"""Drafting a contract: profile the source, propose names, types, elements, keys, with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.lake.api import places
from yunhe.data.lake.types import DraftedField, SourceDraft
from yunhe.data.standards import api as standards
from yunhe.engine.types import ColumnProfile, ColumnType, Shape, SourceSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Terminal
from yunhe.kernel.pages import PageRequest

ENDINGS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}
TYPE_ORDER: tuple[ColumnType, ...] = ("boolean", "integer", "decimal", "date", "timestamp")
LEAST_CONFIDENCE, SURE = 0.5, 0.8
LONGEST_KEY, NEARLY_ALL = 40, 0.9


class UnknownSourceKind(Terminal):
    code = "unknown_source_kind"
    kind = "invalid"
    sentences = {
        "zh": "看不出 {source} 是哪种数据源。请用 --connector 写明 csv 或 parquet。",
        "en": "Cannot tell what kind of source {source} is. Say so with --connector csv or parquet.",
    }


def draft_contract(
    *,
    source: str,
    actor: Actor,
    connector: str = "",
    provider: str = "",
    title: str = "",
) -> SourceDraft:
    """Profile a file and propose a contract for a person to correct; writes nothing.

    Raises: Refused without ledger.edit; what the source itself is wrong with.
    """
    actor.require("ledger.edit")
    path = Path(source).resolve()
    kind = connector or ENDINGS.get(path.suffix.lower(), "")
    if not kind:
        raise UnknownSourceKind(source=source)
    path = places.allowed_file(path, owner=actor.organization, actor=actor)
    from yunhe.engine.connectors import find_connector  # heavy (pyarrow, duckdb)

    spec = SourceSpec(connector=kind, location=str(path))
    shape = find_connector(kind).probe(spec, limits=places.limits())
    profiles = {profile.name: profile for profile in shape.profiles}
    columns = [column for column in shape.columns if column]  # one without a name cannot be bound
    names = _field_names(columns)
    fields = tuple(_propose(column, name, profiles.get(column)) for column, name in zip(columns, names, strict=True))
    keys = _keys(fields, profiles)
    body = _contract(path, kind, shape, fields, keys, title=title, provider=_provider(provider, actor))
    sampled = max((profile.sampled for profile in shape.profiles), default=0)
    return SourceDraft(text=_yaml(body, fields), fields=fields, keys=keys, rows_sampled=sampled)


def _provider(provider: str, actor: Actor) -> str:
    """Return who is said to own the source: as asked, the actor's own, or the node's only organisation."""
    if provider or actor.organization:
        return provider or actor.organization
    page = organizations.list_organizations(request=PageRequest(size=2), actor=actor)
    return page.items[0].code if page.total == 1 else ""


def _propose(column: str, name: str, profile: ColumnProfile | None) -> DraftedField:
    proposals = standards.find_element_for(name=column, title=column)
    best = proposals[0] if proposals and proposals[0].confidence >= LEAST_CONFIDENCE else None
    kind, why = _type(profile, best.element.type if best else None)
    reasons = [reason.zh for reason in best.reasons] if best else []
    return DraftedField(
        name=name,
        column=column,
        title=column,
        type=kind,
        element=best.element.code if best else "",
        reasons=(*reasons, *why),
        confidence=best.confidence if best else 0.0,
        nulls=profile.sampled - profile.filled if profile else 0,
        distinct=profile.distinct if profile else 0,
        null_marks=_null_marks(profile),
        mask=best.element.mask if best else "none",
        grade=best.element.grade if best else 1,
        personal=best.element.personal if best else False,
    )


def _type(profile: ColumnProfile | None, wanted: ColumnType | None) -> tuple[ColumnType, list[str]]:
    """Return the type that every sampled value fits; digits that may be a code stay text."""
    if profile is None or not profile.filled:
        return wanted or "string", []
    fits = {kind for kind in TYPE_ORDER if profile.fits.get(kind, 0) == profile.filled}
    if wanted and (wanted == "string" or wanted in fits):
        return wanted, []
    if profile.forms.get("leading_zero") or profile.forms.get("id18") or profile.forms.get("uscc18"):
        return "string", ["号码类，按文本保存"]
    if wanted:
        share = profile.fits.get(wanted, 0) / profile.filled
        if share >= NEARLY_ALL:
            return wanted, [f"{share:.1%} 样值符合 {wanted}，其余装载时隔离"]
        return "string", [f"仅 {share:.0%} 样值符合 {wanted}，先按文本保存"]
    for kind in TYPE_ORDER:
        if kind in fits and not (kind == "boolean" and profile.distinct < 2):
            return kind, [f"样值全部符合 {kind}"]
    return "string", []


def _null_marks(profile: ColumnProfile | None) -> tuple[str, ...]:
    return tuple(sorted(profile.marks)) if profile else ()


def _field_names(columns: Sequence[str]) -> tuple[str, ...]:
    proposals = [standards.find_element_for(name=column, title=column, limit=1) for column in columns]
    sure = [one[0].element.code if one and one[0].confidence >= SURE else "" for one in proposals]
    return catalog.name_fields(columns=columns, elements=sure)


def _keys(fields: Sequence[DraftedField], profiles: Mapping[str, ColumnProfile]) -> tuple[str, ...]:
    """Propose the first identifier that is nearly always there and distinct, else the first short unique column."""

    def fits(field: DraftedField) -> bool:
        profile = profiles.get(field.column)
        if profile is None or not profile.filled:
            return False
        filled, distinct = profile.filled / profile.sampled, profile.distinct / profile.filled
        if field.element in IDENTIFIERS:
            return filled > 0.9 and distinct > 0.9
        return filled == 1.0 and distinct == 1.0 and profile.longest <= LONGEST_KEY

    identifiers = [f.name for f in fields if f.element in IDENTIFIERS and fits(f)]
    others = [f.name for f in fields if f.type in ("string", "integer") and fits(f)]
    return tuple((identifiers or others)[:1])


IDENTIFIERS = frozenset({"citizen_id", "uscc", "organization_code", "licence_id", "record_id"})


def _contract(
    path: Path,
    kind: str,
    shape: Shape,
    fields: Sequence[DraftedField],
    keys: tuple[str, ...],
    *,
    title: str,
    provider: str,
) -> dict[str, Any]:
    personal = any(field.personal for field in fields)
    source: dict[str, Any] = {"connector": kind, "location": str(path)}
    if kind == "csv":
        source |= {"encoding": shape.encoding or "auto", "delimiter": shape.delimiter or "auto"}
    return {
        "yunhe": "resource/1",
        "code": "",
        "title": title or path.stem,
        "provider": provider or "",
        "summary": title or path.stem,
        "legal_basis": "",
        "sharing": "conditional" if personal else "unconditional",
        "sharing_basis": "含个人信息，须经提供部门同意" if personal else "",
        "opening": "closed",
        "update_cycle": "irregular",
        "grade": max((field.grade for field in fields), default=1),
        "personal": personal,
        "source": source,
        "keys": list(keys),
        "fields": [_field(field, keys) for field in fields],
        "minima": {"rows": 1},
    }


def _field(field: DraftedField, keys: tuple[str, ...]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": field.name, "title": field.title, "column": field.column, "type": field.type}
    if field.element:
        row["element"] = field.element
    if field.null_marks:
        row["null_marks"] = list(field.null_marks)
    if field.name in keys:
        row["required"] = True
    row |= {"grade": field.grade, "mask": field.mask}
    if field.personal:
        row["personal"] = True
    return row


def _yaml(body: dict[str, Any], fields: Sequence[DraftedField]) -> str:
    head = {key: value for key, value in body.items() if key not in ("fields", "minima")}
    lines = [
        "# 约定草稿：请逐项核对后登记（yunhe resource register FILE）。",
        "# Draft contract: check each part, then register it.",
        yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=1000).rstrip(),
        "fields:",
    ]
    for row, field in zip(body["fields"], fields, strict=True):
        if field.reasons:
            lines.append(f"  # {field.name}: {'；'.join(field.reasons)}（{field.confidence:.0%}）".replace("\n", " "))
        flow = yaml.safe_dump(row, allow_unicode=True, sort_keys=False, default_flow_style=True, width=100000)
        lines.append(f"  - {flow.strip()}")
    lines.append(yaml.safe_dump({"minima": body["minima"]}, default_flow_style=False).rstrip())
    return "\n".join(lines) + "\n"
