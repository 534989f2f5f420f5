"""What the command line shows when something breaks, and how a node recovers an account."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.db import IntegrityError

from tests.conftest import Cast
from tests.core.cases.kinds import simple_kind
from tests.ui.doors_urls import write_where_another_writes
from yunhe.cli import main as cli
from yunhe.cli.case_commands import OPERATORS
from yunhe.core.cases import api as cases
from yunhe.core.cases.api import OPERATOR_FORMS
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import WrongCredentials
from yunhe.kernel.actor import Actor

VALUE = "11010519491231002X"


def test_what_breaks_inside_shows_its_place_and_no_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fall(*args: object, **kwargs: object) -> None:
        raise IntegrityError(f"DETAIL:  Key (id)=({VALUE}) already exists.")

    monkeypatch.setattr("yunhe.core.packs.api.list_packs", fall)
    assert cli.main(["pack", "list"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "IntegrityError" in said.err and f"{__file__}:" in said.err
    assert VALUE not in said.err


@pytest.mark.django_db
def test_the_node_recovers_the_security_administrators_account(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["user", "recover", "security_admin", "--json"]) == 0
    password = json.loads(capsys.readouterr().out)["password"]
    assert organizations.authenticate(username="security_admin", password=password).must_change_password
    with pytest.raises(WrongCredentials):
        organizations.authenticate(username="security_admin", password=cast.security_admin.password)
    row = EvidenceRow.objects.filter(kind="organizations.password_set").latest("at")
    assert row.actor_id == "job:node_recovery"
    assert password not in str(list(EvidenceRow.objects.values()))


@pytest.mark.django_db
def test_the_system_administrator_is_told_the_next_step(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    import io

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO("Tian-qi-4711-hao\n"))
        assert cli.main(["user", "password", "security_admin", "--as", "system_admin"]) == 3
    assert "yunhe user recover security_admin" in capsys.readouterr().err


def test_the_command_line_names_the_operators_of_cases() -> None:
    assert tuple(OPERATOR_FORMS) == OPERATORS


@pytest.mark.django_db
def test_an_operator_that_is_not_offered_is_said_so_and_wrong_data_too(
    cast: Cast, founder: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    cases.publish_kind(spec=simple_kind(), source="tests", actor=founder)
    told: dict[str, Any] = {"kind": "leave_note", "title": "请示", "data": {"amount": 1}, "owner": cast.owner.code}
    case = cases.open_case(**told, actor=cast.clerk.actor)
    data = json.dumps({"to": cast.officer.username, "reason": "出差"})
    for given, said in ((data, "它现在不由您办"), ('{"to": "officer"}', "reason：必填")):
        assert cli.main(["case", "do", case.number, "hand_on", "--data", given, "--as", cast.clerk.username]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.django_db
def test_the_doctor_ends_with_an_error_when_something_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No process of this node runs here, so that the ports are silent: a watchdog must see it without reading JSON."""
    for words in (["doctor", "--json"], ["doctor"]):
        assert cli.main(words) == 6
    assert json.loads(capsys.readouterr().out.splitlines()[0])["ok"] is False
    monkeypatch.setattr("yunhe.cli.health.CHECKS", [lambda: {"check": "all", "ok": True, "found": "", "next": ""}])
    assert cli.main(["doctor", "--json"]) == 0


def test_starting_up_loads_none_of_the_engines() -> None:
    """Each costs a third of a second and tens of megabytes: only a process that reads rows pays for them."""
    code = "import sys, django; django.setup(); print(sorted({'duckdb', 'pyarrow', 'numpy', 'pyiceberg'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.django_db
def test_a_busy_database_is_said_so_and_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cases, "apply_migration", lambda **told: write_where_another_writes())
    assert cli.main(["case", "migrate", "apply", "01M8EFEXPXP3MDCHP7V8V7GXMH"]) == 6
    told = capsys.readouterr().err
    assert "系统正忙" in told and "[database_busy]" in told and "Traceback" not in told
