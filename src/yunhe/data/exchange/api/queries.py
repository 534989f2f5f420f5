"""Queries of officials: a SELECT over what one may see, in a child process, proven like any look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.types import Personal
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange.api.policies import decide, held_columns
from yunhe.data.exchange.errors import PurposeMissing
from yunhe.data.lake import api as lake
from yunhe.engine import query
from yunhe.engine.expressions import parse_expression
from yunhe.engine.masks import mask_sql
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Limits
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now


def run_query(*, sql: str, purpose: str, actor: Actor) -> query.QueryResult:
    """Run one SELECT over resources named by their code in double quotes (`"3070/0001"`).

    Each resource appears with just the fields, masks and rows of the actor's right to it. The question is proven
    before it runs, so that a failed one is known too; how much it gave before the rows are handed over.
    Raises: QueryRefused, QueryFailed, NoDoor, PurposeMissing, Refused.
    """
    actor.require("query.run")
    if not purpose.strip():
        raise PurposeMissing
    codes = query.tables_of(sql)
    views = {code: _view(code, actor) for code in codes}
    asked = _prove_question(sql, views, purpose, actor)
    result = query.run_query(sql=sql, views=views, limits=query_limits())
    _prove_answer(result, asked, actor)
    return result


def query_limits() -> Limits:
    """Return the limits of one query from the settings."""
    values = settings.YUNHE
    return Limits(
        memory_mb=values["ENGINE_MEMORY_MB"],
        threads=values["ENGINE_THREADS"],
        seconds=values["QUERY_SECONDS"],
        rows=values["QUERY_ROWS"],
    )


def _view(code: str, actor: Actor) -> query.View:
    resource = catalog.access_resource(code=code, actor=actor)
    policy = decide(actor=actor, resource=resource, fields=(), source="current")
    release = lake.current_release(code=code)
    held = held_columns(release, policy)
    types = {column.name: column.type for column in release.columns}
    columns = tuple((name, mask_sql(policy.masks[name], quote_identifier(name))) for name in held)
    where = parse_expression(policy.row_filter, types).to_sql() if policy.row_filter else ""
    return query.View(files=lake.release_files(release=release), columns=columns, where_sql=where)


def _prove_question(sql: str, views: Mapping[str, query.View], purpose: str, actor: Actor) -> dict[str, str]:
    """Write one record per resource and return their ids by code.

    The text may name persons, so only a salted commitment to it is kept.
    """
    asked: dict[str, str] = {}
    with transaction.atomic():
        for code, view in views.items():
            if actor.organization != catalog.get_resource(code=code).owner:
                catalog.record_use(code=code, consumer=actor.organization, channel="query", at=now())
            fields = [name for name, _ in view.columns]
            facts = {"resource": code, "purpose": purpose, "fields": fields, "sql": Personal(sql)}
            asked[code] = _append(kind="data.queried", code=code, facts=facts, actor=actor)
    return asked


def _prove_answer(result: query.QueryResult, asked: Mapping[str, str], actor: Actor) -> None:
    """Write how many rows came of it; not the names of its columns, which the text chose."""
    size = {"rows": len(result.rows), "columns": len(result.columns), "truncated": result.truncated}
    with transaction.atomic():
        for code, question in asked.items():
            _append(
                kind="data.answered", code=code, facts={"resource": code, "question": question, **size}, actor=actor
            )


def _append(*, kind: str, code: str, facts: Mapping[str, Any], actor: Actor) -> str:
    return evidence.append(
        kind=kind,
        actor=actor,
        subject_type="data_resource",
        subject_id=code,
        facts=facts,
        organization=catalog.get_resource(code=code).owner,
    )
