"""When a job or a message is tried again: pure functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from yunhe.core.jobs.errors import BadJob
from yunhe.kernel.actor import Actor, Door, Right
from yunhe.kernel.errors import Transient, YunheError

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=30)
MAX_ARGUMENTS_BYTES = 64 * 1024
NOTE_LENGTH = 200


def pause_after(attempts: int) -> timedelta:
    """Return the pause before the next try: 2 s, 4 s, 8 s … up to 30 minutes."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 20)
    return min(doubled, LONGEST_PAUSE)


def may_try_again(error: BaseException, *, attempts: int, limit: int) -> bool:
    """Tell whether a failure is worth another attempt: Transient ones only, and not without end."""
    return isinstance(error, Transient) and attempts < limit


def error_facts(error: BaseException) -> tuple[str, dict[str, str]]:
    """Return the stable code, and the kind and sentences to keep; a foreign error gives its class only.

    The text of a foreign exception may hold row values, so it is not kept.
    Shape: code, {"kind","zh","en"}.
    """
    if isinstance(error, YunheError):
        return error.code, {"kind": error.kind, **error.texts}
    name = type(error).__name__
    return "broken", {
        "kind": "broken",
        "zh": f"作业中途出错（{name}）。详情在工作进程日志里，请告诉管理员。",
        "en": f"The job broke ({name}). The worker's log has the details; tell the administrator.",
    }


def plain_arguments(arguments: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return the arguments as JSON gives them back. Raises: BadJob if JSON cannot hold them."""
    try:
        text = json.dumps(dict(arguments), allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise BadJob(where=f"{where}.arguments", expected="JSON values", found=type(error).__name__) from error
    if len(text) > MAX_ARGUMENTS_BYTES:
        raise BadJob(where=f"{where}.arguments", expected=f"at most {MAX_ARGUMENTS_BYTES} bytes", found=len(text))
    if "\\u0000" in text or ("\\ud8" in text.lower() and _has_surrogate(arguments)):
        raise BadJob(where=f"{where}.arguments", expected="text without NUL or lone surrogates", found="one")
    plain: dict[str, Any] = json.loads(text)
    return plain


def actor_to_json(actor: Actor) -> dict[str, Any]:
    """Return the actor as a JSON value: a job acts with the rights, and by the door, of when it was asked for."""
    return {
        "kind": actor.kind,
        "id": actor.id,
        "name": actor.name,
        "organization": actor.organization,
        "organization_name": actor.organization_name,
        "role": actor.role,
        "rights": [
            [right.permission, sorted(right.organizations), sorted(right.regions), sorted(right.kinds)]
            for right in actor.rights
        ],
        "door": [actor.door.via, actor.door.os_user],
    }


def actor_from_json(stored: Mapping[str, Any]) -> Actor:
    """Return the Actor that `actor_to_json` wrote."""
    rights = tuple(
        Right(permission, frozenset(organizations), frozenset(regions), frozenset(kinds))
        for permission, organizations, regions, kinds in stored["rights"]
    )
    names = {name: stored[name] for name in ("kind", "id", "name", "organization", "organization_name", "role")}
    return Actor(**names, rights=rights, door=Door(*stored["door"]))


def _has_surrogate(value: object) -> bool:
    match value:
        case str():
            return any("\ud800" <= letter <= "\udfff" for letter in value)
        case Mapping():
            return any(_has_surrogate(key) or _has_surrogate(item) for key, item in value.items())
        case list() | tuple():
            return any(_has_surrogate(item) for item in value)
    return False
