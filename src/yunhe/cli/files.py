"""Files that people name at the command line: read, or written with a sentence that says why not."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from yunhe.kernel.errors import Invalid

REASONS: Mapping[int, Mapping[str, str]] = {
    errno.ENOENT: {"zh": "没有这个文件或文件夹", "en": "no such file or folder"},
    errno.EISDIR: {"zh": "它是文件夹", "en": "it is a folder"},
    errno.ENOTDIR: {"zh": "路径中有一段不是文件夹", "en": "a part of the path is not a folder"},
    errno.EEXIST: {"zh": "已经有了", "en": "it exists already"},
    errno.EACCES: {"zh": "没有权限", "en": "no right to it"},
    errno.EPERM: {"zh": "没有权限", "en": "no right to it"},
    errno.EROFS: {"zh": "所在磁盘只读", "en": "its disk is read-only"},
    errno.ENOSPC: {"zh": "磁盘已满", "en": "the disk is full"},
    errno.ENAMETOOLONG: {"zh": "名称太长", "en": "its name is too long"},
}
NOT_UTF8: Mapping[str, str] = {"zh": "不是 UTF-8 文本", "en": "it is not UTF-8 text"}


class FileUnreadable(Invalid):
    code = "file_unreadable"
    sentences = {
        "zh": "文件 {file} 读不了：{reason}。请核对路径和权限；文件须为 UTF-8 文本。",
        "en": "Cannot read {file}: {reason_en}. Check path and rights; it must be UTF-8 text.",
    }


class FileNotWritable(Invalid):
    code = "file_not_writable"
    sentences = {
        "zh": "文件 {file} 写不了：{reason}。请用 --out 指定一个现有文件夹中的文件。",
        "en": "Cannot write {file}: {reason_en}. With --out, name a file in a folder that exists.",
    }


def reasons(error: Exception) -> dict[str, str]:
    """Return why a file could not be used, as facts of an error: `reason`, `reason_en`."""
    if isinstance(error, UnicodeError):
        said = NOT_UTF8
    else:
        number = getattr(error, "errno", None) or 0
        other = f"errno {number} {errno.errorcode.get(number, '')}".strip() if number else type(error).__name__
        said = REASONS.get(number, {"zh": other, "en": os.strerror(number) if number else other})
    return {"reason": said["zh"], "reason_en": said["en"]}


def text_of(name: str) -> str:
    """Return the text of a file. Raises: FileUnreadable."""
    try:
        return Path(name).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise FileUnreadable(file=name, **reasons(error)) from error


def write_out(path: str | Path, text: str, *, makes_folder: bool = False) -> str:
    """Write what `--out` names; return its name. With `makes_folder` its folder is made, too. Raises: FileNotWritable."""
    target = Path(path)
    try:
        if makes_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    except (OSError, ValueError) as error:
        raise FileNotWritable(file=str(path), **reasons(error)) from error
    return str(path)
