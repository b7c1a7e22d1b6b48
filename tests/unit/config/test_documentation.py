"""config/README.md explains every key there is."""

from pathlib import Path

from pydantic import BaseModel

from quantbench.config import DatasetEntry, ModelEntry, PrecisionEntry, RunConfig, StudyEntry


def keys(kind: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and kind is not ModelEntry:
            found += keys(inner, f"{prefix}{name}.")
        else:
            found.append(prefix + name)
    return found


def test_every_key_is_explained(repository: Path) -> None:
    text = (repository / "config/README.md").read_text()
    wanted = [key for kind in (RunConfig, ModelEntry, PrecisionEntry, DatasetEntry, StudyEntry) for key in keys(kind)]
    assert [key for key in wanted if f"`{key}`" not in text] == []


def test_the_default_file_states_every_key(repository: Path) -> None:
    text = (repository / "config/config.yaml").read_text()
    assert [key for key in keys(RunConfig) if f"{key.split('.')[-1]}:" not in text] == []
