"""Queries of officials: nothing beside the granted, and evidence of the question and of its answer."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.conftest import Cast
from tests.data import spine
from tests.data.exchange.world import grant
from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.types import EvidenceRecord
from yunhe.crypto import sm3
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange import api
from yunhe.data.exchange.errors import NoDoor, PurposeMissing
from yunhe.data.lake import api as lake
from yunhe.engine.query import QueryFailed
from yunhe.kernel.errors import Missing
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def code(released: str) -> str:
    return released


def _records(kind: str, code: str, cast: Cast) -> list[EvidenceRecord]:
    page = evidence.find(request=PageRequest(filters={"kind": kind, "subject_id": code}), actor=cast.leader.actor)
    return list(page.items)


def test_a_local_name_opens_neither_the_catalogue_nor_the_file(code: str, cast: Cast) -> None:
    grant(code, cast, row_filter="region = 'zzz'")
    assert api.run_query(sql=f'SELECT * FROM "{code}"', purpose="核对", actor=cast.clerk.actor).rows == ()
    (file, *_) = lake.release_files(release=lake.current_release(code=code))
    for name in ("duckdb_views", f'"{file}"'):
        sql = (
            f"SELECT v.* FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) AS t CROSS JOIN {name} AS v"
            f' WHERE (SELECT count(*) FROM "{code}") >= 0'
        )
        with pytest.raises(Missing):
            api.run_query(sql=sql, purpose="核对", actor=cast.clerk.actor)


def test_a_resource_is_proven_wherever_it_is_read(code: str, cast: Cast) -> None:
    grant(code, cast)
    sql = f'SELECT count(*) FROM (WITH "{code}" AS (SELECT 1 AS x) SELECT x FROM "{code}") t, "{code}"'
    assert api.run_query(sql=sql, purpose="核对", actor=cast.clerk.actor).rows == ((20,),)
    assert len(_records("data.queried", code, cast)) == 1


def test_the_text_is_kept_as_a_salted_commitment_only(code: str, cast: Cast) -> None:
    grant(code, cast)
    sql = f"SELECT region FROM \"{code}\" WHERE uscc = '{spine.uscc(10_000_000)}'"
    for _ in range(2):
        api.run_query(sql=sql, purpose="核对", actor=cast.clerk.actor)
    one, two = _records("data.queried", code, cast)
    assert one.facts["purpose"] == "核对"
    assert one.facts["fields"] == ["uscc", "enterprise_name", "region"]
    assert one.facts["sql"]["commitment"] != two.facts["sql"]["commitment"]
    tried = {sm3.hexdigest(sql.encode()), hashlib.sha256(sql.encode()).hexdigest(), sql}
    assert not any(text in str(record.facts) for record in (one, two) for text in tried)


def test_the_answer_is_proven_with_its_size(code: str, cast: Cast, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "QUERY_ROWS": 7}
    grant(code, cast)
    result = api.run_query(sql=f'SELECT uscc AS "私名", region FROM "{code}"', purpose="核对", actor=cast.clerk.actor)
    assert len(result.rows) == 7 and result.truncated
    (question,), (answer,) = (_records(kind, code, cast) for kind in ("data.queried", "data.answered"))
    assert answer.facts == {"resource": code, "question": question.id, "rows": 7, "columns": 2, "truncated": True}
    assert (answer.owner_organization, answer.organization) == (cast.owner.code, cast.other.code)


def test_a_query_that_fails_is_known_without_an_answer(code: str, cast: Cast) -> None:
    grant(code, cast)
    with pytest.raises(QueryFailed):
        api.run_query(
            sql=f'SELECT CAST(enterprise_name AS INTEGER) FROM "{code}"', purpose="核对", actor=cast.clerk.actor
        )
    assert len(_records("data.queried", code, cast)) == 1
    assert _records("data.answered", code, cast) == []


def test_no_row_leaves_if_the_answer_cannot_be_proven(code: str, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    grant(code, cast)
    kept = evidence.append

    def full(**record: Any) -> str:
        if record["kind"] == "data.answered":
            raise OSError(28, "no space left")
        return kept(**record)

    monkeypatch.setattr(evidence, "append", full)
    with pytest.raises(OSError, match="no space"):
        api.run_query(sql=f'SELECT region FROM "{code}"', purpose="核对", actor=cast.clerk.actor)


def test_a_resource_without_a_grant_is_no_table(code: str, cast: Cast) -> None:
    with pytest.raises(NoDoor):
        api.run_query(sql=f'SELECT 1 FROM "{code}"', purpose="核对", actor=cast.clerk.actor)
    assert catalog.get_resource(code=code).code == code
    assert _records("data.queried", code, cast) == []


def test_a_query_without_purpose_is_not_run(code: str, cast: Cast) -> None:
    grant(code, cast)
    with pytest.raises(PurposeMissing):
        api.run_query(sql=f'SELECT count(*) FROM "{code}"', purpose=" ", actor=cast.clerk.actor)
    assert _records("data.queried", code, cast) == []
