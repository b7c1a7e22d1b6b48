"""Documentation made from typed fields: JSON schemas for editors, and the tables of ``config/README.md``.

``make schemas`` writes both. A field is explained once, by its ``description``, and every page follows from that.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from ..errors import ConfigError
from .entries import DatasetEntry, PrecisionEntry, StudyEntry
from .lock import LockedModel
from .model_entry import ModelEntry
from .run import RunConfig
from .settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
SCHEMAS = REPOSITORY / "workflow/schemas"
README = REPOSITORY / "config/README.md"
# Schema name -> its settings, and the file in config/ that holds them (one row of headings in the README each).
_KINDS: dict[str, tuple[type[Settings], str]] = {
    "run": (RunConfig, "config.yaml"),
    "model": (ModelEntry, "models/<model>.yaml"),
    "precision": (PrecisionEntry, "precisions/<precision>.yaml"),
    "dataset": (DatasetEntry, "datasets/<dataset>/dataset.yaml"),
    "study": (StudyEntry, "studies.yaml"),
}


@dataclass(frozen=True)
class FieldRow:
    """One field of a file: its dotted key (``[]``: each item, ``*``: each name), what it may hold, what it means."""

    key: str
    value: str
    meaning: str


def field_rows(kind: type, prefix: str = "") -> list[FieldRow]:
    """Every field of a typed class, those of its parts after it.

    Args:
        kind: a pydantic model, a dataclass, or a TypedDict.
        prefix: of the keys, its dot included.

    Returns:
        Rows in the order of the fields; ``meaning`` is the field's description, else that of the part it holds, else empty.
    """
    rows = []
    for name, field in _fields(kind).items():
        part, suffix = _part_of(field.annotation)
        meaning = field.description or (plain(part).rstrip(".") if part else "")
        needed = "; required" if issubclass(kind, Settings) and field.is_required() else ""
        rows.append(FieldRow(prefix + name, _in_words(field.annotation, _bounds(field.metadata)) + needed, meaning))
        if part is not None:
            rows += field_rows(part, f"{prefix}{name}{suffix}.")
    return rows


def plain(kind: type) -> str:
    """A class's docstring as one paragraph of Markdown, without its list of attributes."""
    text = (inspect.getdoc(kind) or "").split("\nAttributes:")[0]
    text = re.sub(r":\w+:`~?\.?([^`]+)`", r"`\1`", text.replace("``", "`"))
    return " ".join(text.split())


def table(rows: list[FieldRow], page: Path) -> str:
    """A Markdown table of fields; pages of ``docs/`` that a meaning names become links from ``page``."""
    up = "../" * len(page.relative_to(REPOSITORY).parent.parts)
    lines = ["| key | value | meaning |", "| --- | --- | --- |"]
    for row in rows:
        meaning = re.sub(r"(?<![\w/\[])(docs/[\w-]+\.md)(#[\w-]+)?", rf"[\1]({up}\g<0>)", row.meaning)
        cells = (f"`{row.key}`", row.value, meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def with_sections(page: Path, sections: Mapping[str, str], maker: str = "make schemas") -> str:
    """The text of a page with its generated sections written anew; what people wrote around them stays.

    Args:
        page: Markdown; a section stands between ``<!-- NAME: made by MAKER -->`` and ``<!-- end of NAME -->``.
        sections: name -> content.
        maker: the command that writes them.

    Raises:
        ConfigError: a section has no place in the page.
    """
    text = page.read_text(encoding="utf-8")
    for name, content in sections.items():
        start, end = f"<!-- {name}: made by {maker} -->\n", f"<!-- end of {name} -->"
        before, found, rest = text.partition(start)
        if not found or end not in rest:
            raise ConfigError(f"{page}: no place for the section {name!r}; add the lines {start.strip()} and {end}")
        text = f"{before}{start}\n{content}\n\n{end}{rest.partition(end)[2]}"
    return text


def schema_texts() -> dict[str, str]:
    """File name -> content of every schema."""
    return {
        f"{name}.schema.json": json.dumps(kind.model_json_schema(), indent=2) + "\n"
        for name, (kind, _) in _KINDS.items()
    }


def readme_text() -> str:
    """``config/README.md`` with its tables made from the typed settings."""
    run, *entries = _KINDS.values()
    entries.append((LockedModel, "models.lock.yaml"))
    catalogue = [f"### `{place}`\n\n{plain(kind)}\n\n{table(field_rows(kind), README)}" for kind, place in entries]
    return with_sections(README, {"run": table(field_rows(run[0]), README), "catalogue": "\n\n".join(catalogue)})


def _fields(kind: type) -> dict[str, FieldInfo]:
    if issubclass(kind, BaseModel):
        return kind.model_fields
    if is_pydantic_dataclass(kind):
        return kind.__pydantic_fields__
    if not (is_typeddict(kind) or is_dataclass(kind)):
        return {}
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(hints)
    return {name: FieldInfo.from_annotation(hints[name]) for name in names}


def _part_of(annotation: object) -> tuple[type | None, str]:
    """The class with fields of its own that a field holds, alone, as items or by name; and how a key writes that."""
    if isinstance(annotation, type) and not get_args(annotation):
        return (annotation if _fields(annotation) else None), ""
    origin = get_origin(annotation)
    for argument in get_args(annotation):
        part, suffix = _part_of(argument)
        if part is not None:
            return part, ("[]" if origin in (list, tuple) else ".*" if origin is dict else "") + suffix
    return None, ""


def _in_words(annotation: object, bounds: str = "", plural: str = "") -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _in_words(arguments[0], _bounds(arguments[1:]), plural)
    if origin is Literal:
        return _either([f"`{value}`" for value in arguments])
    if origin in (Union, UnionType):
        return _either([_in_words(argument, bounds, plural) for argument in _alternatives(annotation)])
    if origin in (list, tuple):
        return f"list{plural} of {_in_words(arguments[0], plural='s')}"
    if origin is dict:
        return f"mapping{plural} of names to {_in_words(arguments[1], plural='s')}"
    if annotation is bool or annotation is NoneType:
        return "`null`" if annotation is NoneType else "`true` or `false`"
    if annotation is int or annotation is float:
        return f"{'whole ' if annotation is int else ''}number{plural} {bounds}".rstrip()
    if annotation is date:
        return f"date{plural}"
    section = isinstance(annotation, type) and issubclass(annotation, Settings)
    return f"{'text' if annotation is str else 'section' if section else 'object'}{plural}"


def _alternatives(annotation: object) -> list[object]:
    """What a union offers, those of unions inside it and of what is written in another form than it is kept in."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        written = [item.json_schema_input_type for item in arguments[1:] if isinstance(item, BeforeValidator)]
        return _alternatives(written[0]) if written else [annotation]
    if origin in (Union, UnionType):
        return [part for argument in arguments for part in _alternatives(argument)]
    if annotation is bool:
        return [Literal["true"], Literal["false"]]
    return [Literal[value] for value in arguments] if origin is Literal else [annotation]


def _bounds(metadata: Iterable[object]) -> str:
    found = [bound for item in metadata for bound in (item.metadata if isinstance(item, FieldInfo) else [item])]
    signs = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}
    return " and ".join(
        f"{sign} {getattr(bound, kind.__name__.lower())}"
        for bound in found
        for kind, sign in signs.items()
        if isinstance(bound, kind)
    )


def _either(words: Sequence[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}" if most else last


if __name__ == "__main__":
    for name, text in schema_texts().items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
    README.write_text(readme_text(), encoding="utf-8")
