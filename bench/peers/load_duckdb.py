"""Peer of bench.load: DuckDB alone, `read_csv` to one Parquet file, zstd.

It guesses types, keeps no record numbers, checks no key, counts no fate, digests nothing.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

from bench._harness import peak_mb


def main(source: Path, folder: Path) -> None:
    """Load once and print seconds, rows and peak memory."""
    target = folder / "peer.parquet"
    target.unlink(missing_ok=True)
    began, processor = time.perf_counter(), time.process_time()
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB", "preserve_insertion_order": False})
    connection.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    rows = connection.execute(f"SELECT count(*) FROM '{target}'").fetchall()[0][0]
    report = {"seconds": seconds, "processor": processor, "rows": rows, "peak_mb": peak_mb()}
    print(json.dumps({**report, "bytes": target.stat().st_size}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
