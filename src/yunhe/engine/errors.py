"""What can go wrong in the engine: each says where, what was expected and the next step."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal, Transient


class QueryFailed(Terminal):
    """A generated step broke. Facts: step, snapshot, sql, problem; never a row."""

    code = "query_failed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "计算步骤“{step}”未能完成：{problem}。请把步骤名和追踪号告诉管理员。",
        "en": 'The step "{step}" could not be computed: {problem}. Tell the administrator the step and trace id.',
    }


class QueryInterrupted(Transient):
    """A step was stopped by its time limit or by a cancellation."""

    code = "query_interrupted"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "计算步骤“{step}”被中断（时限或取消）。请稍后再试，或放宽时限。",
        "en": 'The step "{step}" was interrupted (time limit or cancellation). Try later or allow more time.',
    }


class OutOfMemory(Transient):
    """A step needs more memory than its limit, spilling included."""

    code = "out_of_memory"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "计算步骤“{step}”所需内存超过上限 {memory_mb} MB。请提高内存上限后再试。",
        "en": 'The step "{step}" needs more than its {memory_mb} MB of memory. Raise the limit and try again.',
    }


class DiskFull(Transient):
    """A file could not be written for want of room (or of a file-size right)."""

    code = "disk_full"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "写入“{place}”时磁盘空间不足，本次没有发布任何内容。请腾出空间后重新加载。",
        "en": 'No room left while writing "{place}"; nothing was published. Free some space and load again.',
    }


class SourceInvalid(Terminal):
    """Base: the source cannot be read as declared."""

    code = "source_invalid"
    kind: ClassVar[Kind] = "invalid"


class SourceMissing(SourceInvalid):
    code = "source_missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "找不到来源文件“{location}”。请核对合同中的 source.location。",
        "en": 'No source file "{location}". Check source.location in the contract.',
    }


class SourceUnreadable(SourceInvalid):
    code = "source_unreadable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”不能按 {connector} 读取：{problem}。请核对文件与合同。",
        "en": 'The source "{location}" cannot be read as {connector}: {problem}. Check the file and the contract.',
    }


class SourceChanged(Transient):
    code = "source_changed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”在加载过程中被改动。请等文件写完后重新加载。",
        "en": 'The source "{location}" changed while it was being loaded. Load again once it is complete.',
    }


class EmptySource(SourceInvalid):
    code = "empty_source"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”是空的，连标题行也没有。请核对导出是否完成。",
        "en": 'The source "{location}" is empty: it has not even a header. Check that the export finished.',
    }


class UnknownEncoding(SourceInvalid):
    code = "unknown_encoding"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”的编码 {encoding} 不受支持。请另存为 UTF-8 或 GB18030。",
        "en": 'The encoding {encoding} of "{location}" is not supported. Save the file as UTF-8 or GB18030.',
    }


class OptionInvalid(SourceInvalid):
    code = "option_invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "读取选项 {option}：需要{expected}，实际是“{found}”。请修改合同的 source 部分。",
        "en": 'Reading option {option}: expected {expected}, found "{found}". Change the source part of the contract.',
    }


class UnknownConnector(SourceInvalid):
    code = "unknown_connector"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有名为“{connector}”的连接器。现有：{known}。",
        "en": 'No connector is called "{connector}". There are: {known}.',
    }


class HeaderUnreadable(SourceInvalid):
    code = "header_unreadable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”第 1 行标题不可读（{reason}）。请修正标题行。",
        "en": 'The header, line 1 of "{location}", cannot be read ({reason}). Correct the header line.',
    }


class DuplicateHeaders(SourceInvalid):
    code = "duplicate_headers"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”第 1 行有重复的列名：{names}。请让每个列名只出现一次。",
        "en": 'Line 1 of "{location}" repeats column names: {names}. Let each name appear once.',
    }


class TooManyColumns(SourceInvalid):
    code = "too_many_columns"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”有 {found} 列，上限是 {limit} 列。请拆分，或核对分隔符“{delimiter}”。",
        "en": '"{location}" has {found} columns; the limit is {limit}. Split it, or check the delimiter "{delimiter}".',
    }


class ColumnMissing(SourceInvalid):
    code = "column_missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "来源“{location}”没有合同所写的列：{missing}。来源现有的列：{found}。请改合同或来源。",
        "en": '"{location}" lacks columns the contract names: {missing}. It has: {found}. Change one or the other.',
    }


class ColumnsInvalid(Terminal):
    """The declared columns contradict each other or the engine's limits."""

    code = "columns_invalid"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "列定义“{column}”：需要{expected}，实际是“{found}”。请修改合同的 fields 部分。",
        "en": 'Column "{column}": expected {expected}, found "{found}". Change the fields part of the contract.',
    }


class LoadDoesNotReconcile(Terminal):
    """The independent count of records and the three fates disagree: nothing is published."""

    code = "load_does_not_reconcile"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "对账不平（{place}）：独立计数 {rows_in}，保留 {kept} + 隔离 {quarantined}"
        " + 拒收 {rejected}。未发布任何内容，请把文件交给管理员。",
        "en": "Counts disagree at {place}: {rows_in} records counted, {kept} kept + {quarantined} quarantined"
        " + {rejected} rejected. Nothing was published; report the file to the administrator.",
    }


class TableMissing(Terminal):
    code = "table_missing"
    kind: ClassVar[Kind] = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "湖中没有表“{name}”。请先加载该资源。",
        "en": 'The lake has no table "{name}". Load the resource first.',
    }


class SnapshotMissing(Terminal):
    code = "snapshot_missing"
    kind: ClassVar[Kind] = "missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "表“{name}”没有快照 {snapshot}，或已被清理。请改用现有快照。",
        "en": 'Table "{name}" has no snapshot {snapshot}, or it was swept. Use one that exists.',
    }


class CommitConflict(Transient):
    code = "commit_conflict"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "表“{name}”同时被另一次加载提交。请重新加载。",
        "en": 'Table "{name}" was committed by another load at the same time. Load again.',
    }


class ServingInvalid(Terminal):
    """A serving file is absent, torn, or asked by other keys than it was built for."""

    code = "serving_invalid"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "服务库“{place}”：需要{expected}，实际是{found}。请重建服务库或改正查询键。",
        "en": 'Serving file "{place}": expected {expected}, found {found}. Rebuild it or correct the keys.',
    }
