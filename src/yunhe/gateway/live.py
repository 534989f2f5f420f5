"""What the gateway holds open: the newest rights image, compiled row filters, serving files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from yunhe.engine.expressions import Expression, ExpressionRefused, parse_expression
from yunhe.engine.serving import ServingFile
from yunhe.gateway.errors import BrokenImage, DataUnavailable, RightsStale, RowFilterUnusable
from yunhe.gateway.rights import AccessKeyRow, GrantRow, RightsImage, open_secret, read_image
from yunhe.kernel import clock
from yunhe.kernel.errors import YunheError

RowFilter = Callable[[Mapping[str, Any]], Any]
# Serving files hold these types as text (engine.serving); an expression counts with values.
_FROM_TEXT: Mapping[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "decimal": Decimal,
}


class LiveRights:
    """The rights image as it stands on disk; `poll` notices a new file."""

    def __init__(self, path: Path, *, node_secret: bytes, stale_seconds: int) -> None:
        self._path = path
        self._node_secret = node_secret
        self._secrets: dict[str, bytes] = {}
        self._stale_seconds = stale_seconds
        self._mark: tuple[int, int, int] | None = None
        self._image: RightsImage | None = None
        self._filters: dict[str, RowFilter] = {}
        self._files: dict[str, ServingFile] = {}
        self.problem = ""

    @property
    def version(self) -> int:
        """Return the version of the image in use, 0 for none."""
        return self._image.version if self._image else 0

    @property
    def age_seconds(self) -> float:
        """Return how long ago the image in use was written; infinite for none."""
        return (clock.now() - self._image.written_at).total_seconds() if self._image else float("inf")

    def poll(self) -> bool:
        """Do read the file anew if it changed; return whether it did.

        A file that cannot be read leaves the image in use, which then grows stale; see `problem`.
        """
        mark = self._look()
        if mark is None or mark == self._mark:
            return False
        try:
            image = read_image(self._path)
        except BrokenImage as error:
            self.problem = error.say("en")
            return False
        self._mark, self._image, self.problem = mark, image, ""
        self._filters.clear()
        self._secrets.clear()
        self._drop_unnamed_files(image)
        return True

    def image(self) -> RightsImage:
        """Return the image in use. Raises: RightsStale if it is too old, or lies in the future."""
        if self._image is None or not -self._stale_seconds <= self.age_seconds <= self._stale_seconds:
            raise RightsStale(limit=self._stale_seconds)
        return self._image

    def knows(self, key_id: str) -> bool:
        """Tell whether the image in use, however old, names this access key."""
        return self._image is not None and key_id in self._image.keys

    def secret_of(self, key: AccessKeyRow) -> bytes:
        """Return the opened secret of a key of the image in use.

        Raises: SealBroken if the image was written under another node secret.
        """
        if key.key_id not in self._secrets:
            self._secrets[key.key_id] = open_secret(node_secret=self._node_secret, key=key)
        return self._secrets[key.key_id]

    def find_row(self, grant: GrantRow, keys: Mapping[str, object]) -> Mapping[str, Any] | None:
        """Return the stored row if there is one and the grant's row filter is true of it.

        False and unknown both keep the row back. Raises: RowFilterUnusable, DataUnavailable.
        """
        passes = self._filter_of(grant)
        try:
            row = self._file_of(grant).find(keys)
            if row is None or passes(row) is not True:
                return None
        except (YunheError, OSError, sqlite3.Error) as error:
            self._forget_file(grant.serving_path)
            raise DataUnavailable(resource=grant.resource) from error
        if any(name not in row for name in (*grant.key_columns, *(field.name for field in grant.fields))):
            raise DataUnavailable(resource=grant.resource)
        return row

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError as error:
            self.problem = str(error)
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _filter_of(self, grant: GrantRow) -> RowFilter:
        if not grant.row_filter:
            return _let_pass
        if grant.grant_id not in self._filters:
            try:
                expression = parse_expression(grant.row_filter, grant.field_types)
            except ExpressionRefused as error:
                raise RowFilterUnusable(grant=grant.grant_id) from error
            self._filters[grant.grant_id] = _over_stored(expression, grant.field_types)
        return self._filters[grant.grant_id]

    def _file_of(self, grant: GrantRow) -> ServingFile:
        if not grant.serving_path:
            raise DataUnavailable(resource=grant.resource)
        if grant.serving_path not in self._files:
            self._files[grant.serving_path] = ServingFile(Path(grant.serving_path))
        return self._files[grant.serving_path]

    def _forget_file(self, path: str) -> None:
        """Do close a file that failed: the next call opens it anew."""
        file = self._files.pop(path, None)
        if file is not None:
            file.close()

    def _drop_unnamed_files(self, image: RightsImage) -> None:
        named = {grant.serving_path for grant in image.grants.values()}
        for path in set(self._files) - named:
            self._forget_file(path)

    def close(self) -> None:
        """Do close the serving files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _let_pass(_: Mapping[str, Any]) -> bool:
    return True


def _over_stored(expression: Expression, types: Mapping[str, str]) -> RowFilter:
    """Return the expression as a function of a stored row."""
    judge = expression.closure()
    readers = [(name, _FROM_TEXT.get(types[name])) for name in expression.fields]

    def passes(row: Mapping[str, Any]) -> Any:
        values = {name: read(row[name]) if read and row[name] is not None else row[name] for name, read in readers}
        return judge(values)

    return passes
