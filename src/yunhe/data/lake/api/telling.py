"""What lake tells the ledger of a release: the fates of rows, and of quality what everyone may know."""

from __future__ import annotations

from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import FieldQuality
from yunhe.data.lake.models import ReleaseRecord
from yunhe.data.quality import api as quality
from yunhe.data.quality.errors import NotJudgedYet


def tell_ledger(release: ReleaseRecord) -> None:
    """Note in the catalogue that this release is current; runs in the transaction that made it so.

    Raises: ResourceNotFound.
    """
    load, code = release.load, release.resource_code
    counts = {"rows_in": load.rows_in or 0, "quarantined": load.quarantined or 0, "rejected": load.rejected or 0}
    fields: dict[str, FieldQuality] = {}
    try:
        told = quality.tell_everyone(code=code, snapshot_id=release.snapshot_id)
    except NotJudgedYet:
        pass
    else:
        names = ("checked", "failed", "failing_keys", "below")
        counts |= {name: getattr(told, name) for name in names}
        fields = {name: FieldQuality(*numbers) for name, numbers in told.columns.items()}
    catalog.record_release(
        code=code,
        release_id=release.id,
        snapshot_id=release.snapshot_id,
        load_id=load.id,
        rows=release.rows,
        at=release.at,
        counts=counts,
    )
    catalog.record_quality(code=code, snapshot_id=release.snapshot_id, fields=fields, at=release.at)
