"""The node's key file, keys derived from it, and sealed secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from gmssl import sm3 as reference
from hypothesis import given
from hypothesis import strategies as st

from yunhe.core.keys import api
from yunhe.core.keys.errors import (
    BadSecret,
    CannotUnseal,
    NodeKeyExists,
    NodeKeyMissing,
    NodeKeyUnsafe,
    SecretNotFound,
)
from yunhe.core.keys.models import Secret
from yunhe.kernel.actor import job_actor

ASKER = job_actor("tests")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "HOME", tmp_path)
    return tmp_path


def test_the_key_is_made_once_and_for_its_owner_only(home: Path) -> None:
    assert not api.has_node_key()
    path = api.create_node_key()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    key = api.read_node_key()
    assert len(key) == 32
    assert len(set(key)) > 8
    with pytest.raises(NodeKeyExists):
        api.create_node_key()
    assert api.read_node_key() == key
    assert [item.name for item in path.parent.iterdir()] == ["node.key"]


def test_without_a_key_nothing_is_derived(home: Path) -> None:
    with pytest.raises(NodeKeyMissing):
        api.derive("x")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o700])
def test_a_key_file_that_others_may_read_is_refused(home: Path, mode: int) -> None:
    api.create_node_key().chmod(mode)
    with pytest.raises(NodeKeyUnsafe, match="0600"):
        api.read_node_key()


def test_a_folder_that_others_may_enter_is_refused(home: Path) -> None:
    api.create_node_key().parent.chmod(0o750)
    with pytest.raises(NodeKeyUnsafe, match="0700"):
        api.read_node_key()


def test_a_loose_folder_gets_no_key(home: Path) -> None:
    (home / "keys").mkdir(mode=0o755)
    (home / "keys").chmod(0o755)
    with pytest.raises(NodeKeyUnsafe):
        api.create_node_key()


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_a_key_of_another_length_is_refused(home: Path, size: int) -> None:
    path = api.create_node_key()
    path.write_bytes(os.urandom(size))
    with pytest.raises(NodeKeyUnsafe, match="32 bytes"):
        api.read_node_key()


def test_a_link_is_no_key_file(home: Path) -> None:
    path = api.create_node_key()
    path.rename(home / "elsewhere")
    path.symlink_to(home / "elsewhere")
    with pytest.raises(NodeKeyUnsafe):
        api.read_node_key()


def _hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC written out over another SM3: RFC 2104, block of 64 bytes."""
    padded = key.ljust(64, b"\0")
    inner = bytes(byte ^ 0x36 for byte in padded) + data
    digest = bytes.fromhex(reference.sm3_hash(list(inner)))
    return bytes.fromhex(reference.sm3_hash(list(bytes(byte ^ 0x5C for byte in padded) + digest)))


@given(purpose=st.text(st.characters(codec="utf-8"), max_size=40))
def test_derived_keys_against_another_implementation(purpose: str) -> None:
    message = b"\x00\x00\x00\x01yunhe.derive.v1\x00" + purpose.encode()
    assert api.derive(purpose) == _hmac_sm3(api.read_node_key(), message)


@given(plaintext=st.binary(max_size=200), purpose=st.text("abc", min_size=1, max_size=5))
def test_what_is_sealed_opens_for_its_purpose_only(plaintext: bytes, purpose: str) -> None:
    sealed = api.seal(purpose=purpose, plaintext=plaintext)
    assert api.unseal(purpose=purpose, sealed=sealed) == plaintext
    assert sealed != api.seal(purpose=purpose, plaintext=plaintext)
    with pytest.raises(CannotUnseal):
        api.unseal(purpose=purpose + "x", sealed=sealed)


@given(st.data())
def test_a_changed_byte_or_a_cut_end_never_opens(data: st.DataObject) -> None:
    sealed = bytearray(api.seal(purpose="p", plaintext=b"secret"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotUnseal):
        api.unseal(purpose="p", sealed=bytes(sealed))
    with pytest.raises(CannotUnseal):
        api.unseal(purpose="p", sealed=bytes(sealed[:place]))


@pytest.mark.django_db
def test_secrets_are_kept_sealed_replaced_and_forgotten() -> None:
    api.store_secret(name="connection/1", value="口令-4711", actor=ASKER)
    stored = bytes(Secret.objects.get().sealed)
    assert "口令-4711".encode() not in stored
    assert api.read_secret(name="connection/1") == "口令-4711".encode()
    info = api.store_secret(name="connection/1", value=b"other", actor=ASKER)
    assert api.find_secret_info(name="connection/1") == info
    assert api.read_secret(name="connection/1") == b"other"
    assert api.forget_secret(name="connection/1")
    assert not api.forget_secret(name="connection/1")
    with pytest.raises(SecretNotFound):
        api.read_secret(name="connection/1")


@pytest.mark.django_db
def test_a_secret_moved_to_another_name_does_not_open() -> None:
    api.store_secret(name="a", value="x", actor=ASKER)
    Secret.objects.update(name="b")
    with pytest.raises(CannotUnseal):
        api.read_secret(name="b")


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "value"), [("", "x"), ("Ä", "x"), ("a", ""), ("a", "y" * 20_000), ("../a", "x")])
def test_bad_secrets(name: str, value: str) -> None:
    with pytest.raises(BadSecret) as caught:
        api.store_secret(name=name, value=value, actor=ASKER)
    assert "yyy" not in str(caught.value)
