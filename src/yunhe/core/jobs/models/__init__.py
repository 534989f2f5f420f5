"""The queue and the outbox."""

from yunhe.core.jobs.models.outbox import Delivery, OutboxEntry
from yunhe.core.jobs.models.queue import Job

__all__ = ["Delivery", "Job", "OutboxEntry"]
