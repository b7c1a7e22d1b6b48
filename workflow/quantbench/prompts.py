"""From a sample to the user's words: a dataset's template with its worked examples.

Templates are plain Jinja2 files, ``config/datasets/<dataset>/<prompting>.txt``; self-consistency samples several
chains from the chain-of-thought template, so it reads ``cot.txt``. Those of the published form are named
``as_published_<prompting>.txt``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import StrictUndefined

from .config import DatasetEntry, Prompting, Prompts, Slips, located
from .contracts.records import RESERVED_INPUTS, Sample
from .errors import ConfigError
from .reading.text_files import MIB, read_text
from .templating import BoundedEnvironment, BoundedTemplate, TemplateFault

# trim and lstrip let templates put a loop's tags on lines of their own without leaving blank lines in the prompt.
# Bounded, because templates also come in other people's bundles.
_ENVIRONMENT = BoundedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
# A prompt is the same each time it is made, or no two cells could be compared.
del _ENVIRONMENT.filters["random"]

_PUBLISHED = "as_published_"
LARGEST = MIB
NO_SLIPS = Slips()


def template_path(root: Path, dataset: str, prompting: Prompting, prompts: Prompts = "own") -> Path:
    """The template file of a dataset and prompting, in our form or the published one."""
    name = "cot" if prompting == "self_consistency" else prompting
    form = _PUBLISHED if prompts == "as_published" else ""
    return located(root, f"config/datasets/{dataset}/{form}{name}.txt")


def read_template(path: Path) -> str:
    """Read a template.

    Raises:
        ConfigError: no such file, larger than 1 MiB, or no text in UTF-8.
    """
    if path.name.startswith(_PUBLISHED):
        absent = (
            "no such prompt template, which protocol.prompts: as_published reads; write one for this dataset and prompting, or set "
            "prompts: own"
        )
    else:
        absent = "no such prompt template; add one for this dataset and prompting"
    return read_text(path, ConfigError, LARGEST, missing=absent)


def render(
    entry: DatasetEntry,
    template: str,
    sample: Sample,
    examples: Sequence[tuple[Sample, str]] = (),
    slips: Slips = NO_SLIPS,
) -> str:
    """Fill a template with one sample and its worked examples.

    Args:
        entry: the dataset; gives ``labels`` and ``entity_type``.
        template: Jinja2 text.
        sample: its ``inputs`` are the template's variables; the gold answer never enters.
        examples: worked examples with their answers as text, in order.
        slips: of the authors, which templates of the published form repeat where they are switched on.

    Raises:
        ConfigError: a name in the template that the dataset does not have, an input under one of :data:`.records.RESERVED_INPUTS`, a
            malformed template, or one that does not come to an end; with the line of the template.
    """
    _check_names(entry, sample.inputs)
    worked = [{**example.inputs, "answer": answer} for example, answer in examples]
    told = {"labels": entry.labels, "entity_type": entry.entity_type, "examples": worked, "slips": slips.model_dump()}
    try:
        text = _compiled(template).render({**sample.inputs, **told})
    except TemplateFault as fault:
        raise ConfigError(f"prompt template of {entry.title}: {fault}") from None
    return text.rstrip("\n")


def _check_names(entry: DatasetEntry, inputs: Mapping[str, object]) -> None:
    taken = sorted(RESERVED_INPUTS & inputs.keys())
    if taken:
        raise ConfigError(
            f"prompt template of {entry.title}: the samples have an input named {taken[0]!r}, which in a template means "
            "something else; rename it in the records and in the templates"
        )


def text_hash(text: str) -> str:
    """SHA-256 of a text, as recorded in manifests."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _compiled(template: str) -> BoundedTemplate:
    """A template is compiled once, not once a sample: that is most of the time of a render."""
    return BoundedTemplate(_ENVIRONMENT, template)
