"""The scripts behind docs/reproduction.md, importable by their own short names as when they are run."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "resources/published"))
