# Needs: what a run retrieved or made. Produces: nothing; these targets check files, and free disk when confirmed.
from quantbench.store import cleaning


localrules:
    verify_files,
    clean_models,
    clean_checkpoints,
    clean_datasets,


rule verify_files:
    """Read every model and dataset file again and hold it against its recorded hash, whatever its time stamp says."""
    log:
        f"{RUN}/logs/verify_files.log",
    conda:
        "../../envs/inference.yaml"
    params:
        models=USED_MODELS,
        datasets=USED_DATASETS,
        notes=NOTES,
    script:
        "../scripts/verify_files.py"


rule clean_models:
    """List what the run's retrieved models take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_models.log",
    conda:
        "../../envs/inference.yaml"
    params:
        paths=from_here(cleaning.retrieved_models(ROOT, CATALOGUE.run.models_folder, HUB_MODELS)),
    script:
        "../scripts/clean.py"


rule clean_checkpoints:
    """List what the quantized checkpoints of the run's models take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_checkpoints.log",
    conda:
        "../../envs/inference.yaml"
    params:
        paths=[f"{MODELS}/quantized/{model}" for model in USED_MODELS],
    script:
        "../scripts/clean.py"


rule clean_datasets:
    """List what the run's downloaded datasets take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_datasets.log",
    conda:
        "../../envs/inference.yaml"
    params:
        paths=[f"resources/datasets/{dataset}" for dataset in USED_DATASETS],
    script:
        "../scripts/clean.py"
