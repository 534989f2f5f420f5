"""A PostgreSQL database of a test's own; skipped with a reason where none answers, unless services are required."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

SERVER = os.environ.get("TEST_DATABASE", "postgresql://root@127.0.0.1:5432/postgres")


@contextmanager
def fresh_database(purpose: str) -> Iterator[str]:
    """Make an empty database and yield its address; it is gone afterwards."""
    with _database(purpose, "template1") as address:
        yield address


@contextmanager
def copied_database(purpose: str, address: str) -> Iterator[str]:
    """Make a copy of a database that nobody is connected to, and yield its address; it is gone afterwards."""
    with _database(purpose, urlsplit(address).path.removeprefix("/")) as copy:
        yield copy


@contextmanager
def _database(purpose: str, template: str) -> Iterator[str]:
    name = f"yunhe_{purpose}_{uuid.uuid4().hex[:12]}"
    try:
        connection = psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        pytest.skip("no PostgreSQL at TEST_DATABASE")
    with connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
