"""A small world for the gateway: one serving file of generated persons, keys, grants, signed calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq

from tests.gateway.in_process import TestClient
from yunhe.client.signing import authorize
from yunhe.engine.evidencelog import read_segments
from yunhe.engine.serving import build_serving
from yunhe.engine.types import Column, Limits
from yunhe.gateway.app import make_app
from yunhe.gateway.config import GatewayConfig
from yunhe.gateway.rights import (
    AccessKeyRow,
    GrantedField,
    GrantRow,
    RightsImage,
    new_secret,
    seal_secret,
    write_image,
)

NODE_SECRET = bytes(range(32))
CONSUMER, STRANGER, OWNER = "11320900000000001A", "11320900000000002B", "11320900000000003C"
PERSON = "11010519491231002X"  # the example that the standard itself prints
ABROAD = "440524188001010014"  # its other example; in another region here
ROWS = (
    {"id": PERSON, "name": "测试甲", "mobile": "13800000000", "region": "320902", "born": date(1949, 12, 31),
     "amount": Decimal("12.50"), "seen": datetime(2024, 2, 29, 16, 0, tzinfo=UTC), "count": 7, "living": True},
    {"id": ABROAD, "name": "测试乙", "mobile": None, "region": None, "born": None,
     "amount": None, "seen": None, "count": None, "living": None},
    {"id": "32090219900101001X", "name": "测试丙", "mobile": "13900000000", "region": "320981", "born": date(1990, 1, 1),
     "amount": Decimal("0.00"), "seen": datetime(2024, 3, 1, tzinfo=UTC), "count": 0, "living": False},
)  # fmt: skip
TYPES = {
    "id": "string", "name": "string", "mobile": "string", "region": "string", "born": "date",
    "amount": "decimal", "seen": "timestamp", "count": "integer", "living": "boolean",
}  # fmt: skip
ARROW = {
    "string": pa.string(), "date": pa.date32(), "decimal": pa.decimal128(18, 6), "integer": pa.int64(),
    "timestamp": pa.timestamp("us", "UTC"), "boolean": pa.bool_(),
}  # fmt: skip


@dataclass
class World:
    """The home of one gateway with what the console would have written for it."""

    home: Path
    serving: Path
    secret: str = field(default_factory=new_secret)
    key_id: str = "AK0000000001"
    grants: dict[str, GrantRow] = field(default_factory=dict)
    keys: dict[str, AccessKeyRow] = field(default_factory=dict)
    version: int = 0

    def __post_init__(self) -> None:
        self.add_key(self.key_id, self.secret)
        self.add_grant("G1")
        self.write()

    @property
    def config(self) -> GatewayConfig:
        return GatewayConfig(home=self.home, node_secret=NODE_SECRET, port=0, skew_seconds=30, stale_seconds=60)

    def add_key(self, key_id: str, secret: str, *, organization: str = CONSUMER, revoked: bool = False) -> None:
        sealed = seal_secret(node_secret=NODE_SECRET, key_id=key_id, secret=secret)
        self.keys[key_id] = AccessKeyRow(key_id, "demo-system", organization, sealed, revoked)

    def add_grant(self, grant_id: str, **changes: Any) -> None:
        now = datetime.now(UTC)
        plain = GrantRow(
            grant_id=grant_id,
            resource="307001/0021",
            resource_title="人口信息",
            consumer=CONSUMER,
            key_columns=("id",),
            fields=(GrantedField("id", "none", "string"), GrantedField("name", "name", "string")),
            field_types=TYPES,
            purpose="办理低保",
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
            serving_path=str(self.serving),
            snapshot_id="42",
            release_id="R7",
            case_number="SQ-1",
            owner=OWNER,
        )
        self.grants[grant_id] = replace(plain, **changes)

    def write(self, *, written_at: datetime | None = None) -> None:
        self.version += 1
        image = RightsImage(self.version, written_at or datetime.now(UTC), self.keys, self.grants)
        write_image(self.config.rights_path, image)

    def body(self, **changes: Any) -> bytes:
        return json.dumps({"grant": "G1", "keys": {"id": PERSON}} | changes, ensure_ascii=False).encode()

    def headers(self, body: bytes, **changes: Any) -> dict[str, str]:
        given = {"key_id": self.key_id, "secret": self.secret, "method": "POST", "path": "/v1/query"} | changes
        told = {"Yunhe-Officer": given.get("officer"), "Yunhe-Case": given.get("case")}
        sent = {name: value.encode("latin-1") for name, value in told.items() if value}
        return {"Authorization": authorize(body=body, **given), "Content-Type": "application/json", **sent}

    def evidence(self) -> list[dict[str, Any]]:
        return [item.record for item in read_segments(self.config.spool_path)]

    @contextmanager
    def client(self) -> Iterator[Caller]:
        with TestClient(make_app(self.config)) as opened:
            yield Caller(self, opened)


@dataclass
class Caller:
    """Calls a gateway in this process or another, signing as the world's key unless told otherwise."""

    world: World
    http: httpx.Client

    def query(
        self, body: bytes | None = None, headers: Mapping[str, str] | None = None, **content: Any
    ) -> httpx.Response:
        body = self.world.body(**content) if body is None else body
        return self.http.post("/v1/query", content=body, headers={**self.world.headers(body), **(headers or {})})

    def signed(self, body: bytes, **signing: Any) -> httpx.Response:
        return self.http.post("/v1/query", content=body, headers=self.world.headers(body, **signing))


@contextmanager
def process(world: World) -> Iterator[tuple[subprocess.Popen[str], Caller]]:
    """Run a real gateway process on a free port; it is killed at the end if it still lives."""
    script = (
        "import sys; from pathlib import Path; from yunhe.gateway.main import GatewayConfig, run\n"
        "run(GatewayConfig(home=Path(sys.argv[1]), node_secret=bytes.fromhex(sys.argv[2]), port=0, skew_seconds=30))"
    )
    command = [sys.executable, "-c", script, str(world.home), NODE_SECRET.hex()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert running.stderr is not None
        line = running.stderr.readline()
        port = json.loads(line)["port"]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as opened:
            yield running, Caller(world, opened)
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def build_file(folder: Path) -> Path:
    """Return a serving file of ROWS, made the way a load makes it."""
    source, destination = folder / "rows.parquet", folder / "serving.sqlite3"
    schema = pa.schema([(name, ARROW[kind]) for name, kind in TYPES.items()])
    records = [dict(row, _record=at) for at, row in enumerate(ROWS)]
    pq.write_table(pa.Table.from_pylist(records, schema.append(pa.field("_record", pa.int64()))), source)
    build_serving(
        files=(str(source),),
        columns=tuple(Column(name, kind) for name, kind in TYPES.items()),  # type: ignore[arg-type]
        keys=("id",),
        destination=destination,
        limits=Limits(memory_mb=128, threads=1),
        progress=lambda done, total, note: None,
    )
    return destination
