"""The app of server_process.py: a room whose subjects take attachments, registered while start-up runs."""

from __future__ import annotations

from django.apps import AppConfig


class TrialConfig(AppConfig):
    name = "tests.core.attachments"
    label = "attachments_trial"

    def ready(self) -> None:
        from yunhe.core.attachments.api import register_subject

        register_subject(subject_type="trial", may_read=lambda subject_id, actor: True)
