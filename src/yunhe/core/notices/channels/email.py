"""E-mail by the node's SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from django.conf import settings

from yunhe.core.notices.channels.reasons import busy, unavailable
from yunhe.core.notices.errors import AddressRefused
from yunhe.core.notices.rules import check_mail, mask_mail
from yunhe.core.notices.types import EMAIL, Channel, Letter
from yunhe.kernel.clock import local

PERMANENT = range(500, 600)  # source: RFC 5321 4.2.1


def deliver(letter: Letter) -> None:
    """Give a letter to the mail server. Raises: ChannelUnavailable, AddressRefused."""
    message = write(letter)
    where = place(letter)
    try:
        with _connect() as server:
            _send(server, message, letter, where)
    except OSError as error:  # smtplib's own errors are among them: sign-in, STARTTLS, sender
        raise unavailable(where, error) from error


def write(letter: Letter) -> EmailMessage:
    """Return the mail: subject and text in the recipient's language, with the address of the page if it is known."""
    sender = settings.YUNHE["SMTP_FROM"]
    message = EmailMessage(policy=SMTP_POLICY.clone(max_line_length=78))
    message["From"] = sender
    message["To"] = letter.address
    message["Subject"] = letter.title
    message["Date"] = format_datetime(local(letter.at))
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"  # source: RFC 3834 5
    message["Content-Language"] = letter.language
    message.set_content("\n\n".join(part for part in (letter.text, letter.href) if part) + "\n", cte="base64")
    return message


def place(letter: Letter) -> str:
    """Return the server that every mail leaves by."""
    return f"{settings.YUNHE['SMTP_HOST']}:{settings.YUNHE['SMTP_PORT']}"


def is_ready() -> bool:
    """Tell whether the node has a mail server."""
    return bool(settings.YUNHE["SMTP_HOST"] and settings.YUNHE["SMTP_FROM"])


def _connect() -> smtplib.SMTP:
    """Return a connection, encrypted as the setting says; never a password in the clear."""
    yunhe = settings.YUNHE
    host, port, seconds, tls = yunhe["SMTP_HOST"], yunhe["SMTP_PORT"], yunhe["SMTP_SECONDS"], yunhe["SMTP_TLS"]
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
        if tls == "tls"
        else smtplib.SMTP(host, port, timeout=seconds)
    )
    try:
        if tls == "starttls":
            server.starttls(context=context)
        if yunhe["SMTP_USER"]:
            if tls == "none":
                raise smtplib.SMTPNotSupportedError("SMTP_USER needs SMTP_TLS")
            server.login(yunhe["SMTP_USER"], yunhe["SMTP_PASSWORD"])
    except BaseException:
        server.close()
        raise
    return server


def _send(server: smtplib.SMTP, message: EmailMessage, letter: Letter, where: str) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, _ = next(iter(error.recipients.values()))
        if code in PERMANENT:
            raise AddressRefused(where=where, reason_zh=f"SMTP {code}", reason_en=f"SMTP {code}") from error
        raise busy(where, f"SMTP {code}") from error
    except smtplib.SMTPDataError as error:
        said = f"SMTP {error.smtp_code}"
        if error.smtp_code in PERMANENT:
            raise AddressRefused(where=where, reason_zh=said, reason_en=said) from error
        raise busy(where, said) from error


CHANNEL = Channel(
    code=EMAIL, title={"zh": "电子邮件", "en": "E-mail"}, deliver=deliver, check=check_mail, mask=mask_mail, place=place,
    is_ready=is_ready,
)  # fmt: skip
