"""A load from source to release through the rooms: fates, gate, one at a time, nothing half published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.lake import api as lake
from yunhe.data.lake.errors import LoadUnderWay, NothingReleased, NotPublished
from yunhe.data.quality import api as quality
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import Missing, Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _national(db: None, tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()


def newest(code: str, cast: Cast) -> object:
    return lake.list_loads(request=PageRequest(size=1, filters={"resource": code}), actor=cast.steward.actor).items[0]


def test_every_record_has_one_of_three_fates(cast: Cast, tmp_path: Path) -> None:
    lines = [*spine.rows(20), ["", "无码", "2020-01-01", "329901", 1], [spine.uscc(1), "坏日期", "2020-02-30", "329901", 1]]
    lines += [[spine.uscc(10_000_000), "重复", "2020-01-01", "329901", 1]]
    lines += [[spine.uscc(30_000_000)[:-1], "缺校验码", "2020-01-01", "329901", 1]]
    source = spine.write_csv(tmp_path / "a.csv", lines)
    with source.open("ab") as file:
        file.write(b"short,line\r\n")
        file.write("9132,坏".encode() + b"\xff" + b",2020-01-01,329901,1\r\n")
    code = spine.publish(source, cast.owner.code)
    done = spine.load(code, cast.steward.actor)
    assert done.state == "successful", done.error
    assert done.result is not None
    fates = [done.result[name] for name in ("rows_in", "kept", "quarantined", "rejected")]
    assert fates == [26, 20, 4, 2]
    assert done.result["rows_in"] == sum(fates[1:])
    release = lake.current_release(code=code)
    assert release.rows == done.result["kept"]
    assert catalog.get_resource(code=code).rows == release.rows
    findings = {f.rule: f for f in quality.list_findings(code=code, actor=cast.steward.actor, owner=cast.owner.code)}
    assert (findings["uscc.uscc"].checked, findings["uscc.uscc"].failed) == (20, 1)
    assert findings["uscc.uscc"].reasons == {"length": 1}


def test_serving_follows_the_release(cast: Cast, tmp_path: Path) -> None:
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows()), cast.owner.code)
    spine.load(code, cast.steward.actor)
    jobs.run_pending(limit=20)
    release = lake.current_release(code=code)
    assert release.serving_state == "ready"
    assert Path(release.serving_path).is_file()


def test_a_second_load_makes_the_next_release_and_rollback_returns(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(10))
    code = spine.publish(source, cast.owner.code)
    spine.load(code, cast.steward.actor)
    first = lake.current_release(code=code)
    spine.write_csv(source, spine.rows(12))
    spine.load(code, cast.steward.actor)
    assert lake.current_release(code=code).rows == 12
    lake.roll_back(code=code, release_id=first.release_id, reason="演示", actor=job_actor("tests"))
    again = lake.current_release(code=code)
    assert (again.number, again.rows, again.snapshot_id) == (3, 10, first.snapshot_id)


def test_too_few_rows_release_nothing_and_say_so(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(10))
    code = spine.publish(source, cast.owner.code, minimum=5)
    spine.load(code, cast.steward.actor)
    before = lake.current_release(code=code)
    spine.write_csv(source, spine.rows(3))
    done = spine.load(code, cast.steward.actor)
    assert (done.state, done.error_code) == ("failed", "below_minimum")
    assert lake.current_release(code=code) == before
    failed = newest(code, cast)
    assert failed.state == "failed"  # type: ignore[attr-defined]
    assert failed.kept == 3  # type: ignore[attr-defined]


def test_a_missing_column_is_named(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    code = spine.publish(source, cast.owner.code)
    spine.write_csv(source, [r[:4] for r in spine.rows(3)], spine.COLUMNS[:4])
    done = spine.load(code, cast.steward.actor)
    assert done.error_code == "contract_columns_missing"
    assert "注册资本" in done.error["zh"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_source"),
        ("统一社会信用代码,企业名称,企业名称\na,b,c\n".encode(), "duplicate_headers"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "too_many_columns"),
    ],
)
def test_a_broken_file_is_told_and_nothing_is_released(cast: Cast, tmp_path: Path, content: bytes, code: str) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    resource = spine.publish(source, cast.owner.code)
    source.write_bytes(content)
    done = spine.load(resource, cast.steward.actor)
    assert (done.state, done.error_code) == ("failed", code)
    with pytest.raises(NothingReleased):
        lake.current_release(code=resource)


def test_two_loads_at_once_are_refused_by_name(cast: Cast, tmp_path: Path) -> None:
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(3)), cast.owner.code)
    job_id = lake.start_load(code=code, actor=cast.steward.actor)
    with pytest.raises(LoadUnderWay, match=job_id):
        lake.start_load(code=code, actor=cast.steward.actor)


def test_a_draft_cannot_be_loaded(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    text = spine.CONTRACT.format(
        title="草稿", provider=cast.owner.code, sharing="unconditional", basis='""', location=source, minimum=1
    )
    contract = catalog.parse_contract(text=text, file="a.yml")
    code = catalog.register_resource(contract=contract, actor=cast.steward.actor).code
    with pytest.raises(NotPublished):
        lake.start_load(code=code, actor=cast.steward.actor)


def test_another_departments_clerk_cannot_load_or_see_loads(cast: Cast, tmp_path: Path) -> None:
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(3)), cast.owner.code)
    spine.load(code, cast.steward.actor)
    with pytest.raises(Refused):
        lake.start_load(code=code, actor=cast.clerk.actor)
    load_id = newest(code, cast).load_id  # type: ignore[attr-defined]
    with pytest.raises(Missing):
        lake.get_load(load_id=load_id, actor=cast.clerk.actor)
    assert lake.list_loads(request=PageRequest(), actor=cast.clerk.actor).total == 0


def test_the_sweep_keeps_what_releases_name(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    code = spine.publish(source, cast.owner.code)
    for count in (3, 4, 5, 6, 7, 8, 9):
        spine.write_csv(source, spine.rows(count))
        spine.load(code, cast.steward.actor)
    assert lake.sweep_resource(code=code) > 0
    page = lake.list_releases(code=code, actor=cast.steward.actor, request=PageRequest(size=50))
    assert page.total == 7
    assert len(lake.release_files(release=lake.current_release(code=code))) >= 1
    assert lake.sweep_resource(code=code) == 0


def test_a_source_outside_the_allowed_folders_is_refused(cast: Cast, tmp_path: Path, settings: Any) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    code = spine.publish(source, cast.owner.code)
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path / 'elsewhere'}"}
    done = spine.load(code, cast.steward.actor)
    assert done.error_code == "source_not_allowed"


def test_a_draft_contract_says_why(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(50))
    drafted = lake.draft_contract(source=str(source), actor=cast.steward.actor)
    by_column = {f.column: f for f in drafted.fields}
    assert by_column["统一社会信用代码"].element == "uscc"
    assert by_column["统一社会信用代码"].reasons
    assert by_column["注册资本"].null_marks == ("N/A",)
    assert drafted.keys == ("uscc",)
    contract = catalog.parse_contract(text=drafted.text, file="a.yml")
    assert contract.provider in (cast.owner.code, cast.owner.name)
    assert organizations.get_organization(code=contract.provider).code == cast.owner.code


def test_a_column_without_a_name_is_not_drafted_so_that_the_draft_loads(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", [["甲", "", "1"], ["乙", "", "2"]], ["名称", "", "数量"])
    drafted = lake.draft_contract(source=str(source), actor=cast.steward.actor)
    assert [field.column for field in drafted.fields] == ["名称", "数量"]
    operator = organizations.operator_actor()
    code = catalog.register_resource(contract=catalog.parse_contract(text=drafted.text, file="a.yml"), actor=operator).code
    catalog.publish_resource(code=code, actor=operator, waiver="测试")
    assert spine.load(code, cast.steward.actor).state == "successful"
