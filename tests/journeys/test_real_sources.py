"""Real sources through the whole way, held against an independent count (skipped where the data are absent)."""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from tests.journeys import test_spine_in_the_browser as spine_pages
from tests.journeys.browser import open_browser, signed_in
from tests.journeys.made import MadeHomes, bare, city
from tests.journeys.node import Node
from tests.soaking import amount, is_soaking
from yunhe.client import Client
from yunhe.client.errors import CallRefused

pytestmark = [pytest.mark.journey, pytest.mark.soak, pytest.mark.timeout(3600 if is_soaking() else 900)]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ENTERPRISES = DATA / "enterprise" / "jiangsu_enterprise_registration_1978_2019.parquet"
COLUMN = "统一社会信用代码"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CONDITIONAL = ("sharing: unconditional\nsharing_basis: ''", "sharing: conditional\nsharing_basis: 演示")
CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.fixture
def node(homes: MadeHomes) -> Iterator[Node]:
    with homes.node(bare) as made:
        yield made


def reason(code: str) -> str:
    """Judge one code in plain Python, apart from the product (GB 32100-2015)."""
    if len(code) == 15 and all(c in CAPITALS for c in code):
        return "old_form"
    if len(code) != 18:
        return "length"
    if any(c not in ALPHABET for c in code):
        return "alphabet"
    total = sum(ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(code[:17]))
    return "" if ALPHABET[(31 - total % 31) % 31] == code[17] else "check_digit"


def whole_way(node: Node, source: Path, contract: Path, title: str) -> tuple[str, dict[str, object]]:
    node.do("resource", "draft", str(source), "--out", str(contract), "--title", title)
    code = node.do("resource", "register", str(contract), "--publish")["code"]
    loaded = node.do("load", code)
    assert loaded["rows_in"] == loaded["kept"] + loaded["quarantined"] + loaded["rejected"]
    return code, loaded


@pytest.mark.skipif(not ENTERPRISES.exists(), reason="the real enterprises are not on this machine")
def test_148274_enterprises_with_planted_check_digits(node: Node, tmp_path: Path) -> None:
    table = pq.read_table(ENTERPRISES)
    codes = table.column(COLUMN).to_pylist()
    planted = 0
    for place in range(0, len(codes), 1000):
        if reason(codes[place]) == "":
            last = ALPHABET[(ALPHABET.index(codes[place][17]) + 1) % 31]
            codes[place], planted = codes[place][:17] + last, planted + 1
    assert planted > 100
    table = table.set_column(table.column_names.index(COLUMN), COLUMN, [codes])
    source = tmp_path / "enterprises.csv"
    pa_csv.write_csv(table, source)
    code, loaded = whole_way(node, source, tmp_path / "enterprises.yml", "江苏企业登记")
    assert loaded["rows_in"] == 148_274
    repeated = {value for value, count in collections.Counter(codes).items() if count > 1}
    in_quarantine = sum(1 for value in codes if value in repeated)
    assert (loaded["quarantined"], loaded["rejected"]) == (in_quarantine, 0)
    expected = collections.Counter(reason(value) for value in codes if value not in repeated)
    checked = sum(expected.values())
    valid = expected.pop("")
    rules = {r["rule"]: r for r in node.do("quality", "findings", code)["rules"]}
    found = rules["uscc.uscc"]
    assert found["reasons"] == dict(expected)
    assert (found["checked"], found["failed"]) == (checked, checked - valid)
    keys = node.do("quality", "keys", code, "--rule", "uscc.uscc", "--limit", "1")
    assert keys["total"] == found["failed"]
    answer = node.do("query", f'SELECT count(*) AS n, count(DISTINCT uscc) AS d FROM "{code}"')
    assert answer["rows"] == [[checked, checked]]


@pytest.mark.skipif(not ENTERPRISES.exists(), reason="the real enterprises are not on this machine")
def test_the_enterprises_in_the_browser(homes: MadeHomes, tmp_path: Path) -> None:
    """The same enterprises by the pages alone: published, loaded, judged, asked for, granted, called, seen.

    Small counts take the first 30,000 of them; the command line above takes all.
    """
    source = tmp_path / "enterprises.parquet"
    pq.write_table(pq.read_table(ENTERPRISES).slice(0, amount(small=30_000, full=200_000)), source)
    codes = pq.read_table(source, columns=[COLUMN]).column(COLUMN).to_pylist()
    times = collections.Counter(codes)
    once = [code for code in codes if times[code] == 1]
    failing = collections.Counter(why for why in map(reason, once) if why)
    contract = tmp_path / "contract.yml"
    with homes.node(city, YUNHE_SOURCE_ROOTS=f"*={tmp_path}") as node, open_browser() as browser:
        words = ("--provider", "市市场监管局", "--title", spine_pages.TITLE, "--out", str(contract))
        names = [f["name"] for f in node.do("resource", "draft", str(source), *words)["fields"]]
        granted = [name for name in names if name in ("uscc", *names[:2])]
        beyond = next(name for name in names if name not in granted)
        assert len(granted) == 3
        node.start()

        def person(name: str) -> Page:
            return signed_in(browser, node.web, name, node.accounts[name])

        steward, leader, consumer = person("shichang"), person("shichang.lead"), person("renshe")
        code = spine_pages.register(steward, contract.read_text("utf-8").replace(*CONDITIONAL))
        spine_pages.act_on_newest(leader, "审核通过")
        spine_pages.act_on_newest(person("shuju"), "发布")
        spine_pages.load(steward, code, f"{len(codes):,}")
        for count in failing.values():
            expect(steward.locator("main")).to_contain_text(f"{count:,}")
        spine_pages.ask(consumer, code, granted)
        spine_pages.act_on_newest(leader, "同意并授权")
        grant = node.do("grant", "list", *node.as_person("renshe"), "--resource", code)["grants"][0]["grant_id"]
        key, secret = spine_pages.make_system(consumer)
        wanted = next(value for value in once if reason(value) == "")
        with closing(Client(node.gateway, key, secret)) as client:
            assert list(client.query(grant=grant, keys={"uscc": wanted}).row or {}) == granted
            with pytest.raises(CallRefused):
                client.query(grant=grant, keys={"uscc": wanted}, fields=[beyond])
        spine_pages.owner_sees_the_call(leader, grant)


LANDLINE = r"(0\d{2,3}-?)?\d{7,8}(-\d{1,6})?"
TELEPHONES = (LANDLINE, r"1[3-9]\d{9}", r"[48]00-?\d{3}-?\d{4}", r"1\d{2,4}", r"9\d{4}")


def is_telephone(text: str) -> bool:
    """Judge one number apart from the product: landline, mobile, 400 and 800, short numbers."""
    return any(re.fullmatch(form, text, re.ASCII) for form in TELEPHONES)


@pytest.mark.parametrize(
    ("name", "records", "failing"),
    [("hospitals_fever_clinics_2020", 4241, {"phone.pattern": "tel"}), ("universities_moe", 2631, {})],
)
def test_institutions(node: Node, tmp_path: Path, name: str, records: int, failing: dict[str, str]) -> None:
    source = DATA / "institutions" / f"{name}.csv"
    if not source.exists():
        pytest.skip("the real institutions are not on this machine")
    code, loaded = whole_way(node, source, tmp_path / "contract.yml", name)
    assert (loaded["rows_in"], loaded["kept"]) == (records, records)
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == records
    rules = {rule["rule"]: rule for rule in node.do("quality", "findings", code)["rules"]}
    for rule, column in failing.items():
        values = [row[column] for row in rows if row[column].strip()]
        wrong = sum(1 for value in values if not is_telephone(value))
        assert wrong > 100
        assert (rules[rule]["checked"], rules[rule]["failed"]) == (len(values), wrong)
    assert {rule for rule, found in rules.items() if found["failed"]} == set(failing)
