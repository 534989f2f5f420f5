"""What can go wrong with attachments; each says what was found, where, and how to mend it."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import HTTP_STATUS, Conflict, Invalid, Kind, Missing, Terminal, Transient


class AttachmentNotFound(Missing):
    code = "attachment_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到附件“{attachment_id}”，或您无权查看。请在“我的上传”里核对。",
        "en": 'No attachment "{attachment_id}", or you may not see it. Look it up in "My uploads".',
    }


class AttachmentNotReady(Conflict):
    code = "attachment_not_ready"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件“{name}”现在的状态是“{state_zh}”，不能打开。等待查毒的请稍后再试。",
        "en": 'The attachment "{name}" cannot be opened: it is {state_en}. If it waits for the check, try again later.',
    }


class AttachmentBytesLost(Terminal):
    code = "attachment_bytes_lost"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件“{attachment_id}”登记在册，但文件不在存放处。请管理员从备份恢复 attachments 目录。",
        "en": 'The attachment "{attachment_id}" is on record, but its file is gone. '
        "Have the folder attachments restored from the backup.",
    }


class AttachmentDiskFull(Transient):
    code = "attachment_disk_full"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "存放附件的磁盘写不下了（{found}），已收到的部分保留。请告诉管理员腾出空间，然后从断点继续。",
        "en": "The disk for attachments takes no more ({found}); what came is kept. "
        "Have the administrator make room, then go on.",
    }


class UploadError(Invalid):
    """A refusal in the upload protocol, with the status that tus 1.0 names for it."""

    code = "bad_upload"
    status: ClassVar[int] = HTTP_STATUS["invalid"]
    sentences: ClassVar[dict[str, str]] = {
        "zh": "上传请求的 {where}：需要{expected}，实际是“{found}”。请改正后重新上传。",
        "en": '{where} of the upload: expected {expected}, found "{found}". Mend it and upload again.',
    }

    @property
    def http_status(self) -> int:
        """Return the HTTP status that a door answers with."""
        return self.status


class UploadVersion(UploadError):
    code = "upload_version"
    status = 412
    sentences: ClassVar[dict[str, str]] = {
        "zh": "上传协议的版本不符：Tus-Resumable 须是 {expected}，实际是“{found}”。请换用支持该版本的程序。",
        "en": 'Another version of the upload protocol: Tus-Resumable must be {expected}, found "{found}". '
        "Use a client of that version.",
    }


class UploadNotBytes(UploadError):
    code = "upload_not_bytes"
    status = 415
    sentences: ClassVar[dict[str, str]] = {
        "zh": "上传内容须注明 Content-Type: {expected}，实际是“{found}”。请改正后重新发送。",
        "en": 'The bytes must be sent with Content-Type: {expected}, found "{found}". Mend it and send them again.',
    }


class AttachmentTooLarge(UploadError):
    code = "attachment_too_large"
    status = 413
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件有 {found_bytes} 字节，超过每个文件 {limit_mb} MB 的上限。请压缩图片、拆成几份，或请管理员放宽上限。",
        "en": "The file has {found_bytes} bytes, above the limit of {limit_mb} MB per file. "
        "Shrink its pictures, split it, or have the limit raised.",
    }


class UploadOverlong(UploadError):
    code = "upload_overlong"
    status = 413
    sentences: ClassVar[dict[str, str]] = {
        "zh": "这次送来 {found_bytes} 字节，但文件只差 {expected_bytes} 字节。一个字节也没有写入，请核对后重新上传。",
        "en": "{found_bytes} bytes came, but the file lacks only {expected_bytes}. Nothing was written; "
        "check the file and upload it again.",
    }


class UploadInterrupted(UploadError):
    code = "upload_interrupted"
    status = 400
    sentences: ClassVar[dict[str, str]] = {
        "zh": "上传中断，已保存到第 {offset} 字节。请从这里继续。",
        "en": "The upload broke off; {offset} bytes are kept. Go on from there.",
    }


class WrongOffset(Conflict):
    code = "upload_wrong_offset"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "上传应从第 {expected} 字节继续，请求却从第 {found} 字节开始。请先询问进度，再从那里继续。",
        "en": "The upload goes on at byte {expected}, but the request begins at {found}. Ask for the offset and go on there.",
    }


class UploadBusy(Conflict):
    code = "upload_busy"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "同一个文件正由另一个请求上传。请稍候，询问进度后再继续。",
        "en": "Another request is uploading the same file. Wait, ask for the offset and go on there.",
    }


class UploadEnded(Conflict):
    code = "upload_ended"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件“{name}”已不在上传中（{state_zh}），不能再写入或删除。需要更换时请另行上传。",
        "en": 'The attachment "{name}" is no longer open for this ({state_en}). Upload another file instead.',
    }


class QuotaUsedUp(Conflict):
    code = "attachment_quota_used_up"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件空间不够：上限 {limit_mb} MB、{limit_files} 个文件，已用 {used_mb} MB、{used_files} 个文件。"
        "请在“我的上传”里删去不用的文件，或缩小文件。",
        "en": "No room for the file: at most {limit_mb} MB in {limit_files} files; used are {used_mb} MB in "
        '{used_files} files. Delete files in "My uploads", or make this one smaller.',
    }


class NotAttachable(Conflict):
    code = "attachment_not_attachable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件“{attachment_id}”不能随件提交：它不在您以现在的身份上传的文件里。请重新选择文件。",
        "en": 'The attachment "{attachment_id}" cannot be handed in: it is not among the files that you uploaded '
        "in this membership. Choose the file anew.",
    }


class NotWhole(NotAttachable):
    code = "attachment_not_whole"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”还没有传完，不能随件提交。请再选一次这个文件，从断点传完后提交。",
        "en": 'The file "{name}" is not whole yet and cannot be handed in. Choose it again, let it go on to its end and '
        "hand it in then.",
    }


class NotTaken(NotAttachable):
    code = "attachment_not_taken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”上传时没有收下，不能随件提交。原因：{reason_zh}",
        "en": 'The file "{name}" was refused when it was uploaded and cannot be handed in. The reason: {reason_en}',
    }


class Infected(NotAttachable):
    code = "attachment_infected"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”查出病毒（{finding}），内容已删除，不能随件提交。请换一个没有病毒的文件。",
        "en": 'A virus was found in "{name}" ({finding}); its content is deleted and it cannot be handed in. '
        "Choose a file without one.",
    }


class UsedBefore(NotAttachable):
    code = "attachment_used_before"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”已经提交过，每个文件只能提交一次，不能随件提交。需要再用时请重新上传。",
        "en": 'The file "{name}" is handed in already; each is handed in once. Upload it again to use it once more.',
    }


class RangeUnsatisfiable(UploadError):
    code = "range_unsatisfiable"
    status = 416
    sentences: ClassVar[dict[str, str]] = {
        "zh": "下载范围“{found}”超出文件（共 {size_bytes} 字节）。请从头下载。",
        "en": 'The range "{found}" lies outside the file of {size_bytes} bytes. Download it from the start.',
    }


class ContentRefused(Invalid):
    """The content of a file is why it is not taken; the row keeps code and sentence."""

    code = "attachment_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”没有收下。请换一个文件。",
        "en": 'The file "{name}" was not taken. Choose another one.',
    }


class TypeNotAllowed(ContentRefused):
    code = "attachment_type_not_allowed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”的内容是 {found}，不在收取范围内（{expected}）。请另存为其中一种后上传。",
        "en": 'The content of "{name}" is {found}, which is not taken ({expected}). Save it as one of these and upload that.',
    }


class NameDisagrees(ContentRefused):
    code = "attachment_name_disagrees"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”的内容是 {found}，与扩展名“{extension}”不符。请把扩展名改为 {expected}，或换成正确的文件。",
        "en": 'The content of "{name}" is {found}, which its extension "{extension}" is not for. '
        "Rename it to {expected}, or choose the right file.",
    }


class ContentBroken(ContentRefused):
    code = "attachment_content_broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”作为 {media} 读不下去（{where}）。请用原来的软件打开并另存一次，再上传。",
        "en": '"{name}" cannot be read as {media} ({where}). Open it in its program, save it anew and upload that.',
    }


class ContentHidden(ContentRefused):
    code = "attachment_content_hidden"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”（{media}）里夹带了别的内容（{where}）。请用原来的软件另存一次，再上传。",
        "en": '"{name}" ({media}) carries other content inside ({where}). Save it anew in its program and upload that.',
    }


class MacrosRefused(ContentRefused):
    code = "attachment_macros_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”带有宏（{where}）。请另存为不带宏的 docx、xlsx 或 pptx，再上传。",
        "en": '"{name}" holds macros ({where}). Save it as docx, xlsx or pptx without macros and upload that.',
    }


class PackedTooTight(ContentRefused):
    code = "attachment_packed_too_tight"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”解开后过大：{where}为 {found}，上限 {limit}。请减少内容，或拆成几份后上传。",
        "en": '"{name}" grows too large when unpacked: {where} is {found}, at most {limit}. Take content out, or split it.',
    }


class TextNotReadable(ContentRefused):
    code = "attachment_text_not_readable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "文件“{name}”不是文本：第 {line} 行起既不是 UTF-8，也不是 GB18030，或有控制字符。请另存为 UTF-8 文本后上传。",
        "en": '"{name}" is no text: from line {line} on it is neither UTF-8 nor GB18030, or holds control characters. '
        "Save it as UTF-8 text and upload that.",
    }


class ScannerAway(Transient):
    code = "scanner_away"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "查毒服务没有应答（{where}，{found}）。文件留在“等待查毒”，之后会自动再试；请管理员检查 clamd。",
        "en": "The virus scanner does not answer ({where}, {found}). The file waits and is tried again; "
        "the administrator should look at clamd.",
    }


class ScannerConfused(Transient):
    code = "scanner_confused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "查毒服务没有给出结论：“{found}”。文件留在“等待查毒”；请管理员查看 clamd 日志，必要时调大 StreamMaxLength。",
        "en": 'The virus scanner came to no verdict: "{found}". The file waits; the administrator should read clamd\'s log '
        "and raise StreamMaxLength if need be.",
    }


class SubjectTypeUnknown(Terminal):
    code = "attachment_subject_unknown"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有登记名为“{name}”的附件归属。已登记的有：{known}。",
        "en": 'Nothing that takes attachments is registered as "{name}". Registered: {known}.',
    }


class AttachmentSlotTaken(Terminal):
    code = "attachment_slot_taken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "附件的“{name}”已经登记过（{holder}）。请换一个名字，或去掉一处登记。",
        "en": '"{name}" of attachments is registered already ({holder}). Choose another name, or register it once.',
    }


class AttachmentSlotsClosed(Terminal):
    code = "attachment_slots_closed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "启动已结束，不能再登记附件的“{name}”。请在应用的 ready() 里登记。",
        "en": 'Start-up is over; "{name}" of attachments cannot be registered any more. Register it in the app\'s ready().',
    }
