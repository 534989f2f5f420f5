"""Pages of dead letters: what did not get through, for whom and why, and what is decided about it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yunhe.core.jobs import api
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.forms import DropForm
from yunhe.core.jobs.types import DeadLetter
from yunhe.core.jobs.views.tabs import tabs_of
from yunhe.kernel.clock import local
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Action, Column, Empty, Lines, Link, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken

FILTERS = ("state", "subscriber", "topic")
STATES = (("dead", _("等人决定")), ("dropped", _("已丢弃")))
MOST_CASES = 5
"""So many cases of one letter stand in their column; all of them stand in what it tells."""
COLUMNS = (
    Column(_("要做的事"), lambda d: Lines(spoken(d.title), _subject(d)), sort="subscriber", wide=True, sub=_("事由")),
    Column(_("给谁"), lambda d: Lines(d.about.whom, spoken(d.about.way) if d.about.way else ""), sub=_("渠道")),
    Column(_("办件"), lambda d: _cases(d)),
    Column(_("状态"), lambda d: Lines(_state(d), __("尝试 %(n)s") % {"n": d.about.tries or d.tries}), sort="state", sub=_("尝试")),
    Column(_("原因"), lambda d: _reason(d), wide=True, sub=_("丢弃原因")),
    Column(_("发出"), lambda d: Lines(d.message.published_at, d.tried_at or ""), sort="published_at", sub=_("最后一次")),
)


def _subject(letter: DeadLetter) -> str | SafeString:
    """Return what a letter is about; of several things how many, and below each of them."""
    about = letter.about
    if not about.items:
        return str(spoken(about.title)) if about.title else ""
    lines = format_html_join("", "<li>{}</li>\n", ((" ".join(filter(None, (spoken(one.title), one.number))),) for one in about.items))
    return format_html('<details><summary>{}</summary>\n<ul class="yh-plainlist">{}</ul></details>', spoken(about.title), lines)


def _cases(letter: DeadLetter) -> Link | SafeString | tuple[Link | SafeString, ...] | None:
    """Return the case that a letter is about, or the cases, each once: a link for who may see it."""
    told = letter.about.items or (letter.about,)
    found = {one.number: Link(one.number, one.href) if one.href else _number(one.number) for one in told if one.number}
    shown = tuple(one for one in found.values() if one is not None)
    if len(shown) <= MOST_CASES:
        return shown or None
    return (*shown[:MOST_CASES], format_html('<span class="yh-dim">{}</span>', __("等 %(n)s 件") % {"n": len(shown)}))


def _number(number: str) -> SafeString | None:
    """Return the number of a case that is not the reader's to open, in one line."""
    return format_html('<span class="yh-keep">{}</span>', number) if number else None


def _state(letter: DeadLetter) -> Tag:
    if letter.state == "dropped":
        return Tag(str(_("已丢弃")), "grey")
    return Tag(str(_("永久拒收")), "red") if letter.about.is_final else Tag(str(_("等人决定")), "amber")


def _reason(letter: DeadLetter) -> Lines:
    error = letter.about.error or letter.error
    decided = ""
    if letter.decided_at is not None:
        said = {"name": letter.decided_by, "time": f"{local(letter.decided_at):%Y-%m-%d %H:%M}", "reason": letter.reason}
        decided = __("%(name)s %(time)s 丢弃：%(reason)s") % said
    return Lines(spoken(error) if error else letter.error_code, decided)


@require_safe
@requires("jobs.view")
def list_dead_letters(request: HttpRequest) -> HttpResponse:
    """List what could not be delivered, and what was dropped."""
    wanted = read_page_request(request, filters=FILTERS, sorts=("subscriber", "state", "published_at", "tried_at"))
    take = partial(outbox.list_letters, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="dead-letters", columns=COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    page, manages = take(request=wanted), request.actor.may("jobs.manage", organization="")
    listing = Listing(
        request=request, page=page, wanted=wanted, columns=_columns() if manages else COLUMNS, caption=_("死信"), export=True,
        facet_titles={"state": _("状态"), "subscriber": _("接收方")}, search_label=_("搜索人员、渠道、办件编号"),
        choices={"state": STATES, "subscriber": [(f.value, spoken(outbox.title_of(f.value))) for f in page.facets if f.name == "subscriber"]},
        empty=Empty(_("没有死信"), _("多次送不到的消息会留在这里，等人决定。")),
    )  # fmt: skip
    waiting = take(request=_dead_only(wanted)).total if manages else 0
    context = {"listing": listing, "tabs": tabs_of("dead", request.actor), "title": _("死信"), "dead": True, "waiting": waiting}
    context |= {"retry_all": f"{reverse('jobs:retry_letters')}?{_query(request)}"}
    return render(request, "jobs/list.html", context)


def _columns() -> tuple[Column, ...]:
    return (Column("", _box), *COLUMNS, Column("", _acts))


def _box(letter: DeadLetter) -> SafeString:
    told = __("选中 %(title)s") % {"title": " ".join(filter(None, (str(spoken(letter.title)), letter.about.whom)))}
    box = '<input type="checkbox" class="form-check-input" form="bulk" name="pick" value="{}" aria-label="{}">'
    return format_html(box, letter.delivery_id, told) if letter.state == "dead" else SafeString("")


def _acts(letter: DeadLetter) -> tuple[Action, ...] | None:
    if letter.state != "dead":
        return None
    drop = f"{reverse('jobs:drop_letters')}?pick={letter.delivery_id}"
    return (Action(_("重试"), reverse("jobs:retry_delivery", args=[letter.delivery_id]), post=True), Action(_("丢弃"), drop))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("jobs.manage")
def retry_letters(request: HttpRequest) -> HttpResponse:
    """Ask, then give fresh tries to the chosen letters, or to all that the filter finds."""
    ids, wanted = _picks(request), _dead_only(read_page_request(request, filters=FILTERS))
    if "pick" not in request.GET and "all" not in request.GET:
        return redirect("jobs:dead")
    if request.method == "POST":
        count = outbox.retry_all_dead(request=wanted, delivery_ids=ids, actor=request.actor)
        messages.success(request, ngettext("%(n)s 条消息会再送一次。", "%(n)s 条消息会再送一次。", count) % {"n": count})
        return redirect("jobs:dead")
    count = len(ids) or outbox.list_letters(request=wanted, actor=request.actor).total
    question = ngettext("再送一次这 %(n)s 条消息？", "再送一次这 %(n)s 条消息？", count) % {"n": count}
    told = [__("仍送不到的会回到死信。")]
    return confirm_page(
        request, title=_("重试死信"), question=question, consequences=told, submit=_("重试"), cancel=reverse("jobs:dead"), tone="primary"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("jobs.manage")
def drop_letters(request: HttpRequest) -> HttpResponse:
    """Ask for the reason, then give the chosen letters up for good."""
    ids, form = _picks(request), DropForm(request.POST if request.method == "POST" else None)
    if not ids:
        return redirect("jobs:dead")
    if request.method == "POST":
        count = form.submit(lambda told: outbox.drop_dead(delivery_ids=ids, reason=told["reason"], actor=request.actor))
        if count is not None:
            messages.success(request, ngettext("已丢弃 %(n)s 条消息。", "已丢弃 %(n)s 条消息。", count) % {"n": count})
            return redirect("jobs:dead")
    question = ngettext("丢弃这 %(n)s 条消息？", "丢弃这 %(n)s 条消息？", len(ids)) % {"n": len(ids)}
    told = [__("丢弃后不再发送，不能恢复。"), __("记录保留在列表里，写明谁在何时因何丢弃，并留存证。")]
    return confirm_page(
        request, title=_("丢弃死信"), question=question, consequences=told, submit=_("丢弃"), cancel=reverse("jobs:dead"), form=form
    )


@require_POST
@requires("jobs.manage")
def retry_delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    api.outbox.retry_dead(delivery_id=delivery_id, actor=request.actor)
    messages.success(request, _("消息会再送一次。"))
    return redirect("jobs:dead")


def _picks(request: HttpRequest) -> tuple[int, ...]:
    found = request.GET.getlist("pick")[: outbox.MOST_AT_ONCE + 1]
    return tuple(dict.fromkeys(int(one) if one.isascii() and one.isdigit() and len(one) < 19 else 0 for one in found))


def _dead_only(wanted: PageRequest) -> PageRequest:
    return PageRequest(search=wanted.search, filters={**wanted.filters, "state": "dead"})


def _query(request: HttpRequest) -> str:
    query: Any = request.GET.copy()
    for name in ("page", "sort", "state", "pick"):
        query.pop(name, None)
    query["all"] = "1"
    return str(query.urlencode())
