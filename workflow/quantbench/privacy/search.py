"""Looking for texts in files: the first phrase of each file, with the place to look at, and never the words themselves."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..reading.text_files import opened
from .blocks import Block, Unfolding
from .compared_words import views
from .phrases import Match, Phrases


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that holds a phrase of a text; ``inside``: what of the file it stands in, where that was packed or encoded."""

    file: str
    inside: tuple[str, ...]
    line: int
    text: str
    words: int

    def __str__(self) -> str:
        packed = f" of {' in '.join(reversed(self.inside))}" if self.inside else ""
        return f"{self.file}: line {self.line}{packed}: {self.words} words in a row of {self.text}"


@dataclass(frozen=True)
class Search:
    """A search for the phrases of some texts."""

    phrases: Phrases

    def file(self, path: Path, name: str | None = None) -> list[Finding]:
        """The first phrase in each part of a file that holds one; most files have one part.

        Args:
            path: the file.
            name: what findings call it; None: its path.

        Raises:
            DataError: it cannot be read to its end, so that nobody can say what it holds.
        """
        with opened(path) as handle:
            return self._stream(handle, name or str(path))

    def content(self, content: bytes, name: str) -> list[Finding]:
        """As :meth:`file`, of the content of a file that findings call ``name``."""
        return self._stream(io.BytesIO(content), name)

    def _stream(self, handle: IO[bytes], name: str) -> list[Finding]:
        found: dict[tuple[str, ...], Finding] = {}
        for block in Unfolding(name).blocks(handle):
            match = self._match(block.text) if block.inside not in found else None
            if match is not None:
                found[block.inside] = Finding(name, block.inside, self._line(block), match.text, match.words)
        return list(found.values())

    def _match(self, text: str) -> Match | None:
        return next((match for view in views(text) if (match := self.phrases.find(view)) is not None), None)

    def _line(self, block: Block) -> int:
        """The line to look at: the first that holds a phrase, alone or with those around it."""
        lines = block.text.split("\n")
        for together in (1, 2, 8):
            for place in range(len(lines)):
                if self._match("\n".join(lines[place : place + together])) is not None:
                    return block.line + place
        return block.line
