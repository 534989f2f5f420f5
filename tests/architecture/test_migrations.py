"""Models and migrations agree."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models

pytestmark = pytest.mark.django_db


def missing_migrations() -> str:
    out = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=out, stderr=out, verbosity=1)
    except SystemExit as stop:
        return out.getvalue() or f"exit {stop.code}"
    return ""


def test_every_migration_is_complete() -> None:
    assert missing_migrations() == ""


@pytest.fixture
def model_without_migration() -> Iterator[None]:
    meta = type("Meta", (), {"app_label": "keys"})
    type("Forgotten", (models.Model,), {"__module__": "yunhe.core.keys.models", "Meta": meta})
    yield
    del apps.all_models["keys"]["forgotten"]
    apps.clear_cache()


def test_a_forgotten_migration_is_seen(model_without_migration: None) -> None:
    assert "Forgotten" in missing_migrations()
