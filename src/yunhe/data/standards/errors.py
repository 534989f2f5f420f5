"""What can go wrong with elements and code sets."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Invalid, Missing

__all__ = ["CodeSetNotFound", "ElementBroken", "ElementNotFound"]


class ElementNotFound(Missing):
    code = "element_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有数据元“{name}”。{near}可在“数据标准”页查看全部数据元。",
        "en": 'No data element "{name}". {near_en}See all of them on the page "Data standards".',
    }

    def __init__(self, *, name: str, near: str = "") -> None:
        super().__init__(
            name=name,
            near=f"最接近的是“{near}”。" if near else "",
            near_en=f'The nearest is "{near}". ' if near else "",
            field="element",
        )


class CodeSetNotFound(Missing):
    code = "code_set_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有代码集“{name}”。可在“数据标准”页查看全部代码集。",
        "en": 'No code set "{name}". See all of them on the page "Data standards".',
    }


class ElementBroken(Invalid):
    """A stored element or code set holds what it cannot hold."""

    code = "element_broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{what}“{name}”的 {field}：需要{expected}，实际是{found}。请改正后重新装入。",
        "en": '{what} "{name}", {field}: expected {expected}, found {found}. Mend it and load it again.',
    }
