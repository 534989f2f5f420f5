"""Template tags of the component set. Built in everywhere (settings): templates need no `load`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.template.loader import get_template, render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yunhe.kernel import clock
from yunhe.ui import bundles, cells, signs, times
from yunhe.ui.panels import list_panels
from yunhe.ui.trace import current_trace_id

register = template.Library()
CELL_TEMPLATES = {
    cells.Tag: "components/tag.html",
    cells.Meter: "components/meter.html",
    cells.Link: "components/link.html",
    cells.Lines: "components/lines.html",
    cells.Code: "components/inline_code.html",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of the sprite, hidden from screen readers; nothing where assets were not built."""
    sprite = bundles.bundle_url("icons.svg")
    if not sprite or not name:
        return SafeString("")
    return format_html('<svg class="yh-icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.simple_tag
def sheet() -> str:
    """Return the address of the style sheet."""
    return bundles.sheet_url()


@register.simple_tag
def script() -> str:
    """Return the address of the script bundle, or "" without a build."""
    return bundles.bundle_url("yunhe.js")


@register.simple_tag
def sign(chinese: str) -> str:
    """Write a Chinese sign as the page's language does."""
    return signs.sign(chinese)


@register.filter
def listed(names: Any) -> str:
    """Return names one after the other, with the sign of the page's language."""
    return signs.listed(map(str, names))


@register.simple_tag
def trace_id() -> str:
    """Return the trace id of this request."""
    return current_trace_id()


@register.filter
def thousands(value: Any) -> str:
    """Write a number with thousands separated: 148,274. None is a dash."""
    if value is None or value == "":
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


@register.filter
def percent(share: float | None) -> str:
    """Write a share 0..1 as a percentage with one place, cut down so that 100% means all."""
    if share is None:
        return "—"
    return f"{int(share * 1000 + 1e-9) / 10:.1f}%"


@register.filter
def size(count: int | None) -> str:
    """Write a number of bytes for people."""
    if count is None:
        return "—"
    amount, unit = float(count), "B"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if amount < 1024 or unit == "TB":
            break
        amount /= 1024
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"


@register.filter
def when(at: datetime | date | None) -> SafeString:
    """Write a moment or a day as people say it, the full time on hover and for machines."""
    if at is None:
        return SafeString("—")
    if not isinstance(at, datetime):
        said = times.say_date(at, today=clock.local(clock.now()).date())
        return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), at.isoformat(), said)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), times.say_full(at), times.say_time(at)
    )


@register.filter
def full_time(at: datetime | None) -> str:
    """Write a moment in full, to the second."""
    return times.say_full(at) if at else "—"


@register.filter
def time_left(until: datetime | None) -> str:
    """Write how much time is left, or by how much it is overdue."""
    return times.say_left(until) if until else ""


@register.filter
def spoken(texts: Mapping[str, str] | str) -> SafeString | str:
    """Say a text given per language ({"zh":…,"en":…}); a missing English one falls back to Chinese, marked so."""
    if not isinstance(texts, Mapping):
        return texts
    language = (get_language() or "zh")[:2]
    if texts.get(language):
        return texts[language]
    return format_html('<span lang="zh-Hans">{}</span>', texts.get("zh", ""))


@register.simple_tag
def cell(value: Any) -> SafeString | str:
    """Draw any cell value of `ui.cells`."""
    return draw(value)


def draw(value: Any) -> Any:
    """Return the HTML of a cell value; plain text is escaped by the template that shows it."""
    if value is None or value == "":
        return mark_safe('<span class="yh-dim yh-none">—</span>')
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, int | float):
        return format_html('<span class="num">{}</span>', thousands(value))
    if isinstance(value, date):
        return format_html('<span class="num">{}</span>', when(value))
    if isinstance(value, Mapping):
        return spoken(value)
    if isinstance(value, tuple):
        return SafeString(f"<span>{' '.join(str(format_html('{}', draw(one))) for one in value)}</span>") if value else ""
    name = CELL_TEMPLATES.get(type(value))
    if name is None:
        return value
    return SafeString(get_template(name).render({"it": value}))


@register.simple_tag
def tag(value: Any, tone: str = "canal") -> SafeString:
    """Draw a tag from a text and a tone, or from a `cells.Tag`."""
    it = value if isinstance(value, cells.Tag) else cells.Tag(text=str(value), tone=tone)  # type: ignore[arg-type]
    return draw(it)


@register.simple_tag
def meter(share: float | None, text: str = "", good: float = 0.95, fair: float = 0.8) -> SafeString:
    """Draw a share 0..1 as a bar beside its figure."""
    return draw(cells.Meter(share=share, text=text, good=good, fair=fair))


@register.filter
def meter_state(it: cells.Meter) -> str:
    """Return good, mid or low: the bar's colour, said by its figure too."""
    share = it.share or 0
    return "good" if share >= it.good else "mid" if share >= it.fair else "low"


@register.filter
def bar_width(share: float | None) -> str:
    """Return a share as an SVG width; never over the edge."""
    return f"{min(max(share or 0, 0), 1) * 100:.1f}%"


@register.inclusion_tag("components/kpis.html")
def kpis(numbers: Any) -> dict[str, Any]:
    """Draw a row of numbers (`cells.Kpi`)."""
    return {"numbers": list(numbers)}


@register.inclusion_tag("components/steps.html")
def steps(items: Any, label: str = "") -> dict[str, Any]:
    """Draw the steps of a way (`cells.Step`)."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/timeline.html")
def timeline(events: Any, label: str = "") -> dict[str, Any]:
    """Draw a timeline (`cells.Event`), oldest first."""
    return {"events": events, "label": label}


@register.inclusion_tag("components/facts.html")
def facts(items: Any) -> dict[str, Any]:
    """Draw a key-value list (`cells.Fact`)."""
    return {"items": items}


@register.inclusion_tag("components/tabs.html")
def tabs(items: Any, label: str = "") -> dict[str, Any]:
    """Draw tabs (`cells.TabItem`): links, so that each has its address and works without script."""
    return {"items": items, "label": label}


@register.inclusion_tag("components/empty.html")
def empty(it: Any = None, title: str = "", text: str = "", action: str = "", href: str = "") -> dict[str, Any]:
    """Draw an empty state: what is not here yet, and the next step."""
    return {"it": it or cells.Empty(title=title, text=text, action=action, href=href)}


@register.inclusion_tag("components/table.html", takes_context=True)
def table(context: Any, it: cells.Table) -> dict[str, Any]:
    """Draw a declared table (`cells.Table`); its rows stack as cards on a phone."""
    return {"it": it, "rows": _drawn_rows(it, context), "listing": None}


@register.inclusion_tag("components/listing.html", takes_context=True)
def listing(context: Any, it: Any) -> dict[str, Any]:
    """Draw a list (`lists.Listing`): search, facets, sort, table, paging, export links."""
    return {"it": it, "rows": _drawn_rows(it.table, context), "request": context.get("request")}


def _drawn_rows(it: cells.Table, context: Any) -> list[list[tuple[cells.Column, Any]]]:
    return [[(column, _drawn_cell(column, column.value(row), context)) for column in it.columns] for row in it.rows]


def _drawn_cell(column: cells.Column, value: Any, context: Any) -> Any:
    """Draw a cell; where a column has no name, of buttons and boxes, nothing is nothing."""
    return "" if not column.title and value in (None, "", ()) else draw_in(context, value)


def draw_in(context: Any, value: Any) -> Any:
    """Draw a cell that may hold a form (an Action by POST), which needs the request's CSRF token."""
    parts = value if isinstance(value, tuple) else (value,)
    if not any(isinstance(part, cells.Action) for part in parts):
        return draw(value)
    drawn = (act(context, part) if isinstance(part, cells.Action) else draw(part) for part in parts)
    return SafeString(" ".join(str(format_html("{}", one)) for one in drawn))


@register.simple_tag(takes_context=True)
def act(context: Any, it: cells.Action) -> SafeString:
    """Draw a thing one can do (`cells.Action`)."""
    return SafeString(render_to_string("components/action.html", {"it": it, "csrf_token": context.get("csrf_token")}))


@register.simple_tag(takes_context=True)
def post_button(context: Any, label: str, href: str, tone: str = "plain", icon: str = "") -> SafeString:
    """Draw a button that posts to an address: a small form with its CSRF token."""
    it = cells.Action(label=label, href=href, tone=tone, post=True, icon=icon)  # type: ignore[arg-type]
    return act(context, it)


@register.inclusion_tag("components/form.html", takes_context=True)
def form(
    context: Any,
    it: Any,
    submit: str = "",
    href: str = "",
    cancel: str = "",
    tone: str = "primary",
    method: str = "post",
) -> dict[str, Any]:
    """Draw a form: error summary, labels, help, field errors, buttons."""
    return {
        "form": it,
        "submit": submit or _("保存"),
        "href": href,
        "cancel": cancel,
        "tone": tone,
        "method": method,
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def widget_kind(field: Any) -> str:
    """Return the input type of a bound field: checkbox, radioselect, hidden …"""
    kind = getattr(field.field.widget, "input_type", "") or type(field.field.widget).__name__.lower()
    return str(kind)


@register.filter
def anchored_errors(field: Any) -> list[tuple[str, str]]:
    """Return what is wrong with a bound field, each with the id of the input that it is about."""
    anchors = [*getattr(field, "anchors", ()), *([""] * len(field.errors))]
    return [(anchor or field.id_for_label or field.auto_id, error) for anchor, error in zip(anchors, field.errors, strict=False)]


@register.filter
def errors_at(field: Any, place: str) -> list[str]:
    """Return what is wrong at a place of a bound field that has several inputs; "" is the field itself."""
    return list(field.errors_of(place)) if hasattr(field, "errors_of") else list(field.errors)


@register.inclusion_tag("components/progress.html")
def progress(it: Any) -> dict[str, Any]:
    """Draw a job's progress (`cells.Progress`); polled every 2 s while it runs, by reload without script."""
    return {"it": it}


@register.inclusion_tag("components/code.html")
def code(text: str, label: str = "") -> dict[str, Any]:
    """Draw a block of code or a once-shown secret that can be copied."""
    return {"text": text, "label": label}


@register.simple_tag(takes_context=True)
def panels(context: Any, slot: str, **subject: Any) -> SafeString:
    """Draw the panels that rooms registered for a slot."""
    request = context["request"]
    shown = list_panels(slot, actor=getattr(request, "actor", None), **subject)
    parts = [render_to_string(panel.template, dict(loaded), request) for panel, loaded in shown]
    return SafeString("".join(parts))


@register.simple_tag
def crumb(title: str, href: str = "") -> SafeString:
    """Draw one step of the breadcrumb."""
    return SafeString(render_to_string("components/crumb.html", {"title": title, "href": href}))
