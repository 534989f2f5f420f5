"""Names of codes, and panels in slots."""

from __future__ import annotations

import pytest

from yunhe.kernel.actor import Actor, Right
from yunhe.ui import names, panels
from yunhe.ui.names import Lookup, declare_names, declare_resolver, names_of

CLERK = Actor(kind="user", id="user:1", name="甲", rights=(Right("ledger.view"),))


@pytest.fixture(autouse=True)
def _own_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_names", {})
    monkeypatch.setattr(names, "_resolvers", {})
    monkeypatch.setattr(panels, "_panels", {})


def test_a_code_without_a_name_stands_for_itself() -> None:
    declare_names("kind", {"a": {"zh": "甲", "en": "A"}})
    assert names_of("kind", ["a", "b", ""]) == {"a": {"zh": "甲", "en": "A"}, "b": "b"}


def test_a_lookup_asks_once_for_many() -> None:
    asked: list[frozenset[str]] = []

    def resolve(codes: frozenset[str]) -> dict[str, str]:
        asked.append(codes)
        return {code: code.upper() for code in codes if code != "gone"}

    declare_resolver("body", resolve)
    body = Lookup("body")
    body.prepare(["x", "y", "x", ""])
    assert [body("x"), body("y"), body("gone"), body("gone"), body("")] == ["X", "Y", "gone", "gone", ""]
    assert asked == [frozenset({"x", "y"}), frozenset({"gone"})]


def test_panels_come_in_order_to_those_who_may_see_them() -> None:
    def load(actor: Actor, **subject: object) -> dict[str, object]:
        return {"who": actor.name, **subject}

    panels.register_panel("home.main", name="late", template="t", load=load, permission="ledger.view", order=9)
    panels.register_panel("home.main", name="early", template="t", load=load, permission=("x", "ledger.view"), order=1)
    panels.register_panel("home.main", name="locked", template="t", load=load, permission="x")
    panels.register_panel(
        "home.main", name="empty", template="t", load=lambda actor, **_: None, permission="ledger.view"
    )
    shown = panels.list_panels("home.main", actor=CLERK, code="c")
    assert [(panel.name, context) for panel, context in shown] == [
        ("early", {"who": "甲", "code": "c"}),
        ("late", {"who": "甲", "code": "c"}),
    ]
    assert panels.list_panels("home.main", actor=None) == []


def test_an_unknown_or_doubly_filled_slot_stops_the_start() -> None:
    with pytest.raises(ValueError, match="no slot"):
        panels.register_panel("home.attic", name="a", template="t", load=lambda actor: {}, permission="x")
    panels.register_panel("home.main", name="a", template="t", load=lambda actor: {}, permission="x")
    with pytest.raises(ValueError, match="already"):
        panels.register_panel("home.main", name="a", template="t", load=lambda actor: {}, permission="x")
