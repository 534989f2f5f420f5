"""What a gateway is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from yunhe.engine.evidencelog import SPOOL_BYTES


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Units: seconds, bytes. `node_secret` is the 32 bytes that rights.seal_secret was given."""

    home: Path
    node_secret: bytes = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8601
    rights: Path | None = None
    skew_seconds: int = 300
    stale_seconds: int = 60
    spool_bytes: int = SPOOL_BYTES

    @property
    def rights_path(self) -> Path:
        """Return where the rights image lies; by default HOME/gateway/rights.json."""
        return self.rights or self.home / "gateway" / "rights.json"

    @property
    def spool_path(self) -> Path:
        """Return the folder of the evidence segments, HOME/gateway/evidence."""
        return self.home / "gateway" / "evidence"

    @property
    def nonces_path(self) -> Path:
        """Return the file of used nonces, HOME/gateway/nonces.sqlite3."""
        return self.home / "gateway" / "nonces.sqlite3"
