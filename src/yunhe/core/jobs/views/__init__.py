"""Pages of jobs and of dead letters."""

from yunhe.core.jobs.views.letters import drop_letters, list_dead_letters, retry_delivery, retry_letters
from yunhe.core.jobs.views.work import PANEL_COLUMNS, cancel_job, list_jobs, retry_job, show_job, show_progress

__all__ = [
    "PANEL_COLUMNS",
    "cancel_job",
    "drop_letters",
    "list_dead_letters",
    "list_jobs",
    "retry_delivery",
    "retry_job",
    "retry_letters",
    "show_job",
    "show_progress",
]
