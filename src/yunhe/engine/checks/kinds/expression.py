"""expression: a condition over the row's fields holds. Arguments: `where` (the text).

TRUE passes, FALSE fails (not_met; not_computable where a cast could not be done). NULL is never a pass: the row is
not checked if a field that the expression names is missing, and fails (unknown) if all of them are there.
"""

from __future__ import annotations

from yunhe.engine.checks.kind import Context, Kind, Sentence, Verdict, refuse
from yunhe.engine.expressions import parse_expression
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Rule


class ExpressionRule(Kind):
    code = "expression"
    dimension = "consistency"
    column_count = (0, 4096)

    def verdict(self, rule: Rule, context: Context) -> Verdict:
        text = rule.arguments.get("where")
        if not isinstance(text, str):
            raise refuse(rule, "where", "expression", text)
        parsed = parse_expression(text, {name: _type(context, name) for name in context.columns})
        held, fault = parsed.to_sql(), parsed.to_fault_sql()
        if not parsed.has_null and fault == "FALSE":  # then only a missing field makes it unknown
            return Verdict((), (("not_met", f"NOT ({held})"),), f"({held}) IS NOT NULL", value=held)
        missing = " OR ".join(f"{quote_identifier(name)} IS NULL" for name in parsed.fields) or "FALSE"
        broken = (("not_computable", fault),) if fault != "FALSE" else ()
        reasons = (*broken, ("unknown", f"({held}) IS NULL"), ("not_met", f"NOT ({held})"))
        return Verdict((), reasons, f"({held}) IS NOT NULL OR NOT ({missing})")

    def explain(self, rule: Rule) -> Sentence:
        text = rule.arguments.get("where")
        return {"zh": f"应满足条件：{text}", "en": f"This must hold: {text}"}


def _type(context: Context, name: str) -> str:
    return context.columns[name].type


KIND = ExpressionRule()
