"""One cell's settings as plain values, resolved once: what inference, planner and verification are handed.

What a cell's outputs depend on is its :attr:`CellSpec.identity`; the workflow reruns a cell, and progress is reused, by
that alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ..config import Catalogue, DatasetEntry, LockedModel, ModelEntry, PrecisionEntry
from ..config.protocol import ProtocolSettings
from ..config.run import DEFAULT_PROMPT_DATE, HardwareSettings, InferenceSettings, MeasurementSettings, SelfConsistency
from ..config.vocabulary import REFERENCE
from ..contracts.cell_name import Cell
from ..prompts import read_template, template_path, text_hash

# Raise it when a change of the engine changes outputs or measurements: every cell then runs again.
ENGINE_VERSION = 3
# Raise it when stand-ins come out otherwise (models/random_weights.py): their cells then run again.
RANDOM_WEIGHTS_VERSION = 1

# Ready for JSON, and compared as a whole.
Identity = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One model and where its files stand.

    Attributes:
        name: in the configuration.
        entry: what the configuration says of it.
        root: the repository, from which relative paths start.
        models_folder: where retrieved models and quantized checkpoints stand, below ``root``.
        keep: which weights stay on disk.
        locked: the commit it must be of; None: not locked.
    """

    name: str
    entry: ModelEntry
    root: Path
    models_folder: str
    keep: Literal["full", "quantized", "both"]
    locked: LockedModel | None


@dataclass(frozen=True, slots=True)
class CellSpec:
    """Everything one cell is run and planned by.

    Attributes:
        cell: its name.
        stored: its model.
        precision, dataset: their entries.
        template: file of the prompt template.
        max_new_tokens: of one output: the dataset's limit for the prompting, or the run's where that is lower, and on top
            what the model's thought may take.
        sampling: of self-consistency; None: greedy.
        limit: stratified number of test samples; None: all.
        seed: of samples, of those timed, and of sampling.
        prompt_date: what chat templates take for today.
        prompt_tokens: length that prompts of a stand-in are cut or filled to; None: as the texts are.
        protocol: where the run follows the paper's authors.
        inference, measurement, hardware: settings of the run.
        alternatives: precisions of the model that results are shown of, by name: what advice can be given of.
        configuration: the run's settings as manifests record them.
    """

    cell: Cell
    stored: StoredModel
    precision: PrecisionEntry
    dataset: DatasetEntry
    template: Path
    max_new_tokens: int
    sampling: SelfConsistency | None
    limit: int | None
    seed: int
    prompt_date: date
    prompt_tokens: int | None
    protocol: ProtocolSettings
    inference: InferenceSettings
    measurement: MeasurementSettings
    hardware: HardwareSettings
    alternatives: Mapping[str, PrecisionEntry]
    configuration: dict[str, JsonValue]

    @property
    def model(self) -> ModelEntry:
        """The model's entry."""
        return self.stored.entry

    @property
    def answer_limit(self) -> int:
        """Most new tokens of an output beside its thought."""
        return self.max_new_tokens - self.model.reasoning_tokens

    @property
    def fixed_new_tokens(self) -> int | None:
        """Tokens of each output of the timing at a fixed length; None: there is none."""
        wanted = self.measurement.fixed_new_tokens
        return None if wanted is None else min(wanted, self.max_new_tokens)

    @property
    def compared_with(self) -> Cell | None:
        """The cell whose answers this one's are held against; None: this is full precision."""
        reference = self.precision.noise_floor_of or REFERENCE
        return None if reference == self.cell.precision else replace(self.cell, precision=reference)

    @property
    def keeps_likelihoods(self) -> bool:
        """Whether log-probabilities stand beside the answers.

        Not those of random weights, which mean nothing; not where latency and peak are those of the quality pass itself; and not
        those of continuous batching, whose scores stay in its own thread.
        """
        sought = self.inference.likelihoods and not self.model.has_random_weights
        return sought and self.protocol.timing == "apart" and self.inference.engine != "continuous"

    @property
    def answers_at_once(self) -> bool:
        """Whether the answer itself is the first that is written behind the prompt, in the form of the task."""
        thinks = self.model.reasoning is not None and self.model.enable_thinking is not False
        return self.cell.prompting == "instruction" and self.protocol.prompts == "own" and not thinks

    @property
    def chains(self) -> int:
        """Answers a sample."""
        return self.sampling.chains if self.sampling else 1

    @property
    def rows(self) -> int:
        """Answers a sample that are generated side by side: all chains, or one where each is timed or decoded by itself."""
        return 1 if self.protocol.one_by_one else self.chains

    @property
    def max_batch_size(self) -> int:
        """Most samples of a batch."""
        return 1 if self.inference.engine == "single" else self.inference.max_batch_size

    @property
    def identity(self) -> Identity:
        """Everything in the configuration that predictions and measurements depend on.

        Raises:
            ConfigError: no prompt template.
        """
        generation: Identity = {"max_new_tokens": self.max_new_tokens}
        labels = json.dumps([self.dataset.labels, self.dataset.entity_type])
        # Left out of the sound protocol's, whose cells were run before there was another.
        protocol: Identity = {} if self.protocol.is_sound else {"protocol": self.protocol.model_dump()}
        return protocol | {
            "cell": self.cell.folder,
            "model": self._model_identity(),
            "precision": self.precision.model_dump(
                include={"method", "settings", "noise_floor_of", "plan"}, exclude_none=True
            ),
            "prompt": {"template": _template_hash(self.template), "labels": text_hash(labels)},
            "samples": {"limit": self.limit, "seed": self.seed},
            "generation": generation | (self.sampling.model_dump() if self.sampling else {}),
            "inference": self.inference.model_dump(include={"engine", "token_budget", "max_batch_size", "stop_early"}),
            # The timing at a fixed length came later, and says itself how long outputs were: it runs no finished cell again.
            "measurement": self.measurement.model_dump(include={"latency_samples", "warmup"}),
            "engine_version": ENGINE_VERSION,
        }

    def _model_identity(self) -> Identity:
        """What weights and tokenizer are; a stand-in's follow from its architecture and the seed of its weights."""
        if not self.model.has_random_weights:
            facts = {"hub_id", "revision", "folder", "chat_template", "full_dtype"}
            return self.model.model_dump(include=facts) | self._chat_identity() | self._told_identity()
        stand_in: Identity = self.model.model_dump(
            include={"weights", "family", "architecture", "config_json", "chat_template", "full_dtype"},
            exclude_defaults=True,
        )
        made: Identity = {"weights_version": RANDOM_WEIGHTS_VERSION, "prompt_tokens": self.prompt_tokens}
        return stand_in | made | self._told_identity()

    def _chat_identity(self) -> Identity:
        """Which template and day are told, where that is set: only the tokenizer knows whether its template asks for the day."""
        named: Identity = self.model.model_dump(include={"chat_template_name"}, exclude_none=True)
        if self.model.chat_template == "none" or self.prompt_date == DEFAULT_PROMPT_DATE:
            return named
        return named | {"prompt_date": self.prompt_date.isoformat()}

    def _told_identity(self) -> Identity:
        """The system prompt and what is set about thoughts, each only where it is: thoughts decide where outputs stop, and which
        special tokens they keep.

        Their length is in the limit of new tokens.
        """
        return self.model.model_dump(include={"reasoning", "enable_thinking", "system_prompt"}, exclude_none=True)


def cell_specs(catalogue: Catalogue, cells: Iterable[Cell]) -> dict[Cell, CellSpec]:
    """Each cell with everything that the configuration says of it."""
    run = catalogue.run
    configuration: dict[str, JsonValue] = run.model_dump(mode="json")
    shown = [(name, entry) for name, entry in catalogue.precisions.items() if entry.noise_floor_of is None]
    alternatives = {
        name: {precision: entry for precision, entry in shown if model.runs_at(entry)}
        for name, model in catalogue.models.items()
    }
    specs = {}
    for cell in cells:
        dataset = catalogue.datasets[cell.dataset]
        stated = dataset.max_new_tokens[cell.prompting]
        specs[cell] = CellSpec(
            cell=cell,
            stored=stored_model(catalogue, cell.model),
            precision=catalogue.precisions[cell.precision],
            dataset=dataset,
            template=template_path(catalogue.root, cell.dataset, cell.prompting, run.protocol.prompts),
            max_new_tokens=min(stated, run.inference.max_new_tokens or stated)
            + catalogue.models[cell.model].reasoning_tokens,
            sampling=run.inference.self_consistency if cell.prompting == "self_consistency" else None,
            limit=run.limit,
            seed=run.seed,
            prompt_date=run.prompt_date,
            prompt_tokens=run.random_weights.prompt_tokens,
            protocol=run.protocol,
            inference=run.inference,
            measurement=run.measurement,
            hardware=run.hardware,
            alternatives=alternatives[cell.model],
            configuration=configuration,
        )
    return specs


def cell_spec(catalogue: Catalogue, cell: Cell) -> CellSpec:
    """One cell, see :func:`cell_specs`."""
    return cell_specs(catalogue, [cell])[cell]


def stored_model(catalogue: Catalogue, name: str) -> StoredModel:
    """One model of the configuration, and where its files stand."""
    run = catalogue.run
    return StoredModel(
        name, catalogue.models[name], catalogue.root, run.models_folder, run.keep, catalogue.locked.get(name)
    )


def identity_hash(identity: Mapping[str, JsonValue]) -> str:
    """SHA-256 of an identity, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


@cache
def _template_hash(path: Path) -> str:
    return text_hash(read_template(path))
