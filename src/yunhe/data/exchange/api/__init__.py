"""The face of exchange: request → owner's decision → grant → the one door for rows (共享交换)."""

from __future__ import annotations

from yunhe.data.exchange.api.calls import list_calls, note_calls
from yunhe.data.exchange.api.grants import (
    access_grant,
    check_request,
    find_grant_of_case,
    grant_from_case,
    list_grants,
    request_access,
    revoke_grant,
)
from yunhe.data.exchange.api.queries import run_query
from yunhe.data.exchange.api.rights_image import refresh_rights_image, rights_image_path
from yunhe.data.exchange.api.rows import read_rows
from yunhe.data.exchange.api.systems import create_system, gateway_secret, list_systems, revoke_system
from yunhe.data.exchange.api.telling import tell_rolled_back

__all__ = [
    "access_grant",
    "check_request",
    "create_system",
    "find_grant_of_case",
    "gateway_secret",
    "grant_from_case",
    "list_calls",
    "list_grants",
    "list_systems",
    "note_calls",
    "read_rows",
    "refresh_rights_image",
    "request_access",
    "revoke_grant",
    "revoke_system",
    "rights_image_path",
    "run_query",
    "tell_rolled_back",
]
