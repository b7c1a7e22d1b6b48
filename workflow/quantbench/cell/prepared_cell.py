"""One cell before its model loads: where its files stand, and what is checked and planned without a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..contracts.files import read_json
from ..datasets import check_prepared
from ..engine.batches import Plan, Request, make_plan, plan_hash
from ..reading.json_text import as_read
from ..store.found_weights import Weights, find_weights
from ..study.spec import CellSpec, Identity, identity_hash
from .questions import Questions, questions_of
from .requests import Prompts, build_prompts, check_context

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer
    from ..models.number_formats import NumberFormats


@dataclass(frozen=True)
class CellFolders:
    """Where one cell reads and writes. ``notes`` remembers which model files were hashed; None: beside the leases.

    ``full`` is the folder of the full-precision cell that this one is compared with; None: there is none.
    """

    data: Path
    outputs: Path
    progress: Path
    leases: Path
    notes: Path | None = None
    full: Path | None = None


@dataclass(frozen=True)
class PreparedCell:
    """A cell once everything that can be checked without its model has been checked."""

    prompts: Prompts
    plan: Plan
    identity: Identity
    tokenizer: Tokenizer
    weights: Weights
    formats: NumberFormats
    questions: Questions | None

    @property
    def full(self) -> str | None:
        """Hash of full precision's answers that the model reads too; None: it reads none."""
        return self.questions.full.sha256 if self.questions and self.questions.full else None

    @property
    def requests(self) -> list[Request]:
        """The prompts as the engine takes them."""
        return self.prompts.requests


def prepare_cell(spec: CellSpec, folders: CellFolders, device: str) -> PreparedCell:
    """Build prompts and plan, and refuse what can be refused before a model loads.

    Args:
        spec: what to run.
        folders: where samples and models stand.
        device: ``cuda`` or ``cpu``.

    Raises:
        QuantbenchError: anything the user can mend.
    """
    from ..models.number_formats import number_formats

    check_prepared(folders.data)
    weights = find_weights(spec, folders.notes or folders.leases.with_name(".verified"))
    tokenizer = _tokenizer(spec, weights.folder)
    prompts = build_prompts(spec, folders.data, tokenizer)
    requests = prompts.requests
    check_context(requests, spec)
    plan = make_plan(
        lengths=[len(request.token_ids) for request in requests],
        rows=spec.rows,
        new_tokens=spec.max_new_tokens,
        token_budget=spec.inference.token_budget,
        max_batch_size=spec.max_batch_size,
        number=spec.precision.plan_number,
    )
    identity = spec.identity | {
        "prompts": identity_hash({"texts": [request.text for request in requests]}),
        "plan": plan_hash(plan, [request.sample_id for request in requests]),
        "weights": identity_hash(dict(weights.files)),
    }
    formats = number_formats(spec.model, spec.precision, device)
    questions = questions_of(spec, folders.data, prompts, tokenizer, folders.full)
    return PreparedCell(prompts, plan, identity, tokenizer, weights, formats, questions)


def is_finished(outputs: Path, identity: Identity) -> bool:
    """Whether all files of a cell stand in its folder, made from this very identity; the manifest is written last."""
    manifest = outputs / "manifest.json"
    return manifest.exists() and read_json(manifest).get("identity") == as_read(identity)


def _tokenizer(spec: CellSpec, folder: Path) -> Tokenizer:
    """The tokenizer of a checked model folder, or a stand-in's."""
    if spec.model.has_random_weights:
        from ..models.synthetic_tokenizer import SyntheticTokenizer

        return cast("Tokenizer", SyntheticTokenizer(spec.model.architecture.vocab_size))
    from ..models.published_config import check_facts
    from ..models.tokenizing import load_tokenizer

    # transformers reads config.json for the tokenizer too, and would say that this cannot be loaded.
    check_facts(folder, spec.cell.model, spec.model)
    return load_tokenizer(folder, spec.model.architecture.vocab_size)
