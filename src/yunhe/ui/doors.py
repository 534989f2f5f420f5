"""Every door declares who may pass: `@requires("ledger.view")`, `"signed_in"` or `"public"`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest

from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused
from yunhe.ui.errors import NoMembership, NotSignedIn, PasswordMustChange

PUBLIC = "public"
SIGNED_IN = "signed_in"
View = Callable[..., Any]


def requires(*permissions: str, with_first_password: bool = False) -> Callable[[View], View]:
    """Declare a view's permission and check it before the view runs; of several, one is enough.

    `view.permission` is the first one, `view.permissions` all of them (read by the test that walks
    every door). `with_first_password` lets somebody in who must still change a given password.
    Raises: NotSignedIn, NoMembership, PasswordMustChange, Refused (at the call).
    """
    if not permissions:
        raise ValueError("a door needs a permission")

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            check_door(request, permissions, with_first_password=with_first_password)
            return view(request, *args, **kwargs)

        # django-ninja reads annotations through the wrapper, whose globals are this module's.
        guarded.__signature__ = _signature(view)  # type: ignore[attr-defined]
        guarded.permission = permissions[0]  # type: ignore[attr-defined]
        guarded.permissions = permissions  # type: ignore[attr-defined]
        return guarded

    return mark


def check_door(request: HttpRequest, permissions: tuple[str, ...], *, with_first_password: bool = False) -> None:
    """Do nothing if the request's actor may pass. Raises: as `requires` says."""
    if PUBLIC in permissions:
        return
    actor = getattr(request, "actor", None)
    user = getattr(request, "user", None)
    if actor is None and not (user is not None and user.is_authenticated):
        raise NotSignedIn()
    if getattr(user, "must_change_password", False) and not with_first_password:
        raise PasswordMustChange()
    if SIGNED_IN in permissions:
        return
    if actor is None:
        raise NoMembership()
    if not any(actor.may(permission) for permission in permissions):
        raise Refused(permission=permissions[0])


def _signature(view: View) -> inspect.Signature:
    try:
        return inspect.signature(view, eval_str=True)
    except NameError:  # an annotation imported for type checkers only; then nobody needs it resolved
        return inspect.signature(view)


def acting(request: HttpRequest) -> Actor:
    """Return who acts, where a door is open to everybody signed in. Raises: NoMembership."""
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise NoMembership()
    return actor
