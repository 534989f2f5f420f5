"""A signed-in session without a browser: cookies, the form's token, a POST."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

from tests.journeys.node import Node

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Session:
    """One person's session at a node's pages."""

    def __init__(self, node: Node, username: str, password: str) -> None:
        self.node = node
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self.post("/login", {"username": username, "password": password})

    def get(self, path: str) -> str:
        """Return a page's text."""
        with self.opener.open(self.node.web + path, timeout=20) as answer:
            return str(answer.read().decode())

    def post(self, path: str, data: dict[str, str]) -> str:
        """Fill the form of a page and send it; return the page that answers."""
        found = TOKEN.search(self.get(path))
        assert found, f"no form at {path}"
        body = urllib.parse.urlencode({**data, "csrfmiddlewaretoken": found[1]}).encode()
        request = urllib.request.Request(self.node.web + path, body, {"Referer": self.node.web + path})
        with self.opener.open(request, timeout=20) as answer:
            return str(answer.read().decode())
