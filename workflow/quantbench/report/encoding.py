"""Data inside a page: JSON, compressed; the browser inflates a block when it is looked at."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any


def encode(value: Any) -> str:
    """JSON, gzip, base64. The same value gives the same text."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(content, compresslevel=9, mtime=0)).decode()


def as_data_url(content: bytes, kind: str) -> str:
    """A picture as an address that holds it; ``kind`` is its media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
