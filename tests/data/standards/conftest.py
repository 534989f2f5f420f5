"""The national pack, loaded as a node has it; once for all tests of a module, then rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import load_national


@pytest.fixture(scope="module")
def _loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        load_national()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def national(_loaded: None, db: None) -> None:
    """Elements, code sets, register types and case kinds of the national pack."""
