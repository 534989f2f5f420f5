"""Signing in, choosing for whom one acts, the front page, one's own account."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import Fact, Tag
from yunhe.ui.doors import requires
from yunhe.ui.errors import BadNumber
from yunhe.ui.middleware import LANGUAGE_KEY
from yunhe.ui.pages import safe_next
from yunhe.web.context import place_title
from yunhe.web.forms import LoginForm, PasswordForm

YEAR_SECONDS = 365 * 24 * 3600


@require_safe
@requires("signed_in")
def home(request: HttpRequest) -> HttpResponse:
    if request.actor is None:
        return redirect("choose_membership")
    return render(request, "web/home.html")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("public")
def login(request: HttpRequest) -> HttpResponse:
    target = safe_next(request)
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(target)
    form = LoginForm(request.POST or None, initial={"next": target})
    if request.method == "POST" and form.submit(lambda data: _sign_in(request, data), also=("refused",)):
        return HttpResponseRedirect(target)
    return render(request, "web/login.html", {"form": form}, status=form.status)


def _sign_in(request: HttpRequest, data: dict[str, str]) -> object:
    language = request.session.get(LANGUAGE_KEY)
    person = organizations.sign_in(request=request, username=data["username"], password=data["password"])
    if language:
        request.session[LANGUAGE_KEY] = language
    return person


@require_POST
@requires("public")
def logout(request: HttpRequest) -> HttpResponse:
    organizations.sign_out(request=request)
    return redirect("login")


@require_POST
@requires("public")
def choose_language(request: HttpRequest) -> HttpResponse:
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(safe_next(request))
    if language in dict(settings.LANGUAGES):
        if request.session.session_key:
            request.session[LANGUAGE_KEY] = language
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in", with_first_password=True)
def choose_membership(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        wanted = request.POST.get("membership", "")
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 18):
            raise BadNumber(where="membership")
        actor = organizations.choose_membership(request=request, membership_id=int(wanted))
        messages.success(request, _("现在以“%(name)s”的身份办理。") % {"name": actor.organization_name})
        return HttpResponseRedirect(safe_next(request))
    mine = organizations.list_memberships(user_id=request.user.pk)
    choices = [(membership.id, place_title(membership)) for membership in mine]
    return render(request, "web/membership.html", {"choices": choices, "next": safe_next(request)})


@require_safe
@requires("signed_in")
def account(request: HttpRequest) -> HttpResponse:
    person = organizations.get_person(user_id=request.user.pk)
    mine = organizations.list_memberships(user_id=person.id)
    facts = (
        Fact(_("用户名"), person.username),
        Fact(_("姓名"), person.display_name),
        Fact(_("任职"), tuple(Tag(place_title(membership), "grey") for membership in mine) or None),
        Fact(_("上次登录"), person.last_login_at),
    )
    return render(request, "web/account.html", {"facts": facts})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in", with_first_password=True)
def change_password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.submit(lambda data: _change(request, data), also=("refused",)):
        messages.success(request, _("密码已修改，其他地方的登录已失效。"))
        return HttpResponseRedirect(safe_next(request))
    first = request.user.must_change_password
    return render(request, "web/password.html", {"form": form, "first": first}, status=form.status)


def _change(request: HttpRequest, data: dict[str, str]) -> object:
    user = request.user
    # Without a membership nobody acts for an organisation, but a password is still one's own.
    actor = request.actor or Actor(kind="user", id=f"user:{user.pk}", name=user.display_name)
    person = organizations.change_password(user_id=user.pk, old=data["old"], new=data["new"], actor=actor)
    user.refresh_from_db()
    update_session_auth_hash(request, user)
    return person
