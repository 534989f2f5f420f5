"""A program that signed in as a person of the cast and calls /api/v1; every refusal it meets is looked at."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.test import Client

from tests.conftest import Member
from yunhe.core.organizations.models import User
from yunhe.ui.trace import HEADER

JSON = "application/json"
PROBLEM = "application/problem+json"
UNFILLED = re.compile(r"\{[a-z_]+\}|\?[a-z]{3}")
TRACE = re.compile("[0-9A-HJKMNP-TV-Z]{26}")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.code


class Caller:
    """`member` None is nobody."""

    def __init__(self, member: Member | None, *, language: str = "zh-hans", strict: bool = False) -> None:
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=strict)
        self.client.cookies["yunhe_language"] = language
        if member is not None:
            User.objects.filter(pk=member.user_id).update(must_change_password=False)
            self.client.force_login(User.objects.get(pk=member.user_id))

    def get(self, path: str, query: Any = None) -> Answer:
        return read(self.client.get(f"/api/v1{path}", query))

    def post(self, path: str, body: Any = None, *, content_type: str = JSON, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        return read(self.client.post(f"/api/v1{path}", raw, content_type=content_type, headers=headers))


def read(answer: Any) -> Answer:
    """Return the answer; a refusal is problem+json with code, trace id and a whole sentence, and no answer is a 500."""
    found = Answer(answer.status_code, json.loads(answer.content))
    assert found.status < 500, answer.content.decode()
    if found.status < 400:
        assert answer["Content-Type"].split(";")[0] == JSON
        return found
    body = found.body
    assert answer["Content-Type"] == PROBLEM
    assert body["status"] == found.status
    assert body["type"] == f"urn:yunhe:problem:{body['code']}" and body["code"].replace("_", "").isalnum()
    assert TRACE.fullmatch(body["trace_id"]) and body["trace_id"] == answer[HEADER]
    assert len(body["detail"]) > 4 and body["detail"][-1] in "。.）)"
    asked = answer.wsgi_request
    sent = unquote(asked.get_full_path()) + getattr(asked, "_body", b"").decode("utf-8", "replace")  # it may repeat what was sent
    assert all(slot in sent for slot in UNFILLED.findall(body["detail"])), body["detail"]
    return found
