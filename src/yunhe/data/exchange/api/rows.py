"""The one door for rows: decide, mask, limit, write the evidence line, then hand over (architecture 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from yunhe.core.evidence import api as evidence
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.exchange.api.policies import Policy, decide, held_columns
from yunhe.data.exchange.api.systems import gateway_secret
from yunhe.data.exchange.errors import NotTheKeys, PurposeMissing
from yunhe.data.exchange.types import RowPage, RowSource
from yunhe.data.lake import api as lake
from yunhe.data.lake.types import Release
from yunhe.data.quality import api as quality
from yunhe.engine.expressions import parse_expression
from yunhe.engine.masks import mask_value
from yunhe.engine.types import Limits
from yunhe.gateway.audit import subject_token
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

MOST_ROWS = 500
ASIDE_TITLES = {
    "record": "记录号",
    "offset": "字节位置",
    "reason": "原因",
    "reasons": "原因",
    "raw": "原文",
    "rule": "规则",
}


@dataclass(frozen=True, slots=True)
class _Read:
    """A page as it may be seen, and the tokens of whom it is about (from the keys before masking)."""

    page: RowPage
    subjects: list[str]


def read_rows(
    *,
    actor: Actor,
    resource_code: str,
    purpose: str,
    fields: tuple[str, ...] = (),
    case: str = "",
    source: RowSource = "current",
    rule: str = "",
    grant_id: str = "",
    load_id: str = "",
    offset: int = 0,
    limit: int = 50,
    keys: Mapping[str, str] | None = None,
) -> RowPage:
    """Return one page of rows that the actor may see, with the evidence of the look.

    `keys` picks the released rows of one key; they must be all key columns of the resource, and may not be others:
    whoever does not see a column must not find out by asking.
    Rights: the owner department sees its own rows; who mends them (quality.keys) what was set aside
    and failing keys; anyone else needs a grant in force. Raises: NoDoor, GrantNotInForce,
    FieldNotGranted, UnknownFields, PurposeMissing, NothingReleased, NotTheKeys.
    """
    if not purpose.strip():
        raise PurposeMissing
    resource = catalog.access_resource(code=resource_code, actor=actor)
    policy = decide(actor=actor, resource=resource, fields=fields, source=source, grant_id=grant_id)
    limit = max(1, min(limit, MOST_ROWS))
    if source == "current":
        read = _current(resource, policy, offset, limit, keys or {})
    elif source == "failing_keys":
        read = _failing_keys(resource, rule, offset, limit)
    else:
        read = _set_aside(resource, source, load_id, offset, limit)
    page = read.page
    evidence_id = _prove(actor, resource, policy, read, purpose, case or policy.case, source, rule)
    return RowPage(
        columns=page.columns,
        titles=page.titles,
        rows=page.rows,
        total=page.total,
        offset=offset,
        limit=limit,
        evidence_id=evidence_id,
        release_id=page.release_id,
        masked=page.masked,
    )


def _current(resource: Resource, policy: Policy, offset: int, limit: int, wanted: Mapping[str, str]) -> _Read:
    from yunhe.engine import rows as engine_rows  # heavy (duckdb)

    release = lake.current_release(code=resource.code)
    columns = held_columns(release, policy)
    keys = [column for column in release.columns if column.name in release.keys]
    extra = [column for column in keys if column.name not in columns]
    where = _where(resource, release, policy.row_filter, wanted)
    found = engine_rows.read_snapshot(
        lake.release_files(release=release),
        [*columns.values(), *extra],
        where_sql=where,
        offset=offset,
        limit=limit,
        limits=_limits(),
    )
    raw = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    rows = tuple({name: mask_value(policy.masks[name], row[name]) for name in columns} for row in raw)
    page = _page(resource, tuple(columns), rows, found.total, release, policy.masks)
    return _Read(page, _tokens(release.keys, raw))


def _where(resource: Resource, release: Release, row_filter: str, wanted: Mapping[str, str]) -> str:
    """Return the condition of a read, as the engine writes it from checked trees; a key's value only ever is a literal."""
    if wanted and set(wanted) != set(release.keys):
        raise NotTheKeys(resource=resource.code, expected=", ".join(release.keys), found=", ".join(sorted(wanted)))
    types = {column.name: column.type for column in release.columns}
    texts = [row_filter] if row_filter else []
    texts += [f"{name} = {_literal(str(value), types[name])}" for name, value in wanted.items()]
    return " AND ".join(f"({parse_expression(text, types).to_sql()})" for text in texts)


def _literal(value: str, type_: str) -> str:
    quoted = "'" + value.replace("'", "''") + "'"
    if type_ == "integer":
        return value if re.fullmatch(r"-?[0-9]{1,18}", value) else "NULL"
    return f"DATE {quoted}" if type_ == "date" else quoted


def _failing_keys(resource: Resource, rule: str, offset: int, limit: int) -> _Read:
    from yunhe.engine import rows as engine_rows  # heavy (duckdb)

    release = lake.current_release(code=resource.code)
    file = quality.failing_keys_file(code=resource.code, snapshot_id=release.snapshot_id)
    found = (
        engine_rows.read_failing_keys(Path(file), rule, offset=offset, limit=limit, limits=_limits()) if file else ()
    )
    rows = tuple({"rule": f.rule, "reason": f.reason, "record": f.record, **f.keys} for f in found)
    total = quality.count_failing(code=resource.code, snapshot_id=release.snapshot_id, rule=rule)
    page = _page(resource, ("rule", "reason", "record", *release.keys), rows, total, release, {})
    return _Read(page, _tokens(release.keys, rows))


def _set_aside(resource: Resource, source: RowSource, load_id: str, offset: int, limit: int) -> _Read:
    from yunhe.engine import rows as engine_rows  # heavy (duckdb)

    aside = lake.set_aside(code=resource.code, source=source, load_id=load_id)
    if not aside.file:
        return _Read(_page(resource, (), (), 0, None, {}), [])
    if source == "rejected":
        raw = engine_rows.read_rejected(Path(aside.file), offset=offset, limit=limit, limits=_limits())
        rows = tuple(
            {"record": r.record, "offset": r.offset, "reason": r.reason, "raw": r.raw.decode("utf-8", "backslashreplace")}
            for r in raw
        )
        return _Read(_page(resource, ("record", "offset", "reason", "raw"), rows, aside.records, None, {}), [])
    held = engine_rows.read_quarantine(Path(aside.file), offset=offset, limit=limit, limits=_limits())
    rows = tuple({"record": q.record, "reasons": ", ".join(q.reasons), **q.values} for q in held)
    names = tuple(held[0].values) if held else resource.contract.field_names
    page = _page(resource, ("record", "reasons", *names), rows, aside.records, None, {})
    return _Read(page, _tokens(tuple(resource.contract.keys), rows))


def _page(
    resource: Resource,
    columns: tuple[str, ...],
    rows: tuple[Mapping[str, Any], ...],
    total: int,
    release: Release | None,
    masks: Mapping[str, str],
) -> RowPage:
    titles = {**ASIDE_TITLES, **{f.name: f.title for f in resource.contract.fields}}
    return RowPage(
        columns=columns,
        titles=tuple(titles.get(name, name) for name in columns),
        rows=rows,
        total=total,
        offset=0,
        limit=0,
        evidence_id="",
        release_id=release.release_id if release else "",
        masked=frozenset(name for name, mask in masks.items() if mask != "none"),
    )


def _prove(
    actor: Actor,
    resource: Resource,
    policy: Policy,
    read: _Read,
    purpose: str,
    case: str,
    source: RowSource,
    rule: str,
) -> str:
    page = read.page
    facts = {
        "resource": resource.code,
        "release": page.release_id,
        "source": source,
        "rule": rule,
        "fields": list(page.columns),
        "purpose": purpose,
        "case": case,
        "ground": policy.ground,
        "rows": len(page.rows),
        "subjects": read.subjects,
    }
    with transaction.atomic():
        if actor.organization != resource.owner:
            catalog.record_use(code=resource.code, consumer=actor.organization, channel="console", at=now())
        return evidence.append(
            kind="data.read",
            actor=actor,
            subject_type="data_resource",
            subject_id=resource.code,
            facts=facts,
            organization=resource.owner,
        )


def _tokens(keys: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one keyed token per row whose keys are there, the same that the gateway writes."""
    secret = gateway_secret()
    found = []
    for row in rows:
        values = [row.get(name) for name in keys]
        if keys and all(value not in (None, "") for value in values):
            found.append(subject_token(node_secret=secret, values=[str(value) for value in values]))
    return found


def _limits() -> Limits:
    values = settings.YUNHE
    return Limits(
        memory_mb=values["ENGINE_MEMORY_MB"],
        threads=values["ENGINE_THREADS"],
        seconds=values["QUERY_SECONDS"],
        rows=MOST_ROWS,
    )
