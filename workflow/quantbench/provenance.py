"""The code that a job's output depends on, read off the package's own source, so that a change reruns what can differ.

A job is a function of :mod:`quantbench.jobs`. Its code is that function and whatever at the top of a module it names, there or
by an import at the top or within a function, and so on: a function nobody reaches from it does not count, nor what a package
only hands on. Comments, docstrings, descriptions of fields, annotations of functions and layout are no code; files that lie
beside modules, such as a page's template, are.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

_PACKAGE = Path(__file__).parent
_EVERYTHING = "*"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# A module's dotted name below the package, and a name at its top, or all of them.
Definition = tuple[str, str]


@cache
def code_of(job: str, *by_name: str) -> str:
    """SHA-256 of the code that a job's output depends on.

    Args:
        job: name of a function of :mod:`quantbench.jobs`.
        by_name: which modules the job imports by a name that is known when it runs only, such as ``figures.figure2``;
            where none is named, such an import counts for every module of its package. Of a module whose ``import_module(...)``
            is followed by a name, only what that name stands for counts.

    Raises:
        KeyError: no such job.
    """
    digest = hashlib.sha256()
    reached = definitions_of(job, *by_name)
    for module in sorted({module for module, _ in reached}):
        names = {name for inside, name in reached if inside == module}
        code = "".join(_code(module, place) for place in _module(module).places(names))
        digest.update(f"\0{module}\0{code}".encode())
    for path in sorted({path for module, _ in reached for path in _data(_module(module).path.parent)}):
        digest.update(f"\0{path.relative_to(_PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def definitions_of(job: str, *by_name: str) -> frozenset[Definition]:
    """What at the top of modules a job's output depends on; arguments and errors as of :func:`code_of`."""
    if job not in _module("jobs").bound:
        raise KeyError(job)
    pending, reached = {("jobs", job)}, set[Definition]()
    while pending:
        module, name = found = pending.pop()
        if module.endswith(".*"):
            inside = [other for other in _paths() if other.startswith(module[:-1])]
            named = {*inside} & {*by_name} or inside
            pending.update((other, name) for other in named if name in {_EVERYTHING, *_module(other).bound})
        elif found not in reached:
            reached.add(found)
            pending |= _used(module, name)
        pending -= reached
    return frozenset(reached)


@cache
def code_of_package() -> str:
    """SHA-256 of all source files, for what keeps the whole package in memory."""
    digest = hashlib.sha256()
    for name, path in sorted(_paths().items()):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class _Module:
    """One source file; ``name`` is dotted below the package, which has the empty name itself."""

    name: str
    path: Path
    body: list[ast.stmt]

    @property
    def is_package(self) -> bool:
        return self.path.stem == "__init__"

    @property
    def package(self) -> list[str]:
        """The package it is, or lies in, by its parts."""
        parts = self.name.split(".") if self.name else []
        return parts if self.is_package else parts[:-1]

    @cached_property
    def bound(self) -> dict[str, list[int]]:
        """Each name at its top -> the statements that give it; under no name, those that give none but do something."""
        bound: dict[str, list[int]] = {"": []}
        for place, statement in enumerate(self.body):
            for name in set(_bound(statement)) or {""}:
                bound.setdefault(name, []).append(place)
        return bound

    def places(self, names: Iterable[str]) -> list[int]:
        """Statements behind some of its names, in order."""
        if _EVERYTHING in names:
            return list(range(len(self.body)))
        return sorted({place for name in ("", *names) for place in self.bound.get(name, [])})

    def origin(self, item: ast.ImportFrom) -> str:
        """The module that a relative import of it names."""
        parts = self.package[: len(self.package) - item.level + 1]
        return ".".join([*parts, *(item.module.split(".") if item.module else [])])


@cache
def _paths() -> dict[str, Path]:
    parts = {path.relative_to(_PACKAGE).with_suffix("").parts: path for path in _PACKAGE.rglob("*.py")}
    return {".".join(part for part in names if part != "__init__"): path for names, path in parts.items()}


@cache
def _module(name: str) -> _Module:
    path = _paths()[name]
    body = ast.parse(path.read_bytes()).body
    return _Module(name, path, [part for one in body[_is_text(body) :] for part in _singly(one)])


@cache
def _code(name: str, place: int) -> str:
    return _canonical(_module(name).body[place])


@cache
def _data(folder: Path) -> list[Path]:
    """Files that are no modules in a package's folder and in its sub-folders that are no packages; none of the whole's."""
    if folder == _PACKAGE:
        return []
    found = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"]
    inner = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    return found + [path for place in inner if not (place / "__init__.py").exists() for path in _data(place)]


@cache
def _used(name: str, wanted: str) -> frozenset[Definition]:
    """What the statements behind a name of a module use, in it and elsewhere."""
    module = _module(name)
    walked = [item for place in module.places([wanted]) for item in _walk(module.body[place])]
    named = {item.id for item in walked if isinstance(item, ast.Name)}
    members: dict[str, set[str]] = {}
    taken: dict[int, str] = {}  # the name that is taken at once from what a call returns
    for item in walked:
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name):
            members.setdefault(item.value.id, set()).add(item.attr)
        elif isinstance(item, ast.Attribute):
            taken[id(item.value)] = item.attr
    used: set[Definition] = set()
    for item in walked:
        if isinstance(item, ast.ImportFrom) and item.level:
            for alias in item.names:
                used.update(_lead(module.origin(item), alias.name, members.get(alias.asname or alias.name, set())))
        elif isinstance(item, ast.Call) and "import_module" in (
            getattr(item.func, "attr", ""),
            getattr(item.func, "id", ""),
        ):
            used.add((".".join([*module.package, _EVERYTHING]), taken.get(id(item), _EVERYTHING)))
    for own in named & module.bound.keys():
        used.update(_lead(name, own, members.get(own, set())))
    return frozenset(used)


def _lead(name: str, wanted: str, members: set[str]) -> Iterator[Definition]:
    """The definitions that a name of a module stands for, where ``members`` of it are used."""
    module, inner = _module(name), f"{name}.{wanted}".lstrip(".")
    imports = [
        (item, alias)
        for place in module.bound.get(wanted, [])
        if isinstance(item := module.body[place], ast.ImportFrom) and item.level
        for alias in item.names
        if (alias.asname or alias.name) == wanted
    ]
    if imports:
        for item, alias in imports:
            yield from _lead(module.origin(item), alias.name, members)
    elif wanted in module.bound or inner not in _paths():
        yield name, wanted
    else:  # a module
        for member in members or {_EVERYTHING}:
            yield from _lead(inner, member, set())


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement at the top of a module gives."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield statement.name
    elif isinstance(statement, ast.ImportFrom | ast.Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    else:
        for item in ast.walk(statement):
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                yield item.id
            elif item is not statement and isinstance(item, ast.stmt):
                yield from _bound(item)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it, without what only type checkers read."""
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += [*node.body, *node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif not isinstance(node, ast.Name | ast.Constant):
            pending.extend(ast.iter_child_nodes(node))


def _canonical(node: object) -> str:
    """Code as text, the same in every version of Python: empty fields, which versions add, are left out."""
    if isinstance(node, list):
        return f"[{','.join([_canonical(item) for item in node])}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.keyword) and node.arg == "description":
        return ""
    parts = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, _DOCUMENTED) and _is_text(value):
            value = value[1:]
        # Whether a name is read or set follows from where it stands.
        if value is not None and value != [] and name != "ctx":
            parts.append(f"{name}={_canonical(value)}")
    return f"({','.join(parts)})"


def _singly(statement: ast.stmt) -> list[ast.stmt]:
    """An import of several names as one statement each, so that one name more is no change for the others."""
    if isinstance(statement, ast.ImportFrom):
        return [ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names]
    return [statement]


def _is_text(body: list[ast.stmt]) -> bool:
    """Whether a body begins with a docstring."""
    first = body[0] if body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
