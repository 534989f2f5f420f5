"""The six dimensions of GB/T 36344-2018 and the formula by which each is counted here, for the pages."""

from __future__ import annotations

from typing import Final

# Source: GB/T 36344-2018, clause 5 (names of the dimensions); every metric is X = A / B.
FORMULAS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "normativity": {
        "title": {"zh": "规范性", "en": "Normativity"},
        "formula": {"zh": "符合数据标准、格式和代码集的次数 ÷ 检查次数", "en": "checks that meet standard, form and code set ÷ checks made"},
    },
    "completeness": {
        "title": {"zh": "完整性", "en": "Completeness"},
        "formula": {"zh": "已填写的必填项 ÷ 应填写的必填项", "en": "required values filled in ÷ required values expected"},
    },
    "accuracy": {
        "title": {"zh": "准确性", "en": "Accuracy"},
        "formula": {"zh": "内容正确、校验通过且不重复的次数 ÷ 检查次数", "en": "checks of content, check digits and uniqueness passed ÷ checks made"},
    },
    "consistency": {
        "title": {"zh": "一致性", "en": "Consistency"},
        "formula": {"zh": "相关数据项互不矛盾的次数 ÷ 比较次数", "en": "comparisons of related values without conflict ÷ comparisons made"},
    },
    "timeliness": {
        "title": {"zh": "时效性", "en": "Timeliness"},
        "formula": {"zh": "日期在有效范围内或按期更新的次数 ÷ 检查次数", "en": "dates within their period or updates on time ÷ checks made"},
    },
    "accessibility": {
        "title": {"zh": "可访问性", "en": "Accessibility"},
        "formula": {"zh": "成功的访问次数 ÷ 访问次数", "en": "accesses that succeeded ÷ accesses tried"},
    },
}  # fmt: skip
