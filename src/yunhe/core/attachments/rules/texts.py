"""Whether bytes are a text: UTF-8 or GB18030, without control characters."""

from __future__ import annotations

import codecs
import re

from yunhe.core.attachments.errors import TextNotReadable

ENCODINGS = ("utf-8", "gb18030")
CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


class TextJudge:
    """Judges a text piece by piece; an encoding is out at its first fault."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 1
        self._decoders = {encoding: codecs.getincrementaldecoder(encoding)() for encoding in ENCODINGS}

    def add(self, piece: bytes, *, final: bool = False) -> None:
        """Do nothing while at least one encoding fits. Raises: TextNotReadable with the line."""
        for encoding in tuple(self._decoders):
            if not self._fits(encoding, piece, final):
                del self._decoders[encoding]
        if not self._decoders:
            raise TextNotReadable(name=self._name, line=self._line)
        self._line += piece.count(b"\n")

    def _fits(self, encoding: str, piece: bytes, final: bool) -> bool:
        try:
            return CONTROLS.search(self._decoders[encoding].decode(piece, final)) is None
        except UnicodeDecodeError:
            return False
