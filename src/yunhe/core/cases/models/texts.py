"""JSON that is kept as it was written."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class WrittenJSONField(models.JSONField):
    """A JSON value kept as text, so that its mappings come back in their order on every database.

    PostgreSQL's jsonb orders keys by their length. The order of a kind's actions is the order of their buttons, and the columns
    of a decision table stand in its digest. Nothing in it can be asked for by the database.
    """

    def db_type(self, connection: Any) -> str:
        return "text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if value is None or hasattr(value, "resolve_expression") else json.dumps(value, ensure_ascii=False)
