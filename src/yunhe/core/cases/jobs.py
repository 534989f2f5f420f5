"""The jobs of cases."""

from __future__ import annotations

from yunhe.core.cases.api.announcing import tell_turns
from yunhe.core.cases.api.changes import JOB
from yunhe.core.cases.api.drafts import sweep_drafts
from yunhe.core.cases.api.migrating import CHANGE, apply_migration
from yunhe.core.cases.api.operating import let_go
from yunhe.core.cases.api.team import held_cases, list_lost
from yunhe.core.cases.api.vacancies import tell_exceptions
from yunhe.core.cases.api.warning import lapse_due, recur_due, warn_due
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.types import QUICK_QUEUE, About, JobContext, Message
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor

LEFT_TITLE = {"zh": "收回离任人员的在办事项", "en": "Take back what somebody was handed who left"}


def warn(context: JobContext) -> dict[str, int]:
    """Do what time does: warn of what runs out of it, end what is over, open what comes again."""
    actor, check, failed = context.actor, context.check, list[str]()
    return {
        "warned": warn_due(actor=actor, check=check, failed=failed),
        "lapsed": lapse_due(actor=actor, check=check, failed=failed),
        "recurred": recur_due(actor=actor, check=check, failed=failed),
        "failed": len(set(failed)),
    }


def tell(context: JobContext) -> dict[str, int]:
    """Tell people what came to them since the last round."""
    return {"notices": tell_turns(actor=context.actor, check=context.check)}


def exceptions(context: JobContext) -> dict[str, int]:
    """Tell who supervises what came to wait for nobody."""
    return {"told": tell_exceptions(actor=context.actor, check=context.check)}


def sweep(context: JobContext) -> dict[str, int]:
    """Drop forms that are not asked for any more."""
    return {"drafts": sweep_drafts(actor=context.actor, check=context.check)}


def migrate(context: JobContext, *, migration: str) -> dict[str, int]:
    """Carry a change of procedure out; stopped or killed between two transactions, it goes on from there."""

    def progress(done: int, total: int) -> None:
        context.check()
        context.progress(done, total)

    done = apply_migration(migration_id=migration, actor=context.actor, progress=progress)
    return {"changed": done.moved}


def on_left(message: Message) -> None:
    """Give back to their roles what somebody was handed who left or lost a role; nothing waits for who is gone."""
    person, actor = f"user:{message.payload['user']}", job_actor("cases.left")
    for case_id in held_cases(person):
        let_go(case_id=case_id, person=person, actor=actor)


def tell_left(message: Message, actor: Actor | None) -> About:
    """Say who left."""
    return About(whom=organizations.get_person(user_id=message.payload["user"]).display_name)


def release(context: JobContext) -> dict[str, int]:
    """Give back to its role what is held by somebody whose membership ran out; who holds the role is told that it is their turn."""
    lost = list_lost()
    for case_id, person in lost:
        context.check()
        let_go(case_id=case_id, person=person, actor=context.actor)
    return {"changed": len({case_id for case_id, _person in lost})}


def register_jobs() -> None:
    """Register the schedules of this room, and what it is told of."""
    outbox.subscribe(topic=organizations.TOPIC_LEFT, handler=on_left, title=LEFT_TITLE)
    outbox.describe(topic=organizations.TOPIC_LEFT, tell=tell_left)
    jobs.register_job(
        name="cases.warn",
        run=warn,
        title={"zh": "办件时限预警、期满与周期待办", "en": "Time of cases: warnings, what lapses, what comes again"},
        permission="jobs.manage",
        every_seconds=60,
        limit_seconds=600,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name="cases.tell",
        run=tell,
        title={"zh": "通知轮到办理的人", "en": "Tell people that it is their turn"},
        permission="jobs.manage",
        every_seconds=15,
        limit_seconds=300,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name="cases.exceptions",
        run=exceptions,
        title={"zh": "告知监督人无人可办的待办", "en": "Tell who supervises what waits for nobody"},
        permission="jobs.manage",
        every_seconds=900,
        limit_seconds=600,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name="cases.sweep_drafts",
        run=sweep,
        title={"zh": "清理已不需办理的草稿", "en": "Drop drafts of what has ended"},
        permission="jobs.manage",
        every_seconds=3600,
        limit_seconds=1800,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name="cases.release",
        run=release,
        title={"zh": "任职到期人员的待办退还岗位", "en": "Give back what people hold whose role has run out"},
        permission="jobs.manage",
        every_seconds=86_400,
        limit_seconds=1800,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name=JOB,
        run=migrate,
        title={"zh": "在办办件按新流程续办", "en": "Move running cases to a new procedure"},
        permission=CHANGE,
    )
