"""Pages of accounts and memberships."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.organizations import api
from yunhe.core.organizations.errors import MembershipNotFound
from yunhe.core.organizations.forms import MembershipForm, UserForm
from yunhe.core.organizations.types import Membership, NewPassword, Person
from yunhe.core.organizations.views.sections import sections
from yunhe.ui.cells import Action, Column, Empty, Fact, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, read_page_request
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken

USER_COLUMNS = (
    Column(_("姓名"), lambda p: Link(p.display_name, _href("user", p.username), sub=p.username), wide=True),
    Column(_("状态"), lambda p: _state(p)),
    Column(_("上次登录"), lambda p: p.last_login_at),
    Column(_("开通"), lambda p: p.created_at),
)


def _href(name: str, *parts: object) -> str:
    return reverse(f"organizations:{name}", args=parts)


def _state(person: Person) -> Tag:
    if not person.is_active:
        return Tag(_("已停用"), "grey")
    if not person.has_password:
        return Tag(_("尚无密码"), "amber")
    return Tag(_("待改初始密码"), "amber") if person.must_change_password else Tag(_("在用"), "green")


@require_safe
@requires("organizations.view")
def list_users(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("organization",))
    page = partial(api.list_persons, actor=request.actor)(request=wanted)
    listing = Listing(
        request=request, page=page, wanted=wanted, columns=USER_COLUMNS, caption=_("人员"),
        search_label=_("搜索姓名、用户名"),
        empty=Empty(_("还没有账号"), _("先开通账号，再授予任职。"), _("开通账号"), _href("create_user")),
    )  # fmt: skip
    may = request.actor.may("organizations.manage")
    acts = (Action(_("开通账号"), _href("create_user"), "primary"),) if may else ()
    context = {"listing": listing, "tabs": sections("users"), "title": _("人员"), "acts": acts}
    return render(request, "organizations/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("organizations.manage")
def create_user(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST or None)
    if request.method == "POST":
        made = form.submit(lambda data: api.create_user(**data, actor=request.actor))
        if made is not None:
            return _show_once(request, made)
    context = {"form": form, "title": _("开通账号"), "cancel": _href("users")}
    return render(request, "organizations/form.html", context, status=form.status)


def _show_once(request: HttpRequest, made: NewPassword) -> HttpResponse:
    """The answer to the POST itself shows the password: it is stored nowhere to show it again."""
    return render(request, "organizations/password.html", {"made": made})


@require_safe
@requires("organizations.view")
def show_user(request: HttpRequest, username: str) -> HttpResponse:
    person = api.get_person(username=username)
    facts = (
        Fact(_("用户名"), person.username), Fact(_("姓名"), person.display_name), Fact(_("状态"), _state(person)),
        Fact(_("开通"), person.created_at), Fact(_("上次登录"), person.last_login_at),
    )  # fmt: skip
    none = Empty(_("还没有任职"), _("没有任职就没有权限。请安全管理员授予。"))
    table = Table(_membership_columns(request), api.list_memberships(username=username), caption=_("任职"), empty=none)
    context = {"person": person, "facts": facts, "memberships": table, "acts": _user_acts(request, person)}
    return render(request, "organizations/user.html", context)


def _user_acts(request: HttpRequest, person: Person) -> tuple[Action, ...]:
    acts = []
    if person.is_active and request.actor.may("roles.manage"):
        acts.append(Action(_("授予任职"), _href("add_membership", person.username), "primary"))
    if person.is_active and api.may_govern(username=person.username, actor=request.actor):
        acts.append(Action(_password_act(person), _href("set_password", person.username), "plain" if person.has_password else "primary"))
        acts.append(Action(_("停用账号"), _href("close_user", person.username), "danger"))
    return tuple(acts)


def _membership_columns(request: HttpRequest) -> tuple[Column, ...]:
    may = request.actor.may("roles.manage")
    columns = (
        Column(_("机构"), lambda m: Link(m.organization_name, _href("organization", m.organization)), wide=True),
        Column(_("角色"), lambda m: Link(str(spoken(m.role_title)), _href("role", m.role))),
        Column(_("自"), lambda m: m.valid_from),
        Column(_("至"), lambda m: m.valid_until or _("长期")),
    )
    end = Column("", lambda m: Action(_("结束任职"), _href("end_membership", m.username, m.id), "danger"))
    return (*columns, end) if may else columns


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("organizations.manage", "roles.manage")
def set_password(request: HttpRequest, username: str) -> HttpResponse:
    person = api.get_person(username=username)
    if request.method == "POST":
        return _show_once(request, api.set_password(username=username, actor=request.actor))
    ask = _("确定重置“%(name)s”的密码吗？") if person.has_password else _("为“%(name)s”设置初始密码吗？")
    ended = (_("现在的密码立即失效，所有登录都会退出。"),) if person.has_password else ()
    return confirm_page(
        request, title=_password_act(person), question=ask % {"name": person.display_name},
        consequences=(*ended, _("新密码只显示一次，首次登录须修改。")), submit=_password_act(person), cancel=_href("user", username),
    )  # fmt: skip


def _password_act(person: Person) -> str:
    return _("重置密码") if person.has_password else _("设置初始密码")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("organizations.manage", "roles.manage")
def close_user(request: HttpRequest, username: str) -> HttpResponse:
    person = api.get_person(username=username)
    if request.method == "POST":
        api.close_user(username=username, actor=request.actor)
        messages.success(request, _("已停用“%(name)s”的账号。") % {"name": person.display_name})
        return redirect("organizations:user", username)
    return confirm_page(
        request, title=_("停用账号"), question=_("确定停用“%(name)s”的账号吗？") % {"name": person.display_name},
        consequences=(_("不能再登录，全部任职今天结束。"), _("办过的事和存证保留。")),
        submit=_("停用账号"), cancel=_href("user", username),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires("roles.manage")
def add_membership(request: HttpRequest, username: str) -> HttpResponse:
    person = api.get_person(username=username)
    form = MembershipForm(request.POST or None, roles=api.list_roles())
    if request.method == "POST":
        made = form.submit(
            lambda data: api.add_membership(username=username, actor=request.actor, **data), also=("refused",)
        )
        if made is not None:
            messages.success(request, _("已授予任职。"))
            return redirect("organizations:user", username)
    title = _("授予“%(name)s”任职") % {"name": person.display_name}
    context = {"form": form, "title": title, "cancel": _href("user", username)}
    return render(request, "organizations/form.html", context, status=form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("roles.manage")
def end_membership(request: HttpRequest, username: str, membership_id: int) -> HttpResponse:
    membership = _membership(username, membership_id)
    if request.method == "POST":
        api.end_membership(membership_id=membership.id, actor=request.actor)
        messages.success(request, _("任职已结束。"))
        return redirect("organizations:user", username)
    what = {
        "name": membership.display_name,
        "place": membership.organization_name,
        "role": spoken(membership.role_title),
    }
    return confirm_page(
        request, title=_("结束任职"), question=_("确定结束“%(name)s”在%(place)s的“%(role)s”任职吗？") % what,
        consequences=(_("这项任职的权限立即失效。"),), submit=_("结束任职"), cancel=_href("user", username),
    )  # fmt: skip


def _membership(username: str, membership_id: int) -> Membership:
    for membership in api.list_memberships(username=username):
        if membership.id == membership_id:
            return membership
    raise MembershipNotFound(name=username, detail="")
