"""Types of registers and the slot in which rooms above add to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import FieldProblem
from yunhe.core.evidence import api as evidence
from yunhe.core.registers.errors import BadRegisterType, RegisterTypeNotFound
from yunhe.core.registers.models import TypeRecord
from yunhe.core.registers.types import Entry, RegisterType, TypeHandler
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

_handlers: dict[str, TypeHandler] = {}
_specs: dict[str, RegisterType] = {}
_NOTHING = TypeHandler()


def register_handler(
    *,
    type_code: str,
    check: Callable[[Mapping[str, Any]], tuple[FieldProblem, ...]] | None = None,
    published: Callable[[Entry, Actor], None] | None = None,
    withdrawn: Callable[[Entry, Actor], None] | None = None,
    page: Callable[[str], str] | None = None,
) -> None:
    """Fill the slot of one type from an app's ready(); the first three run in the transaction of the write.

    `page(code)` gives the address of an entry's page, for links from its publication case.

    Raises: BadRegisterType when the slot is taken, which stops the start.
    """
    if type_code in _handlers:
        raise BadRegisterType(name=type_code, problem="已有处理程序登记", problem_en="a handler is registered already")
    _handlers[type_code] = TypeHandler(check=check, published=published, withdrawn=withdrawn, page=page)


def handler_of(type_code: str) -> TypeHandler:
    """Return what was registered for the type, or the empty one."""
    return _handlers.get(type_code, _NOTHING)


def define_type(*, declared: RegisterType, source: str, actor: Actor) -> RegisterType:
    """Make or replace a register type; the same text again changes nothing."""
    actor.require("packs.load")
    body = declared.model_dump(mode="json")
    digest = cases.digest_of(body)
    with transaction.atomic():
        row = TypeRecord.objects.filter(pk=declared.code).first()
        if row is not None and row.digest == digest:
            return declared
        version = row.version + 1 if row else 1
        facts = {"register": declared.code, "version": version, "digest": digest, "source": source}
        TypeRecord.objects.update_or_create(
            code=declared.code,
            defaults={
                "body": body, "digest": digest, "version": version, "source": source,
                "loaded_at": now(), "loaded_by": actor.id,
            },
        )  # fmt: skip
        evidence.append(
            kind="register.type_defined", actor=actor, subject_type="register", subject_id=declared.code, facts=facts
        )
    return declared


def get_type(*, code: str) -> RegisterType:
    """Return a register type. Raises: RegisterTypeNotFound."""
    digest = TypeRecord.objects.filter(pk=code).values_list("digest", flat=True).first()
    if digest is None:
        raise RegisterTypeNotFound(name=code)
    if digest not in _specs:
        _specs[digest] = RegisterType.model_validate(TypeRecord.objects.get(pk=code).body)
    return _specs[digest]


def list_types() -> tuple[RegisterType, ...]:
    """Return every register type, by code."""
    return tuple(get_type(code=code) for code in TypeRecord.objects.order_by("code").values_list("code", flat=True))
