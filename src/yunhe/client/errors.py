"""What a caller meets when a gateway gives no data."""

from __future__ import annotations

from typing import Any, ClassVar

from yunhe.kernel.errors import EXIT_CODES, Invalid, Kind, Terminal, Transient


class CallRefused(Terminal):
    """The gateway refused and said why.

    `refusal` is the gateway's code (replayed_nonce, grant_expired, …), `refusal_kind` its kind, `status` the
    HTTP status, `evidence` the id of the refused call's evidence line.
    """

    code = "call_refused"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "网关拒绝了调用（{refusal}）：{detail}",
        "en": "The gateway refused the call ({refusal}): {detail}",
    }

    def __init__(self, *, status: int, content: dict[str, Any]) -> None:
        self.status = status
        self.refusal = str(content.get("code", ""))
        self.evidence = str(content.get("trace_id", ""))
        kinds: dict[str, Kind] = {kind: kind for kind in EXIT_CODES}
        self.refusal_kind: Kind = kinds.get(str(content.get("kind", "")), "refused")
        super().__init__(refusal=self.refusal, detail=str(content.get("detail", "")))

    @property
    def exit_code(self) -> int:
        """Return the exit code of the gateway's reason."""
        return EXIT_CODES[self.refusal_kind]


class GatewayUnreachable(Transient):
    code = "gateway_unreachable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "连不上网关 {address}：{problem}。请核对地址，稍后再试。",
        "en": "The gateway {address} cannot be reached: {problem}. Check the address, try later.",
    }


class NotAnAnswer(Transient):
    """Something answered, but not as a gateway does: perhaps a proxy's page."""

    code = "not_an_answer"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{address} 的回答（状态 {status}）不是网关的格式。请核对地址和中间代理。",
        "en": "{address} answered (status {status}) in another form than a gateway's. Check the address and any proxy.",
    }


class BadAddress(Invalid):
    code = "bad_gateway_address"
