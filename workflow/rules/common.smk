# Needs: a configuration. Produces: the checked catalogue, the run's cells, and the paths and functions rules share.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

# In a checkout the package lies beside the rules and need not be installed.
BESIDE = Path(str(workflow.current_basedir)).parent
if (BESIDE / "quantbench").is_dir():
    sys.path.insert(0, str(BESIDE))

try:
    from quantbench import (
        bundle,
        config as settings,
        datasets,
        figures,
        planner as planning,
        privacy,
        provenance,
        recovery,
        tasks,
    )
except ModuleNotFoundError as error:
    if error.name != "quantbench":
        raise
    raise WorkflowError(
        f"{workflow.current_basedir}: these rules need the Python package quantbench, which stands beside them in a checkout "
        "only. Install it where snakemake runs, from the same repository and version: "
        "pip install 'quantbench[analysis,inference] @ git+https://<host>/<owner>/<repository>@<tag>'"
    )

from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.records import repeat_names
from quantbench.figures.selection import selection
from quantbench.study import grid
from quantbench.errors import QuantbenchError
from quantbench.study.full_answers import reads_answers_of, stands
from quantbench.study.spec import cell_spec, cell_specs
from quantbench.store.places import check_receipt, model_folder, receipt_path

# What the configuration names by a relative path is looked for here first, then in the shipped catalogue; what the run writes
# lies here.
ROOT = Path.cwd()


def completed(given):
    """A configuration whose missing keys have the values of the shipped ``config/config.yaml``."""
    values = read_yaml(settings.shipped_catalogue() / "config/config.yaml")
    update_config(values, given)
    return values


try:
    # Snakemake reads these itself and lets the last of two equal keys win; ours refuses them by line.
    # As a module, they are the other workflow's.
    if workflow.modifier.is_main_snakefile():
        for path in map(Path, workflow.configfiles):
            if path.suffix != ".json":
                read_yaml(path)
    # Not by `configfile:`, which does nothing where this is a module of another workflow.
    config = completed(config)
    stated = list(map(str, workflow.configfiles)) or ["config/config.yaml"]
    CATALOGUE = settings.load(ROOT, config, ", ".join(stated + ["--config"] * bool(workflow.config_settings.config)))
    REQUESTS = planning.Requests(CATALOGUE.run.hardware)
    SELECTION = selection(CATALOGUE)
    SPECS = cell_specs(CATALOGUE, grid.run_cells(CATALOGUE))
    CELLS = [spec.cell for spec in planning.fitting(REQUESTS, list(SPECS.values()))]
    # Missing files of a local data folder are named here, before anything runs.
    SOURCES = datasets.local_sources(
        CATALOGUE.root,
        {cell.dataset: CATALOGUE.datasets[cell.dataset] for cell in CELLS},
        settings.data_folder(CATALOGUE.root, CATALOGUE.run),
    )
    USED_MODELS = list(dict.fromkeys(cell.model for cell in CELLS))
    USED_DATASETS = list(dict.fromkeys(cell.dataset for cell in CELLS))
    # With allow_missing, no model is used.
    for name in [] if CATALOGUE.run.allow_missing else USED_MODELS:
        check_receipt(
            name,
            CATALOGUE.models[name],
            CATALOGUE.locked.get(name),
            receipt_path(ROOT, CATALOGUE.run.models_folder, name),
        )
    for name in USED_DATASETS:
        tasks.get(CATALOGUE.datasets[name])  # refuses an unknown metric, and labels that its task cannot have
    CHOICE = CATALOGUE.run.data.texts_in_bundles
    PRIVATE = privacy.withheld(CHOICE, {name: CATALOGUE.datasets[name] for name in USED_DATASETS}).names
    UNSCORED = bundle.unscored(Path(CATALOGUE.run_folder))
except QuantbenchError as error:
    raise WorkflowError(str(error))

RUN = CATALOGUE.run_folder

# Here, since Snakemake asks for its lock once it has read all rules. Jobs read the same rules and lock nothing.
if workflow.is_main_process:
    for line in recovery.clear_stale_locks(Path(".snakemake/locks"), RUN, sys.argv[1:]):
        logger.warning(line)
    recovery.sign_when_locked(workflow)

PLANNED = frozenset(CELLS)
CELL = "{model}/{precision}/{dataset}/{prompting}-{shots}shot"


def finished(cells):
    """The cells that have left all their files."""
    return [cell for cell in cells if Path(f"{RUN}/cells/{cell.folder}/manifest.json").exists()]


# With allow_missing, merges take the cells that exist and say which are missing; no inference is started.
MERGED = finished(CELLS) if CATALOGUE.run.allow_missing else CELLS


wildcard_constraints:
    model="|".join(map(re.escape, CATALOGUE.models)),
    precision="|".join(map(re.escape, CATALOGUE.precisions)),
    dataset="|".join(map(re.escape, CATALOGUE.datasets)),
    prompting="instruction|cot|self_consistency",
    shots=r"\d+",
    figure="|".join(SELECTION.drawn),


def check_fit():
    """Refuse, or remark on, what the GPUs here do not hold; only the process that the user started asks."""
    offered = workflow.global_resources.get("gpu")
    done = set(finished(CELLS))
    pending = [SPECS[cell] for cell in CELLS if cell not in done]
    try:
        for line in planning.remarks(REQUESTS, list(SPECS.values()), pending, offered.value if offered else None):
            logger.warning(line)
    except QuantbenchError as error:
        raise WorkflowError(str(error))


def cell_of(wildcards):
    """The cell a job's wildcards name."""
    return Cell(wildcards.model, wildcards.precision, wildcards.dataset, wildcards.prompting, int(wildcards.shots))


def spec_of(wildcards):
    """The cell a job's wildcards name with all its settings; it need not be one of the run."""
    cell = cell_of(wildcards)
    return SPECS[cell] if cell in SPECS else cell_spec(CATALOGUE, cell)


def cell_files(name, cells):
    """One file of each of some cells."""
    return [f"{RUN}/cells/{cell.folder}/{name}" for cell in cells]


def full_answers(wildcards):
    """The answers of full precision that a cell's model reads too; a finished cell's are those that it has read, or none."""
    spec = spec_of(wildcards)
    folder = Path(f"{RUN}/cells/{spec.cell.folder}")
    reference = reads_answers_of(spec, folder)
    if reference is None:
        return []
    path = f"{RUN}/cells/{reference.folder}/predictions.jsonl"
    if (reference not in PLANNED or CATALOGUE.run.allow_missing) and not Path(path).exists():
        return []
    # Newer answers of full precision run no finished cell again. Where both are to run again, Snakemake would pass over a cell
    # whose only such input is ancient.
    return ancient(path) if stands(spec, folder) else path


def score_parts(size):
    """Dataset and number of each scoring job -> its cells, at most ``size``."""
    parts = {}
    # Of an opened bundle without texts, the scored answers are taken as they came.
    for dataset in [name for name in CATALOGUE.datasets if name not in UNSCORED]:
        cells = [cell for cell in MERGED if cell.dataset == dataset]
        for number, start in enumerate(range(0, len(cells), size), start=1):
            parts[dataset, number] = cells[start : start + size]
    return parts


def thought_markers(cells):
    """How the models of some cells mark their thoughts, where their entries say it."""
    entries = {cell.model: CATALOGUE.models[cell.model] for cell in cells}
    return {name: entry.reasoning.model_dump() for name, entry in entries.items() if entry.reasoning}


def figure_files():
    """Every figure of the run in every format."""
    return expand(f"{RUN}/figures/{{figure}}.{{format}}", figure=list(SELECTION.drawn), format=["png", "pdf", "svg"])


def from_here(paths):
    """Paths relative to the working directory where they lie in it, so that a moved checkout reruns nothing."""
    here = Path.cwd()
    return [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in map(Path, paths)]


# Relative where it lies in the working directory; a shared folder elsewhere keeps its absolute path.
MODELS = from_here([ROOT / CATALOGUE.run.models_folder])[0]


def dataset_files(wildcards):
    """What a dataset is prepared from: a local folder's files, or the receipt of the download."""
    return from_here(SOURCES.get(wildcards.dataset, [f"resources/datasets/{wildcards.dataset}/retrieved.json"]))


def model_files(wildcards):
    """What stands for a model: the receipt of its download, a local folder's configuration and weights, or nothing."""
    entry = CATALOGUE.models[wildcards.model]
    if entry.has_random_weights:  # made where it runs
        return []
    if entry.folder is None:
        return f"{MODELS}/{wildcards.model}.json"
    folder = model_folder(CATALOGUE.root, MODELS, wildcards.model, entry)
    return from_here(sorted(path for path in folder.glob("*") if path.suffix in {".json", ".safetensors", ".bin"}))


def request(name):
    """What a cell's job asks for by one resource's name; retries ask for more."""
    return lambda wildcards, attempt: getattr(REQUESTS.request(spec_of(wildcards), attempt), name)


def longest_first(wildcards):
    """Priority of a cell: the minutes it is planned to take."""
    return REQUESTS.priority(spec_of(wildcards))


def quantizing(name):
    """What a quantization asks for by one resource's name: what a cell that loads the result would."""

    def asked(wildcards, attempt):
        cells = [cell for cell in CELLS if (cell.model, cell.precision) == (wildcards.model, wildcards.precision)]
        return getattr(REQUESTS.request(SPECS[cells[0]], attempt), name) if cells else 0

    return asked
