"""What can go wrong with jobs and the outbox."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal, Transient


class JobNotFound(Missing):
    code = "job_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到作业“{job_id}”，或您无权查看。请在作业列表里核对。",
        "en": 'No job "{job_id}", or you may not see it. Look it up in the list of jobs.',
    }


class UnknownJob(Terminal):
    code = "unknown_job"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有登记名为“{name}”的作业。已登记的有：{known}。",
        "en": 'No job is registered as "{name}". Registered: {known}.',
    }


class JobAlreadyOpen(Conflict):
    """The unique key of an open job; `facts["job_id"]` names that job."""

    code = "job_already_open"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”（{key}）已有作业 {job_id} 在排队或运行。请等它结束，或先取消它。",
        "en": 'Job "{name}" ({key}) is already open as {job_id}. Wait for it, or cancel it first.',
    }


class JobNotInState(Conflict):
    code = "job_not_in_state"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业 {job_id} 现在是“{state}”，不能{action}。请刷新后再看。",
        "en": 'Job {job_id} is "{state}" now; cannot {action}. Reload and look again.',
    }


class BadJob(Invalid):
    code = "bad_job"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业{where}：需要{expected}，实际是{found}。",
        "en": "Job {where}: expected {expected}, found {found}.",
    }


class JobCancelled(Terminal):
    code = "job_cancelled"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业 {job_id} 已按要求取消，没有发布任何结果。",
        "en": "Job {job_id} was cancelled as asked; nothing was published.",
    }


class LeaseLost(Terminal):
    """The lease ran out and the job belongs to another claim; this one must write nothing more."""

    code = "lease_lost"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业 {job_id} 的租约（{fence}）已失效，由别的工作进程接手。本次不再写入。",
        "en": "The lease of job {job_id} (fence {fence}) is lost; another worker has it. Nothing more is written here.",
    }


class JobOutOfTime(Terminal):
    code = "job_out_of_time"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业“{name}”超过了 {limit_seconds} 秒的上限，已停下。请缩小数据量，或请管理员放宽上限。",
        "en": 'Job "{name}" ran past its limit of {limit_seconds} s and was stopped. Take less data, or have the limit raised.',
    }


class JobInterrupted(Transient):
    """Every attempt ended without a word: the worker died each time."""

    code = "job_interrupted"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业“{name}”试了 {attempts} 次，每次工作进程都中途停止。请查看工作进程日志后重试。",
        "en": 'Job "{name}" was tried {attempts} times and its worker stopped each time. Read the worker\'s log, then retry.',
    }


class WorkerStopping(Transient):
    """The worker was asked to stop; the job goes back to the queue as it was."""

    code = "worker_stopping"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "工作进程正在停止，作业 {job_id} 已放回队列。",
        "en": "The worker is stopping; job {job_id} went back to the queue.",
    }


class SlotTaken(Terminal):
    code = "job_slot_taken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”已经登记过（{holder}）。请换一个名字。",
        "en": '"{name}" is registered already ({holder}). Choose another name.',
    }


class SlotsClosed(Terminal):
    code = "job_slots_closed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "启动已结束，不能再登记“{name}”。请在应用的 ready() 里登记。",
        "en": 'Start-up is over; "{name}" cannot be registered any more. Register it in the app\'s ready().',
    }


class OutsideTransaction(Terminal):
    code = "outside_transaction"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{what}”必须写在事务里。请在 transaction.atomic() 之内调用。",
        "en": '"{what}" must be written inside a transaction. Call it inside transaction.atomic().',
    }


class DeliveryNotFound(Missing):
    code = "delivery_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到死信“{delivery_id}”，或您无权查看。",
        "en": 'No dead letter "{delivery_id}", or you may not see it.',
    }
