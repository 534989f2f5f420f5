"""`--as USER`: the embedded profile believes whoever reads the home, the server profile asks for the password."""

from __future__ import annotations

import io
import json
import os
import pwd
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.conftest import Cast
from yunhe.cli import main as cli
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import LoginGuard
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import frozen, now

pytestmark = pytest.mark.django_db
OWN = pwd.getpwuid(os.getuid()).pw_name
PASSWORD = "Tian-qi-4711-hao"
ADMIN = ("--as", "system_admin")
Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command line; without `stdin` nothing stands there and it is no terminal."""

    def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = cli.main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    monkeypatch.setenv("LANG", "en_US.UTF-8")
    return run


@pytest.fixture
def server(cast: Cast, founder: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server profile; the system administrator has chosen a password."""
    organizations.set_password(username="system_admin", password=PASSWORD, actor=founder)
    monkeypatch.setitem(settings.YUNHE, "PROFILE", "server")


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", "utf-8")
    return str(file)


def rows(kind: str) -> list[dict[str, Any]]:
    return list(EvidenceRow.objects.filter(kind=kind).order_by("at", "id").values())


def came(kind: str) -> list[tuple[str, str, str]]:
    return [(row["actor_id"], row["via"], row["os_user"]) for row in rows(kind)]


def test_embedded_needs_no_password_and_the_evidence_says_who_typed(
    cast: Cast, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    assert run("user", "create", "zhao", *ADMIN)[0] == 0
    assert run("user", "create", "qian")[0] == 0
    assert run("user", "recover", "zhao")[0] == 0
    assert came("organizations.user_created")[-2:] == [
        (cast.system_admin.actor.id, "cli", OWN), ("operator", "cli", OWN),
    ]  # fmt: skip
    assert came("organizations.password_set") == [("job:node_recovery", "cli", OWN)]
    assert not rows("organizations.signed_in") and not LoginGuard.objects.exists()


def test_a_home_without_a_name_for_its_user_says_the_number(run: Run, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert run("user", "create", "zhao")[0] == 0
    assert came("organizations.user_created")[-1] == ("operator", "cli", str(os.getuid()))


def test_evidence_find_shows_the_way_in(run: Run, cast: Cast) -> None:
    run("user", "create", "zhao", *ADMIN)
    wanted = ("evidence", "find", "--kind", "organizations.user_created", "--size", "1", "--as", "audit_admin")
    (record,) = json.loads(run(*wanted, "--json")[1])["records"]
    assert (record["via"], record["os_user"], record["actor_id"]) == ("cli", OWN, cast.system_admin.actor.id)
    assert f"cli:{OWN}" in run(*wanted)[1]


def test_what_a_server_command_writes_did_not_come_by_the_command_line(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    seen = []
    monkeypatch.setattr("yunhe.core.jobs.api.run_worker", lambda *, stop: seen.append(job_actor("load").door.via))
    monkeypatch.setattr("signal.signal", lambda *given: None)
    assert run("worker")[0] == 0
    assert seen == [""]


@pytest.mark.usefixtures("server")
def test_server_refuses_without_a_proof_and_says_what_to_do(run: Run) -> None:
    code, out, err = run("user", "create", "zhao", *ADMIN)
    assert (code, out) == (3, "")
    assert "--password-file FILE" in err and "proof_missing" in err
    code, _, err = run("user", "create", "zhao")
    assert code == 3 and "operator_refused" in err
    assert not EvidenceRow.objects.filter(via="cli").exists()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("way", ["file", "stdin", "terminal"])
def test_server_takes_the_password(
    way: str, run: Run, cast: Cast, password_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or PASSWORD)
    words = ["user", "create", "zhao", "--organization", cast.owner.code, *ADMIN]
    if way == "terminal":
        monkeypatch.setattr(sys, "stdin", Terminal())
        assert cli.main(words) == 0
    else:
        given = {"file": password_file, "stdin": "-"}[way]
        assert run(*words, "--password-file", given, stdin=f"{PASSWORD}\n")[0] == 0
    assert ("system_admin" in "".join(asked)) == (way == "terminal")
    admin = cast.system_admin.actor.id
    assert came("organizations.user_created")[-1] == (admin, "cli", OWN)
    assert came("organizations.signed_in") == [(admin, "cli", OWN)]
    assert PASSWORD not in str(list(EvidenceRow.objects.values()))


@pytest.mark.usefixtures("server")
def test_one_proof_serves_the_whole_command(run: Run, cast: Cast, founder: Actor, password_file: str) -> None:
    """The actor is asked for twice here: for the account and for the membership that is refused."""
    code, _, err = run(
        "user", "create", "zhao", "--organization", cast.owner.code, "--role", "officer", *ADMIN, "--password-file", password_file
    )
    assert code == 3 and "Grant roles and rights" in err
    assert len(rows("organizations.signed_in")) == 1


@pytest.mark.usefixtures("server")
def test_a_wrong_password_is_counted_and_locks_out_as_on_the_pages(run: Run, password_file: str, cast: Cast) -> None:
    at = now()
    with frozen(at) as clock:
        for _ in range(5):
            code, out, err = run("user", "list", *ADMIN, "--password-file", "-", stdin="wrong\n")
            assert (code, out) == (3, "") and "wrong_credentials" in err
        code, _, err = run("user", "list", *ADMIN, "--password-file", password_file)
        assert code == 3 and "sign_in_blocked" in err
        clock.advance(timedelta(seconds=30))
        assert run("user", "list", *ADMIN, "--password-file", password_file)[0] == 0
    failed = rows("organizations.sign_in_failed")
    assert [(row["subject_id"], row["actor_id"], row["via"], row["os_user"]) for row in failed] == (
        [(str(cast.system_admin.user_id), "job:sign_in", "cli", OWN)] * 5
    )


@pytest.mark.usefixtures("server")
def test_unknown_closed_and_wrong_sound_alike(run: Run, founder: Actor, cast: Cast) -> None:
    organizations.close_user(username="officer", actor=founder)
    said = {run("user", "list", "--as", name, "--password-file", "-", stdin="wrong\n") for name in ("nobody", "officer", "clerk")}
    assert len(said) == 1


@pytest.mark.usefixtures("server")
def test_a_first_password_proves_nobody(run: Run, cast: Cast) -> None:
    code, _, err = run("evidence", "find", "--as", "audit_admin", "--password-file", "-", stdin=cast.audit_admin.password)
    assert code == 3 and "first_password" in err and cast.audit_admin.password not in err
    assert not rows("organizations.signed_in")


@pytest.mark.usefixtures("server")
def test_the_proof_and_a_new_password_in_one_standard_input(run: Run) -> None:
    given = f"{PASSWORD}\nXin-mi-ma-0815\n"
    assert run("user", "password", "clerk", *ADMIN, "--password-file", "-", stdin=given)[0] == 0
    assert organizations.authenticate(username="clerk", password="Xin-mi-ma-0815").username == "clerk"


@pytest.mark.usefixtures("server")
def test_a_file_that_cannot_be_read_is_said_and_not_counted(run: Run, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\n")
    for file in (tmp_path / "missing", tmp_path, binary):
        code, _, err = run("user", "list", *ADMIN, "--password-file", str(file))
        assert code == 2 and "bad_password_file" in err
    assert not LoginGuard.objects.exists()


def test_embedded_checks_a_password_that_is_given(cast: Cast, founder: Actor, run: Run, password_file: str) -> None:
    organizations.set_password(username="system_admin", password=PASSWORD, actor=founder)
    assert run("user", "list", *ADMIN, "--password-file", password_file)[0] == 0
    assert run("user", "list", *ADMIN, "--password-file", "-", stdin="wrong\n")[0] == 3
