# Needs: the checked catalogue. Produces: which weights each cell loads, by the run's `keep`.
from quantbench.contracts.model_folder import CheckpointPrecision
from quantbench.store.before_run import check_local_models, retrieval_remarks
from quantbench.store.places import uses_checkpoint

# Remembers which model files were hashed.
NOTES = f"{CATALOGUE.run.results_folder}/.verified"
# Models that are retrieved: neither local folders nor stand-ins.
HUB_MODELS = [
    name for name in USED_MODELS if CATALOGUE.models[name].hub_id and not CATALOGUE.models[name].has_random_weights
]


def loads_checkpoint(model, precision):
    """Whether cells of a model at a precision load a quantized checkpoint."""
    return uses_checkpoint(CATALOGUE.run.keep, CATALOGUE.models[model], CATALOGUE.precisions[precision])


def cell_weights(wildcards):
    """What a cell loads: the model, or its quantized checkpoint where the run keeps these."""
    if loads_checkpoint(wildcards.model, wildcards.precision):
        return f"{MODELS}/quantized/{wildcards.model}/{wildcards.precision}/manifest.json"
    return model_files(wildcards)


def unquantized_cells(model):
    """The cells of a model that load its full weights."""
    return [cell for cell in CELLS if cell.model == model and not loads_checkpoint(cell.model, cell.precision)]


def checkpoints_of(model):
    """The manifests of a model's quantized checkpoints that cells of the run load."""
    precisions = dict.fromkeys(cell.precision for cell in CELLS if cell.model == model)
    kept = [name for name in precisions if loads_checkpoint(model, name)]
    return [f"{MODELS}/quantized/{model}/{name}/manifest.json" for name in kept]


def released_files():
    """The markers of models whose full weights the run frees: retrieved ones that have quantized checkpoints."""
    if CATALOGUE.run.keep != "quantized" or CATALOGUE.run.allow_missing:
        return []
    return [f"{MODELS}/{name}.released.json" for name in HUB_MODELS if checkpoints_of(name)]


def check_models():
    """Refuse local folders that no cell could load, and say what retrieval needs; only the process that the user started asks."""
    done = set(finished(CELLS))
    due = {cell.model: CATALOGUE.models[cell.model] for cell in CELLS if cell not in done}
    try:
        check_local_models(CATALOGUE.root, CATALOGUE.run.models_folder, due)
    except QuantbenchError as error:
        raise WorkflowError(str(error))
    for line in retrieval_remarks(ROOT, CATALOGUE.run.models_folder, due, CATALOGUE.locked):
        logger.warning(line)
