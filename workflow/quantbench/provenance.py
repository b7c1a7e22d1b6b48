"""The code that a job's output depends on, read off the package's own imports, so that a change reruns what can differ.

A job is a function of :mod:`quantbench.jobs`. Its code is that function, the functions of the same module it uses, and every
module that these import, at its top or within a function, and so on. A name that a package only hands on leads to the module
that defines it, not to the package's others. Comments, docstrings, descriptions of fields and layout are no code; other
files that lie beside modules, such as a page's template, are.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_of(job: str, *by_name: str) -> str:
    """SHA-256 of the code that a job's output depends on.

    Args:
        job: name of a function of :mod:`quantbench.jobs`.
        by_name: which modules the job imports by a name that is known when it runs only, such as ``figures.figure2``;
            where none is named, such an import counts for every module of its package.

    Raises:
        KeyError: no such job or module.
    """
    digest = hashlib.sha256("".join(map(_canonical, _functions(job))).encode())
    modules = [_module(name) for name in sorted(modules_of(job, *by_name))]
    for module in modules:
        digest.update(f"\0{module.name}\0{_code(module.name)}".encode())
    for path in sorted({path for module in modules for path in _data(module.path.parent)}):
        digest.update(f"\0{path.relative_to(_PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def modules_of(job: str, *by_name: str) -> frozenset[str]:
    """Names of the modules that a job's output depends on, such as ``tasks.metrics``; arguments as of :func:`code_of`."""
    functions, jobs = _functions(job), _module("jobs")
    used = {name for function in functions for name in _names(function)}
    above = [node for node in jobs.tree.body if not isinstance(node, ast.FunctionDef) and used & set(_bound(node))]
    pending = set(_imports(jobs, [*above, *functions]))
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name.endswith(".*"):
            inside = [module for module in _all_modules() if module.startswith(name[:-1])]
            pending.update({*inside} & {*by_name} or inside)
        elif name not in reached:
            reached.add(name)
            pending |= _imports_of(name)
        pending -= reached
    return frozenset(reached)


@cache
def code_of_package() -> str:
    """SHA-256 of all source files, for what keeps the whole package in memory."""
    files = {path.relative_to(_PACKAGE): path.read_bytes() for path in sorted(_PACKAGE.rglob("*.py"))}
    return hashlib.sha256(b"\0".join(str(name).encode() + b"\0" + text for name, text in files.items())).hexdigest()


@dataclass(frozen=True)
class _Module:
    """One source file; ``name`` is dotted below the package, which has the empty name itself."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package it is, or lies in."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]


@cache
def _all_modules() -> dict[str, Path]:
    parts = {path.relative_to(_PACKAGE).with_suffix("").parts: path for path in _PACKAGE.rglob("*.py")}
    return {".".join(part for part in names if part != "__init__"): path for names, path in parts.items()}


@cache
def _module(name: str) -> _Module:
    path = _all_modules()[name]
    return _Module(name, path, ast.parse(path.read_bytes()))


@cache
def _code(name: str) -> str:
    return _canonical(_module(name).tree)


@cache
def _imports_of(name: str) -> frozenset[str]:
    module = _module(name)
    return frozenset(_imports(module, module.tree.body))


@cache
def _data(folder: Path) -> list[Path]:
    """Files that are no modules in a package's folder and its sub-folders that are no packages; none of the whole package's."""
    if folder == _PACKAGE:
        return []
    found = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"]
    inner = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    return found + [path for place in inner if not (place / "__init__.py").exists() for path in _data(place)]


def _functions(job: str) -> list[ast.FunctionDef]:
    """A job's function and those of its module that it uses."""
    functions = {node.name: node for node in _module("jobs").tree.body if isinstance(node, ast.FunctionDef)}
    wanted, found = [functions[job]], {job: functions[job]}
    while wanted:
        for name in _names(wanted.pop()):
            if name in functions and name not in found:
                found[name] = functions[name]
                wanted.append(functions[name])
    return list(found.values())


def _imports(module: _Module, nodes: Iterable[ast.stmt]) -> Iterator[str]:
    """Modules that some statements of a module import; ``<package>.*`` for an import by a name not known here."""
    walked = [item for node in nodes for item in _walk(node)]
    members: dict[str, set[str]] = {}
    for item in walked:
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name):
            members.setdefault(item.value.id, set()).add(item.attr)
    for item in walked:
        if isinstance(item, ast.ImportFrom) and item.level:
            for alias in item.names:
                yield from _defining(_origin(module, item), alias.name, members.get(alias.asname or alias.name, set()))
        elif isinstance(item, ast.Call) and "import_module" in (
            getattr(item.func, "attr", ""),
            getattr(item.func, "id", ""),
        ):
            yield f"{module.package}.*"


def _origin(module: _Module, item: ast.ImportFrom) -> str:
    """The module that a relative import names."""
    parts = module.package.split(".") if module.package else []
    return ".".join([*parts[: len(parts) - item.level + 1], *(item.module.split(".") if item.module else [])])


def _defining(origin: str, name: str, members: set[str]) -> Iterator[str]:
    """The modules that ``from origin import name`` leads to, where ``members`` of ``name`` are used."""
    package, inner = _module(origin), f"{origin}.{name}".lstrip(".")
    imported = [
        (item, alias)
        for item in package.tree.body
        if isinstance(item, ast.ImportFrom) and item.level
        for alias in item.names
        if (alias.asname or alias.name) == name
    ]
    if package.path.stem != "__init__" or (not imported and any(name in _bound(item) for item in package.tree.body)):
        yield origin
    elif imported:
        for item, alias in imported:
            yield from _defining(_origin(package, item), alias.name, members)
    elif inner in _all_modules() and _module(inner).path.stem == "__init__" and members:
        for member in members:
            yield from _defining(inner, member, set())
    else:
        yield inner if inner in _all_modules() else origin


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without what only type checkers read."""
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        pending.extend(ast.iter_child_nodes(node))


def _names(function: ast.FunctionDef) -> set[str]:
    return {item.id for item in _walk(function) if isinstance(item, ast.Name)}


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement at the top of a module gives."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.ImportFrom | ast.Import):
        yield from (alias.asname or alias.name for alias in node.names)
    else:
        yield from (
            item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
        )


def _canonical(node: object) -> str:
    """Code as text, the same in every version of Python: empty fields, which versions add, are left out."""
    if isinstance(node, list):
        return f"[{','.join(map(_canonical, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.keyword) and node.arg == "description":
        return ""
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
        node = type(node)(**{**dict(ast.iter_fields(node)), "body": node.body[1:]})
    kept = [f"{name}={_canonical(value)}" for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({','.join(kept)})"
