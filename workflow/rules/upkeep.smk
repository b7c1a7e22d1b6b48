# Needs: what a run retrieved or made. Produces: nothing; these targets check files, and free disk when confirmed.
from quantbench.store import cleaning


rule verify_files:
    """Read every model and dataset file again and hold it against its recorded hash, whatever its time stamp says."""
    log:
        f"{RUN}/logs/verify_files.log",
    localrule: True
    conda:
        "../../envs/inference.yaml"
    params:
        job="verify_files",
        models=USED_MODELS,
        datasets=USED_DATASETS,
        notes=NOTES,
    script:
        "../scripts/job.py"


rule clean_models:
    """List what the run's retrieved models take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_models.log",
    localrule: True
    conda:
        "../../envs/inference.yaml"
    params:
        job="clean",
        target="clean_models",
        paths=from_here(cleaning.retrieved_models(ROOT, CATALOGUE.run.models_folder, HUB_MODELS)),
    script:
        "../scripts/job.py"


rule clean_checkpoints:
    """List what the quantized checkpoints of the run's models take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_checkpoints.log",
    localrule: True
    conda:
        "../../envs/inference.yaml"
    params:
        job="clean",
        target="clean_checkpoints",
        paths=[f"{MODELS}/quantized/{model}" for model in USED_MODELS],
    script:
        "../scripts/job.py"


rule clean_datasets:
    """List what the run's downloaded datasets take; with --config confirm=true, free it."""
    log:
        f"{RUN}/logs/clean_datasets.log",
    localrule: True
    conda:
        "../../envs/inference.yaml"
    params:
        job="clean",
        target="clean_datasets",
        paths=[f"resources/datasets/{dataset}" for dataset in USED_DATASETS],
    script:
        "../scripts/job.py"
