"""A channel of the test's own, two kinds of notice, and a mail server that answers as it is told."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Cast, Member
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.types import DeadLetter
from yunhe.core.notices import api
from yunhe.core.notices.api import delivery, registry
from yunhe.core.notices.models import ContactRow, Dispatch
from yunhe.core.notices.types import Channel, Letter, Sent, ToPerson
from yunhe.kernel.actor import job_actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
ASKER = job_actor("tests")
WAITING = "case.waiting"
QUIET_KIND = "case.closed"


@dataclass
class Trial:
    """What the channel "trial" was given, and how it answers: an error per address, "*" for all."""

    letters: list[Letter] = field(default_factory=list)
    errors: dict[str, BaseException] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def deliver(self, letter: Letter) -> None:
        self.asked += 1
        error = self.errors.get(letter.address) or self.errors.get("*")
        if error is not None:
            raise error
        self.letters.append(letter)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_resting", {})


@pytest.fixture
def registering(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slots of notices take registrations until the test ends, and are then as before."""
    monkeypatch.setattr(registry, "apps", SimpleNamespace(ready=False))
    for name in ("_kinds", "_channels"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))
    monkeypatch.setattr(registry, "_sms", [])


@pytest.fixture
def trial(registering: None) -> Trial:
    """A channel whose other side is the test, and the two kinds."""
    made = Trial()
    api.register_channel(
        Channel(
            code="trial", title={"zh": "试验", "en": "Trial"}, deliver=made.deliver, check=str.strip,
            mask=lambda address: f"{address[:1]}***", place=lambda letter: made.places.get(letter.address, ""),
            is_ready=lambda: True,
        )
    )  # fmt: skip
    api.register_kind(
        code=WAITING, title={"zh": "待办提醒", "en": "Waiting"}, default_channels=("in_app", "trial", "email", "sms", "webhook")
    )
    api.register_kind(code=QUIET_KIND, title={"zh": "办结", "en": "Closed"}, default_channels=("in_app",))
    return made


def tell(*members: Member, kind: str = WAITING, **more: Any) -> Sent:
    """Send something to members of the cast."""
    given: dict[str, Any] = {
        "title": {"zh": "有一件待办", "en": "Something waits"}, "text": {"zh": "请在今天办理。", "en": "Due today."},
        "href": "/inbox/", "actor": ASKER, **more,
    }  # fmt: skip
    return api.send(to=[ToPerson(member.actor.id) for member in members], kind=kind, **given)


def run(rounds: int = 1) -> None:
    """What the worker does: deliver messages, run due jobs, deliver what those wrote."""
    for _ in range(rounds):
        outbox.deliver_pending(limit=1000)
        jobs.run_pending(limit=1000)


def reach(member: Member, address: str, channel: str = "trial") -> None:
    """Give a member a proven address."""
    api.propose_contact(channel=channel, address=address, actor=member.actor)
    row = ContactRow.objects.get(user_id=member.user_id, channel=channel)
    row.verified_at, row.asked_at = row.asked_at, None
    row.save()
    Dispatch.objects.filter(contact=row).update(state="dropped")


def dead() -> list[DeadLetter]:
    """Return the dead letters of the existing page."""
    return list(outbox.list_dead(request=PageRequest(size=500), actor=ASKER).items)


@pytest.fixture
def told(cast: Cast, trial: Trial) -> Trial:
    """The cast with `officer` and `clerk` reachable by the trial channel."""
    reach(cast.officer, "officer@trial")
    reach(cast.clerk, "clerk@trial")
    return trial


class Mail(socketserver.StreamRequestHandler):
    """Forty lines of SMTP: enough for smtplib, and answers by recipient."""

    server: MailServer

    def handle(self) -> None:
        self.say("220 trial")
        while line := self.rfile.readline():
            text = line.decode().strip()
            word = text.partition(" ")[0].upper()
            if word in ("EHLO", "HELO", "MAIL", "RSET", "NOOP"):
                self.say("250 ok")
            elif word == "RCPT":
                address = text.partition("<")[2].partition(">")[0]
                self.say(self.server.answers.get(address, "250 ok"))
            elif word == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_data())
                self.say(self.server.answers.get("DATA", "250 taken"))
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("502 unknown")
        return None

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def read_data(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) and line != b".\r\n":
            lines.append(line)
        return b"".join(lines)


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mails; `answers` maps a recipient, or DATA, to what is said instead of 250."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mail)
        self.mails: list[bytes] = []
        self.answers: dict[str, str] = {}


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A mail server that the node is set up with."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        settings.YUNHE = {
            **settings.YUNHE, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": server.server_address[1], "SMTP_TLS": "none",
            "SMTP_FROM": "yunhe@example.org", "SMTP_SECONDS": 2, "PUBLIC_URL": "https://pages.example.org",
        }  # fmt: skip
        yield server
        server.shutdown()
        thread.join()
