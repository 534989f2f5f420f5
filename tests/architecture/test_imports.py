"""Floors, faces, rings, the one duckdb importer, the one door for rows; each law also shown to catch a breach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture import laws
from tests.architecture.graph import SOURCE, Import, read_imports

GRAPH = read_imports(SOURCE)
LAWS: dict[str, tuple[Callable[[list[Import]], list[str]], tuple[str, str]]] = {
    "upward": (laws.upward_imports, ("yunhe.core.jobs.api", "yunhe.data.lake.api")),
    "upward_inside_a_floor": (laws.upward_imports, ("yunhe.core.keys.api", "yunhe.core.evidence.api")),
    "face": (laws.breached_faces, ("yunhe.data.lake.api", "yunhe.data.catalog.models")),
    "face_seen_from_the_roof": (laws.breached_faces, ("yunhe.cli.main", "yunhe.core.jobs.urls")),
    "ring": (laws.rings, ("yunhe.kernel.ids", "yunhe.web.urls")),
    "django": (laws.django_below_the_line, ("yunhe.gateway.app", "django.conf")),
    "kernel": (laws.kernel_beyond_the_standard_library, ("yunhe.kernel.ids", "cryptography.hazmat")),
    "client": (laws.client_beyond_crypto_and_kernel, ("yunhe.client", "yunhe.engine.masks")),
    "duckdb": (laws.duckdb_importers, ("yunhe.engine.load", "duckdb")),
    "duckdb_session": (laws.duckdb_importers, ("yunhe.data.lake.api", "yunhe.engine.duck")),
    "row_readers": (laws.callers_of_row_readers, ("yunhe.data.quality.api", "yunhe.engine.rows")),
}


def test_the_graph_is_read() -> None:
    assert Import("yunhe.settings.table", "yunhe.kernel.errors", 1).imported in {edge.imported for edge in GRAPH}
    assert len(GRAPH) > 100


@pytest.mark.parametrize("name", LAWS)
def test_the_house_obeys(name: str) -> None:
    law, _ = LAWS[name]
    assert law(GRAPH) == []


@pytest.mark.parametrize("name", LAWS)
def test_the_law_catches_a_breach(name: str) -> None:
    law, (importer, imported) = LAWS[name]
    breach = [Import(importer, imported, 1), Import("yunhe.web.urls", "yunhe.kernel.ids", 2)]
    assert law(breach), f"{importer} importing {imported} went unseen"


def test_the_engine_session_is_closed_to_rooms_but_quoting_is_open() -> None:
    room = "yunhe.data.exchange.api.queries"
    assert laws.duckdb_importers([Import(room, "yunhe.engine.quoting", 1, "quote_identifier")]) == []
    assert laws.duckdb_importers([Import(room, laws.DUCK, 1, "session")])


def test_every_folder_is_placed() -> None:
    assert laws.unplaced_folders(SOURCE / "yunhe") == []


def test_an_unplaced_folder_is_seen(tmp_path: Path) -> None:
    for folder in ("core/jobs", "core/parking", "helpers"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    assert laws.unplaced_folders(tmp_path) == [
        "core.parking has no place in the floors",
        "helpers has no place in the floors",
    ]


@pytest.mark.parametrize(
    ("text", "imported"),
    [
        ("import yunhe.core.jobs.models", "yunhe.core.jobs.models"),
        ("from yunhe.core.jobs import models", "yunhe.core.jobs.models"),
        ("from ...core.jobs.models import Job", "yunhe.core.jobs.models"),
        ("def late():\n    from yunhe.core.jobs import models", "yunhe.core.jobs.models"),
        ("import importlib\nimportlib.import_module('yunhe.core.jobs.models')", "yunhe.core.jobs.models"),
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, text: str, imported: str) -> None:
    for folder in ("yunhe/core/jobs", "yunhe/data/lake"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / "yunhe/core/jobs/models.py").touch()
    (tmp_path / "yunhe/data/lake/api.py").write_text(text)
    assert imported in {edge.imported for edge in read_imports(tmp_path)}
    assert laws.breached_faces(read_imports(tmp_path))


def test_no_module_or_function_is_oversized() -> None:
    assert laws.oversized(SOURCE) == []


def test_an_oversized_function_and_module_are_seen(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("def f():\n" + "    x = 1\n" * 600)
    assert len(laws.oversized(tmp_path)) == 2
