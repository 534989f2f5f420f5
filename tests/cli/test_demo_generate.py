"""The generated city: same seed, same bytes; ids valid; the planted truth is what lies in the files."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.cli.demo.generate import (
    BadCitySize,
    CityTruth,
    generate_city,
    planted_records,
    read_truth,
    sources_folder,
)
from yunhe.cli.demo.people import MOST_PEOPLE, person_at
from yunhe.cli.demo.planted import BY_SOURCE
from yunhe.kernel.check_digits import check_citizen_id, check_organization_code, check_uscc

DAY = date(2024, 7, 1)
PEOPLE = amount(small=3000, full=200_000)
PACK = Path(__file__).resolve().parents[2] / "src" / "yunhe_packs" / "demo"
FILES = ("population.csv", "enterprises.csv", "marriages.parquet", "truth.json", "truth.csv")
City = tuple[Path, CityTruth]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder = tmp_path_factory.mktemp("city")
    return folder, generate_city(folder=folder, people=PEOPLE, seed=7)


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}


def raw_lines(folder: Path, name: str) -> list[bytes]:
    return (folder / name).read_bytes().splitlines()[1:]


def readable_rows(folder: Path, name: str, encoding: str) -> list[dict[str, str]]:
    """Rows that decode and have the header's width: read without the generator's own code."""
    lines = (folder / name).read_bytes().splitlines()
    header = next(csv.reader([lines[0].decode(encoding)]))
    rows = []
    for line in lines[1:]:
        try:
            values = next(csv.reader(io.StringIO(line.decode(encoding))))
        except UnicodeDecodeError:
            continue
        if len(values) == len(header):
            rows.append(dict(zip(header, values, strict=True)))
    return rows


def test_same_seed_same_bytes(city: City, tmp_path: Path) -> None:
    generate_city(folder=tmp_path, people=PEOPLE, seed=7)
    assert digests(tmp_path) == digests(city[0])


def test_another_seed_gives_another_city(city: City, tmp_path: Path) -> None:
    generate_city(folder=tmp_path, people=PEOPLE, seed=8)
    theirs, ours = digests(tmp_path), digests(city[0])
    assert all(theirs[name] != ours[name] for name in FILES)


def test_every_record_has_one_fate(city: City) -> None:
    folder, truth = city
    for source in truth.sources.values():
        assert source.rows == source.kept + source.quarantined + source.rejected
    assert len(raw_lines(folder, "population.csv")) == truth.sources["population"].rows
    assert len(raw_lines(folder, "enterprises.csv")) == truth.sources["enterprises"].rows
    assert pq.read_metadata(folder / "marriages.parquet").num_rows == truth.sources["marriages"].rows
    assert read_truth(folder) == truth


def test_about_one_in_a_hundred_is_planted_and_every_kind_at_least_once(city: City) -> None:
    for name, source in city[1].sources.items():
        assert set(source.planted) == {error.kind for error in BY_SOURCE[name]}
        rows = source.rows
        assert sum(source.planted.values()) <= max(len(BY_SOURCE[name]), rows * 0.0101)


def test_the_list_of_planted_records_agrees_with_the_counts(city: City) -> None:
    folder, truth = city
    listed = Counter((source, kind) for source, _, kind, _ in planted_records(folder))
    copies = {(name, error.kind): error.copies for name, errors in BY_SOURCE.items() for error in errors}
    for name, source in truth.sources.items():
        for kind, count in source.planted.items():
            assert listed[(name, kind)] == count * copies[(name, kind)]


def test_rejected_records_are_exactly_the_unreadable_ones(city: City) -> None:
    folder, truth = city
    for name in ("population", "enterprises"):
        source = truth.sources[name]
        assert len(readable_rows(folder, source.file, source.encoding)) == source.rows - source.rejected


def test_citizen_ids_fail_exactly_where_planted(city: City) -> None:
    folder, truth = city
    rows = readable_rows(folder, "population.csv", "gb18030")
    reasons = Counter(check_citizen_id(row["公民身份号码"], on=DAY).reason for row in rows if row["公民身份号码"])
    planted = truth.sources["population"].planted
    assert reasons["check_digit"] == planted["citizen_id_check_digit"]
    assert reasons["old_form"] == planted["citizen_id_old_form"]
    assert set(reasons) == {"", "check_digit", "old_form"}
    assert sum(row["公民身份号码"] == "" for row in rows) == planted["citizen_id_missing"]


def test_keys_are_shared_exactly_where_planted(city: City) -> None:
    folder, truth = city
    for name, column in (("population", "公民身份号码"), ("enterprises", "统一社会信用代码")):
        source = truth.sources[name]
        keys = Counter(row[column] for row in readable_rows(folder, source.file, source.encoding) if row[column])
        twice = {key: count for key, count in keys.items() if count > 1}
        assert set(twice.values()) == {2}
        assert len(twice) == source.planted["citizen_id_twice" if name == "population" else "uscc_twice"]


def test_birth_date_and_gender_contradict_the_id_exactly_where_planted(city: City) -> None:
    folder, truth = city
    births = genders = 0
    for row in readable_rows(folder, "population.csv", "gb18030"):
        code = row["公民身份号码"]
        if len(code) != 18:
            continue
        births += row["出生日期"].replace("-", "") != code[6:14]
        genders += row["性别代码"] != ("1" if int(code[16]) % 2 else "2")
    planted = truth.sources["population"].planted
    assert births == planted["birth_date_mismatch"] + planted["birth_date_impossible"]
    assert genders == planted["gender_mismatch"] + planted["gender_unknown_code"]


def test_credit_codes_fail_exactly_where_planted(city: City) -> None:
    folder, truth = city
    rows = readable_rows(folder, "enterprises.csv", "utf-8")
    codes = [row["统一社会信用代码"] for row in rows if row["统一社会信用代码"]]
    reasons = Counter(check_uscc(code).reason for code in codes)
    planted = truth.sources["enterprises"].planted
    assert reasons["check_digit"] == planted["uscc_check_digit"]
    assert reasons["old_form"] == planted["uscc_old_form"]
    assert set(reasons) == {"", "check_digit", "old_form"}
    assert all(check_organization_code(code[8:17]).ok for code in codes if check_uscc(code).ok)


def test_spouses_differ_and_are_of_age_except_where_planted(city: City) -> None:
    folder, truth = city
    rows = pq.read_table(folder / "marriages.parquet").to_pylist()
    planted = truth.sources["marriages"].planted
    assert sum(row["男方身份号码"] == row["女方身份号码"] for row in rows) == planted["same_person"]
    assert sum(row["女方身份号码"] is None for row in rows) == planted["wife_id_missing"]
    assert sum(row["登记日期"] > "2024-06-30" for row in rows) == planted["registered_on_future"]
    assert min(int(row["登记日期"][:4]) - int(row["男方身份号码"][6:10]) for row in rows) >= 22


@given(seed=st.integers(0, 2**31), index=st.integers(0, MOST_PEOPLE - 1))
def test_every_person_has_a_valid_id_that_agrees_with_him(seed: int, index: int) -> None:
    person = person_at(seed=seed, index=index)
    assert check_citizen_id(person.citizen_id, on=DAY).ok
    assert person.citizen_id[6:14] == f"{person.birth_date:%Y%m%d}"
    assert person.citizen_id[:6] == person.region
    assert (int(person.citizen_id[16]) % 2 == 1) == (person.gender == "1")


@given(seed=st.integers(0, 2**31), pair=st.lists(st.integers(0, MOST_PEOPLE - 1), min_size=2, max_size=2, unique=True))
def test_two_persons_never_share_an_id(seed: int, pair: list[int]) -> None:
    first, second = (person_at(seed=seed, index=index).citizen_id for index in pair)
    assert first != second


@pytest.mark.parametrize("people", [0, 99, MOST_PEOPLE + 1])
def test_an_impossible_city_is_refused(tmp_path: Path, people: int) -> None:
    with pytest.raises(BadCitySize) as caught:
        generate_city(folder=tmp_path / "x", people=people, seed=1)
    assert str(people) in caught.value.say("zh")
    assert not (tmp_path / "x").exists()


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    generate_city(folder=tmp_path, people=200, seed=1, progress=lambda *step: heard.append(step))
    assert heard[-1][0] == heard[-1][1] == 200 + 50 + 50


def test_the_demo_departments_have_valid_codes_of_no_real_place() -> None:
    departments = [row for path in (PACK / "organizations").glob("*.yml") for row in yaml.safe_load(path.read_text("utf-8"))]
    assert len(departments) >= 8
    for department in departments:
        code = department["code"]
        assert check_uscc(code).ok and check_organization_code(code[8:17]).ok and code[2:6] == "3299", code


def test_the_demo_contracts_name_the_generated_columns(city: City) -> None:
    names = {department["name"] for department in yaml.safe_load((PACK / "organizations/departments.yml").read_text("utf-8"))}
    for path in (PACK / "resources").glob("*.yml"):
        contract = yaml.safe_load(path.read_text("utf-8"))
        source = city[1].sources[path.stem]
        assert contract["source"]["location"] == "{demo}/" + source.file
        assert contract["source"].get("encoding", "") == source.encoding
        assert contract["provider"] in names
        if source.encoding:
            header = next(csv.reader([(city[0] / source.file).read_bytes().splitlines()[0].decode(source.encoding)]))
        else:
            header = pq.read_schema(city[0] / source.file).names
        assert [field["column"] for field in contract["fields"]] == header


def test_sources_lie_under_the_home() -> None:
    assert sources_folder(Path("/srv/yunhe")) == Path("/srv/yunhe/demo/sources")
