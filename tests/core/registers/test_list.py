from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Cast
from yunhe.core.registers import api
from yunhe.core.registers.rules import pinyin_initials
from yunhe.core.registers.types import Entry
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelf(draft: Callable[..., Entry], publish: Callable[[Entry], Entry]) -> list[Entry]:
    """Three published resources and a draft of the owner."""
    return [
        publish(draft(title="企业登记信息", body={"summary": "全市企业"})),
        publish(draft(title="个体工商户信息", body={"sharing": "unconditional", "grade": 1})),
        publish(draft(title="婚姻登记信息", body={"personal": True, "grade": 4})),
        draft(title="年报信息"),
    ]


def listed(actor: Any, **wanted: Any) -> list[str]:
    page = api.list_entries(type_code="asset", request=PageRequest(sort="title", **wanted), actor=actor)
    return [entry.title for entry in page.items]


def counts(actor: Any, name: str, **wanted: Any) -> dict[str, int]:
    page = api.list_entries(type_code="asset", request=PageRequest(**wanted), actor=actor)
    return {facet.value: facet.count for facet in page.facets if facet.name == name}


def test_search_by_title_code_summary_and_initials(shelf: list[Entry], cast: Cast) -> None:
    actor = cast.clerk.actor
    assert listed(actor, search="登记") == ["企业登记信息", "婚姻登记信息"]
    assert listed(actor, search="QYDJ") == ["企业登记信息"]
    assert listed(actor, search="全市") == ["企业登记信息"]
    assert listed(actor, search=shelf[1].code) == ["个体工商户信息"]
    assert listed(actor, search="登记 hydj") == ["婚姻登记信息"]
    assert listed(actor, search="%") == []


def test_counts_see_only_what_the_actor_may_see(shelf: list[Entry], cast: Cast) -> None:
    assert counts(cast.clerk.actor, "state") == {"published": 3}
    assert counts(cast.steward.actor, "state") == {"published": 3, "draft": 1}
    assert counts(cast.clerk.actor, "sharing") == {"conditional": 2, "unconditional": 1}
    assert counts(cast.steward.actor, "sharing") == {"conditional": 3, "unconditional": 1}


def test_a_facet_narrows_and_its_own_values_stay_choosable(shelf: list[Entry], cast: Cast) -> None:
    actor = cast.clerk.actor
    assert listed(actor, filters={"sharing": "unconditional"}) == ["个体工商户信息"]
    assert counts(actor, "sharing", filters={"sharing": "unconditional"}) == {"conditional": 2, "unconditional": 1}
    assert counts(actor, "grade", filters={"sharing": "conditional"}) == {"2": 1, "4": 1}
    assert listed(actor, filters={"personal": "true", "state": "published"}) == ["婚姻登记信息"]


def test_the_list_takes_a_constant_number_of_queries(
    shelf: list[Entry], cast: Cast, draft: Any, publish: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(4):
        publish(draft())
    with django_assert_max_num_queries(14):
        listed(cast.clerk.actor)


def test_initials_of_a_title() -> None:
    assert pinyin_initials("企业登记信息") == "qydjxx"
    assert pinyin_initials("ABC 12") == ""
