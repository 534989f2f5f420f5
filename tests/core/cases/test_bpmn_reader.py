"""The BPMN file of every kind as an independent reader sees it (bpmn-moddle, which bpmn.io's tools read with)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.core.cases.test_diagram import KINDS, ROOT, read
from yunhe.core.cases.rules.bpmn import bpmn_of
from yunhe.core.cases.types import KindSpec
from yunhe.ui import build

READER = Path(__file__).with_name("read_bpmn.mjs")


def read_by_moddle(texts: list[str]) -> list[dict[str, Any]]:
    """Return what bpmn-moddle found in each file and what it warns of."""
    if not (ROOT / "node_modules" / "bpmn-moddle").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            raise AssertionError("bpmn-moddle is not installed (make assets)")
        pytest.skip("bpmn-moddle is not installed (make assets)")
    node, _npm = build.find_node()
    done = subprocess.run([*node, str(READER)], input=json.dumps(texts), capture_output=True, text=True, cwd=ROOT, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_kind_is_read_without_a_warning() -> None:
    kinds = [(path, language) for path in KINDS for language in ("zh", "en")]
    found = read_by_moddle([bpmn_of(read(path), language=language, roles={}) for path, language in kinds])
    assert len(found) == len(KINDS) * 2
    for (path, _language), one in zip(kinds, found, strict=True):
        assert one["warnings"] == [], path
        assert one["shapes"] == one["parts"] > 0, path  # every shape and edge names an element that is there


def test_the_reader_sees_what_is_wrong() -> None:
    text = bpmn_of(read(KINDS[0]), language="zh", roles={})
    wrong = [text.replace('targetRef="n_', 'targetRef="m_', 1), text.replace("<endEvent", "<noEvent", 1).replace("</endEvent>", "</noEvent>", 1), text[:900]]
    assert all(one["warnings"] for one in read_by_moddle(wrong))


def permit() -> KindSpec:
    return read(ROOT / "examples" / "permit" / "cases" / "permit.yml")


@pytest.mark.parametrize(
    ("language", "withdrawn", "whole", "guarded"),
    [
        ("zh", ("撤回申请", "提出人 在这些阶段：受理、补正、审查、决定"), ("全程时限", "20 个工作日 自“受理”起"), "准予许可（办理人 ≠ 提出人）"),
        ("en", ("Withdraw", "Who opened it in: Intake, Supplement, Review, Decision"), ("Limit of the whole case", "20 workdays from “Accept”"),
         "Grant (who acts ≠ who opened it)"),
    ],
)  # fmt: skip
def test_what_holds_for_the_whole_case_and_conditions_are_in_the_file(
    language: str, withdrawn: tuple[str, str], whole: tuple[str, str], guarded: str
) -> None:
    (found,) = read_by_moddle([bpmn_of(permit(), language=language, roles={})])
    assert [withdrawn[0], True, ["bpmn:MessageEventDefinition"], withdrawn[1]] in found["frames"]  # it ends the case
    assert [whole[0], False, ["bpmn:TimerEventDefinition"], whole[1]] in found["frames"]  # the case goes on
    assert len(found["frames"]) == 2
    assert [guarded, "actor_id <> opener_id"] in found["conditions"]
    assert ["n_complete", True, "P20D"] in found["timers"] and ["n_accept", False, "P5D"] in found["timers"]


def test_a_kind_without_withdrawal_and_limit_has_no_frames_and_a_vote_is_no_plain_join() -> None:
    kind = permit()
    bare = kind.model_copy(update={"withdraw": None, "operators": (), "limits": ()})
    rules = tuple(rule.model_copy(update={"when": "count_agreed >= 2"}) for rule in kind.groups["opinions"].rules)
    vote = kind.model_copy(update={"groups": {"opinions": kind.groups["opinions"].model_copy(update={"rules": rules})}})
    texts = [bpmn_of(one, language="zh", roles={}) for one in (bare, vote, kind)]
    assert read_by_moddle(texts[:1])[0]["frames"] == [] and "textAnnotation" not in texts[0]
    assert "complexGateway" in texts[1] and "count_agreed &gt;= 2</activationCondition>" in texts[1]
    assert "inclusiveGateway" in texts[2] and "complexGateway" not in texts[2]
    assert "中止（依据须写明）" in texts[2] or "suspend" not in kind.operators


def test_an_obligation_that_comes_again_says_how_often() -> None:
    kind = read(ROOT / "examples" / "award" / "cases" / "award_application.yml")
    (name,) = (name for name, one in kind.obligations.items() if one.recurs)
    text = bpmn_of(kind, language="zh", roles={})
    assert "每月一次" in text and f'sourceRef="n_{name}" targetRef="n_{name}_recurs"' in text
