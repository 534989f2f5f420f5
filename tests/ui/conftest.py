"""English texts are compiled before Django first loads them; the compiled file is not in the repository."""

from __future__ import annotations

from yunhe.ui.po import compile_texts

compile_texts()
