"""English texts are compiled before Django first loads them; a browser for a person of the cast."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.conftest import Member
from yunhe.ui.po import compile_texts

compile_texts()
SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """Return a client that signed in as a member of the cast, by the login page."""

    def browser(member: Member, language: str = "zh-hans") -> Client:
        client = Client(raise_request_exception=False)
        client.cookies["yunhe_language"] = language
        answer = client.post("/login", {"username": member.username, "password": member.password, "next": "/"})
        assert answer.status_code == 302, answer.content.decode()
        return client

    return browser
