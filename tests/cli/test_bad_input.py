"""What a person may get wrong on the command line: a sentence with the next step and the exit code of its kind."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.cli.main import main
from yunhe.core.organizations import api as organizations
from yunhe.data.exchange import api as exchange
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _started(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)  # it is set up already
    monkeypatch.setattr(logging, "raiseExceptions", False)  # a log set up by an earlier test writes to its closed stream


@pytest.fixture
def national(tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command that is wrong; return its exit code and what it says."""
    code = main([*words, "--json"])
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return code, said.err


BROKEN = {
    "empty_source": b"",
    "duplicate_headers": "统一社会信用代码,统一社会信用代码\n".encode(),
    "contract_columns_missing": "统一社会信用代码,企业名称\n".encode(),
    "below_minimum": (",".join(spine.COLUMNS) + "\n").encode(),
}


@pytest.mark.django_db(transaction=True)
def test_a_load_that_fails_ends_with_the_code_of_its_reason(
    national: None, cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yunhe.cli.waiting.GRACE_S", 0.0)
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    code = spine.publish(source, cast.owner.code)
    for said, content in BROKEN.items():
        source.write_bytes(content)
        exit_code, text = refused(capsys, "load", code)
        assert f"[{said}]" in text
        assert exit_code == 2


@pytest.mark.parametrize("where", ["there.json", "no-such-folder/key.json"])
def test_no_system_is_made_whose_key_cannot_be_kept(
    cast: Cast, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "there.json").write_text("mine", "utf-8")
    exit_code, text = refused(capsys, "system", "create", "desk", cast.owner.code, "--out", str(tmp_path / where))
    assert exit_code == 2
    assert "[key_file_not_writable]" in text
    assert (tmp_path / "there.json").read_text("utf-8") == "mine"
    assert not exchange.list_systems(request=PageRequest(), actor=organizations.operator_actor()).items


def test_no_key_file_is_left_where_no_system_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, _ = refused(capsys, "system", "create", "desk", "no-such-organisation", "--out", str(tmp_path / "key.json"))
    assert exit_code == 4
    assert not (tmp_path / "key.json").exists()


@pytest.mark.parametrize(
    "words", [("call", "G", "uscc", "--key-file", "{key}"), ("request", "grant", "C", "--masks", "uscc=middle,region")], ids=" ".join
)
def test_a_value_without_its_name_is_said_and_never_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    key = tmp_path / "key.json"
    key.write_text('{"key": "AK00000000000000000000", "secret": "s"}', "utf-8")
    exit_code, text = refused(capsys, *(word.format(key=key) for word in words))
    assert exit_code == 2
    assert "[not_a_pair]" in text


def test_a_page_behind_every_list_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resource", "list", "--page", "9" * 20, "--json"]) == 0
    assert '"resources": []' in capsys.readouterr().out
