"""The rights image: everything the gateway may know of keys and grants, in one file.

`data.exchange` writes it whole on every change and at least every few seconds; the gateway reads it
whole. The gateway never asks the control data, so a stopped console does not stop the data, and a
stopped writer does (RightsStale).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from yunhe.crypto import sm3, sm4
from yunhe.gateway.errors import BrokenImage

ACTIVE = "active"
SECRET_BYTES = 32
KEY_PREFIX = "AK"


class GrantedField(NamedTuple):
    """One field of a grant: its name, its mask (engine.masks), its type (engine.types.Column)."""

    name: str
    mask: str
    type: str


@dataclass(frozen=True, slots=True)
class AccessKeyRow:
    """An access key of a system (调用密钥).

    `system` and `organization` are codes; `secret_sealed` is what `seal_secret` returned.
    """

    key_id: str
    system: str
    organization: str
    secret_sealed: str
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A compiled grant (授权): which fields of which resource, for whom, until when, masked how.

    `consumer` is the code of the organisation that may call, `owner` of the one that answers for the data
    and sees the calls. `field_types` names every stored column,
    because `row_filter` (an expression, "" for none) is judged on the row as stored. The grant holds from
    `valid_from` until just before `valid_until` (aware times), and only in the state `active`. `serving_path`
    is empty while the release has no serving file yet.
    """

    grant_id: str
    resource: str
    resource_title: str
    consumer: str
    key_columns: tuple[str, ...]
    fields: tuple[GrantedField, ...]
    field_types: Mapping[str, str]
    purpose: str
    valid_from: datetime
    valid_until: datetime
    serving_path: str
    snapshot_id: str
    release_id: str
    row_filter: str = ""
    case_number: str = ""
    state: str = ACTIVE
    owner: str = ""


@dataclass(frozen=True, slots=True)
class RightsImage:
    """All keys and grants at the instant `written_at` (aware)."""

    version: int
    written_at: datetime
    keys: Mapping[str, AccessKeyRow] = field(default_factory=dict)
    grants: Mapping[str, GrantRow] = field(default_factory=dict)


_decoder = msgspec.json.Decoder(RightsImage)


def write_image(path: Path, image: RightsImage) -> None:
    """Do replace the file at `path` by `image`: a reader sees the old one or the new one, whole.

    Raises: OSError of the disk; the old image then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(image))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_image(path: Path) -> RightsImage:
    """Return the image at `path`. Raises: BrokenImage, also when there is none."""
    try:
        image = _decoder.decode(path.read_bytes())
    except OSError as error:
        raise BrokenImage(path=str(path), problem=error.strerror or "unreadable") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BrokenImage(path=str(path), problem=str(error)) from error
    for at in (image.written_at, *_times(image)):
        if at.tzinfo is None:
            raise BrokenImage(path=str(path), problem="a time without its zone")
    return image


def new_key_id() -> str:
    """Return a new access key id, which is no secret."""
    return KEY_PREFIX + secrets.token_hex(10)


def new_secret() -> str:
    """Return a new access key secret (43 characters), to be shown once and kept sealed only."""
    return secrets.token_urlsafe(SECRET_BYTES)


def seal_secret(*, node_secret: bytes, key_id: str, secret: str) -> str:
    """Return the sealed form of an access key's secret, bound to the key's id, in hexadecimal.

    `node_secret` is the same one that the gateway is started with (GatewayConfig.node_secret).
    Raises: BadKey.
    """
    sealed = sm4.encrypt_gcm(key=_sealing_key(node_secret), plaintext=secret.encode(), associated=key_id.encode())
    return sealed.hex()


def open_secret(*, node_secret: bytes, key: AccessKeyRow) -> bytes:
    """Return the secret of an access key. Raises: SealBroken, BadKey."""
    try:
        sealed = bytes.fromhex(key.secret_sealed)
    except ValueError:
        sealed = b""
    return sm4.decrypt_gcm(key=_sealing_key(node_secret), sealed=sealed, associated=key.key_id.encode())


@lru_cache(maxsize=4)
def _sealing_key(node_secret: bytes) -> bytes:
    return sm3.hmac(node_secret, b"yunhe/gateway/access-key")[: sm4.KEY_BYTES]


def _times(image: RightsImage) -> list[datetime]:
    return [at for grant in image.grants.values() for at in (grant.valid_from, grant.valid_until)]
