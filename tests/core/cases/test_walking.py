"""The walker that tells whether a case can end finds the end where most answers lead away from it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.walking import Walker, seat_leaders
from yunhe.core.cases import api
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db


def test_an_end_is_found_behind_answers_that_open_everything_again(
    clock: Any, cast: Cast, calendar: None, founder: Actor
) -> None:
    seat_leaders(cast, founder)
    again = {"open_obligation": "a"}
    fields = [{"name": "yes", "title": "是", "type": "boolean", "required": True, "shown": False}]
    kind = KindSpec.model_validate({
        "code": "random", "title": "随机", "prefix": "SJ", "opens": {"permission": "cases.act"}, "by_form": True,
        "fields": [{"name": "bodies", "title": "单位", "type": "list", "required": True}],
        "phases": [{"code": "p0", "title": "p0"}], "start": [again],
        "obligations": {"a": {
            "title": "a", "group": "g", "who": {"organization": "each", "each": "bodies", "roles": ["data_leader"]},
            "actions": {
                "ok": {"title": "ok", "outcome": "ok", "fields": fields, "effects": [again]},
                "no": {"title": "no", "outcome": "no", "fields": fields, "effects": [{**again, "when": "form_yes"}]},
            },
        }},
        "groups": {"g": {"rules": [{"when": "open_count = 0", "effects": [{"close_case": "end"}]}]}},
    })  # fmt: skip
    api.publish_kind(spec=kind, source="tests", actor=founder)
    bodies = [cast.owner.code, cast.bureau.code, cast.other.code]
    opened = api.open_case(kind="random", title="一件", data={"bodies": bodies}, actor=cast.clerk.actor, owner=cast.owner.code)
    assert Walker(random.Random(7), cast).ends(opened.case_id)
