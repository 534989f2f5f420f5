"""Words of refusals and pages: nouns by language, titles for codes, and no Chinese sign in an English sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from scripts.errors_reference import error_classes, import_everything
from tests.architecture.graph import ROOT
from yunhe.core.cases.errors import CaseNotFound, FieldProblem, FieldsInvalid, KindNotFound, LimitNotInForce
from yunhe.core.cases.forms.texts import say_field, say_plain
from yunhe.core.cases.rules.fields import check_values, checked
from yunhe.core.cases.rules.values import FORMAT_WORDS, SAYINGS
from yunhe.core.cases.types import FieldSpec
from yunhe.core.organizations.errors import AlreadyExists
from yunhe.kernel.errors import Missing, YunheError
from yunhe.kernel.nouns import NOUNS
from yunhe.ui import signs
from yunhe.ui.po import merge

CHINESE_SIGNS = re.compile("[：，、。（）；！？《》【】]")
CODE_WORDS = re.compile("[A-Za-z]{3,}")
UNTOLD = re.compile(r"{%\s*blocktrans.*?{%\s*endblocktrans\w*\s*%}", re.DOTALL)
"""What a template says by the texts of each language."""
SOURCE = ROOT / "src" / "yunhe"
BESIDE = frozenset({"conclude", "attachments.attach", "attachments.share"})
"""What a programmer is told that calls outside a transaction."""
ITEMS = FieldSpec.model_validate({
    "name": "items", "title": {"zh": "明细", "en": "Items"}, "type": "rows", "required": True, "max_items": 9,
    "fields": [{"name": "price", "title": {"zh": "单价", "en": "Price"}, "type": "integer", "required": True}],
})  # fmt: skip
PLACE = FieldSpec.model_validate({"name": "place", "title": {"zh": "地点", "en": "Place"}, "required": True})
WAY = FieldSpec.model_validate({
    "name": "way", "title": {"zh": "方式", "en": "Way"}, "type": "choice",
    "choices": [{"value": "post", "title": {"zh": "邮寄", "en": "By post"}}, {"value": "desk", "title": {"zh": "窗口", "en": "At the desk"}}],
})  # fmt: skip


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def english_texts(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield every text that is said in English: under the key "en", in `*_en=` and `en=`, the second of a pair of languages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant) and key.value == "en")
        elif isinstance(node, ast.keyword) and node.arg and (node.arg == "en" or node.arg.endswith("_en")):
            yield node.value
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_chinese(node.elts[0]) and not _is_chinese(node.elts[1]):
            yield node.elts[1]


def _is_chinese(node: ast.expr) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for text in literals(node) for letter in text)


def literals(node: ast.AST) -> list[str]:
    """Return the texts written in an expression; what stands in the slots of a text is said by another."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        return [text for part in node.values if isinstance(part, ast.Constant) for text in literals(part)]
    if isinstance(node, ast.BinOp):
        return [*literals(node.left), *literals(node.right)]
    return []


def test_no_english_message_of_a_page_has_a_chinese_sign() -> None:
    assert {msgid: text for msgid, text in merge("en").items() if CHINESE_SIGNS.search(text)} == {}


def test_no_english_sentence_of_an_error_has_a_chinese_sign() -> None:
    import_everything()
    assert [error.code for error in error_classes() if CHINESE_SIGNS.search(error.sentences.get("en", ""))] == []
    assert [code for code, (_, english) in {**SAYINGS, **FORMAT_WORDS}.items() if CHINESE_SIGNS.search(english)] == []


def test_no_english_text_in_the_code_has_a_chinese_sign() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {text}"
        for path, tree in sources()
        for node in english_texts(tree)
        for text in literals(node)
        if CHINESE_SIGNS.search(text)
    ]
    assert found == []


def test_every_chinese_sign_between_words_goes_by_the_language_of_the_page() -> None:
    """A join, or a slot, with a Chinese sign in what doors draw; signs belong to `yunhe.ui.signs`, or to a text of each language."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in sources()
        if {"views", "panels", "forms", "views.py", "forms.py", "panels.py"} & set(path.relative_to(SOURCE).parts)
        for node in bare_signs(tree)
    ]
    assert found == []
    marks = re.compile(r"[}\s>][：，、。（）；]|^[：，、。（）；]")
    templates = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted(SOURCE.rglob("*.html"))
        for number, line in enumerate(UNTOLD.sub("", path.read_text("utf-8")).splitlines(), 1)
        if marks.search(re.sub(r"{%.*?%}", "", line))
    ]
    assert templates == []


def bare_signs(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield joins by a Chinese sign, and texts with slots whose own letters are Chinese signs alone."""
    said = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Dict) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "join" and isinstance(node.value, ast.Constant) and CHINESE_SIGNS.search(str(node.value.value)):
            yield node
        elif isinstance(node, ast.JoinedStr) and id(node) not in said and not _is_chinese(node):
            yield from [node] if any(CHINESE_SIGNS.search(text) for text in literals(node)) else []


def test_what_is_missing_is_called_by_one_language() -> None:
    for error in (CaseNotFound(name="XK1"), KindNotFound(name="x"), Missing(what="release", name="1"), AlreadyExists(what="user", name="x")):
        zh, en = error.say("zh"), error.say("en")
        assert not CODE_WORDS.search(zh.replace("XK1", "")), zh
        assert not _has_chinese(en), en
    assert "没有找到办件“XK1”" in CaseNotFound(name="XK1").say("zh") and 'No case "XK1"' in CaseNotFound(name="XK1").say("en")
    assert AlreadyExists(what="user", name="x").say("en").startswith('User "x"')


def test_every_noun_of_an_error_is_known() -> None:
    told = [
        node.value.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "what" and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    assert len(told) > 30 and {one for one in told if one not in NOUNS} <= BESIDE
    assert all(_has_chinese(noun["zh"]) and not CODE_WORDS.search(noun["zh"]) and not _has_chinese(noun["en"]) for noun in NOUNS.values())


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_a_form_names_its_fields_by_title_down_to_the_row_and_the_column() -> None:
    with pytest.raises(FieldsInvalid) as refused:
        checked((PLACE, ITEMS, WAY), {"items": [{"price": 1}, {"price": "x"}], "way": "fax"})
    assert refused.value.say("zh") == "有 3 处需要更正：地点：必填；明细第 2 行的单价：需要整数；方式：只能是：邮寄（post）、窗口（desk）。"
    said = "3 to correct: Place: This is required; Items, row 2, Price: A whole number is expected; Way: One of: By post (post), At the desk (desk)."
    assert refused.value.say("en") == said
    assert [one.field for one in refused.value.problems] == ["place", "items[1].price", "way"]  # programs get the path
    _, unknown = check_values((PLACE,), {"place": "x", "strange": 1})
    assert unknown[0].say_place("zh") == "strange"
    assert FieldProblem("owner", "required", "必填。", "Needed.").say_place("zh") == "办理单位"


def test_a_limit_is_named_by_its_title() -> None:
    limit = LimitNotInForce(code="share.usual", on="2026-03-02", titles={"code": {"zh": "一般共享类答复", "en": "Usual answer"}})
    assert "“一般共享类答复”" in limit.say("zh") and '"Usual answer"' in limit.say("en") and limit.facts["code"] == "share.usual"
    assert "“share.usual”" in LimitNotInForce(code="share.usual", on="2026-03-02").say("zh")


LISTED: tuple[tuple[Any, str, str], ...] = (
    (["甲", "乙"], "甲、乙", "甲, 乙"),
    ({"甲": "1", "乙": "2"}, "甲：1；乙：2", "甲: 1; 乙: 2"),
    (Decimal(2), "2", "2"),
)


@pytest.mark.parametrize(("value", "chinese", "english"), LISTED)
def test_lists_are_joined_by_the_signs_of_the_language(value: Any, chinese: str, english: str) -> None:
    for language, said in (("zh-hans", chinese), ("en", english)):
        with translation.override(language):
            assert say_plain(value) == said
            assert say_field(None, value, {}) == said


def test_signs_go_by_the_language_of_the_page() -> None:
    with translation.override("zh-hans"):
        told = (signs.listed("ab"), signs.several("ab"), signs.pair("a", "b"), signs.in_brackets("a", "b"), signs.sentences(["a。", "", "b"]))
        assert told == ("a、b", "a；b", "a：b", "a（b）", "a。b。")
    with translation.override("en"):
        told = (signs.listed("ab"), signs.several("ab"), signs.pair("a", "b"), signs.in_brackets("a", "b"), signs.sentences(["a。", "b."]))
        assert told == ("a, b", "a; b", "a: b", "a (b)", "a. b.")
    assert signs.in_brackets("a", "") == "a"


def test_the_checks_see_what_is_wrong() -> None:
    wrong: list[YunheError | str] = ['{"zh": "甲", "en": "a，b"}', 'f(problem_en="a。")', '("甲", "a：b")', '{"en": f"{x}（{y}）"}']
    assert all([t for node in english_texts(ast.parse(str(one))) for t in literals(node) if CHINESE_SIGNS.search(t)] for one in wrong)
    for one in ('"、".join(x)', 'f"{x}：{y}"', 'f"{x}（{y}）"'):
        assert list(bare_signs(ast.parse(one)))
    assert not list(bare_signs(ast.parse('{"zh": f"{x}：{y}", "en": f"{x}: {y}"}'))) and not list(bare_signs(ast.parse('f"第 {x} 行：{y}"')))
