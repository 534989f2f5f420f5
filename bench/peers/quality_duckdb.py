"""The peer of bench.quality: the same 30 rules written by hand as one DuckDB query (failures only, no reasons).

Run as `python -m bench.peers.quality_duckdb FILE THREADS MEMORY_MB`; prints one JSON line: seconds and the 30 counts.
"""

from __future__ import annotations

import json
import sys
import time

import duckdb

SQL = r"""
WITH parts AS (
  SELECT *, regexp_full_match(id, '[0-9]{17}[0-9X]') AS form,
    CASE WHEN regexp_full_match(id, '[0-9]{17}[0-9X]') THEN
      CAST(substr(id,1,1) AS INT)*7 + CAST(substr(id,2,1) AS INT)*9 + CAST(substr(id,3,1) AS INT)*10
    + CAST(substr(id,4,1) AS INT)*5 + CAST(substr(id,5,1) AS INT)*8 + CAST(substr(id,6,1) AS INT)*4
    + CAST(substr(id,7,1) AS INT)*2 + CAST(substr(id,8,1) AS INT)*1 + CAST(substr(id,9,1) AS INT)*6
    + CAST(substr(id,10,1) AS INT)*3 + CAST(substr(id,11,1) AS INT)*7 + CAST(substr(id,12,1) AS INT)*9
    + CAST(substr(id,13,1) AS INT)*10 + CAST(substr(id,14,1) AS INT)*5 + CAST(substr(id,15,1) AS INT)*8
    + CAST(substr(id,16,1) AS INT)*4 + CAST(substr(id,17,1) AS INT)*2 END AS weighted,
    TRY_CAST(substr(id,7,4) || '-' || substr(id,11,2) || '-' || substr(id,13,2) AS DATE) AS id_born
  FROM read_parquet('{file}')
)
SELECT
  count(*) FILTER (WHERE id IS NULL OR trim(id) = ''),
  count(*) FILTER (WHERE name IS NULL OR trim(name) = ''),
  count(*) FILTER (WHERE birth_date IS NULL),
  count(*) FILTER (WHERE gender IS NULL OR trim(gender) = ''),
  count(*) FILTER (WHERE region IS NULL OR trim(region) = ''),
  count(*) FILTER (WHERE id IS NOT NULL AND NOT (form AND id_born IS NOT NULL AND id_born <= DATE '2026-01-01'
                   AND substr(id,18,1) = substr('10X98765432', weighted % 11 + 1, 1))),
  count(*) FILTER (WHERE form AND substr(id,7,8) <> strftime(birth_date, '%Y%m%d')),
  count(*) FILTER (WHERE form AND gender IN ('1','2') AND (ascii(substr(id,17,1)) % 2 = 1) <> (gender = '1')),
  count(*) FILTER (WHERE form AND substr(id,1,6) <> substr(region,1,6)),
  count(*) FILTER (WHERE gender NOT IN ('0','1','2','9')),
  count(*) FILTER (WHERE region NOT IN ({regions})),
  count(*) FILTER (WHERE NOT regexp_full_match(region, '[0-9]{6}')),
  count(*) FILTER (WHERE NOT regexp_full_match(name, '[\p{Han}·]{2,30}')),
  count(*) FILTER (WHERE length(name) NOT BETWEEN 2 AND 30),
  count(*) FILTER (WHERE NOT regexp_full_match(phone, '1[3-9][0-9]{9}')),
  count(*) FILTER (WHERE length(phone) <> 11),
  count(*) FILTER (WHERE length(address) NOT BETWEEN 5 AND 100),
  count(*) FILTER (WHERE NOT contains(address, '市')),
  count(*) FILTER (WHERE birth_date > DATE '2026-01-01'),
  count(*) FILTER (WHERE birth_date < DATE '1900-01-01'),
  count(*) FILTER (WHERE updated >= TIMESTAMP '2026-01-01 16:00:00'),
  count(*) FILTER (WHERE updated < TIMESTAMP '1999-12-31 16:00:00'),
  count(*) FILTER (WHERE birth_date > CAST(updated + INTERVAL 8 HOUR AS DATE)),
  count(*) FILTER (WHERE datesub('year', birth_date, DATE '2026-01-01') > 120),
  count(*) FILTER (WHERE name = address),
  count(*) FILTER (WHERE phone IS NULL AND address IS NULL),
  count(*) FILTER (WHERE length(id) <> 18),
  count(*) FILTER (WHERE left(region, 2) NOT IN ('11','32','33','42','44','51','61')),
  count(*) FILTER (WHERE contains(name, ' ')),
  count(*) FILTER (WHERE updated IS NULL)
FROM parts
"""
REGIONS = ("110101", "110105", "320102", "320106", "320500", "330106", "440305", "510104", "610113", "420111", "320583")


def main() -> None:
    """Run the query once and print seconds and counts."""
    file, threads, memory = sys.argv[1:4]
    connection = duckdb.connect(config={"threads": threads, "memory_limit": f"{memory}MB"})
    connection.execute("SET preserve_insertion_order=false")
    listed = ", ".join(f"'{code}'" for code in REGIONS)
    started = time.perf_counter()
    sql = SQL.replace("{file}", file.replace("'", "''")).replace("{regions}", listed)
    counts = connection.execute(sql).fetchone()
    print(
        json.dumps(
            {"seconds": time.perf_counter() - started, "counts": counts, "processor": round(time.process_time(), 2)}
        )
    )


if __name__ == "__main__":
    main()
