"""Strict typed settings: an unknown key is refused with its file, its value and the nearest known key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import ConfigError, nearest, shorten
from ..reading import yaml_text


class Settings(BaseModel):
    """Base of all configuration sections: immutable, no unknown keys, no silent conversions: ``true`` is not 1, nor 1.0 a count.

    Attributes:
        retired: keys of earlier versions -> what takes their place now.
    """

    retired: ClassVar[dict[str, str]] = {}

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())


Section = TypeVar("Section", bound=Settings)

# What pydantic says of a value that should have been a number, a truth or nothing.
_NO_TEXT = {"int_type", "float_type", "bool_type", "none_required"}

# How pydantic's locations name the alternatives of a key that takes a list or a word.
_BRANCH = re.compile(r"(?:list|literal)\[")

_EXPECTED = {
    "bool_type": "expected true or false",
    "dict_type": "expected names with values, as in {name: value}",
    "float_type": "expected a number",
    "int_from_float": "expected a whole number",
    "int_type": "expected a whole number",
    "list_type": "expected a list, as in [value, value]",
    "model_type": "expected a section, as in {key: value}",
    "string_type": "expected a text; put it in quotes if it is one",
}


def module_names(folder: str, prefix: str = "") -> tuple[str, ...]:
    """What a key may name where each choice is a module of its own: the modules of a folder of the package, by name alone.

    Nothing of them is imported here.
    """
    found = (Path(__file__).parents[1] / folder).glob(f"{prefix}[!_]*.py")
    return tuple(sorted(path.stem.removeprefix(prefix) for path in found))


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; a :class:`ConfigError` names file and line where it is malformed."""
    return yaml_text.read_mapping(path)


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """One configuration laid over another, section by section, as Snakemake does it."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            value = merged(under, value)
        result[key] = value
    return result


def parse(kind: type[Section], value: dict[str, Any], source: str) -> Section:
    """Turn a mapping into typed settings; every problem is listed with the file or source it came from.

    A text that YAML reads as what a key wants is taken as that: Snakemake hands the values of ``--config section={key: 80}``
    over as texts.
    """
    _refuse_odd(value, source)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        value = _typed(value, [item["loc"] for item in error.errors() if item["type"] in _NO_TEXT])
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        lines = [explain(kind, item) for item in _without_branches(error.errors())]
        raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from None


def _typed(value: object, paths: Sequence[tuple[str | int, ...]]) -> Any:
    """The same values, where the texts at some paths are what YAML reads in them.

    Args:
        value: a mapping, list or text of a configuration.
        paths: keys and positions, which may go on below a text with what pydantic tried to make of it.
    """
    if isinstance(value, str) and paths:
        try:
            read = yaml_text.parse(value, "")
        except ConfigError:
            return value
        return value if isinstance(read, Mapping | list) else read

    def below(key: str | int) -> list[tuple[str | int, ...]]:
        return [path[1:] for path in paths if path[:1] == (key,)]

    if isinstance(value, Mapping):
        return {key: _typed(item, below(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, below(position)) for position, item in enumerate(value)]
    return value


def _refuse_odd(value: object, source: str) -> None:
    """Refuse what no file holds that our readers read, and a configuration handed over as values might.

    Raises:
        ConfigError: texts with a zero byte or half of a character, keys that are no text, more or deeper than anybody writes.
    """
    pending: list[tuple[str, object, int]] = [("", value, 0)]
    seen = 0
    while pending:
        key, one, depth = pending.pop()
        seen += 1
        if seen > yaml_text.VALUES or depth > yaml_text.DEPTH:
            raise ConfigError(
                f"{source}: key {key!r}: nested deeper, or with more values, than a configuration has; take aliases out"
            )
        if isinstance(one, str) and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in one):
            raise ConfigError(
                f"{source}: key {key!r} has the value {shorten(one)}: a zero byte or half of a character; write it anew"
            )
        if isinstance(one, Mapping):
            for name, item in one.items():
                if not isinstance(name, str):
                    raise ConfigError(f"{source}: the key {shorten(name)} is not text; put it in quotes")
                pending += [(name, name, depth + 1), (f"{key}.{name}" if key else name, item, depth + 1)]
        elif isinstance(one, list | tuple):
            pending += [(f"{key}[]", item, depth + 1) for item in one]


def _without_branches(items: Iterable[Any]) -> list[dict[str, Any]]:
    """Errors of keys that take a list or one word (``all``): one for each key, that of the branch its value was meant for.

    pydantic reports every branch of such a key, under a location with the branch's type in it.
    """
    kept: dict[tuple[str | int, ...], dict[str, Any]] = {}
    for item in items:
        place = tuple(part for part in item["loc"] if not (isinstance(part, str) and _BRANCH.match(part)))
        is_other_branch = bool(place) and place != item["loc"] and _BRANCH.match(str(item["loc"][-1]))
        if is_other_branch and isinstance(item["input"], str):
            word = re.findall(r"'([^']*)'", item.get("ctx", {}).get("expected", ""))
            said = f"expected a list, as in [{item['input']}]" + "".join(f", or {one}" for one in word)
            kept[place] = {**item, "loc": place, "type": "value_error", "msg": said}
        elif not is_other_branch or item["type"] != "literal_error":
            kept[place] = {**item, "loc": place}
    return list(kept.values())


def explain(kind: type[BaseModel], item: Any) -> str:
    """One of pydantic's errors in words: the key, its value, and the nearest known key."""
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        section = _section_at(kind, item["loc"][:-1])
        if section and issubclass(section, Settings) and item["loc"][-1] in section.retired:
            return f"key {where!r} is retired: {section.retired[item['loc'][-1]]}"
        hint = _nested(section, item) or nearest(str(item["loc"][-1]), section.model_fields) if section else ""
        return f"unknown key {where!r} (value {shorten(item['input'], 200)}){hint}"
    if item["type"] == "missing":
        return f"key {where!r} is missing"
    if item["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        return f"key {where!r} has the value {shorten(item['input'], 200)}{nearest(str(item['input']), known)}"
    said = _EXPECTED.get(item["type"]) or item["msg"].removeprefix("Value error, ")
    return f"key {where!r} has the value {shorten(item['input'], 200)}: {said}" if where else said


def _nested(section: type[BaseModel], item: Any) -> str:
    """How ``hardware.device=cpu`` is written, where a key with dots begins with a section."""
    first, *rest = str(item["loc"][-1]).split(".")
    if not rest or first not in section.model_fields:
        return ""
    return f"; write {first}={': '.join('{' + key for key in rest)}: {item['input']}{'}' * len(rest)}"


def _section_at(kind: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Follow field names down to the section class that refused a key (None inside lists and mappings)."""
    section: Any = kind
    for part in path:
        field = (
            section.model_fields.get(str(part))
            if isinstance(section, type) and issubclass(section, BaseModel)
            else None
        )
        if field is None:
            return None
        section = field.annotation
    return section if isinstance(section, type) and issubclass(section, BaseModel) else None
