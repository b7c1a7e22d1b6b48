"""What the repository cites exists: pages of docs/ and their sections, links between pages, files that pages name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SUFFIXES = {".md", ".py", ".smk", ".yaml", ".rst", ".j2", ".js", ".toml", ".sh"}
NAMES = {"Makefile", "Snakefile"}
ELSEWHERE = {"results", "node_modules"}

PAGE = re.compile(r"(?<![\w/.-])(docs/[\w-]+\.md)(?:#([\w-]+))?")
LINK = re.compile(r"\]\(<?([^)\s>#]*)(?:#([\w-]+))?>?\)")
FILE = re.compile(r"`((?:tests|workflow|benchmarks|resources|docs|profiles)/[\w./-]+\.\w+)`")
BY_NUMBER = re.compile(r"\bprotocol,?\s+(?:sections?|§)\s*\d", re.IGNORECASE)


def texts(repository: Path) -> Iterator[Path]:
    """Every file of the repository that people write, what runs and tools leave behind aside."""
    yield from (path for path in repository.iterdir() if path.is_file() and is_text(path))
    yield repository / "results/README.md"
    for folder in repository.iterdir():
        if folder.is_dir() and folder.name not in ELSEWHERE and not folder.name.startswith("."):
            yield from (path for path in folder.rglob("*") if path.is_file() and is_text(path))


def is_text(path: Path) -> bool:
    return path.suffix in SUFFIXES or path.name in NAMES


def anchors(page: Path) -> set[str]:
    """The ids of a page's sections, as GitHub makes them from headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = set(re.findall(r'<a id="([\w-]+)">', text))
    for heading in re.findall(r"^#+ +(.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def dead(text: str, path: Path, repository: Path) -> list[str]:
    """The citations of one file's text that lead nowhere."""
    cited = [(repository / page, anchor, page) for page, anchor in PAGE.findall(text)]
    if path.suffix == ".md":
        links = [(target, anchor) for target, anchor in LINK.findall(text) if not re.match(r"\w+:", target)]
        cited += [(path.parent / target if target else path, anchor, target) for target, anchor in links]
        cited += [(repository / name, "", name) for name in FILE.findall(text)]
    faults = [f"protocol cited by number: {found}" for found in BY_NUMBER.findall(text)]
    for target, anchor, name in cited:
        if not target.exists():
            faults.append(f"no such file: {name}")
        elif anchor and anchor not in anchors(target):
            faults.append(f"no such section: {name}#{anchor}")
    return faults


def test_every_citation_leads_somewhere(repository: Path) -> None:
    own = Path(__file__).resolve()
    found = {
        str(path.relative_to(repository)): dead(path.read_text(encoding="utf-8"), path, repository)
        for path in texts(repository)
        if path.resolve() != own
    }
    assert {path: faults for path, faults in found.items() if faults} == {}
    assert len(found) > 300, "files were looked at"
    assert sum("docs/protocol.md#" in (repository / path).read_text(encoding="utf-8") for path in found) > 15


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "workflow/quantbench/m.py",
            '"""Timing (docs/protocol.md#latencies)."""',
            "no such section: docs/protocol.md#latencies",
        ),
        ("workflow/quantbench/m.py", '"""Timing (docs/protocols.md)."""', "no such file: docs/protocols.md"),
        (
            "workflow/quantbench/m.py",
            '"""Timing (PROTOCOL,\nsection 3)."""',
            "protocol cited by number: PROTOCOL,\nsection 3",
        ),
        ("docs/m.md", "[there](memories.md)", "no such file: memories.md"),
        ("docs/m.md", "[there](memory.md#temrs)", "no such section: memory.md#temrs"),
        ("docs/m.md", "[above](../README.md#no-such)", "no such section: ../README.md#no-such"),
        ("README.md", "held by `tests/unit/memory/test_gone.py`", "no such file: tests/unit/memory/test_gone.py"),
    ],
)
def test_a_planted_citation_is_found(repository: Path, name: str, text: str, fault: str) -> None:
    assert dead(text, repository / name, repository) == [fault]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workflow/quantbench/m.py", '"""Timing (docs/protocol.md#latency; docs/memory.md explains)."""'),
        ("docs/m.md", "[a](memory.md#terms) [b](../README.md) [c](https://example.org/docs/x.md) [d](../benchmarks/)"),
        ("docs/m.md", "`tests/unit/test_citations.py`, `config/models/<name>.yaml`, the TLS protocol section"),
    ],
)
def test_what_exists_is_no_fault(repository: Path, name: str, text: str) -> None:
    assert dead(text, repository / name, repository) == []
