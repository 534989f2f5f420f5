"""Copies of the control database, and what can befall a connection to it; on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, connections
from psycopg import sql


def forget_power_cuts() -> None:
    """Do write without waiting for the disk: a killed process loses nothing that it gave to the system."""
    if connection.vendor == "sqlite":
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


class Copies:
    """Named copies of the database that Django has at first; no connection may be open to what is copied."""

    def __init__(self) -> None:
        self.first = str(connection.settings_dict["NAME"])
        self.is_file = connection.vendor == "sqlite"

    def name(self, copy: str) -> str:
        """Return where a copy is; "" is the first."""
        if not copy:
            return self.first
        return str(Path(self.first).with_name(f"{copy}.sqlite3")) if self.is_file else f"{self.first}_{copy}"

    def make(self, copy: str, source: str = "") -> None:
        """Do make a copy anew."""
        connections.close_all()
        if self.is_file:
            for tail in ("-wal", "-shm"):
                Path(self.name(copy) + tail).unlink(missing_ok=True)
            _checkpoint(self.name(source))
            shutil.copyfile(self.name(source), self.name(copy))
            return
        with _server() as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name(copy))))
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(self.name(copy)), sql.Identifier(self.name(source))))

    def drop(self, *copies: str) -> None:
        """Do remove copies; those of a file go with their folder."""
        if not self.is_file:
            with _server() as server:
                for copy in copies:
                    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name(copy))))


def cut(struck: Any) -> None:
    """Do end the session of a connection from outside, as a database does that goes down."""
    pid = struck.connection.info.backend_pid
    with _server() as server:
        server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def fill_up(struck: Any) -> None:
    """Do leave the database no page to grow by."""
    (pages,) = struck.connection.execute("PRAGMA page_count").fetchone()
    struck.connection.execute(f"PRAGMA max_page_count = {pages}")


def _checkpoint(path: str) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()


def _server() -> psycopg.Connection[Any]:
    told = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    given = {name: told[key] for name, key in names.items() if told[key]}
    return psycopg.connect(dbname="postgres", autocommit=True, **given)
