"""The bodies of the workflow's jobs: plain values in, one call of the package. Scripts only unpack ``snakemake``.

Imports stand inside the functions: a job that draws a figure must not pay for torch, nor one that infers for pandas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Catalogue, RunConfig, catalogue_root, data_folder, load
from .config.settings import read_yaml
from .joblog import job_log
from .study.grid import parse_folder

if TYPE_CHECKING:
    from .statistics import Bootstrap

ROOT = catalogue_root()


def catalogue_of(config: dict[str, Any]) -> Catalogue:
    """The checked configuration of a job."""
    return load(ROOT, config, "configuration")


def retrieve_dataset(config: dict[str, Any], dataset: str, receipt: Path) -> None:
    """Download a dataset into the folder of its receipt."""
    from .contracts.files import write_json
    from .datasets import sha256_of
    from .datasets.hub_rows import retrieve_hub
    from .datasets.pinned_files import mirror_urls, retrieve

    catalogue = catalogue_of(config)
    entry = catalogue.datasets[dataset]
    if entry.hub is not None:
        files = retrieve_hub(entry, dataset, receipt.parent)
    else:
        base_url, pool_url = mirror_urls(catalogue.run.data.mirror)
        files = retrieve(entry, dataset, receipt.parent, base_url=base_url, pool_url=pool_url)
    write_json(receipt, {"dataset": dataset, "files": {path.name: sha256_of(path) for path in files}})


def retrieve_model(config: dict[str, Any], model: str, receipt: Path) -> None:
    """Download a model into the folder beside its receipt."""
    from .store.retrieval import retrieve_model as retrieve

    catalogue = catalogue_of(config)
    retrieve(model, catalogue.models[model], catalogue.locked.get(model), receipt.with_name(model), receipt)


def lock_models(config: dict[str, Any], models: list[str]) -> None:
    """Write ``config/models.lock.yaml`` for the named models."""
    from .store.locking import lock_models as lock

    lock(catalogue_of(config), models)


def quantize_model(config: dict[str, Any], model: str, precision: str, manifest: Path, machine: dict[str, Any]) -> None:
    """Write the quantized checkpoint of a model at a precision into the folder of ``manifest``.

    ``machine`` holds ``gpus`` (how many to lease), ``leases`` and ``notes`` (folders, as for cells).
    """
    from .cell.manifest import device_facts, software
    from .devices import lease_visible
    from .devices.runtime import choose_device, set_environment
    from .store.found_weights import full_weights

    catalogue = catalogue_of(config)
    device = choose_device(catalogue.run)
    with lease_visible(machine["gpus"], Path(machine["leases"]), f"quantizing {model} to {precision}") as leased:
        uuids = leased if device == "cuda" else []
        set_environment(catalogue.run.hardware.threads, device, uuids)
        from .models.quantizing import Source, quantize_model

        weights = full_weights(catalogue, model, Path(machine["notes"]))
        source = Source(model, catalogue.models[model], weights.folder, weights.revision, weights.files)
        made_with = {"device": device_facts(device, leased), **software(catalogue.root)}
        quantize_model(source, catalogue.precisions[precision], manifest.parent, device, made_with)


def release_weights(config: dict[str, Any], model: str, manifests: list[str], notes: Path) -> None:
    """Free the full weights of a retrieved model whose quantized checkpoints are the ones with these manifests."""
    from .contracts.files import read_json
    from .store.cleaning import release_weights as release
    from .store.folder import model_folder

    catalogue = catalogue_of(config)
    folder = model_folder(catalogue.root, catalogue.run.models_folder, model, catalogue.models[model])
    release(folder, model, {str(Path(path).parent): read_json(Path(path))["files"] for path in manifests}, notes)


def verify_files(config: dict[str, Any], models: list[str], datasets: list[str], notes: Path) -> None:
    """Read every file of models, checkpoints and datasets again and hold it against its recorded hash."""
    from .verify.run_files import verify_everything

    verify_everything(catalogue_of(config), models, datasets, notes)


def clean(config: dict[str, Any], target: str, paths: list[str]) -> None:
    """Say what some files and folders take, and delete them where the configuration confirms it."""
    from .store.cleaning import clean as free

    free(map(Path, paths), catalogue_of(config).run.confirm, target)


def prepare_dataset(config: dict[str, Any], dataset: str, out: Path) -> None:
    """Write a dataset's samples and worked examples into the folder ``out``."""
    from .datasets import prepare, source_folder

    catalogue = catalogue_of(config)
    entry = catalogue.datasets[dataset]
    folder = source_folder(catalogue.root, entry, dataset, data_folder(catalogue.root, catalogue.run))
    prepare(entry, dataset, folder, catalogue.run.limit, catalogue.run.seed, out)


def infer(config: dict[str, Any], cell: str, folders: dict[str, str], gpus: int, log: str) -> None:
    """Run one cell, named by its folder; in a process that is warm already where the configuration says so.

    ``folders`` are the paths of :class:`quantbench.cell.running.CellFolders` by field name.
    """
    hardware = catalogue_of(config).run.hardware
    arguments: dict[str, Any] = {"config": config, "cell": cell, "folders": folders, "gpus": gpus, "log": log}
    if not hardware.warm_start:
        infer_here(**arguments)
        return
    from .cell.warm import call

    status = call("quantbench.jobs:infer_here", arguments, hardware.threads)
    if status:
        raise SystemExit(status)


def infer_here(config: dict[str, Any], cell: str, folders: dict[str, str], gpus: int, log: str) -> None:
    """Run one cell in this process, with its log."""
    with job_log(log):
        from .cell.running import CellFolders, run_cell

        paths = CellFolders(**{name: Path(path) for name, path in folders.items()})
        run_cell(catalogue_of(config), parse_folder(cell), paths, gpus)


def score(config: dict[str, Any], dataset: str, data: Path, cells: list[str]) -> None:
    """Score the named cells of one dataset."""
    from .scoring import score_cell

    catalogue = catalogue_of(config)
    for cell in cells:
        folder = Path(catalogue.run_folder) / "cells" / cell
        score_cell(folder, data / "samples.jsonl", catalogue.datasets[dataset], _bootstrap(catalogue.run))


def _bootstrap(run: RunConfig) -> Bootstrap:
    from .statistics import Bootstrap

    return Bootstrap(run.comparison.resamples, run.seed, run.comparison.confidence)


def compare(config: dict[str, Any], cells: list[str]) -> None:
    """Make every table from the named cells."""
    from .contracts.run_settings import RunSettings
    from .study.grid import wanted_cells
    from .tables import Judging, write_tables
    from .tables.paper_rows import published_path

    catalogue = catalogue_of(config)
    run, results = catalogue.run, Path(catalogue.run_folder)
    judging = Judging(run.comparison.margin, _bootstrap(run))
    studies, chosen = wanted_cells(catalogue).studies, [parse_folder(cell) for cell in cells]
    write_tables(catalogue.vocabulary, results, chosen, studies, judging, published_path(catalogue.root))
    RunSettings.model_validate(run.model_dump()).write(results / RunSettings.path)


def figure(config: dict[str, Any], name: str) -> None:
    """Draw one figure from the run's tables."""
    from . import figures
    from .contracts.run_tables import CellRow, EffectRow
    from .study.grid import wanted_cells

    catalogue = catalogue_of(config)
    folder = Path(catalogue.run_folder)
    cells, effects = CellRow.read(folder / CellRow.path), EffectRow.read(folder / EffectRow.path)
    view = figures.view_of(name, wanted_cells(catalogue), catalogue.vocabulary, catalogue.run, cells, effects)
    figures.save(figures.draw(name, view), folder / "figures" / name)


def recommendations(config: dict[str, Any]) -> None:
    """Write what to deploy for every task on GPUs of common sizes, from the run's tables."""
    from .recommend.from_run import tables_evidence
    from .recommend.overview import write_overview

    catalogue = catalogue_of(config)
    folder = Path(catalogue.run_folder)
    evidence = tables_evidence(catalogue.vocabulary, catalogue.run, folder)
    write_overview(evidence, catalogue.run.comparison.margin, folder)


def published_figures(folder: Path) -> None:
    """Draw the paper's Table 1 as Figures 2 and 7, marked as published values, and write its recommendations."""
    from . import figures
    from .figures.paper import draw_published
    from .recommend import published_evidence
    from .recommend.overview import write_overview
    from .study.grid import wanted_cells
    from .tables.paper_rows import published_path

    catalogue = catalogue_of(read_yaml(ROOT / "config/config.yaml"))
    vocabulary, path = catalogue.vocabulary, published_path(catalogue.root)
    shown = wanted_cells(catalogue).figures["figure2"]
    for name, drawn in draw_published(vocabulary, catalogue.run, shown, path).items():
        figures.save(drawn, folder / "figures" / name)
    write_overview(published_evidence(vocabulary, path), catalogue.run.comparison.margin, folder)


def bundle(config: dict[str, Any], cells: list[str], target: Path) -> None:
    """Pack the named cells with everything their figures need."""
    from .bundle import pack

    catalogue = catalogue_of(config)
    index = pack(catalogue, Path(catalogue.run_folder), [parse_folder(cell) for cell in cells], target)
    left_out = [*(f"texts of {name}" for name in index.without_texts)]
    left_out += [f"outputs of {name}" for name in index.without_outputs]
    print(
        f"{target}: {len(index.cells)} cells, {target.stat().st_size / 2**20:.1f} MiB; left out: {', '.join(left_out) or 'nothing'}"
    )


def report(config: dict[str, Any], cells: list[str], target: Path) -> None:
    """Write the run's page for people from its tables, figures and the named cells' answers."""
    from .report import PromptSource, write_report
    from .study.grid import run_cells

    catalogue = catalogue_of(config)
    prompts = PromptSource(catalogue.root, Path(catalogue.run_folder), catalogue.datasets)
    finished = [parse_folder(cell) for cell in cells]
    write_report(catalogue.vocabulary, catalogue.run, prompts, run_cells(catalogue), finished, target)
