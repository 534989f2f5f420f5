"""The peer of bench.tables: the same table in GoRules' zen-engine, in an environment of its own (tables_zen.txt).

Run as `python -m bench.peers.tables_zen FILE`; prints one JSON line: seconds and the digest of all answers.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import zen


def main() -> None:
    """Decide every record once and print seconds and the digest of the answers."""
    case = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    # Compiled once, as its documentation advises.
    decision = zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps(case["zen"])))
    records = case["records"]
    for record in records[:500]:
        decision.evaluate(record)
    begun, processor = time.perf_counter(), time.process_time()
    answers = [decision.evaluate(record)["result"] for record in records]
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    plain = [[[row["code"], row["points"]] for row in answer] for answer in answers]
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "processor": processor, "digest": digest, "hits": sum(map(len, plain))}))


if __name__ == "__main__":
    main()
