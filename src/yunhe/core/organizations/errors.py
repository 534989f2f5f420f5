"""What can go wrong with organisations, persons and rights."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal


class OrganizationNotFound(Missing):
    code = "organization_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到机构“{name}”。请用统一社会信用代码、全称或简称核对。",
        "en": 'No organisation "{name}". Check the credit code, the name or the short name.',
    }


class AmbiguousOrganization(Invalid):
    code = "ambiguous_organization"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "名称“{name}”对应 {count} 个机构。请改用统一社会信用代码。",
        "en": '"{name}" names {count} organisations. Use the credit code instead.',
    }


class RegionNotFound(Missing):
    code = "region_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{on} 没有代码为“{name}”的行政区划。请核对代码和日期。",
        "en": 'No division has the code "{name}" on {on}. Check the code and the date.',
    }


class UserNotFound(Missing):
    code = "user_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到用户“{name}”。请核对用户名。",
        "en": 'No user "{name}". Check the user name.',
    }


class RoleNotFound(Missing):
    code = "role_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有角色“{name}”。已有角色：{known}。",
        "en": 'No role "{name}". Known roles: {known}.',
    }


class MembershipNotFound(Missing):
    code = "membership_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”没有有效的任职{detail_zh}。请安全管理员授予角色。",
        "en": '"{name}" has no valid membership{detail_en}. Ask the security administrator to grant a role.',
    }


class AmbiguousMembership(Invalid):
    code = "ambiguous_membership"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”有 {count} 个任职：{choices}。请写明以哪个机构、哪个角色办理（用户@机构 或 用户@机构/角色）。",
        "en": '"{name}" has {count} memberships: {choices}. Say which one acts (USER@ORG or USER@ORG/ROLE).',
    }


class BadOrganization(Invalid):
    code = "bad_organization"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "机构{where}：需要{expected}，实际是{found}。",
        "en": "Organisation {where}: expected {expected}, found {found}.",
    }


class BadRegion(Invalid):
    code = "bad_region"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "行政区划{where}：需要{expected}，实际是{found}。",
        "en": "Division {where}: expected {expected}, found {found}.",
    }


class BadUser(Invalid):
    code = "bad_user"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "用户{where}：需要{expected}，实际是{found}。",
        "en": "User {where}: expected {expected}, found {found}.",
    }


class BadPassword(Invalid):
    """`reasons` are sentences for the person; the password itself is never a fact."""

    code = "bad_password"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "密码不合要求：{reasons}请换一个。",
        "en": "The password does not do: {reasons} Choose another.",
    }


class BadRole(Invalid):
    code = "bad_role"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "角色{where}：需要{expected}，实际是{found}。",
        "en": "Role {where}: expected {expected}, found {found}.",
    }


class AlreadyExists(Conflict):
    code = "already_exists"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{what}“{name}”已经存在。请换一个，或改用已有的。",
        "en": '{what} "{name}" exists already. Choose another, or use the existing one.',
    }


class SeparationBroken(Conflict):
    """Three separated administrators (三员分立): one person never holds two of them."""

    code = "separation_broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”已任“{held}”，不能同时任“{wanted}”。系统、安全、审计三员须由不同的人担任，也不兼业务角色。",
        "en": '"{name}" is "{held}" and cannot also be "{wanted}". System, security and audit administrators are three '
        "different persons, and hold no business role.",
    }


class SeparatedAccount(Terminal):
    """Whoever sets an administrator's password, or closes the account, could take the administrator's place."""

    code = "separated_account"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”任“{held}”，您不能重置其密码或停用其账号：三员须相互独立。审计管理员的账号请安全管理员办理；"
        "安全管理员的账号请在节点本机运行 yunhe user recover {name}。",
        "en": '"{name}" is "{held}": you may not set the password or close the account, as the three administrators '
        "are separate. Ask the security administrator for the audit administrator's account; for the security "
        "administrator's, run yunhe user recover {name} on the node itself.",
    }


class SelfGrant(Terminal):
    code = "self_grant"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "不能给自己授予角色。请另一位安全管理员办理。",
        "en": "Nobody grants a role to themselves. Ask another security administrator.",
    }


class WrongCredentials(Terminal):
    code = "wrong_credentials"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "用户名或密码不对，或账号已停用。请核对后再试，忘记密码请找系统管理员。",
        "en": "Wrong user name or password, or the account is closed. Check and try again, or ask the system administrator.",
    }


class FirstPassword(Terminal):
    """A password that somebody else has seen proves nobody outside the pages, where it must be changed."""

    code = "first_password"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”还在用初始密码，不能在命令行办理。请先登录网页改好密码。",
        "en": '"{name}" still has a first password and cannot act on the command line. Sign in on the pages and change it.',
    }


class SignInBlocked(Terminal):
    """Too many failures; the same answer whether or not the user exists."""

    code = "sign_in_blocked"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "连续登录失败次数过多，请在 {wait_seconds} 秒后再试。",
        "en": "Too many failed sign-ins. Try again in {wait_seconds} seconds.",
    }


class NoPasswordYet(Conflict):
    """An account that nobody can sign in with is not handed over."""

    code = "no_password_yet"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "账号“{name}”还没有密码，本人无法登录，不能登记为已交付。请先打开账号页，点“设置初始密码”，把密码交给本人后再登记。",
        "en": 'The account "{name}" has no password yet, so nobody can sign in with it and it is not handed over. Open the '
        "account's page, set the first password, give it to the person, then record that here.",
    }


class OperatorRefused(Terminal):
    code = "operator_refused"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "本机操作员只在 embedded 模式下可用。请用 --as 用户@机构 指明以谁的身份办理。",
        "en": "The local operator exists in the embedded profile only. Say who acts with --as USER@ORG.",
    }
