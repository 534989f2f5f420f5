"""An answer that a send-back undid stays to be read, and says that it counts no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_operators import WHY, accepted, do, open_ids, permit, sent_back, view  # noqa: F401
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.panels.kinds import course_of

pytestmark = pytest.mark.django_db
UNDONE = "已被退回作废"


def test_what_a_send_back_undid_is_marked_where_it_is_read(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    do(case, "agree", cast.leader)
    case = do(case, "agree", cast.data_admin)
    address = f"/inbox/cases/{case.case_id}/"
    browser = signed_in(cast.leader)
    assert UNDONE not in browser.get(address).content.decode()
    case = sent_back(case, cast, "review")
    seen = view(case, cast.leader)
    assert [(event.action, event.superseded) for event in seen.events] == [
        ("open", False), ("accept", False), ("agree", True), ("agree", True), ("send_back", False),
    ]  # fmt: skip
    assert {(one.name, one.state, one.superseded) for one in seen.obligations} == {
        ("accept", "done", False), ("opinion", "done", True), ("decide", "cancelled", True), ("opinion", "open", False),
    }  # fmt: skip
    assert browser.get(address).content.decode().count(UNDONE) == 2
    paper = browser.get(f"{address}print/").content.decode()
    assert paper.count(UNDONE) == 4  # of the obligations, and of the steps
    assert "退回到：审查" in paper
    states = {way.what: way.state for way in course_of(seen)["table"].rows}
    assert states["作出决定"] == "next" and states["会签"] == "now"
    api.retract(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    assert UNDONE not in browser.get(address, headers={"accept-language": "zh"}).content.decode()


def test_a_fresh_answer_is_not_marked(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    do(case, "agree", cast.leader)
    do(case, "agree", cast.data_admin)
    case = sent_back(case, cast, "review")
    do(case, "agree", cast.leader)
    assert [event.superseded for event in view(case, cast.leader).events] == [False, False, True, True, False, False]
