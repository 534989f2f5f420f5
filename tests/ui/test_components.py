"""Every component renders in both languages, says nothing by colour alone, and needs no inline script or style."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django import forms
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

import yunhe
from yunhe.kernel.pages import Facet, Page, PageRequest
from yunhe.ui import cells
from yunhe.ui.forms import YunheForm
from yunhe.ui.lists import Listing

SOURCE = Path(yunhe.__file__).parent
COMPONENTS = SOURCE / "ui" / "templates" / "components"
AT = datetime(2025, 3, 4, 1, 2, 3, tzinfo=UTC)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Asking(YunheForm):
    name = forms.CharField(label="Name", help_text="Help here", max_length=10)
    sort = forms.ChoiceField(label="Sort", choices=[("a", "A")], required=False)
    pick = forms.ChoiceField(label="Pick", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="Sure")
    hidden = forms.CharField(required=False, widget=forms.HiddenInput)


def a_listing(query: str = "", *, total: int = 60, rows: tuple[str, ...] = ("row",)) -> Listing:
    request = RequestFactory().get(f"/x/?{query}")
    page = Page(rows, total=total, facets=(Facet("kind", "a", "Kind A", 3),))
    columns = (
        cells.Column("Title", lambda r: cells.Link(r, "/r", sub="code"), sort="title", wide=True),
        cells.Column("", lambda r: 1),
    )
    wanted = PageRequest(search="q" if query else "")
    return Listing(
        request=request, page=page, wanted=wanted, columns=columns, caption="Things", facet_titles={"kind": "Kind"},
        search_label="Search things", export=True, empty=cells.Empty("None yet", "Do this", "Go", "/go"),
    )  # fmt: skip


def bound() -> Asking:
    form = Asking({"name": "far too long a name"})
    form.is_valid()
    return form


TABLE = cells.Table(
    (cells.Column("N", lambda r: r, number=True),), (1234567, None, True, {"zh": "z", "en": "e"}, AT), "Numbers"
)
CASES: dict[str, tuple[str, dict[str, object], list[str]]] = {
    "tag": ("{% tag it 'red' %}", {"it": "late"}, ["yh-tag-red", ">late<"]),
    "meter": ("{% meter 0.613 %}{% meter None %}", {}, ["61.3%", "yh-bar-low", 'width="61.3%"', 'aria-hidden="true"']),
    "link": ("{% cell it %}", {"it": cells.Link("<b>", "/x?a=1&b=2", "sub")}, ["&lt;b&gt;", "/x?a=1&amp;b=2", "sub"]),
    "lines": ("{% cell it %}", {"it": cells.Lines("first", 2)}, ["first", "2"]),
    "inline_code": ("{% cell it %}", {"it": cells.Code("ab12")}, ["<code", "ab12"]),
    "action": (
        "{% act one %}{% post_button 'Stop' '/stop' 'danger' %}",
        {"one": cells.Action("Go", "/go", "primary"), "csrf_token": "tok"},
        ['href="/go"', 'method="post"', 'value="tok"', "yh-danger"],
    ),
    "crumb": ("{% crumb 'Here' %}{% crumb 'There' '/t' %}", {}, ['aria-current="page"', 'href="/t"']),
    "kpis": (
        "{% kpis it %}",
        {"it": [cells.Kpi("Rows", 148274, "/rows", "target 97%", "missed"), cells.Kpi("None", None)]},
        ["148,274", 'href="/rows"', "target 97%", "yh-kpi-missed", "—"],
    ),
    "steps": (
        "{% steps it %}",
        {"it": [cells.Step("One", "done"), cells.Step("Two", "now"), cells.Step("Three", "failed"), cells.Step("Four")]},
        ['aria-current="step"', "yh-step-failed"],
    ),
    "timeline": ("{% timeline it %}", {"it": [cells.Event("A", AT, "note"), cells.Event("B", open=True)]}, ["2025-03-04", "note", "open"]),
    "facts": ("{% facts it %}", {"it": [cells.Fact("Key", "value"), cells.Fact("Nothing", None)]}, ["<dt>Key</dt>", "value", "—"]),
    "tabs": ("{% tabs it %}", {"it": [cells.TabItem("A", "/a", True, 1200), cells.TabItem("B", "/b")]}, ['aria-current="page"', "1,200"]),
    "empty": ("{% empty it %}", {"it": cells.Empty("Nothing", "Next", "Do", "/do")}, ["Nothing", "Next", 'href="/do"']),
    "table": ("{% table it %}", {"it": TABLE}, ["<caption", "1,234,567", 'data-label="N"', "2025-03-04"]),
    "listing": (
        "{% listing it %}", {"it": a_listing()},
        ['role="search"', "aria-sort", "Kind A", "export=csv", 'rel="next"', 'aria-current="page"', ">60<"],
    ),
    "rows": ("{% listing it %}", {"it": a_listing("q=q", total=0, rows=())}, ["yh-empty", 'href="/x/"']),
    "form": (
        "{% form it cancel='/c' %}", {"it": bound(), "csrf_token": "tok"},
        ['role="alert"', 'href="#id_name"', 'aria-invalid="true"', 'id="id_name_error"', 'href="/c"', 'value="tok"'],
    ),
    "fields": ("{% form it method='get' %}", {"it": Asking()}, ['for="id_name"', "Help here", "<legend>", 'type="hidden"']),
    "field": ("{% include 'components/field.html' %}", {"field": Asking()["name"]}, ['for="id_name"', "Help here"]),
    "errors": (
        "{% include 'components/errors.html' %}", {"form": Asking({"name": ""})}, ['role="alert"', 'href="#id_name"', "form-errors"],
    ),
    "problem_part": (
        "{% include 'components/problem_part.html' %}", {"title": "Gone", "sentence": "Ask again.", "trace_id": "T1", "code": "gone", "again": True},
        ['role="alert"', 'tabindex="-1"', "Ask again.", "T1", "data-again"],
    ),
    "problem_templates": (
        "{% include 'components/problem_templates.html' %}", {}, ["data-problem-away", "data-problem-odd", "data-trace", "data-again"],
    ),
    "progress": (
        "{% progress it %}", {"it": cells.Progress("Load", 5, 10, "note", "/poll")},
        ["5 / 10", "50.0%", 'hx-get="/poll"', "every 2s", 'max="10"', "<noscript>"],
    ),
    "code": ("{% code it 'Label' %}", {"it": "a < b"}, ["a &lt; b", "Label", "data-copy", "hidden"]),
    "messages": ("{% include 'components/messages.html' %}", {}, ['role="status"']),
    "problem": (
        "{% include 'components/problem.html' %}", {"status": 404, "title": "T", "sentence": "S", "trace_id": "01X", "code": "c"},
        ["404", "01X", 'role="alert"'],
    ),
    "nav": (
        "{% include 'components/nav.html' %}",
        {"shell": {"first": [{"href": "/i", "title": "Inbox", "icon": "inbox", "count": 12, "current": True}], "floors": []}},
        ["Inbox", "12", 'aria-current="page"'],
    ),
    "language": ("{% include 'components/language.html' %}", {}, ['name="language"', "lang="]),
    "whoami": (
        "{% include 'components/whoami.html' %}",
        {"shell": {"place": "Body · Role", "name": "N", "others": [{"id": 7, "title": "Other"}]}},
        ["Body · Role", 'value="7"', "/logout"],
    ),
}  # fmt: skip


def draw_links(form: YunheForm) -> list[tuple[str, str]]:
    """Return the places to which the error summary of a form leads, each with the tag of what stands there."""
    drawn = draw("{% include 'components/fields.html' %}", {"form": form})
    places = re.findall(r'<li><a href="#([^"]*)"', drawn)
    return [(place, found[0] if (found := re.findall(rf'<[a-z]+[^>]* ?id="{place}"[^>]*>', drawn)) else "") for place in places]


def draw(source: str, context: dict[str, object]) -> str:
    request = RequestFactory().get("/x/")
    return engines["django"].from_string(source).render({"request": request, **context})


def test_every_component_has_its_case() -> None:
    assert {path.stem for path in COMPONENTS.glob("*.html")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_component_renders(name: str, language: str) -> None:
    source, context, wanted = CASES[name]
    with translation.override(language):
        html = draw(source, context)
    for piece in wanted:
        assert piece in html, f"{name}: {piece}"
    if language == "en":
        visible = html.replace(">中文<", "><")  # the way back is written in its own language
        assert not CHINESE.search(visible), visible


def test_a_wrong_field_is_tied_to_its_help_and_error() -> None:
    html = draw("{% form it %}", {"it": bound(), "csrf_token": ""})
    described = re.search(r'<input[^>]*name="name"[^>]*aria-describedby="([^"]*)"', html)
    assert described is not None
    for one in described.group(1).split():
        assert f'id="{one}"' in html, one


def test_a_column_without_a_name_says_nothing_where_there_is_nothing() -> None:
    columns = (cells.Column("N", lambda row: row), cells.Column("", lambda row: None), cells.Column("", lambda row: ()))
    html = draw("{% table it %}", {"it": cells.Table(columns, [None], "Caption", stays=True)})
    assert html.count("—") == 1 and 'class="yh-sheet yh-stays"' in html
    assert "yh-stays" not in draw("{% table it %}", {"it": TABLE})


def test_an_unmeasured_share_is_said_in_words() -> None:
    with translation.override("zh-hans"):
        assert "未检测" in draw("{% meter None %}", {})


def test_shares_are_cut_down_not_rounded_up() -> None:
    assert (
        draw("{{ a|percent }} {{ b|percent }} {{ c|percent }}", {"a": 0.99999, "b": 1.0, "c": None}) == "99.9% 100.0% —"
    )


INLINE = re.compile(r"""<script(?![^>]*\bsrc=)|\sstyle\s*=|<style|\son[a-z]+\s*=\s*["']|javascript:""", re.IGNORECASE)


def test_no_template_needs_inline_script_or_style() -> None:
    found = [
        f"{path.relative_to(SOURCE)}: {match.group(0).strip()}"
        for path in SOURCE.rglob("templates/**/*.html")
        for match in INLINE.finditer(re.sub(r"{[%#].*?[%#]}", "", path.read_text("utf-8")))
    ]
    assert found == []


def test_inline_script_and_style_are_seen() -> None:
    for bad in ("<script>x</script>", '<p style="a">', '<a onclick="x()">', "<style>", '<a href="javascript:x">'):
        assert INLINE.search(bad), bad
    assert not INLINE.search('<script defer src="/a.js"></script><p data-on="x">')


class Boxes(YunheForm):
    several = forms.MultipleChoiceField(label="Several", choices=[("a", "A"), ("b", "B")], widget=forms.CheckboxSelectMultiple)
    one = forms.ChoiceField(label="One", choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="Sure")
    words = forms.CharField(label="Words")


def test_every_link_of_an_error_summary_leads_to_what_takes_the_focus() -> None:
    form = Boxes({})
    assert not form.is_valid()
    links = draw_links(form)
    assert [place for place, _tag in links] == ["id_several", "id_one", "id_sure", "id_words"]
    assert all(tag.startswith("<input") or 'tabindex="-1"' in tag for _place, tag in links), links
