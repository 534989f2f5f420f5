"""The error base of the whole house: what went wrong, where, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from yunhe.kernel.nouns import permission_said, said

Kind = Literal["missing", "refused", "invalid", "conflict", "unavailable", "broken"]

EXIT_CODES: dict[Kind, int] = {
    "invalid": 2,
    "refused": 3,
    "missing": 4,
    "conflict": 5,
    "unavailable": 6,
    "broken": 1,
}
HTTP_STATUS: dict[Kind, int] = {
    "invalid": 422,
    "refused": 403,
    "missing": 404,
    "conflict": 409,
    "unavailable": 503,
    "broken": 500,
}


class YunheError(Exception):
    """Say in one sentence what was expected, what was found, where, and the next step.

    A subclass sets `code` (stable, lower_snake), `kind`, and one sentence per language in
    `sentences`, with the facts as named slots. Facts are arguments; secrets and personal
    values are never facts. The fact `what` is a code word of `kernel.nouns`; a fact in words is a text in
    each language, {"zh": …, "en": …}.
    """

    code: ClassVar[str] = "broken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "系统内部出错。请把追踪号告诉管理员。",
        "en": "Something broke inside. Give the trace id to the administrator.",
    }

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.say("en"))

    def say(self, language: str = "zh") -> str:
        """Return the sentence in `language` (zh or en), with the facts filled in."""
        template = self.sentences.get(language[:2], self.sentences["zh"])
        sentence = template.format_map(_Facts(self.facts | self._named(language)))
        return sentence[:1].upper() + sentence[1:] if template.startswith("{what}") else sentence

    @property
    def texts(self) -> dict[str, str]:
        """Return the sentence in each language: {"zh": …, "en": …}."""
        return {"zh": self.say("zh"), "en": self.say("en")}

    def _named(self, language: str) -> dict[str, object]:
        """Return the facts that are code words, or a text in each language, as `language` says them."""
        texts = {name: told for name, told in self.facts.items() if isinstance(told, Mapping) and "zh" in told}
        spoken = {name: told.get("en" if language[:2] == "en" else "zh", told["zh"]) for name, told in texts.items()}
        return {**spoken, "what": said(self.facts.get("what", "?what"), language)}

    @property
    def exit_code(self) -> int:
        """Return the command line's exit code (architecture 11)."""
        return EXIT_CODES[self.kind]

    @property
    def http_status(self) -> int:
        """Return the HTTP status that a door answers with."""
        return HTTP_STATUS[self.kind]

    def as_problem(self, language: str = "zh", trace_id: str = "") -> dict[str, Any]:
        """Return the RFC 9457 body. Shape: {type,title,status,detail,code,kind,trace_id}."""
        return {
            "type": f"urn:yunhe:problem:{self.code}",
            "title": self.code,
            "status": self.http_status,
            "detail": self.say(language),
            "code": self.code,
            "kind": self.kind,
            "trace_id": trace_id,
        }


class Terminal(YunheError):
    """Trying again changes nothing."""


class Transient(YunheError):
    """The same call may succeed later."""

    code = "unavailable"
    kind: ClassVar[Kind] = "unavailable"


class Missing(Terminal):
    """Missing and forbidden sound alike to those who may not know."""

    code = "missing"
    kind: ClassVar[Kind] = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到{what}“{name}”，或您无权查看。请核对后再试。",
        "en": 'No {what} "{name}", or you may not see it. Check the name and try again.',
    }


class Refused(Terminal):
    code = "refused"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "您没有“{permission}”的权限。如工作需要，请向安全管理员申请。",
        "en": 'You do not hold the permission "{permission}". Ask the security administrator.',
    }

    def _named(self, language: str) -> dict[str, object]:
        return super()._named(language) | {"permission": permission_said(self.facts.get("permission", "?permission"), language)}


class Invalid(Terminal):
    code = "invalid"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：需要{expected}，实际是{found}。",
        "en": "{where}: expected {expected}, found {found}.",
    }


class Conflict(Terminal):
    code = "conflict"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{what}“{name}”刚被别人改动。请刷新后再试。",
        "en": '{what} "{name}" was changed by someone else. Reload and try again.',
    }


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"?{key}"
