"""The shapes of statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PlainRow = Mapping[str, Any]
"""Values by column, as JSON could hold them: times as ISO text in UTC, decimals as text."""
Reader = Callable[[Any], Any]
"""What makes a value of a column from what the database hands out."""
Writer = Callable[[Any, Any], Any]
"""What makes what the database takes from a value, and the database."""
