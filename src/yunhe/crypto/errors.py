"""What can be wrong with what crypto is given. No error carries a key, a plaintext or a digest of one."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal


class CryptoError(Terminal):
    """Base of this folder's errors."""


class NotBytes(CryptoError):
    code = "not_bytes"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：需要字节串，实际类型是 {found}。",
        "en": "{where}: expected bytes, found {found}.",
    }


class BadKey(CryptoError):
    code = "bad_key"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：密钥长度需要{expected}字节，实际是 {found} 字节。",
        "en": "{where}: expected a key of {expected} bytes, found {found} bytes.",
    }


class SealBroken(CryptoError):
    """The sealed bytes are cut short, altered, or were sealed under another key or for another use."""

    code = "seal_broken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "密文无法打开（共 {bytes} 字节）：内容被改动，或密钥、用途不符。请核对密钥文件后重新封存。",
        "en": "Sealed text of {bytes} bytes does not open: altered, or another key or use. Check the key, seal anew.",
    }


class BadAuthorization(CryptoError):
    """The Authorization header of a signed request cannot be read."""

    code = "bad_authorization"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求头 Authorization 不能识别：{problem}。格式：YUNHE-HMAC-SM3 key=, time=, nonce=, signature=。",
        "en": "Authorization header not understood: {problem}. Form: YUNHE-HMAC-SM3 key=, time=, nonce=, signature=.",
    }
