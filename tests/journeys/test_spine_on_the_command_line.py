"""The whole way on the command line: draft, register, load, findings, request, grant, call, revoke."""

from __future__ import annotations

import csv
import os
import pwd
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PROVIDER = "示范市市场监督管理局"


def uscc(number: int) -> str:
    """Make a valid code of an enterprise in a division that does not exist (3299xx)."""
    body = f"{number:08d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    check = (11 - sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11) % 11
    head = "91329900" + body + ("X" if check == 10 else str(check))
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(head))
    return head + ALPHABET[(31 - total % 31) % 31]


def write_source(path: Path, rows: int = 300) -> dict[str, int]:
    """Write a source with planted faults; return how many of each."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["统一社会信用代码", "企业名称", "成立日期", "登记区划", "注册资本"])
        for number in range(rows):
            code = uscc(10_000_000 + number)
            if number % 50 == 7:
                code = code[:-1] + ("0" if code[-1] != "0" else "1")  # wrong check digit
            if number % 100 == 13:
                code = f"3209{number:011d}"  # old registration number, 15 digits
            if number % 100 == 21:
                code = ""  # no key
            date = "2020-02-30" if number % 100 == 33 else f"20{number % 20 + 1:02d}-0{number % 9 + 1}-11"
            writer.writerow([code, f"示范第{number}有限公司", date, "329901" if number % 3 else "329902", "N/A" if number % 10 == 0 else number])
        writer.writerow([uscc(10_000_000), "重复甲", "2001-01-01", "329901", "1"])
    with path.open("ab") as file:
        file.write("91329900,坏".encode() + b"\xff" + "字节,2001-01-01,329901,1\r\n".encode())
        file.write(b"only,three,values\r\n")
    return {"rows": rows + 3, "check_digit": 6, "old_form": 3, "no_key": 3, "duplicate": 2, "cast": 3, "rejected": 2}


@pytest.fixture(params=["embedded", "server"])
def node(request: pytest.FixtureRequest, homes: MadeHomes, tmp_path: Path) -> Iterator[Node]:
    with homes.node(city, request.param, YUNHE_SOURCE_ROOTS=f"*={tmp_path}") as made:
        yield made


def publish(node: Node, code: str) -> None:
    """The department's leader approves, the bureau publishes: two persons besides the author."""
    for who, action in (("shichang.lead", "approve"), ("shuju", "publish")):
        waiting = node.do("case", "inbox", *node.as_person(who))["waiting"]
        numbers = [w["number"] for w in waiting if w["kind"] == "publication"]
        assert len(numbers) == 1, waiting
        node.do("case", "act", numbers[0], action, *node.as_person(who))
    assert node.do("resource", "show", code, *node.as_person("shichang"))["state"] == "published"


def test_a_table_reaches_the_department_that_was_granted_it(node: Node, tmp_path: Path) -> None:
    unproven = node.run("resource", "list", "--as", "shichang", "--json")
    assert unproven.code == (3 if "YUNHE_PROFILE" in node.more else 0), unproven.err
    source, contract = tmp_path / "enterprises.csv", tmp_path / "contract.yml"
    planted = write_source(source)

    draft = node.do("resource", "draft", str(source), "--out", str(contract), "--title", "示范企业", *node.as_person("shichang"))
    elements = {f["column"]: f["element"] for f in draft["fields"]}
    assert elements["统一社会信用代码"] == "uscc"
    assert draft["keys"] == ["uscc"]
    text = contract.read_text("utf-8").replace("sharing: unconditional\nsharing_basis: ''", "sharing: conditional\nsharing_basis: 演示")
    contract.write_text(text, "utf-8")

    registered = node.do("resource", "register", str(contract), *node.as_person("shichang"), "--publish")
    code = registered["code"]
    assert registered["state"] == "in_review"
    refused = node.run("load", code, *node.as_person("shichang"), "--json")
    assert refused.code == 5, refused.err
    publish(node, code)

    loaded = node.do("load", code, *node.as_person("shichang"))
    assert set(loaded) == {"rows_in", "kept", "quarantined", "rejected", "digest", "snapshot", "release"}
    assert loaded["rows_in"] == planted["rows"]
    assert loaded["rejected"] == planted["rejected"]
    assert loaded["quarantined"] == planted["no_key"] + planted["duplicate"] + planted["cast"]
    assert loaded["rows_in"] == loaded["kept"] + loaded["quarantined"] + loaded["rejected"]

    rules = {r["rule"]: r for r in node.do("quality", "findings", code, *node.as_person("shichang"))["rules"]}
    identifier = next(r for name, r in rules.items() if "uscc" in name and r["failed"])
    assert identifier["reasons"] == {"check_digit": planted["check_digit"], "old_form": planted["old_form"]}

    fields = [f["name"] for f in draft["fields"]]
    request = node.do(
        "request", "create", code, *node.as_person("renshe"), "--fields", ",".join(fields[:3]), "--purpose", "核对参保企业", "--basis", "演示"
    )
    own = node.run("request", "grant", request["number"], *node.as_person("renshe"), "--json")
    assert own.code in (3, 4, 5), (own.code, own.err)
    granted = node.do("request", "grant", request["number"], *node.as_person("shichang.lead"))
    assert granted["grant"]

    key_file = tmp_path / "system.key.json"
    node.do("system", "create", "社保经办系统", "市人社局", "--out", str(key_file), *node.as_person("renshe"))
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    node.start()
    wanted = uscc(10_000_001)
    answer = call_once_served(node, granted["grant"], f"{fields[0]}={wanted}", "--key-file", str(key_file))
    assert answer["found"] is True
    assert list(answer["row"]) == fields[:3]
    assert answer["row"][fields[0]] == wanted
    beyond = node.run("call", granted["grant"], f"uscc={wanted}", "--fields", fields[3], "--key-file", str(key_file), "--json")
    assert beyond.code == 3
    assert "field" in beyond.err

    seen = owner_sees(node, code)
    assert {"found", "refused"} <= {record["facts"]["outcome"] for record in seen}, seen
    strangers = node.run("evidence", "find", "--kind", "gateway.query", "--subject", code, *node.as_person("minzheng"), "--json")
    assert strangers.code == 3 or not strangers.json["records"]

    acts = node.do("evidence", "find", "--size", "500", *node.as_person("shichang"))["records"]
    typed = {(record["via"], record["os_user"]) for record in acts if record["actor_kind"] == "user"}
    assert typed == {("cli", pwd.getpwuid(os.getuid()).pw_name)}

    node.do("grant", "revoke", granted["grant"], "--reason", "演示结束", *node.as_person("shichang.lead"))
    gone = node.run("call", granted["grant"], f"uscc={wanted}", "--key-file", str(key_file), "--json")
    assert gone.code == 3, gone.err


def call_once_served(node: Node, *words: str) -> Any:
    """Call until the worker has built the serving file; only "being prepared" (exit 6) may be met until then."""
    deadline = time.monotonic() + 60
    while (answer := node.run("call", *words, "--json")).code == 6 and time.monotonic() < deadline:
        assert "not_yet_served" in answer.err, answer.err
        time.sleep(0.3)
    assert answer.code == 0, (answer.code, answer.err)
    return answer.json


def owner_sees(node: Node, code: str) -> list[dict[str, dict[str, str]]]:
    """Return the gateway's lines as the owner sees them, once the worker has collected both."""
    deadline = time.monotonic() + 20
    while True:
        found = node.do("evidence", "find", "--kind", "gateway.query", "--subject", code, *node.as_person("shichang"))["records"]
        if {"found", "refused"} <= {record["facts"]["outcome"] for record in found} or time.monotonic() > deadline:
            return list(found)
        time.sleep(0.3)
