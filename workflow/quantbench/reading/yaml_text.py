"""YAML as people write it: no key twice, no tags of Python, of limited depth and size, and errors with their line.

Aliases (``*name``) are taken where what they stand for stays small: a few lines of them can stand for billions of values.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import JsonValue as Value

from ..errors import ConfigError, shorten
from .os_errors import Kind
from .text_files import MIB, in_line, read_text

DEPTH, VALUES, DIGITS = 50, 200_000, 300
LARGEST = 8 * MIB


class _Malformed(yaml.YAMLError):
    """What this reader refuses beside what the library does, and on which line (1-based)."""

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem)
        self.line = mark.line + 1


class _Loader(yaml.SafeLoader):
    """Reads what JSON can hold: a date stays the text it is, and keys are texts."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("timestamp", "value")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {
        tag: made
        for tag, made in yaml.SafeLoader.yaml_constructors.items()
        if tag and tag.rpartition(":")[2] in ("null", "bool", "int", "float", "str", "seq", "map")
    }

    # Deep nesting is refused while it is scanned: the library's scanner takes quadratic time for it, its composer recurses.
    def fetch_flow_collection_start(self, kind: type[yaml.Token]) -> None:
        self._refuse_depth(self.flow_level)
        super().fetch_flow_collection_start(kind)

    def add_indent(self, column: int) -> bool:
        self._refuse_depth(len(self.indents))
        return super().add_indent(column)

    def _refuse_depth(self, depth: int) -> None:
        if depth > DEPTH:
            raise _Malformed(f"nested more than {DEPTH} deep", self.get_mark())

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None:
            _refuse_many(node)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (
            ValueError,
            LookupError,
            TypeError,
            OverflowError,
        ):  # the library's, of values that are not what their tag says
            kind = str(node.tag).rpartition(":")[2]
            raise _Malformed(f"{shorten(node.value)} is no {kind}", node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                stated = key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                raise _Malformed(f"the key {shorten(stated)} is not text; put it in quotes", key.start_mark)
            if key.value in seen:
                raise _Malformed(f"key {shorten(key.value)} stands twice; take one of them out", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > DIGITS:
            raise _Malformed(f"a number of {len(node.value)} digits", node.start_mark)
        return super().construct_yaml_int(node)

    def refuse_tag(self, node: yaml.Node) -> None:
        raise _Malformed(f"the tag {node.tag} stands for no plain value; take it out", node.start_mark)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
            raise _Malformed(f"a zero byte or half of a character in {shorten(value)}", node.start_mark)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor(None, _Loader.refuse_tag)


def parse(text: str, where: str, error: Kind = ConfigError, remedy: str = "") -> Value:
    """One YAML document, as JSON holds it; dates in it are text.

    Args:
        text: the document.
        where: file or option, as errors name it.
        error: which error is raised.
        remedy: what to do about a malformed one; empty: nothing that its place does not say.

    Raises:
        QuantbenchError: of the kind ``error``: no YAML, a key that stands twice or is no text, a tag, or nested too deep, too large or
            in a circle; with the line.
    """
    step = f"; {remedy}" if remedy else ""
    try:
        return cast(Value, yaml.load(text, _Loader))
    except _Malformed as wrong:
        raise error(f"{_at(where, text, wrong.line)}: {wrong}{step}") from None
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        problem = " ".join(part for part in (wrong.context, wrong.problem) if part)
        raise error(f"{_at(where, text, mark.line + 1 if mark else 1)}: not valid YAML: {problem}{step}") from None
    except yaml.reader.ReaderError as wrong:
        place = in_line(where, text, wrong.position)
        raise error(
            f"{place}: not valid YAML: the character {chr(wrong.character)!r} may not stand in it{step}"
        ) from None
    except (yaml.YAMLError, RecursionError) as wrong:
        raise error(f"{where}: not valid YAML: {wrong}{step}") from None


def read(path: Path, error: Kind = ConfigError, remedy: str = "", missing: str = "no such file") -> Value:
    """The YAML document that is a whole file.

    Args:
        path: the file.
        error: which error is raised.
        remedy: what to do about a malformed file.
        missing: what is said of a file that is not there.

    Raises:
        QuantbenchError: as :func:`parse` and :func:`.text_files.read_text`.
    """
    return parse(read_text(path, error, LARGEST, remedy, missing), str(path), error, remedy)


def read_mapping(
    path: Path, error: Kind = ConfigError, remedy: str = "", missing: str = "no such file"
) -> dict[str, Value]:
    """The YAML mapping that is a whole file; arguments and errors as of :func:`read`."""
    value = read(path, error, remedy, missing)
    if not isinstance(value, dict):
        found = "nothing" if value is None else type(value).__name__
        raise error(f"{path}: expected a mapping of keys, found {found}; {remedy or 'write one KEY: VALUE a line'}")
    return value


def _at(where: str, text: str, line: int) -> str:
    return f"{where}, line {line}" if "\n" in text.rstrip("\n") else where


def _refuse_many(root: yaml.Node) -> None:
    """Refuse aliases that lead in a circle, or that stand for more values than anybody writes."""
    sizes: dict[int, int] = {}
    pending: list[tuple[yaml.Node, bool]] = [(root, False)]
    open_nodes: set[int] = set()
    while pending:
        node, done = pending.pop()
        children = _children(node)
        if done:
            open_nodes.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
            if sizes[id(node)] > VALUES:
                raise _Malformed(f"stands for more than {VALUES} values, by aliases", node.start_mark)
        elif id(node) in open_nodes:
            raise _Malformed("an alias stands for what it stands in", node.start_mark)
        elif id(node) not in sizes:
            open_nodes.add(id(node))
            pending.append((node, True))
            pending.extend((child, False) for child in children)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
