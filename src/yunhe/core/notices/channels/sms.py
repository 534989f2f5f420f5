"""SMS: by the gateway that a room registered (`api.register_sms`), else into a spool folder that one reads."""

from __future__ import annotations

import json
import os

from django.conf import settings

from yunhe.core.notices.api.registry import send_sms
from yunhe.core.notices.rules import check_phone, mask_phone, text_message
from yunhe.core.notices.types import SMS, Channel, Letter, TextMessage
from yunhe.kernel.clock import local, now

SPOOL = ("spool", "sms")


def deliver(letter: Letter) -> None:
    """Give a letter to the gateway. Raises: what the gateway says."""
    text = text_message(title=letter.title, text=letter.text, language=letter.language)
    send_sms(TextMessage(id=letter.id, number=letter.address, text=text, at=now()), otherwise=spool)


def spool(message: TextMessage) -> None:
    """Append one line to YUNHE_HOME/spool/sms/YYYY-MM-DD.jsonl and sync it. Shape: {id,to,text,at} per line."""
    folder = settings.HOME.joinpath(*SPOOL)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{local(message.at):%Y-%m-%d}.jsonl"
    line = {"id": message.id, "to": message.number, "text": message.text, "at": message.at.isoformat()}
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "ab", buffering=0) as file:
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fsync(file.fileno())
    _sync_folder(str(folder))


def place(letter: Letter) -> str:
    """Return nothing: what rests, a gateway decides itself."""
    return ""


def is_ready() -> bool:
    """Tell that SMS can always be taken: the spool needs nothing."""
    return True


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


CHANNEL = Channel(
    code=SMS, title={"zh": "短信", "en": "SMS"}, deliver=deliver, check=check_phone, mask=mask_phone, place=place,
    is_ready=is_ready,
)  # fmt: skip
