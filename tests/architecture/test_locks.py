"""Every URL, command and job has a declared permission; every key between rooms points down."""

from __future__ import annotations

import argparse

import pytest
from django.apps import apps
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver, path
from ninja import NinjaAPI

from tests.architecture import laws
from tests.architecture.locks import declared_permissions, permissions_of_view, undeclared, walk_urls
from yunhe.cli.main import all_commands


def url_doors(patterns: list) -> list[tuple[str, object]]:
    return [(address, p) for address, view in walk_urls(patterns) for p in permissions_of_view(view)]


def test_permissions_are_declared_once_and_in_two_languages() -> None:
    import importlib

    seen: dict[str, str] = {}
    for room in laws.ROOMS:
        for permission, names in getattr(importlib.import_module(f"yunhe.{room}.types"), "PERMISSIONS", {}).items():
            assert permission not in seen, f"{permission} is declared by {room} and {seen[permission]}"
            assert names["zh"] and names["en"], permission
            seen[permission] = room
    assert len(seen) > 10


def test_every_url_has_a_declared_permission() -> None:
    doors = url_doors(get_resolver("yunhe.web.urls").url_patterns)
    assert len(doors) > 5
    assert undeclared("url", doors, declared_permissions()) == []


def test_every_command_has_a_declared_permission() -> None:
    doors = [(" ".join(command.path), command.permission) for command in all_commands()]
    assert len(doors) > 10
    assert undeclared("command", doors, declared_permissions()) == []


def test_every_job_has_a_declared_permission() -> None:
    from yunhe.core.jobs import api as jobs

    doors = [(job.name, job.permission) for job in jobs.list_job_types()]
    assert doors
    assert undeclared("job", doors, declared_permissions()) == []


def test_doors_without_a_lock_are_seen() -> None:
    def locked(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    def unlocked(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    locked.permission = "ledger.view"  # type: ignore[attr-defined]
    face = NinjaAPI(urls_namespace="locks")
    face.get("/locked")(locked)
    face.get("/unlocked")(unlocked)
    patterns = [path("locked", locked), path("unlocked", unlocked), path("api/", face.urls)]
    open_doors = undeclared("url", url_doors(patterns), frozenset({"ledger.view"}))
    addresses = {line.split(":")[0] for line in open_doors}
    assert {"url unlocked", "url api/unlocked"} <= addresses
    assert not {"url locked", "url api/locked"} & addresses
    assert undeclared("command", [("x", "made.up"), ("y", "")], frozenset({"ledger.view"})) != []
    assert undeclared("job", [("sweep", None)], frozenset({"ledger.view"})) != []


def test_every_command_parses_its_own_help() -> None:
    for command in all_commands():
        command.configure(argparse.ArgumentParser(prog=" ".join(command.path)))
        assert command.help["zh"] and command.help["en"], command.path


def foreign_keys() -> list[tuple[str, str, str, bool]]:
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey) and laws.place_of(model.__module__):
                target = laws.place_of(field.related_model.__module__) or ""
                plain = field.remote_field.on_delete is models.PROTECT and field.remote_field.related_name == "+"
                found.append((laws.place_of(model.__module__) or "", target, f"{model.__name__}.{field.name}", plain))
    return found


def test_keys_between_rooms_point_down_and_protect() -> None:
    assert laws.upward_foreign_keys(foreign_keys()) == []


@pytest.mark.parametrize(
    "key", [("core.jobs", "data.lake", "Job.load", True), ("data.lake", "core.jobs", "Load.job", False)]
)
def test_a_key_upward_or_cascading_is_seen(key: tuple[str, str, str, bool]) -> None:
    assert laws.upward_foreign_keys([key])
    assert laws.upward_foreign_keys([("data.lake", "core.jobs", "Load.job", True)]) == []
