"""The bodies of the workflow's jobs: plain values in, one call of the package.

``workflow/scripts/job.py`` calls the function that a rule's ``params.job`` names; what its parameters are called is what the
rule calls its files, wildcards, parameters and resources. Imports stand inside the functions: a job that draws a figure
must not pay for torch, nor one that infers for pandas; and what a function imports is what makes its rule run again
(:mod:`quantbench.provenance`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .config import Catalogue, DatasetEntry, RunConfig, load, located
from .config.settings import parse, read_yaml
from .contracts.cell_name import parse_folder
from .errors import ConfigError

if TYPE_CHECKING:
    from .statistics import Bootstrap

Config = dict[str, object]


def catalogue_of(config: Config) -> Catalogue:
    """The checked configuration of a job."""
    return load(Path.cwd(), config, "configuration")


def retrieve_dataset(config: Config, dataset: str, receipt: Path) -> None:
    """Download a dataset into the folder of its receipt."""
    from .contracts.checksums import sha256_of
    from .contracts.prepared_dataset import DownloadedDataset
    from .datasets.hub_rows import retrieve_hub
    from .datasets.pinned_files import mirror_urls, retrieve

    catalogue = catalogue_of(config)
    entry = catalogue.datasets[dataset]
    if entry.hub is not None:
        files = retrieve_hub(entry, dataset, receipt.parent)
    else:
        base_url, pool_url = mirror_urls(catalogue.run.data.mirror)
        files = retrieve(entry, dataset, receipt.parent, base_url=base_url, pool_url=pool_url)
    DownloadedDataset(dataset=dataset, files={path.name: sha256_of(path) for path in files}).write(receipt)


def retrieve_model(config: Config, model: str, receipt: Path) -> None:
    """Download a model into the folder beside its receipt."""
    from .store.retrieval import retrieve_model as retrieve

    catalogue = catalogue_of(config)
    retrieve(model, catalogue.models[model], catalogue.locked.get(model), receipt.with_name(model), receipt)


def quantize_model(
    config: Config, model: str, precision: str, manifest: Path, notes: str, gpu: int = 0, gres: str | None = None
) -> None:
    """Write the quantized checkpoint of a model at a precision into the folder of ``manifest``.

    Args:
        config: the run's configuration.
        model: name of the model.
        precision: name of the precision.
        manifest: file that says what the checkpoint is.
        notes: folder that remembers which files were hashed.
        gpu: GPUs to lease, where they are asked for by number.
        gres: the same, where they are asked for as a generic resource.
    """
    from .contracts.model_folder import MadeWith
    from .devices import lease_folder, lease_visible
    from .devices.cuda_check import check_cuda, check_devices
    from .devices.description import device_facts, software
    from .devices.runtime import choose_device, set_environment
    from .measure.neighbours import Neighbours
    from .planner import gpus_asked_for
    from .store.found_weights import full_weights
    from .study.spec import stored_model

    catalogue = catalogue_of(config)
    device, gpus = choose_device(catalogue.run.hardware), gpus_asked_for({"gpu": gpu, "gres": gres})
    with lease_visible(gpus, lease_folder(), f"quantizing {model} to {precision}") as leased:
        uuids = leased if device == "cuda" else []
        set_environment(catalogue.run.hardware.threads, device, uuids)
        check_cuda(device, uuids)
        neighbours = Neighbours(uuids)
        check_devices(device, uuids)
        from .models.quantizing import Source, quantize_model

        weights = full_weights(stored_model(catalogue, model), Path(notes))
        source = Source(model, catalogue.models[model], weights.folder, weights.revision, weights.files)
        made_on, with_software = device_facts(device, leased), software(catalogue.root)
        made_with = MadeWith(device=made_on, **with_software.model_dump())
        quantize_model(source, catalogue.precisions[precision], manifest.parent, device, made_with, neighbours)


def release_weights(config: Config, model: str, checkpoints: list[Path], notes: str) -> None:
    """Free the full weights of a retrieved model whose quantized checkpoints are the ones with these manifests."""
    from .contracts.model_folder import CheckpointManifest
    from .store.cleaning import release_weights as release
    from .store.places import model_folder

    catalogue = catalogue_of(config)
    folder = model_folder(catalogue.root, catalogue.run.models_folder, model, catalogue.models[model])
    release(folder, model, {path.parent: CheckpointManifest.read(path).files for path in checkpoints}, Path(notes))


def prepare_dataset(
    dataset: str,
    entry: str,
    limit: int | None,
    seed: int,
    files: list[Path],
    samples: Path,
    private: int = 0,
    log: Path | None = None,
) -> None:
    """Write a dataset's samples and worked examples into the folder of ``samples``.

    Cells run again after this, so it gets what it needs by value and knows nothing of the configuration beside it.

    Args:
        dataset: name of the dataset.
        entry: its entry, as JSON.
        limit: number of test samples; None: all.
        seed: of the samples and examples that are drawn.
        files: what it is read from, in one folder.
        samples: where the samples go.
        private: whether only their owner may read the files; no other number than 0 and 1.
        log: the job's log, which may quote a line that is wrong.
    """
    from .datasets import prepare
    from .privacy.owner_only import close_to_others

    if private:
        close_to_others([samples.parent], [log] if log else [])
    prepare(_entry(entry, dataset), dataset, files[0].parent, limit, seed, samples.parent)


def prepare_first_rows(
    dataset: str,
    entry: str,
    limit: int | None,
    seed: int,
    files: list[Path],
    samples: Path,
    private: int = 0,
    log: Path | None = None,
) -> None:
    """As :func:`prepare_dataset`, whose arguments it takes, with worked examples as the paper's authors chose them.

    A job of its own, so that what changes here runs no cell of the sound protocol again.
    """
    from .datasets import prepare_first_rows as prepare
    from .privacy.owner_only import close_to_others

    if private:
        close_to_others([samples.parent], [log] if log else [])
    prepare(_entry(entry, dataset), dataset, files[0].parent, limit, seed, samples.parent)


def _entry(text: str, dataset: str) -> DatasetEntry:
    """A dataset's entry, as a rule hands it over."""
    from .reading.json_text import parse_object

    source = f"entry of {dataset}"
    return parse(DatasetEntry, parse_object(text, source, ConfigError), source)


def infer(
    config: Config,
    cell: str,
    samples: Path,
    predictions: Path,
    progress: str,
    notes: str,
    log: Path,
    full: Path | None = None,
    gpu: int = 0,
    gres: str | None = None,
) -> None:
    """Run one cell; in a process that is warm already where the configuration says so.

    Args:
        config: the run's configuration.
        cell: the cell, named by its folder.
        samples: the dataset's prepared samples.
        predictions: the answers; the cell's other files stand beside them.
        progress: what stands for this cell while it is not finished, as path without suffix.
        notes: folder that remembers which files were hashed.
        log: where a warm process writes what it says.
        full: full precision's answers to the same prompts; None: the cell is compared with none.
        gpu: GPUs to lease, where they are asked for by number.
        gres: the same, where they are asked for as a generic resource.
    """
    from .cell.warm import call
    from .devices import lease_folder
    from .planner import gpus_asked_for
    from .privacy.owner_only import close_if_private

    catalogue = catalogue_of(config)
    hardware, gpus = catalogue.run.hardware, gpus_asked_for({"gpu": gpu, "gres": gres})
    entry = catalogue.datasets[parse_folder(cell).dataset]
    close_if_private(catalogue.run.data.texts_in_bundles, entry, [predictions.parent, Path(progress)], log)
    folders = {
        "data": str(samples.parent),
        "outputs": str(predictions.parent),
        "progress": progress,
        "leases": str(lease_folder()),
        "notes": notes,
    }
    if full:
        folders["full"] = str(full.parent)
    if not hardware.warm_start:
        infer_here(config, cell, folders, gpus)
        return
    arguments = {"config": config, "cell": cell, "folders": folders, "gpus": gpus, "log": str(log)}
    status = call("quantbench.jobs:infer_forked", arguments, hardware.threads)
    if status:
        raise SystemExit(status)


def infer_forked(config: Config, cell: str, folders: dict[str, str], gpus: int, log: str) -> None:
    """Run one cell in a process forked for it, whose output no log copies."""
    from .joblog import job_log

    with job_log(log):
        infer_here(config, cell, folders, gpus)


def infer_here(config: Config, cell: str, folders: dict[str, str], gpus: int) -> None:
    """Run one cell in this process; ``folders`` are the paths of :class:`quantbench.cell.prepared_cell.CellFolders` by name."""
    from .cell.prepared_cell import CellFolders
    from .cell.running import run_cell
    from .reading.os_errors import in_words, possible
    from .study.spec import cell_spec

    paths = CellFolders(**{name: possible(path) for name, path in folders.items()})
    with in_words(paths.outputs):
        run_cell(cell_spec(catalogue_of(config), parse_folder(cell)), paths, gpus)


def score(config: Config, dataset: str, samples: Path, cells: list[str], log: Path | None = None) -> None:
    """Score the named cells of one dataset; ``log``: the job's, which may quote a line that is wrong."""
    from .privacy.owner_only import close_if_private
    from .scoring import origin_of, score_cell

    catalogue = catalogue_of(config)
    chosen = [(cell, Path(catalogue.run_folder) / "cells" / cell.folder) for cell in map(parse_folder, cells)]
    entry = catalogue.datasets[dataset]
    close_if_private(catalogue.run.data.texts_in_bundles, entry, [folder for _, folder in chosen], log)
    for cell, folder in chosen:
        score_cell(folder, samples, catalogue.datasets[dataset], _bootstrap(catalogue.run), origin_of(catalogue, cell))


def _bootstrap(run: RunConfig) -> Bootstrap:
    from .statistics import Bootstrap

    return Bootstrap(run.comparison.resamples, run.seed, run.comparison.confidence)


def compare(config: Config, cells: list[str]) -> None:
    """Make every table from the named cells."""
    from .contracts.run_settings import RunSettings
    from .study.grid import wanted_cells
    from .tables import Judging, write_likelihood_tables, write_tables
    from .tables.paper_rows import published_path

    catalogue = catalogue_of(config)
    run, results = catalogue.run, Path(catalogue.run_folder)
    judging = Judging(run.comparison, _bootstrap(run))
    studies, chosen = wanted_cells(catalogue).studies, [parse_folder(cell) for cell in cells]
    write_tables(catalogue.vocabulary, results, chosen, studies, judging, published_path(catalogue.root))
    write_likelihood_tables(catalogue.vocabulary, results, chosen, judging.bootstrap)
    RunSettings.model_validate(run.model_dump()).write(results / RunSettings.path)


def figure(config: Config, figure: str) -> None:
    """Draw one figure from the run's tables."""
    from . import figures
    from .contracts.effect_parts import LabelEffectRow
    from .contracts.effect_rows import EffectRow
    from .contracts.likelihood_tables import FlipRow, ReliabilityRow
    from .contracts.pooled_rows import PooledRow
    from .contracts.resampled_scores import ResampledScores
    from .contracts.run_tables import CellRow
    from .figures.selection import selection
    from .figures.view import View

    catalogue = catalogue_of(config)
    folder = Path(catalogue.run_folder)
    view = View(
        vocabulary=catalogue.vocabulary,
        run=catalogue.run,
        expected=selection(catalogue).cells(figure),
        table=tuple(CellRow.read(folder / CellRow.path)),
        effects=tuple(EffectRow.read(folder / EffectRow.path)),
        pooled=tuple(PooledRow.read(folder / PooledRow.path)),
        label_effects=tuple(LabelEffectRow.read(folder / LabelEffectRow.path)),
        reliability=tuple(ReliabilityRow.read(folder / ReliabilityRow.path)),
        flips=tuple(FlipRow.read(folder / FlipRow.path)),
        draws=ResampledScores.found(folder / ResampledScores.path),
    )
    figures.save(figures.draw(figure, view), folder / "figures" / figure)


def recommend(config: Config) -> None:
    """Write what to deploy for every task on GPUs of common sizes, from the run's tables."""
    from .recommend.from_run import tables_evidence
    from .recommend.overview import write_overview

    catalogue = catalogue_of(config)
    folder = Path(catalogue.run_folder)
    evidence = tables_evidence(catalogue.vocabulary, catalogue.run, folder)
    write_overview(evidence, catalogue.run.comparison.margin, folder)


def published_figures(recommendations: Path) -> None:
    """Draw the paper's Table 1 as Figures 2 (two ways) and 7, marked as published values, and write its recommendations."""
    from . import figures
    from .figures.paper import draw_published
    from .recommend import published_evidence
    from .recommend.overview import write_overview
    from .reproduce.constant_answers import read_constant_answers
    from .study.grid import wanted_cells
    from .tables.paper_rows import published_path

    catalogue, folder = catalogue_of(read_yaml(located(Path.cwd(), "config/config.yaml"))), recommendations.parent
    vocabulary, path = catalogue.vocabulary, published_path(catalogue.root)
    shown = wanted_cells(catalogue).figures["figure2"]
    constants = read_constant_answers(catalogue.root)
    for name, drawn in draw_published(vocabulary, catalogue.run, shown, path, constants).items():
        figures.save(drawn, folder / "figures" / name)
    write_overview(published_evidence(vocabulary, path), catalogue.run.comparison.margin, folder)


def report(config: Config, cells: list[str], target: Path) -> None:
    """Write the run's page for people from its tables, figures and the named cells' answers, and its list of figures."""
    from .contracts.figure_list import FigureList
    from .figures.selection import selection
    from .privacy.withholding import withheld
    from .report import PromptSource, write_report
    from .study.grid import run_cells
    from .study.spec import cell_specs

    catalogue = catalogue_of(config)
    limits = {cell: spec.max_new_tokens for cell, spec in cell_specs(catalogue, run_cells(catalogue)).items()}
    data = catalogue.run.data
    private = withheld(data.texts_in_bundles, {cell.dataset: catalogue.datasets[cell.dataset] for cell in limits}).names
    hidden = frozenset() if data.private_texts_in_report else private
    prompts = PromptSource(
        catalogue.root, Path(catalogue.run_folder), catalogue.datasets, catalogue.run.protocol, hidden
    )
    finished = [parse_folder(cell) for cell in cells]
    found = selection(catalogue)
    listed = FigureList(drawn=list(found.drawn), left_out=found.left_out)
    shown = bool(private - hidden)
    write_report(catalogue.vocabulary, catalogue.run, prompts, limits, finished, listed, target, private=shown)
    listed.write(Path(catalogue.run_folder) / FigureList.path)
