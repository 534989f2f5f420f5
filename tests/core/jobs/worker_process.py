"""A worker that strikes itself dead at seeded points. Run by test_worker.py in a process of its own.

`setup N` makes the tables and N jobs, `work` works until SIGTERM, `report` prints what happened.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter

import django
from django.conf import settings

settings.INSTALLED_APPS.append("tests.core.jobs.worker_app.TrialConfig")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from tests.core.jobs.worker_trial import ASKER  # noqa: E402
from yunhe.core.evidence.models import EvidenceRow  # noqa: E402
from yunhe.core.jobs import api  # noqa: E402
from yunhe.core.jobs.models import Delivery, Job  # noqa: E402


def setup(count: int, seconds: float) -> None:
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        for number in range(count):
            api.enqueue(name="tests.effect", arguments={"number": number, "seconds": seconds}, actor=ASKER)


def work() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sys.stdout.write("working\n")
    sys.stdout.flush()
    api.run_worker(stop=stop, grace_seconds=float(os.environ.get("GRACE", "10")))


def report() -> None:
    rows = EvidenceRow.objects.filter(kind__startswith="tests.")
    sys.stdout.write(json.dumps({
        "states": Counter(Job.objects.filter(name="tests.effect").values_list("state", flat=True)),
        "attempts": list(Job.objects.filter(name="tests.effect").order_by("id").values_list("attempts", flat=True)),
        "effects": Counter(rows.filter(kind="tests.effect").values_list("subject_id", flat=True)),
        "told": Counter(rows.filter(kind="tests.told").values_list("subject_id", flat=True)),
        "deliveries": Counter(Delivery.objects.values_list("state", flat=True)),
    }))  # fmt: skip


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["setup", count, seconds]:
            setup(int(count), float(seconds))
        case ["work"]:
            work()
        case ["report"]:
            report()
