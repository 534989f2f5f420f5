"""Checking, loading and listing packs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from pydantic import BaseModel, ValidationError

from yunhe.core.evidence.api import append
from yunhe.core.packs.api.files import PackFiles, list_pack_folders, read_pack, resolve_folder
from yunhe.core.packs.api.registry import PASSIVE_SECTIONS, list_loaders
from yunhe.core.packs.errors import BadPackItem, PackBroken, PackNeedsRights, RefusedPackItem
from yunhe.core.packs.models import LoadedPack, PackLoad
from yunhe.core.packs.rules.csv_text import read_csv
from yunhe.core.packs.rules.problems import problem, problems_of
from yunhe.core.packs.rules.yaml_text import Document, Place, YamlRefused, read_yaml
from yunhe.core.packs.types import (
    LoadContext,
    Loader,
    LoadState,
    ManifestModel,
    PackInfo,
    PackItem,
    PackManifest,
    PackProblem,
    PackReport,
    PlannedChange,
)
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import now

MANIFEST = "pack.yml"


def check_pack(*, path: str | Path) -> PackReport:
    """Return everything that is wrong with a pack (a folder or a name) and what loading it would change; writes nothing.

    Raises: PackNotFound.
    """
    folder = resolve_folder(path)
    with transaction.atomic():
        report, _, _ = _examine(read_pack(folder), job_actor("packs.check"))
    return report


def load_pack(*, name_or_path: str | Path, actor: Actor) -> PackReport:
    """Load a pack whole or not at all; loading the same content again changes nothing.

    Raises: PackNotFound, PackBroken with every problem, PackNeedsRights if it changes rights and
    the actor lacks packs.rights, Refused without packs.load.
    """
    actor.require("packs.load")
    found = read_pack(resolve_folder(name_or_path))
    with transaction.atomic():
        # Locked first, so that two loads of one pack follow one another.
        LoadedPack.objects.select_for_update().filter(name=found.folder.name).first()
        report, context, sections = _examine(found, actor)
        if report.problems or context is None:
            raise PackBroken(name=report.name, problems=report.problems)
        if report.state == "unchanged":
            return report
        _check_rights(report, context, actor)
        _apply(report, context, sections)
        _record(report, context)
    return _with_state(report, "loaded")


def list_packs(*, actor: Actor) -> tuple[PackInfo, ...]:
    """Return every pack at hand or loaded, by name. Cost: reads every pack's files."""
    actor.require("packs.view")
    loaded = {row.name: row for row in LoadedPack.objects.order_by("name")}
    infos = {}
    for folder in list_pack_folders():
        found = read_pack(folder)
        manifest = _read_manifest(found)[0]
        infos[folder.name] = _info(folder.name, found, manifest, loaded.get(folder.name))
    for name, row in loaded.items():
        infos.setdefault(name, _info(name, None, None, row))
    return tuple(infos[name] for name in sorted(infos))


Examined = tuple[PackReport, LoadContext | None, dict[str, tuple[PackItem, ...]]]


def _examine(found: PackFiles, actor: Actor) -> Examined:
    """Read, validate and plan; the one way to a report, for checks and loads alike."""
    manifest, problems = _read_manifest(found)
    sections, more = _read_sections(found)
    problems = [*found.problems, *problems, *more]
    if manifest is None:
        return _report(found, None, problems), None, {}
    problems += _check_manifest(manifest, sections, found)
    context = LoadContext(manifest=manifest, actor=actor, at=now(), shipped=found.shipped, files=found.files)
    changes: list[PlannedChange] = []
    if not problems:
        changes, problems = _plan(context, sections)
    report = _report(found, manifest, problems, tuple(changes), {name: len(items) for name, items in sections.items()})
    if not problems and _is_loaded(found.digest, manifest.name, sections):
        report = _with_state(report, "unchanged")
    return report, context, sections


def _read_manifest(found: PackFiles) -> tuple[PackManifest | None, list[PackProblem]]:
    if MANIFEST not in found.files:
        return None, [problem(MANIFEST, 1, "", "no_manifest")]
    items, problems = _read_file(MANIFEST, found.files[MANIFEST], "", ManifestModel, ManifestModel)
    if problems or not items:
        return None, problems or [problem(MANIFEST, 1, "", "not_mapping")]
    return items[0].value.manifest(), []


def _check_manifest(
    manifest: PackManifest, sections: dict[str, tuple[PackItem, ...]], found: PackFiles
) -> list[PackProblem]:
    problems = []
    if manifest.name != found.folder.name:
        problems.append(problem(MANIFEST, 1, "name", "name_differs", found=manifest.name, expected=found.folder.name))
    loaded = set(LoadedPack.objects.values_list("name", flat=True))
    problems += [problem(MANIFEST, 1, "needs", "needs", needed=name) for name in manifest.needs if name not in loaded]
    if sections.get("organizations") and found.shipped and not manifest.demo:
        problems.append(problem(sections["organizations"][0].file, 1, "", "no_organizations"))
    return problems


def _read_sections(found: PackFiles) -> tuple[dict[str, tuple[PackItem, ...]], list[PackProblem]]:
    loaders = {loader.section: loader for loader in list_loaders()}
    sections: dict[str, list[PackItem]] = {}
    problems: list[PackProblem] = []
    for name, data in sorted(found.files.items()):
        section, _, rest = name.partition("/")
        if name == MANIFEST or (section in PASSIVE_SECTIONS and rest):
            continue
        loader = loaders.get(section)
        if not rest or loader is None or not name.endswith((".yml", ".csv")):
            problems.append(_misplaced(name, section, rest, loader, loaders))
            continue
        items, more = _read_file(name, data, section, loader.model, loader.row_model)
        sections.setdefault(section, []).extend(items)
        problems += more
    return {section: tuple(items) for section, items in sections.items()}, problems


def _misplaced(
    name: str, section: str, rest: str, loader: Loader | None, loaders: dict[str, Loader]
) -> PackProblem:
    if not rest:
        return problem(name, 1, "", "stray_file")
    if loader is None:
        return problem(name, 1, "", "unknown_section", section=section, known=", ".join(sorted(loaders)))
    return problem(name, 1, "", "unknown_file")


def _read_file(
    name: str, data: bytes, section: str, model: type[BaseModel], row_model: type[BaseModel]
) -> tuple[list[PackItem], list[PackProblem]]:
    """Return the validated items of one file, and its problems."""
    try:
        if name.endswith(".csv"):
            return _read_rows(name, data, section, row_model)
        return _read_document(name, data, section, model)
    except YamlRefused as refused:
        return [], [refused.problem]


def _read_rows(
    name: str, data: bytes, section: str, model: type[BaseModel]
) -> tuple[list[PackItem], list[PackProblem]]:
    items, problems = [], []
    for line, row in read_csv(data, file=name):
        try:
            items.append(PackItem(section, name, line, model.model_validate(row)))
        except ValidationError as error:
            errors = error.errors(include_url=False)
            problems += problems_of(errors, file=name, line_of=partial(_same_line, line))
    return items, problems


def _read_document(
    name: str, data: bytes, section: str, model: type[BaseModel]
) -> tuple[list[PackItem], list[PackProblem]]:
    document = read_yaml(data, file=name)
    values = document.value if isinstance(document.value, list) else [document.value]
    items, problems = [], []
    for number, value in enumerate(values):
        base: Place = (number,) if isinstance(document.value, list) else ()
        if not isinstance(value, dict):
            problems.append(problem(name, document.line_of(base), "", "not_mapping"))
            continue
        try:
            items.append(PackItem(section, name, document.line_of(base), model.model_validate(value)))
        except ValidationError as error:
            errors = error.errors(include_url=False)
            problems += problems_of(errors, file=name, line_of=partial(_line_within, document, base))
    return items, problems


def read_declaration(*, data: bytes, file: str) -> Any:
    """Return what one YAML text holds, read as packs are: bounded, no tags, no aliases, a date stays text.

    Raises: PackBroken with file, line and path.
    """
    try:
        return read_yaml(data, file=file).value
    except YamlRefused as refused:
        raise PackBroken(name=file, problems=(refused.problem,)) from refused


def _same_line(line: int, _: Place) -> int:
    return line


def _line_within(document: Document, base: Place, place: Place) -> int:
    return document.line_of((*base, *place))


def _plan(
    context: LoadContext, sections: dict[str, tuple[PackItem, ...]]
) -> tuple[list[PlannedChange], list[PackProblem]]:
    changes: list[PlannedChange] = []
    problems: list[PackProblem] = []
    for loader in list_loaders():
        if loader.section not in sections:
            continue
        try:
            changes += loader.plan(context, sections[loader.section])
        except (BadPackItem, RefusedPackItem) as error:
            problems.append(_problem_of(error))
    return changes, problems


def _apply(report: PackReport, context: LoadContext, sections: dict[str, tuple[PackItem, ...]]) -> None:
    try:
        for loader in list_loaders():
            if loader.section in sections:
                loader.apply(context, sections[loader.section])
    except (BadPackItem, RefusedPackItem) as error:
        raise PackBroken(name=report.name, problems=(_problem_of(error),)) from error


def _problem_of(error: BadPackItem | RefusedPackItem) -> PackProblem:
    place = error.item
    said = error.texts
    return problem(place.file, place.line, str(error.facts["field"]), "item", **said)


def _check_rights(report: PackReport, context: LoadContext, actor: Actor) -> None:
    changing = [change.name for change in report.changes if change.rights and change.action != "keep"]
    if changing and not actor.may("packs.rights"):
        raise PackNeedsRights(name=context.manifest.name, what=", ".join(changing[:5]))


def _is_loaded(digest: str, name: str, sections: dict[str, tuple[PackItem, ...]]) -> bool:
    row = LoadedPack.objects.filter(name=name).first()
    return row is not None and row.digest == digest and row.sections == sorted(sections)


def _record(report: PackReport, context: LoadContext) -> None:
    manifest = context.manifest
    values = {
        "version": manifest.version, "digest": report.digest, "sections": sorted(report.items),
        "title": dict(manifest.title), "grants": list(manifest.grants), "loaded_at": context.at,
        "loaded_by": context.actor.id,
    }  # fmt: skip
    row, _ = LoadedPack.objects.update_or_create(name=manifest.name, defaults=values)
    changes = [c for c in report.changes if c.action != "keep"]
    PackLoad.objects.create(
        pack=row, version=manifest.version, digest=report.digest, loaded_at=context.at,
        loaded_by=context.actor.id, changes=[[c.action, c.what, c.name] for c in changes],
    )  # fmt: skip
    append(
        kind="packs.pack_loaded", actor=context.actor, subject_type="pack", subject_id=manifest.name,
        facts={"version": manifest.version, "digest": report.digest, "changes": len(changes),
               "rights": [c.name for c in changes if c.rights], "items": dict(report.items)},
    )  # fmt: skip


def _report(
    found: PackFiles,
    manifest: PackManifest | None,
    problems: list[PackProblem],
    changes: tuple[PlannedChange, ...] = (),
    items: dict[str, int] | None = None,
) -> PackReport:
    return PackReport(
        name=manifest.name if manifest else found.folder.name, version=manifest.version if manifest else "",
        digest=found.digest, folder=found.folder, state="broken" if problems else "loadable",
        problems=tuple(problems), changes=changes, items=items or {},
    )  # fmt: skip


def _with_state(report: PackReport, state: LoadState) -> PackReport:
    return PackReport(
        report.name, report.version, report.digest, report.folder, state, report.problems, report.changes, report.items
    )


def _info(name: str, found: PackFiles | None, manifest: PackManifest | None, row: LoadedPack | None) -> PackInfo:
    title = manifest.title if manifest else (row.title if row else {"zh": name, "en": name})
    return PackInfo(
        name=name, version=manifest.version if manifest else "", title=title, digest=found.digest if found else "",
        folder=str(found.folder) if found else "", shipped=bool(found and found.shipped),
        loaded_at=row.loaded_at if row else None, loaded_by=row.loaded_by if row else "",
        loaded_version=row.version if row else "", loaded_digest=row.digest if row else "",
    )  # fmt: skip
