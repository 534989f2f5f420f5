"""What can go wrong with keys and secrets. Neither is ever a fact."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal


class NodeKeyMissing(Terminal):
    code = "node_key_missing"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有节点密钥文件 {path}。请先执行 yunhe init，或从备份恢复。",
        "en": "There is no node key file {path}. Run yunhe init first, or restore it from the backup.",
    }


class NodeKeyExists(Conflict):
    code = "node_key_exists"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "节点密钥文件 {path} 已存在，不会覆盖：覆盖后旧密文将无法解开。",
        "en": "The node key file {path} exists and is not overwritten: what it sealed could never be opened again.",
    }


class NodeKeyUnsafe(Terminal):
    code = "node_key_unsafe"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{path}：需要{expected}，实际是{found}。请执行 chmod 600（文件）和 chmod 700（目录），并核对属主。",
        "en": "{path}: expected {expected}, found {found}. Run chmod 600 (file) and chmod 700 (folder), and check the owner.",
    }


class CannotUnseal(Terminal):
    code = "cannot_unseal"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "密文（用途 {purpose}）解不开：被改动，或不是本节点的密钥封的。请从备份恢复，或重新录入。",
        "en": "What was sealed for {purpose} does not open: it was changed, or another node's key sealed it. "
        "Restore it from the backup, or enter it again.",
    }


class SecretNotFound(Missing):
    code = "secret_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有名为“{name}”的密文。请先录入。",
        "en": 'No secret is kept as "{name}". Enter it first.',
    }


class BadSecret(Invalid):
    code = "bad_secret"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "密文{where}：需要{expected}，实际是{found}。",
        "en": "Secret {where}: expected {expected}, found {found}.",
    }
