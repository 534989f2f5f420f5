"""Forms of the ledger: a contract as a file or text, the first questions, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from yunhe.data.catalog.types import CYCLES, OPENINGS, SHARINGS
from yunhe.ui.forms import YunheForm

LARGEST_FILE = 4_000_000


def _choices(labels: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Any]]:
    def spoken(code: str) -> str:
        return labels[code]["en" if (get_language() or "zh").startswith("en") else "zh"]

    return [(code, lazy(spoken, str)(code)) for code in labels]


class ContractForm(YunheForm):
    """A contract: uploaded, or as text."""

    file = forms.FileField(label=_("约定文件"), required=False, help_text=_("YAML 文件（resource/1），UTF-8，不超过 4 MB。"))
    text = forms.CharField(
        label=_("约定内容"),
        required=False,
        strip=False,
        max_length=LARGEST_FILE,
        help_text=_("也可以直接粘贴或修改。选择了文件时以文件为准。"),
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Put the file's text in place of the text."""
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        if upload is not None:
            cleaned["text"] = self._text_of(upload)
        elif not (cleaned.get("text") or "").strip():
            self.add_error("text", _("请选择约定文件，或粘贴约定内容。"))
        return cleaned

    def _text_of(self, upload: UploadedFile) -> str:
        if (upload.size or 0) > LARGEST_FILE:
            self.add_error("file", _("文件超过 4 MB。约定只写元数据和列，请检查是否选错了文件。"))
            return ""
        try:
            return upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", _("文件不是 UTF-8 文本。请另存为 UTF-8 后再上传。"))
            return ""

    @property
    def file_name(self) -> str:
        """Return the name that messages show."""
        upload = self.cleaned_data.get("file")
        return str(upload.name) if upload is not None else "contract.yml"


class ProposalForm(YunheForm):
    """What a person knows of a resource before there is a contract."""

    title = forms.CharField(label=_("资源名称"), max_length=200)
    provider = forms.CharField(label=_("提供部门"), max_length=200, help_text=_("统一社会信用代码、全称或简称。"))
    summary = forms.CharField(label=_("内容摘要"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("内容、范围和时间。"))
    legal_basis = forms.CharField(label=_("法律依据"), max_length=2000, required=False)
    sharing = forms.ChoiceField(label=_("共享类型"), choices=_choices(SHARINGS))
    sharing_basis = forms.CharField(label=_("共享条件和依据"), max_length=2000, required=False, help_text=_("有条件共享和不予共享必填。"))
    opening = forms.ChoiceField(label=_("开放类型"), choices=_choices(OPENINGS), initial="closed")
    update_cycle = forms.ChoiceField(label=_("更新周期"), choices=_choices(CYCLES), initial="daily")
    source_connector = forms.ChoiceField(label=_("数据源类型"), choices=[("csv", "CSV"), ("parquet", "Parquet")])
    source_location = forms.CharField(label=_("数据源位置"), max_length=2000, help_text=_("文件的完整路径。"))
    columns = forms.CharField(
        label=_("数据源的列"),
        max_length=400_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("每行一个列名，或粘贴表头一行（逗号、制表符分隔）。系统会按列名对应数据元。"),
    )
    keys = forms.CharField(label=_("主键列"), max_length=1000, required=False, help_text=_("能唯一确定一条记录的列，多列用逗号分隔。"))

    def clean_columns(self) -> list[str]:
        """Return the column names, one of each."""
        return _split(self.cleaned_data["columns"])

    def clean_keys(self) -> list[str]:
        """Return the key columns."""
        return _split(self.cleaned_data["keys"])


class NoteForm(YunheForm):
    """A word to the reviewer."""

    note = forms.CharField(label=_("说明"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class ReasonForm(YunheForm):
    """Why a resource is taken out of use."""

    reason = forms.CharField(label=_("理由"), max_length=500, help_text=_("使用方会看到这句话，并记入存证。"))


def _split(text: str) -> list[str]:
    marks = text.replace("\r", "\n").replace("\t", "\n").replace("，", ",").replace(",", "\n")
    return list(dict.fromkeys(one.strip().strip('"') for one in marks.split("\n") if one.strip()))
