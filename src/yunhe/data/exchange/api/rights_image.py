"""The rights image: what the gateway may answer, written whole from control data after each change."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction

from yunhe.core.jobs.api import outbox
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.exchange.api.policies import granted_masks
from yunhe.data.exchange.models import AccessSystemRecord, GrantRecord
from yunhe.data.lake import api as lake
from yunhe.data.lake.types import Release
from yunhe.engine.expressions import ExpressionRefused, parse_expression
from yunhe.gateway.errors import BrokenImage
from yunhe.gateway.rights import AccessKeyRow, GrantedField, GrantRow, RightsImage, read_image, write_image
from yunhe.kernel.clock import local, now

TOPIC = "exchange.rights_changed"
KEPT_DAYS = 90
logger = logging.getLogger("yunhe.exchange")


def rights_image_path() -> Path:
    """Return where the image lies; the gateway polls it."""
    return Path(settings.HOME) / "gateway" / "rights.json"


def rights_changed(*, reason: str) -> None:
    """Write the image as soon as the caller's transaction commits; the outbox makes sure of it."""
    outbox.publish(topic=TOPIC, payload={"reason": reason}, key="")
    transaction.on_commit(refresh_rights_image, robust=True)


def refresh_rights_image() -> int:
    """Write the image from control data as it stands now; return its version.

    Writers take a file lock before they read, so a later image never holds older rights.
    """
    path = rights_image_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.with_suffix(".lock")):
        version = _last_version(path) + 1
        write_image(path, RightsImage(version=version, written_at=now(), keys=_keys(), grants=_grants()))
    return version


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _last_version(path: Path) -> int:
    """Return the version on disk; a clock's reading where there is none, so that it never goes back."""
    try:
        return read_image(path).version
    except BrokenImage:
        return int(now().timestamp())


def _keys() -> dict[str, AccessKeyRow]:
    return {
        record.key_id: AccessKeyRow(
            key_id=record.key_id,
            system=record.name,
            organization=record.organization_id,
            secret_sealed=record.secret_sealed,
            revoked=record.revoked_at is not None,
        )
        for record in AccessSystemRecord.objects.order_by("key_id")
    }


def _grants() -> dict[str, GrantRow]:
    """Return every grant that is or lately was in force, each by its resource's own release."""
    lately = now() - timedelta(days=KEPT_DAYS)
    records = list(GrantRecord.objects.filter(valid_until__gt=lately).order_by("id"))
    codes = tuple({record.resource_code for record in records})
    releases = lake.serving_releases(codes=codes)
    resources = {code: catalog.find_resource(code=code) for code in codes}
    ended = {code for code in {r.consumer for r in records} if _has_ended(code)}
    return {
        record.id: _grant(record, resources[record.resource_code], releases.get(record.resource_code), ended)
        for record in records
    }


def _has_ended(organization: str) -> bool:
    found = organizations.find_organization(code=organization)
    return found is None or (found.valid_until is not None and found.valid_until <= local(now()).date())


def _grant(record: GrantRecord, resource: Resource | None, release: Release | None, ended: set[str]) -> GrantRow:
    """Return what the gateway may answer: the grant within today's contract, over the release it serves."""
    types: dict[str, str] = {column.name: column.type for column in release.columns} if release else {}
    masks = granted_masks(record, resource) if resource else {}
    state = record.state
    if resource is None or not resource.is_published or record.consumer in ended or not _filter_holds(record, types):
        state = "revoked" if record.state == GrantRecord.REVOKED else "suspended"
    return GrantRow(
        grant_id=record.id,
        resource=record.resource_code,
        resource_title=record.resource_title,
        consumer=record.consumer,
        key_columns=release.keys if release else (),
        fields=tuple(GrantedField(name, mask, types[name]) for name, mask in masks.items() if name in types),
        row_filter=record.row_filter,
        field_types=types,
        purpose=record.purpose,
        case_number=record.case_number,
        valid_from=record.valid_from,
        valid_until=record.valid_until,
        state=state,  # type: ignore[arg-type]
        serving_path=release.serving_path if release else "",
        snapshot_id=str(release.snapshot_id) if release else "",
        release_id=release.release_id if release else "",
        owner=record.owner,
    )


def _filter_holds(record: GrantRecord, types: dict[str, str]) -> bool:
    """Tell whether the row filter can still be judged on the rows that are served."""
    if not record.row_filter or not types:
        return True
    try:
        parse_expression(record.row_filter, types)
    except ExpressionRefused:
        logger.warning("grant %s: its row filter no longer fits the served rows; suspended", record.id)
        return False
    return True
