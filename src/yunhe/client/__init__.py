"""Calling a gateway. Needs `yunhe.crypto` and `yunhe.kernel` only, so that it can be copied out."""

from __future__ import annotations

from yunhe.client.calls import Answer, Client
from yunhe.client.errors import CallRefused, GatewayUnreachable, NotAnAnswer

__all__ = ["Answer", "CallRefused", "Client", "GatewayUnreachable", "NotAnAnswer"]
