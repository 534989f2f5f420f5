"""The app of worker_process.py: it fills its slots while start-up runs, as every room does."""

from __future__ import annotations

from django.apps import AppConfig


class TrialConfig(AppConfig):
    name = "tests.core.jobs"
    label = "trial"

    def ready(self) -> None:
        from tests.core.jobs.worker_trial import register

        register()
