"""docs/own-datasets.md taken at its word: the files it shows, under the names it shows them."""

from __future__ import annotations

import re
from pathlib import Path


def follow_the_page(repository: Path, root: Path) -> None:
    """Write each file that docs/own-datasets.md shows under the name above it: nothing else."""
    page = (repository / "docs/own-datasets.md").read_text()
    shown = re.findall(r"^`(config/datasets/[^`]+)`\n```\w*\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 13
    for name, content in shown:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
