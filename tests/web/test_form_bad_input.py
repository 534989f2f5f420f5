"""Whatever is typed into the pages' forms: a page that says so, never a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from tests.api_caller import Caller
from tests.api_world import World, build
from tests.conftest import Cast, Member
from tests.data import spine
from tests.soaking import is_soaking

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
FORM = "application/x-www-form-urlencoded"
VALUES = {
    "lone surrogate": "a\ud800b", "NUL": "a\x00b", "10**30": str(10**30), "2**63": str(2**63), "-2**63-1": str(-(2**63) - 1),
    "digits": "9" * 5000, "Arabic digits": "٤٢", "float": "1e999", "NaN": "NaN", "brackets": "(" * 1900, "yaml": "{a: [b: c", "alias": "&a [*a]",
    "tag": "!!python/object/apply:os.system [x]", "sql": "'; DROP TABLE x; --", "template": "{{ x }}{% y %}{z}%s", "html": "<script>x</script>",
    "right to left": "\u202ea\u2066", "first day": "0001-01-01", "last day": "9999-12-31", "no day": "2026-02-30", "blank": " \t\n", "empty": "",
    "huge": "长" * 100_000,
}  # fmt: skip
ALWAYS, IN_TURN = ("lone surrogate", "NUL"), ("10**30", "2**63", "first day", "template", "brackets")
UNSTORABLE = {"lone surrogate", "NUL"}


@pytest.fixture
def world(cast: Cast, tmp_path: Path, settings: Any) -> World:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    return build(cast, tmp_path)


def forms(world: World, cast: Cast) -> list[tuple[Member, str, dict[str, str]]]:
    """Each form by somebody who may, with its fields filled in as they should be."""
    text = spine.CONTRACT.format(title="另一份", provider=cast.owner.code, sharing="unconditional", basis='""', location="/a.csv", minimum=0)
    act = f"/inbox/cases/{world.case_id}/{world.obligation_id}/grant/"
    user = f"/organizations/users/{cast.clerk.username}"
    return [
        (cast.steward, "/ledger/register/", {"text": text, "seen": "1", "act": "save"}),
        (cast.steward, "/ledger/register/", {"text": text, "act": "check"}),
        (cast.steward, "/ledger/register/columns/", {
            "title": "x", "provider": cast.owner.code, "summary": "x", "legal_basis": "", "sharing": "unconditional", "sharing_basis": "", "opening": "closed",
            "update_cycle": "daily", "source_connector": "csv", "source_location": "/a.csv", "columns": "a,b", "keys": "a",
        }),
        (cast.steward, f"/ledger/{world.code}/edit/", {"text": text, "seen": "1", "act": "save"}),
        (cast.steward, f"/ledger/{world.code}/submit/", {"note": "x"}),
        (cast.data_admin, f"/ledger/{world.code}/withdraw/", {"reason": ""}),
        (cast.clerk, f"/exchange/request/{world.code}/", {
            "fields_wanted": "uscc", "purpose": "核对", "legal_basis": "演示", "row_filter": "", "until": "",
        }),
        (cast.leader, act, {
            "do-fields": "uscc", "do-row_filter": "", "do-until": "", "do-masks": "", "do-masks__0": "", "do-reason": "", "version": "1", "next": "/",
        }),
        (cast.clerk, "/exchange/query/", {"sql": f'SELECT count(*) FROM "{world.code}"', "purpose": "核对"}),
        (cast.clerk, f"/exchange/rows/{world.code}/", {"purpose": "核对", "case": "", "offset": "0"}),
        (cast.clerk, f"/exchange/rows/{world.code}/?grant={world.grant_id}", {"purpose": "核对", "case": "", "offset": "0"}),
        (cast.steward, f"/exchange/rows/{world.code}/?source=quarantine&load=x", {"purpose": "核对", "offset": "0"}),
        (cast.steward, "/exchange/systems/new/", {"name": "x", "organization": cast.owner.code}),
        (cast.leader, f"/exchange/grants/{world.grant_id}/revoke/", {"reason": ""}),
        (cast.system_admin, "/organizations/users/new/", {"username": "somebody", "display_name": "某人"}),
        (cast.security_admin, f"{user}/memberships/new/", {"organization": cast.other.code, "role": "officer", "valid_until": ""}),
        (cast.system_admin, f"{user}/password/", {}),
        (cast.system_admin, "/organizations/new/", {
            "code": "x", "name": "x", "short_name": "", "kind": "department", "region": "329900", "parent": "",
        }),
        (cast.system_admin, f"/organizations/{cast.other.code}/end/", {"valid_until": "", "successor": "", "version": "1"}),
        (cast.clerk, "/account/password", {"old_password": "x", "new_password": "y", "again": "z"}),
        (cast.clerk, "/membership", {"membership": "1"}),
        (cast.clerk, "/language", {"language": "en", "next": "/"}),
    ]  # fmt: skip


def chosen(turn: int) -> dict[str, str]:
    """Return the faults of one field: two always, two in turn; all of them in `make soak`."""
    names = (*ALWAYS, *(IN_TURN[(2 * turn + step) % len(IN_TURN)] for step in range(2)))
    return VALUES if is_soaking() else {name: VALUES[name] for name in names}


def spoiled(fields: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for turn, field in enumerate((*fields, "surprise")):
        for name, value in chosen(turn).items():
            yield field, name, {**fields, field: value}


def encoded(fields: dict[str, str]) -> bytes:
    return "&".join(f"{quote(k)}={quote(v.encode('utf-8', 'surrogatepass'))}" for k, v in fields.items()).encode()


def test_each_field_of_each_form_spoiled_in_every_way(world: World, cast: Cast) -> None:
    for member, path, fields in forms(world, cast):
        with transaction.atomic():  # each form meets the node as it was
            knock(member, path, fields)
            transaction.set_rollback(True)


def knock(member: Member, path: str, fields: dict[str, str]) -> None:
    client = Caller(member).client
    assert client.get(path).status_code in (200, 405), path
    for field, fault, sent in spoiled(fields):
        answer = client.post(path, encoded(sent), content_type=FORM)
        assert answer.status_code < 500, (path, field, fault)
        if fault in UNSTORABLE:
            assert answer.status_code == 422, (path, field, fault)
        if answer.status_code in (302, 303) and path.endswith(("/revoke/", "/withdraw/", "/end/", "/password", "/grant/")):
            return  # it was no fault but a text like any other, and what it was about is done
        if "_auth_user_id" not in client.session:
            client = Caller(member).client


def test_the_login(cast: Cast) -> None:
    good = {"username": cast.clerk.username, "password": cast.clerk.password, "next": "/"}
    for field, fault, sent in spoiled(good):
        answer = Client(raise_request_exception=False).post("/login", encoded(sent), content_type=FORM)
        assert answer.status_code < 500, (field, fault)
        assert not answer.headers.get("Location", "/").startswith(("//", "http")), (field, fault)


def test_an_uploaded_contract_that_is_none(world: World, cast: Cast) -> None:
    client = Caller(cast.steward).client
    nested = (b"a: &a [*a]", b"[" * 20_000, b"{" * 20_000, b"- " * 20_000)
    for content in (b"", b"\xff\xfe\x00", b"\x00" * 100, *nested, b"%PDF-1.7", b"a: " + b"9" * 5000):
        for act, name in (("check", "a.yml"), ("save", "../../a.yml"), ("save", "长" * 200 + ".yml")):
            answer = client.post("/ledger/register/", {"act": act, "file": SimpleUploadedFile(name, content)})
            assert answer.status_code == 422, (act, name, content[:20], answer.status_code)


def test_the_same_contracts_over_the_api(world: World, cast: Cast) -> None:
    caller = Caller(cast.steward)
    nested = ("[" * 20_000, "{" * 20_000, "- " * 20_000, "a: &a [*a]")
    for text in (*nested, "a: " + "9" * 5000, "yunhe: resource/1\ngrade: 1e999", "\ufeff", "...", "--- 1\n--- 2"):
        assert caller.post("/resources", {"text": text}).refusal == (422, "contract_broken"), text[:20]


LISTS = (
    "/ledger/", "/lake/", "/quality/", "/exchange/", "/exchange/systems/", "/inbox/", "/inbox/cases/", "/standards/", "/evidence/", "/organizations/",
    "/organizations/users/", "/organizations/regions/", "/organizations/roles/", "/jobs/", "/packs/",
)  # fmt: skip
NAMES = ("page", "q", "sort", "state", "kind", "since", "until", "case", "ob", "act", "export", "grade", "version", "next", "sql", "due")


@pytest.mark.parametrize("path", LISTS)
def test_the_address_of_each_list(cast: Cast, path: str) -> None:
    values = VALUES.values() if is_soaking() else [VALUES[name] for name in ("NUL", "10**30", "first day")]
    client = Caller(cast.system_admin if path.startswith(("/organizations", "/packs", "/jobs")) else cast.data_admin).client
    for name in NAMES:
        for value in values:
            raw = quote(value[:3000].encode("utf-8", "surrogatepass"))
            assert client.get(f"{path}?{name}={raw}").status_code < 500, (path, name, value[:40])
