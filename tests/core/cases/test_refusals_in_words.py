"""A refusal names roles, kinds, phases and obligations as people read them, in their language; codes stay in its facts."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE
from yunhe.core.cases import api
from yunhe.core.cases.errors import (
    ActionNotOffered,
    MigrationRefused,
    NobodyInSeat,
    OperatorNotAllowed,
    RequestRefused,
    StuckCase,
    TooFewInSeats,
)
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import RightSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import YunheError

pytestmark = pytest.mark.django_db
Titles = dict[str, str]
ANSWER: Titles = {"zh": "书面答复", "en": "Written answer"}
AGREE: Titles = {"zh": "予以同意", "en": "Consent"}
NOTE: Titles = {"zh": "请示件", "en": "Request note"}
BEGUN: Titles = {"zh": "办理之中", "en": "Being handled"}
CODES = re.compile(r"(?<![a-z_])(leave_note|answering|survey_lead|survey_hand|agree|answer)(?![a-z_])")
Publish = Callable[..., None]


@pytest.fixture
def publish(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Publish:
    """Return a function that publishes a kind whose titles and codes have nothing in common, and whose roles have titles."""
    for code, zh, en in (("survey_lead", "测绘组长", "Survey lead"), ("survey_hand", "测绘员", "Surveyor")):
        rights = (RightSpec("cases.view", ("own",)), RightSpec("cases.act", ("own",)))
        organizations.define_role(code=code, title={"zh": zh, "en": en}, rights=rights, actor=founder, pack="tests")

    def publish_kind(**more: Any) -> None:
        body = copy.deepcopy(SIMPLE)
        body["title"], body["phases"][0]["title"] = NOTE, BEGUN
        body["obligations"]["answer"]["title"] = ANSWER
        body["obligations"]["answer"]["actions"]["agree"]["title"] = AGREE
        del body["obligations"]["opinion"]
        body["start"] = [{"open_obligation": "answer"}]
        body["obligations"]["answer"] |= more.pop("answer", {})
        api.publish_kind(spec=KindSpec.model_validate({**body, **more}), source="tests", actor=founder)

    return publish_kind


def note(cast: Cast) -> Case:
    return api.open_case(kind="leave_note", title="请示", data={"amount": 1, "items": []}, actor=cast.clerk.actor, owner=cast.owner.code)


def holds(error: YunheError, *titles: Titles) -> None:
    """Whichever language it is said in, the titles of that language are in it, and no code."""
    for language in ("zh", "en"):
        said = error.say(language)
        assert all(title[language] in said for title in titles), said
        assert not CODES.search(said.replace(ANSWER["en"], "")), said
    assert error.as_problem("zh")["detail"] == error.say("zh")


def test_an_operator_that_the_kind_does_not_allow(publish: Publish, cast: Cast) -> None:
    publish(operators=["remind"])
    with pytest.raises(OperatorNotAllowed) as refused:
        api.send_back(case_id=note(cast).case_id, obligation_id="", phase="answering", reason="x", actor=cast.leader.actor)
    holds(refused.value, NOTE, {"zh": "退回到", "en": "Send back"})
    assert refused.value.facts["kind_code"] == "leave_note"


def test_a_seat_that_nobody_holds_and_one_that_too_few_hold(publish: Publish, cast: Cast, founder: Actor) -> None:
    roles = {"organization": "owner", "roles": ["survey_lead", "survey_hand"]}
    publish(answer={"who": roles})
    with pytest.raises(NobodyInSeat) as nobody:
        note(cast)
    holds(nobody.value, ANSWER, {"zh": "测绘员、测绘组长", "en": "Surveyor, Survey lead"}, {"zh": cast.owner.label, "en": cast.owner.label})
    assert (nobody.value.facts["roles"], nobody.value.facts["organization"]) == ("survey_hand, survey_lead", cast.owner.code)
    publish(answer={"who": {**roles, "organization": "bureau"}})
    with pytest.raises(NobodyInSeat) as bureau:
        note(cast)
    holds(bureau.value, ANSWER, {"zh": "数据主管部门", "en": "Data bureau"})
    organizations.add_membership(username=cast.officer.username, organization=cast.owner.code, role="survey_hand", actor=founder)
    both = {"both": {"distinct": True, "rules": [{"when": "count_agreed >= 2", "effects": [{"close_case": "agreed"}]}]}}
    publish(answer={"who": roles, "group": "both"}, groups=both, start=[{"open_obligation": "answer"}] * 2)
    with pytest.raises(TooFewInSeats) as few:
        note(cast)
    holds(few.value, ANSWER, {"zh": "测绘员、测绘组长", "en": "Surveyor, Survey lead"}, {"zh": "2 名", "en": "2 different people"})


def test_an_action_that_is_not_offered_is_named_as_its_button(publish: Publish, cast: Cast) -> None:
    publish()
    with pytest.raises(ActionNotOffered) as refused:
        api.act(case_id=note(cast).case_id, action="agree", data={"text": "好"}, actor=cast.clerk.actor)
    holds(refused.value, AGREE)


@pytest.mark.usefixtures("unproved")
def test_a_step_that_would_leave_nobody_to_act(publish: Publish, cast: Cast) -> None:
    agree = {**SIMPLE["obligations"]["answer"]["actions"]["agree"], "title": AGREE, "effects": []}
    publish(answer={"actions": {"agree": agree}})
    with pytest.raises(StuckCase) as stuck:
        api.act(case_id=note(cast).case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    holds(stuck.value, NOTE, AGREE)
    publish(start=[{"go_to_phase": "done"}])
    with pytest.raises(StuckCase) as stuck:
        note(cast)
    holds(stuck.value, NOTE, {"zh": "提出", "en": "Opened"})


def test_a_change_that_cannot_go_on_says_where_in_words(publish: Publish, cast: Cast) -> None:
    publish()
    note(cast)
    publish(phases=[{"code": "begun", "title": "开始"}, *SIMPLE["phases"][1:]])
    plan, actor = api.plan_migration(kind="leave_note", actor=cast.data_admin.actor), cast.data_admin.actor

    def refused(plan: Any, reason: str = "改") -> MigrationRefused:
        with pytest.raises(MigrationRefused) as caught:
            api.draft_migration(plan=plan, reason=reason, actor=actor)
        return caught.value

    holds(refused(plan), BEGUN, ANSWER)
    holds(refused(plan, " "), {"zh": "变更原因", "en": "the reason"})
    sound = replace(plan, moves=tuple(replace(move, to_phase="begun") for move in plan.moves))
    holds(refused(replace(sound, moves=tuple(replace(move, choice="keep") for move in sound.moves))), NOTE)
    draft = api.draft_migration(plan=sound, reason="改", actor=actor)
    for step in (api.approve_migration, api.apply_migration):
        with pytest.raises(MigrationRefused) as caught:
            step(migration_id=draft.migration_id, actor=actor)
        holds(caught.value, NOTE)
        assert draft.migration_id not in caught.value.say("zh") and "drafted" not in caught.value.say("zh")
    assert "待批准" in caught.value.say("zh") and "waiting for approval" in caught.value.say("en")


def test_a_role_that_is_not_for_asking() -> None:
    refused = RequestRefused(name="audit", titles={"name": {"zh": "审计管理员", "en": "Auditor"}}, problem="不走申请", problem_en="is not for asking")
    assert "“审计管理员”" in refused.say("zh") and '"Auditor"' in refused.say("en") and refused.facts["name"] == "audit"
