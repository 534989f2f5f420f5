"""The channels against real servers of this machine, and what each says when the other side will not."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.conftest import Cast
from tests.core.notices.conftest import ASKER, MailServer, Trial, dead, reach, run, tell
from yunhe.core.notices import api
from yunhe.core.notices.api import delivery
from yunhe.core.notices.channels import email, sms, webhook
from yunhe.core.notices.errors import (
    AddressRefused,
    BadAddress,
    ChannelNotReady,
    ChannelUnavailable,
    ContactNotFound,
    WebhookNotAllowed,
)
from yunhe.core.notices.models import ContactRow
from yunhe.core.notices.types import Letter, TextMessage, ToRole
from yunhe.crypto import sm3
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.errors import Refused

LETTER = Letter(
    id="01K000000000000000000000AB", address="wang@example.org", kind="case.waiting", title="有一件待办", text="请在今天办理。",
    language="zh", at=datetime(2026, 11, 23, 4, tzinfo=UTC), recipient="user:1", titles={"zh": "有一件待办"}, texts={"zh": "请在今天办理。"},
    href="https://pages.example.org/inbox/", case_id="BJ-1", secret=b"secret",
)  # fmt: skip


class Hook(http.server.BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == 0:  # begins to answer, and never ends
            while not self.server.ended.is_set():
                try:
                    self.wfile.write(b"H")
                except OSError:
                    return
                time.sleep(0.05)
            return
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given: Any) -> None:
        """Say nothing."""


class HookServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.ended = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def hook(settings: Any) -> Iterator[HookServer]:
    """A web server that the setting allows."""
    with HookServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        settings.YUNHE = {**settings.YUNHE, "WEBHOOK_HOSTS": server.origin, "WEBHOOK_SECONDS": 1}
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def allow(settings: Any, *origins: str, **more: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "WEBHOOK_HOSTS": ",".join(origins), **more}


# e-mail


def test_a_mail_arrives_whole(mail_server: MailServer) -> None:
    email.deliver(LETTER)
    (raw,) = mail_server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["To"], mail["From"], mail["Subject"]) == ("wang@example.org", "yunhe@example.org", "有一件待办")
    assert mail["Message-ID"] == f"<{LETTER.id}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == ["请在今天办理。", "", "https://pages.example.org/inbox/"]
    assert max(map(len, raw.splitlines())) < 998


@pytest.mark.parametrize(
    ("where", "answer", "error"),
    [
        ("wang@example.org", "550 5.1.1 no such user wang@example.org", AddressRefused),
        ("wang@example.org", "450 4.2.1 busy", ChannelUnavailable),
        ("DATA", "554 5.7.1 spam wang@example.org", AddressRefused),
        ("DATA", "451 4.3.0 later", ChannelUnavailable),
        ("wang@example.org", "421 4.3.2 closing", ChannelUnavailable),
    ],
)
def test_what_the_mail_server_says(mail_server: MailServer, where: str, answer: str, error: type[Exception]) -> None:
    mail_server.answers[where] = answer
    with pytest.raises(error) as said:
        email.deliver(LETTER)
    assert "wang" not in str(said.value)


def test_no_mail_server_is_tried_again_and_rests(settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": free_port(), "SMTP_FROM": "a@example.org"}
    with pytest.raises(ChannelUnavailable) as said:
        email.deliver(LETTER)
    assert said.value.facts["rest"] and "connection was refused" in str(said.value)


def test_a_mail_server_that_says_nothing_costs_its_seconds_and_no_more(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.YUNHE = {
            **settings.YUNHE, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": silent.getsockname()[1], "SMTP_FROM": "a@example.org",
            "SMTP_SECONDS": 1,
        }  # fmt: skip
        started = time.monotonic()
        with pytest.raises(ChannelUnavailable):
            email.deliver(LETTER)
        assert time.monotonic() - started < 5


def test_neither_mail_nor_password_leaves_in_the_clear_where_tls_is_asked(mail_server: MailServer, settings: Any) -> None:
    plain = settings.YUNHE
    for more in ({"SMTP_TLS": "starttls"}, {"SMTP_TLS": "tls"}, {"SMTP_USER": "yunhe", "SMTP_PASSWORD": "hush"}):
        settings.YUNHE = {**plain, **more}
        with pytest.raises(ChannelUnavailable) as said:
            email.deliver(LETTER)
        assert "hush" not in str(said.value)
    assert mail_server.mails == []


@pytest.mark.django_db
def test_by_mail_from_end_to_end(cast: Cast, trial: Trial, mail_server: MailServer) -> None:
    reach(cast.officer, "officer@example.org", "email")
    reach(cast.clerk, "gone@example.org", "email")
    mail_server.answers["gone@example.org"] = "550 5.1.1 gone"
    tell(cast.officer, cast.clerk)
    run(2)
    assert [message_from_bytes(mail)["To"] for mail in mail_server.mails] == ["officer@example.org"]
    (letter,) = dead()
    assert "SMTP 550" in letter.error["zh"] and "电子邮件" in letter.error["zh"]


@pytest.mark.django_db
def test_without_a_mail_server_nobody_is_mailed(cast: Cast, trial: Trial) -> None:
    with pytest.raises(ChannelNotReady):
        api.propose_contact(channel="email", address="a@example.org", actor=cast.officer.actor)


# SMS


def spooled(settings: Any, day: str) -> list[dict[str, str]]:
    path = settings.HOME / "spool" / "sms" / f"{day}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_sms_stand_in_the_spool_by_the_day_of_china(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path
    last_second = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    with frozen(last_second) as clock:
        sms.deliver(replace(LETTER, address="13800138000"))
        clock.advance(timedelta(seconds=1))
        sms.deliver(replace(LETTER, address="13800138001"))
        sms.deliver(replace(LETTER, address="13800138002"))
    (first,) = spooled(settings, "2026-11-23")
    assert first == {"id": LETTER.id, "to": "13800138000", "text": "【运河】有一件待办：请在今天办理。", "at": last_second.isoformat()}
    assert [line["to"] for line in spooled(settings, "2026-11-24")] == ["13800138001", "13800138002"]
    path = tmp_path / "spool" / "sms" / "2026-11-23.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_spool_follows_no_link(settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path
    folder = tmp_path / "spool" / "sms"
    folder.mkdir(parents=True)
    with frozen(datetime(2026, 11, 23, 4, tzinfo=UTC)):
        (folder / "2026-11-23.jsonl").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError):
            sms.deliver(replace(LETTER, address="13800138000"))
    assert not (tmp_path / "elsewhere").exists()


def test_a_registered_gateway_takes_the_place_of_the_spool(registering: None, settings: Any, tmp_path: Any) -> None:
    settings.HOME = tmp_path
    taken: list[TextMessage] = []
    api.register_sms(adapter=taken.append)
    sms.deliver(replace(LETTER, address="13800138000"))
    assert [(one.id, one.number) for one in taken] == [(LETTER.id, "13800138000")]
    assert not (tmp_path / "spool").exists()


# webhook


def post(hook: HookServer, path: str = "/hook?x=1") -> None:
    webhook.deliver(replace(LETTER, address=hook.origin + path))


def test_a_webhook_gets_a_signed_body(hook: HookServer) -> None:
    with frozen(datetime(2026, 11, 23, 4, tzinfo=UTC)):
        post(hook)
    ((path, headers, body),) = hook.calls
    assert path == "/hook?x=1"
    assert json.loads(body) == {
        "id": LETTER.id, "kind": "case.waiting", "to": "user:1", "title": {"zh": "有一件待办"}, "text": {"zh": "请在今天办理。"},
        "href": "https://pages.example.org/inbox/", "case_id": "BJ-1", "sent_at": "2026-11-23T04:00:00+00:00",
    }  # fmt: skip
    assert (headers["Yunhe-Id"], headers["Yunhe-Timestamp"]) == (LETTER.id, "1795406400")
    signed = f"{LETTER.id}\n1795406400\n".encode() + body
    assert headers["Yunhe-Signature"] == "hmac-sm3=" + sm3.hmac(b"secret", signed).hex()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (204, None), (302, AddressRefused), (307, AddressRefused), (400, AddressRefused), (404, AddressRefused), (410, AddressRefused),
        (429, ChannelUnavailable), (500, ChannelUnavailable), (503, ChannelUnavailable),
    ],
)  # fmt: skip
def test_what_the_answer_of_a_webhook_means(hook: HookServer, status: int, error: type[Exception] | None) -> None:
    hook.statuses = [status]
    if error is None:
        post(hook)
    else:
        with pytest.raises(error, match=f"HTTP {status}"):
            post(hook)
    assert len(hook.calls) == 1  # a redirect is not followed


def test_a_webhook_that_drips_is_cut_off(hook: HookServer) -> None:
    hook.statuses = [0]
    started = time.monotonic()
    with pytest.raises(ChannelUnavailable) as said:
        post(hook)
    assert time.monotonic() - started < 4
    assert said.value.facts["rest"]


@pytest.fixture
def certified(hook: HookServer, settings: Any, tmp_path: Any) -> Any:
    """The web server with TLS, under a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begun = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begun).not_valid_after(begun + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = tmp_path / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    hook.socket = context.wrap_socket(hook.socket, server_side=True)
    allow(settings, *(f"https://{host}:{hook.server_address[1]}" for host in ("localhost", "127.0.0.1")), WEBHOOK_SECONDS=2)
    return pem


def test_a_certificate_is_looked_at_with_its_name(hook: HookServer, certified: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port = hook.server_address[1]
    with pytest.raises(ChannelUnavailable, match="not trusted"):
        webhook.deliver(replace(LETTER, address=f"https://localhost:{port}/"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certified))
    with pytest.raises(ChannelUnavailable, match="not trusted"):  # trusted, and another's
        webhook.deliver(replace(LETTER, address=f"https://127.0.0.1:{port}/"))
    webhook.deliver(replace(LETTER, address=f"https://localhost:{port}/"))
    assert len(hook.calls) == 1


def test_nobody_listens(settings: Any) -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    allow(settings, origin)
    with pytest.raises(ChannelUnavailable, match="connection was refused"):
        webhook.deliver(replace(LETTER, address=f"{origin}/"))


@pytest.mark.parametrize("setting", ["WEB_PORT", "GATEWAY_PORT"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.1.2.3", "2130706433"])
def test_the_nodes_own_ports_are_refused_though_listed(hook: HookServer, settings: Any, setting: str, host: str) -> None:
    port = hook.server_address[1]
    allow(settings, f"http://{host}:{port}", **{setting: port})
    with pytest.raises((WebhookNotAllowed, ChannelUnavailable)) as said:
        webhook.deliver(replace(LETTER, address=f"http://{host}:{port}/"))
    assert hook.calls == []
    assert isinstance(said.value, WebhookNotAllowed) or host == "[::1]"  # a machine without IPv6 does not get so far


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "100.100.100.200", "[::ffff:169.254.169.254]", "0.0.0.0"])
def test_link_local_and_metadata_addresses_are_refused_though_listed(settings: Any, host: str) -> None:
    allow(settings, f"http://{host}:80")
    with pytest.raises(WebhookNotAllowed):
        webhook.deliver(replace(LETTER, address=f"http://{host}/latest/meta-data/"))


def test_a_name_is_resolved_once_and_its_address_used(hook: HookServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port = hook.server_address[1]
    answers = iter(["127.0.0.1", "169.254.169.254"])
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, *given: Any, **more: Any) -> Any:
        if host != "hook.example":
            return real(host, *given, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    allow(settings, f"http://hook.example:{port}")
    webhook.deliver(replace(LETTER, address=f"http://hook.example:{port}/"))
    assert hook.calls[0][1]["Host"] == f"hook.example:{port}"
    with pytest.raises(WebhookNotAllowed):
        webhook.deliver(replace(LETTER, address=f"http://hook.example:{port}/"))
    assert (len(hook.calls), len(asked)) == (1, 2)


def test_what_was_taken_off_the_list_gets_nothing_more(hook: HookServer, settings: Any) -> None:
    allow(settings)
    with pytest.raises(WebhookNotAllowed):
        post(hook)
    assert hook.calls == []


@pytest.mark.django_db
def test_a_webhook_from_end_to_end(cast: Cast, trial: Trial, hook: HookServer) -> None:
    made = api.register_webhook(address=f"{hook.origin}/token-7", organization=cast.owner.short_name, actor=cast.system_admin.actor)
    assert "token-7" not in made.contact.masked and len(made.secret) == 64 and made.secret not in repr(made)
    hook.statuses = [500]
    with frozen(now()) as clock:
        to = [ToRole(cast.owner.code, "officer"), ToRole(cast.other.code, "officer")]
        sent = api.send(to=to, kind="case.waiting", title={"zh": "一"}, text={"zh": "二"}, actor=ASKER)
        assert (sent.notices, sent.messages) == (1, 1)
        run(2)
        clock.advance(timedelta(seconds=2))
        run()
    (_, first, _), (_, second, body) = hook.calls
    assert first["Yunhe-Id"] == second["Yunhe-Id"] == json.loads(body)["id"]
    assert json.loads(body)["to"] == cast.owner.code
    assert int(second["Yunhe-Timestamp"]) - int(first["Yunhe-Timestamp"]) == 2
    expected = webhook.sign(
        secret=made.secret.encode(), letter_id=second["Yunhe-Id"], timestamp=second["Yunhe-Timestamp"], body=body
    )
    assert second["Yunhe-Signature"] == expected
    assert dead() == []


@pytest.mark.django_db
def test_webhooks_are_the_system_administrators(cast: Cast, trial: Trial, hook: HookServer) -> None:
    for member in (cast.officer, cast.security_admin, cast.data_admin):
        with pytest.raises(Refused):
            api.register_webhook(address=hook.origin, organization=cast.owner.code, actor=member.actor)
        with pytest.raises(Refused):
            api.list_webhooks(actor=member.actor)
    for address, error in (("http://other.example/", WebhookNotAllowed), ("ftp://x/", BadAddress)):
        with pytest.raises(error):
            api.register_webhook(address=address, organization=cast.owner.code, actor=cast.system_admin.actor)
    made = api.register_webhook(address=hook.origin, username="officer", actor=cast.system_admin.actor)
    assert tell(cast.officer).messages == 1
    run()
    assert len(hook.calls) == 1
    api.remove_webhook(contact_id=made.contact.id, actor=cast.system_admin.actor)
    with pytest.raises(ContactNotFound):
        api.remove_webhook(contact_id=made.contact.id, actor=cast.system_admin.actor)
    assert tell(cast.officer).messages == 0
    row = ContactRow.objects.get(pk=made.contact.id)
    assert (bytes(row.sealed), bytes(row.secret), row.masked) == (b"", b"", "")


@pytest.mark.django_db
def test_a_lost_server_rests_for_all(cast: Cast, trial: Trial, mail_server: MailServer, settings: Any) -> None:
    reach(cast.officer, "officer@example.org", "email")
    reach(cast.clerk, "clerk@example.org", "email")
    settings.YUNHE = {**settings.YUNHE, "SMTP_PORT": free_port()}
    tell(cast.officer, cast.clerk)
    run()
    assert len(delivery._resting) == 1
