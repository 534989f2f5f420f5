"""What cases about accounts, roles and absences do: rooms below have no effects of their own, so they are here.

Each acts with the rights of whoever decides: an account needs the system administrator, a role the security
administrator (三员分立, GB/T 22239-2019 8.1.5), also where somebody stands in for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from yunhe.core.cases import api
from yunhe.core.cases.errors import RequestRefused
from yunhe.core.cases.types import EffectContext
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import AlreadyExists, UserNotFound
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import job_actor


def check_leave(context: EffectContext) -> Mapping[str, Any]:
    """Effect `cases.check_leave`: refuse at once what could not be handed over; note whose seats they are."""
    mine = api.own_membership(context.actor)
    api.check_delegation(mine, _absence(context))
    return {"membership": mine.id}


def note_delegate(context: EffectContext) -> Mapping[str, Any]:
    """Effect `cases.note_delegate`: note as whom the delegate acts, so that guards can tell them from whoever decides."""
    return {"delegate_id": f"user:{organizations.get_person(username=context.case.data['delegate']).id}"}


def hand_over(context: EffectContext) -> None:
    """Effect `cases.hand_over`: the delegate acts in the opener's seats, by the rules of `api.delegate`."""
    held = context.case.data.get("membership")
    mine = api.find_membership(person=context.case.opened_by, membership_id=held) if held else api.own_membership(context.actor)
    api.make_delegation(mine, _absence(context), actor=context.actor, case_id=context.case.case_id)


def check_account(context: EffectContext, *, username: str, role: str) -> None:
    """Effect `organizations.check_account`: the name is free and the role may be asked for."""
    _require_plain_role(role)
    try:
        organizations.get_person(username=username)
    except UserNotFound:
        return
    raise AlreadyExists(what="user", name=username)


def create_user(context: EffectContext, *, username: str, display_name: str) -> Mapping[str, Any]:
    """Effect `organizations.create_user`: open the account, without a password.

    Whoever hands the account over sets one on the account's page, which shows it once.
    """
    made = organizations.create_locked_user(username=username, display_name=display_name, actor=context.actor)
    return {"account": made.username}


def check_password(context: EffectContext, *, username: str) -> None:
    """Effect `organizations.check_password`: the account is handed over with a password, or not at all."""
    has_password(username=username)


def has_password(*, username: str) -> None:
    """Do nothing if the account has a password. Raises: NoPasswordYet."""
    organizations.require_password(username=username)


def drop_user(context: EffectContext, *, username: str) -> None:
    """Effect `organizations.drop_user`: close the account that this very case opened and that got no rights."""
    if context.case.data.get("account") == username and not organizations.list_memberships(username=username):
        organizations.close_user(username=username, actor=job_actor("cases"))


def check_person(context: EffectContext, *, username: str, role: str = "", change: str = "") -> Mapping[str, Any]:
    """Effect `organizations.check_person`: a person of the organisation, whose rights this way may change."""
    held = organizations.list_memberships(username=username)
    own = [m for m in held if m.organization == context.case.organization]
    if not own:
        raise RequestRefused(name=username, problem="不是本单位的在职人员", problem_en="is nobody of your organisation")
    if any(organizations.get_role(code=m.role).separation for m in held):
        raise RequestRefused(name=username, problem="是三员之一，其账号和权限不走申请", problem_en="is an administrator; no request changes that")
    if role:
        _require_plain_role(role)
        if (change == "grant") == any(m.role == role for m in own):
            said = ("已有这个岗位", "has that role already") if change == "grant" else ("没有这个岗位", "does not hold that role")
            raise RequestRefused(name=username, problem=said[0], problem_en=said[1])
    elif len(held) > len(own):
        problem, problem_en = "还在别的单位任职，请改为申请结束本单位的岗位", "also belongs elsewhere: ask to end the role here instead"
        raise RequestRefused(name=username, problem=problem, problem_en=problem_en)
    return {"person_id": f"user:{held[0].user_id}"}


def grant_role(context: EffectContext, *, username: str, role: str, until: str | None = None) -> None:
    """Effect `organizations.grant_role`: a membership in the applying organisation; `until` is its last day."""
    ends = date.fromisoformat(until) + timedelta(days=1) if until else None
    body = context.case.organization
    organizations.add_membership(username=username, organization=body, role=role, valid_until=ends, actor=context.actor)


def end_role(context: EffectContext, *, username: str, role: str) -> None:
    """Effect `organizations.end_role`: end the membership of that role in the applying organisation."""
    for held in _memberships(username, role, context.case.organization):
        organizations.end_membership(membership_id=held.id, actor=context.actor)


def close_user(context: EffectContext, *, username: str) -> None:
    """Effect `organizations.close_user`: nobody signs in with the account any more, its memberships end."""
    organizations.close_user(username=username, actor=context.actor)


def register_effects() -> None:
    """Fill the slots of this room's effects."""
    api.register_effect(code="cases.check_leave", arguments=(), apply=check_leave)
    api.register_effect(code="cases.note_delegate", arguments=(), apply=note_delegate)
    api.register_effect(code="cases.hand_over", arguments=(), apply=hand_over)
    person = "username"
    api.register_effect(code="organizations.check_account", arguments=(person, "role"), apply=check_account)
    api.register_effect(code="organizations.create_user", arguments=(person, "display_name"), apply=create_user)
    api.register_effect(code="organizations.check_password", arguments=(person,), apply=check_password, check=has_password)
    api.register_effect(code="organizations.drop_user", arguments=(person,), apply=drop_user)
    api.register_effect(code="organizations.check_person", arguments=(person, "role", "change"), apply=check_person)
    api.register_effect(code="organizations.grant_role", arguments=(person, "role", "until"), apply=grant_role)
    api.register_effect(code="organizations.end_role", arguments=(person, "role"), apply=end_role)
    api.register_effect(code="organizations.close_user", arguments=(person,), apply=close_user)


def _absence(context: EffectContext) -> api.Absence:
    data = context.case.data
    since, until = date.fromisoformat(data["since"]), date.fromisoformat(data["until"])
    return api.Absence(data["delegate"], since, until, data["reason"], tuple(data.get("kinds") or ()))


def _memberships(username: str, role: str, organization: str) -> list[Membership]:
    held = organizations.list_memberships(username=username)
    return [m for m in held if (m.organization, m.role) == (organization, role)]


def _require_plain_role(role: str) -> None:
    known = organizations.get_role(code=role)
    if known.separation:
        raise RequestRefused(name=role, titles={"name": known.title}, problem="三员的岗位不走申请", problem_en="an administrator's role is not for asking")
