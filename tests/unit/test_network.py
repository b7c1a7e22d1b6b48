"""Only retrieval touches the network: no other module imports a network client, directly or by another name."""

from __future__ import annotations

import ast
from pathlib import Path

CLIENTS = {
    "aiohttp",
    "datasets",
    "ftplib",
    "httpx",
    "httpx2",
    "huggingface_hub",
    "pooch",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "telnetlib",
    "urllib3",
    "websockets",
    "xmlrpc",
}
CLIENT_MODULES = {"http.client", "http.server", "urllib.request"}
RETRIEVAL = {"datasets/pinned_files.py", "datasets/hub_rows.py", "store/transfer.py", "store/hub.py"}
# Warm starts talk to processes of this machine, by a socket in a folder.
LOCAL_SOCKETS = {"cell/warm.py"}


def imported(tree: ast.AST) -> set[str]:
    """Absolute names of all modules a file imports, wherever in it."""
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            names |= {str(value.value) for value in node.args if isinstance(value, ast.Constant)}
    return names


def clients(path: Path) -> set[str]:
    names = imported(ast.parse(path.read_text()))
    return {name for name in names if name.split(".")[0] in CLIENTS or name in CLIENT_MODULES}


def test_no_module_outside_retrieval_imports_a_network_client(repository: Path) -> None:
    package = repository / "workflow/quantbench"
    found = {str(path.relative_to(package)): clients(path) for path in sorted(package.rglob("*.py"))}
    found |= {str(path.relative_to(repository)): clients(path) for path in (repository / "workflow/scripts").glob("*")}
    outside = {path: names for path, names in found.items() if names and path not in RETRIEVAL | LOCAL_SOCKETS}
    assert outside == {}
    assert all(found[path] for path in RETRIEVAL), "the list above names only modules that need to be on it"


def test_the_one_other_socket_is_of_this_machine(repository: Path) -> None:
    for path in LOCAL_SOCKETS:
        text = (repository / "workflow/quantbench" / path).read_text()
        assert text.count("socket.socket(") == text.count("socket.socket(socket.AF_UNIX)") > 0


def test_the_check_sees_each_way_to_import(tmp_path: Path) -> None:
    for line in (
        "import requests",
        "def f():\n    from urllib import request",
        "from http import client",
        "import importlib; importlib.import_module('socket')",
        "import huggingface_hub.utils as harmless",
    ):
        (tmp_path / "m.py").write_text(line)
        assert clients(tmp_path / "m.py"), line
    (tmp_path / "m.py").write_text("from ..datasets import sha256_of\nfrom urllib.parse import quote\n")
    assert not clients(tmp_path / "m.py")


def test_nothing_but_jobs_of_retrieval_imports_the_retrieval_modules(repository: Path) -> None:
    package = repository / "workflow/quantbench"
    allowed = {"jobs.py", "store/retrieval.py", "store/locking.py", "store/hub_facts.py", *RETRIEVAL}
    for path in sorted(package.rglob("*.py")):
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                names |= {f"{node.module or ''}.{alias.name}".strip(".") for alias in node.names} | {node.module or ""}
        if any(name.split(".")[-1] in ("hub",) or name.endswith("datasets.download") for name in names):
            assert str(path.relative_to(package)) in allowed, path
