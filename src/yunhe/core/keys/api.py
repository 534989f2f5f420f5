"""Keys (密钥): the node's key file, keys derived from it, and secrets sealed under them."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from yunhe.core.keys.errors import (
    BadSecret,
    CannotUnseal,
    NodeKeyExists,
    NodeKeyMissing,
    NodeKeyUnsafe,
    SecretNotFound,
)
from yunhe.core.keys.models import Secret
from yunhe.core.keys.types import SecretInfo
from yunhe.crypto import sm3, sm4
from yunhe.crypto.errors import CryptoError
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

__all__ = [
    "create_node_key",
    "derive",
    "find_secret_info",
    "forget_secret",
    "has_node_key",
    "node_key_path",
    "read_node_key",
    "read_secret",
    "seal",
    "store_secret",
    "unseal",
]

KEY_BYTES = 32
SM4_KEY_BYTES = 16
FORM = b"\x01"
NAME = re.compile(r"[a-z0-9][a-z0-9_.:/-]{0,199}\Z")
MAX_SECRET_BYTES = 16 * 1024


def node_key_path() -> Path:
    """Return where the node's key file stands."""
    path: Path = settings.HOME / "keys" / "node.key"
    return path


def create_node_key() -> Path:
    """Make the node's key: 32 random bytes, file 0600 in a folder 0700; never over an existing one.

    Raises: NodeKeyExists, NodeKeyUnsafe if the folder is another's or open to others.
    """
    path = node_key_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_mode(path.parent, path.parent.lstat(), loosest=0o700, is_kind=stat.S_ISDIR, kind="a folder")
    fresh = path.with_name(f".node.key.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename, a link never replaces what is there
    except FileExistsError:
        raise NodeKeyExists(what="key", name=str(path), path=path) from None
    finally:
        fresh.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return path


def has_node_key() -> bool:
    """Tell whether the node has its key file."""
    return node_key_path().is_file()


def read_node_key() -> bytes:
    """Return the node's key after looking at the file's modes and owner.

    Raises: NodeKeyMissing, NodeKeyUnsafe.
    """
    path = node_key_path()
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NodeKeyMissing(path=path) from None
    except OSError as error:
        raise NodeKeyUnsafe(path=path, expected="a readable file, no link", found=error.strerror) from error
    with os.fdopen(handle, "rb") as file:
        _check_mode(path, os.fstat(file.fileno()), loosest=0o600, is_kind=stat.S_ISREG, kind="a file")
        _check_mode(path.parent, path.parent.lstat(), loosest=0o700, is_kind=stat.S_ISDIR, kind="a folder")
        material = file.read(KEY_BYTES + 1)
    if len(material) != KEY_BYTES:
        raise NodeKeyUnsafe(path=path, expected=f"{KEY_BYTES} bytes", found=f"{len(material)} or more")
    return material


def derive(purpose: str) -> bytes:
    """Return the 32-byte key of one purpose: HMAC-SM3 under the node's key.

    Source: NIST SP 800-108 counter mode with one block; the purposes are this product's own words.
    """
    return sm3.hmac(read_node_key(), b"\x00\x00\x00\x01yunhe.derive.v1\x00" + purpose.encode("utf-8"))


def seal(*, purpose: str, plaintext: bytes) -> bytes:
    """Return the plaintext under SM4-GCM, bound to its purpose."""
    return FORM + sm4.encrypt_gcm(key=_seal_key(purpose), plaintext=plaintext, associated=purpose.encode("utf-8"))


def unseal(*, purpose: str, sealed: bytes) -> bytes:
    """Return what was sealed for this purpose. Raises: CannotUnseal, whatever is wrong with it."""
    if sealed[:1] != FORM:
        raise CannotUnseal(purpose=purpose)
    try:
        return sm4.decrypt_gcm(key=_seal_key(purpose), sealed=sealed[1:], associated=purpose.encode("utf-8"))
    except CryptoError as error:
        raise CannotUnseal(purpose=purpose) from error


def store_secret(*, name: str, value: str | bytes, actor: Actor) -> SecretInfo:
    """Keep a secret sealed under its name, over an older one. Raises: BadSecret.

    The caller checks that the actor may, and writes the evidence: this room stands below both.
    """
    plaintext = value.encode("utf-8") if isinstance(value, str) else value
    if not NAME.match(name):
        raise BadSecret(where="name", expected="1-200 of a-z 0-9 _ . : / -", found=f"{len(name)} characters")
    if not 0 < len(plaintext) <= MAX_SECRET_BYTES:
        raise BadSecret(where=name, expected=f"1 to {MAX_SECRET_BYTES} bytes", found=len(plaintext))
    sealed = seal(purpose=f"secret:{name}", plaintext=plaintext)
    values = {"sealed": sealed, "stored_at": now(), "stored_by": actor.id}
    row, _ = Secret.objects.update_or_create(name=name, defaults=values)
    return SecretInfo(name=row.name, stored_at=row.stored_at, stored_by=row.stored_by)


def read_secret(*, name: str) -> bytes:
    """Return a secret. Raises: SecretNotFound, CannotUnseal."""
    row = Secret.objects.filter(pk=name).first()
    if row is None:
        raise SecretNotFound(what="secret", name=name)
    return unseal(purpose=f"secret:{name}", sealed=bytes(row.sealed))


def forget_secret(*, name: str) -> bool:
    """Remove a secret; tell whether there was one."""
    removed, _ = Secret.objects.filter(pk=name).delete()
    return removed > 0


def find_secret_info(*, name: str) -> SecretInfo | None:
    """Return that a secret is kept, without opening it, or None."""
    row = Secret.objects.defer("sealed").filter(pk=name).first()
    return SecretInfo(name=row.name, stored_at=row.stored_at, stored_by=row.stored_by) if row else None


def _seal_key(purpose: str) -> bytes:
    return derive(f"seal:{purpose}")[:SM4_KEY_BYTES]


def _check_mode(path: Path, found: os.stat_result, *, loosest: int, is_kind: Callable[[int], bool], kind: str) -> None:
    if not is_kind(found.st_mode):
        raise NodeKeyUnsafe(path=path, expected=kind, found="something else")
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~loosest:
        raise NodeKeyUnsafe(path=path, expected=f"mode {loosest:04o} at most", found=f"{mode:04o}")
    if found.st_uid not in (os.geteuid(), 0):
        raise NodeKeyUnsafe(path=path, expected=f"owner {os.geteuid()} or root", found=f"owner {found.st_uid}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
