# Needs: network, unless models and datasets are local. Produces: model folders with a receipt, prepared samples.
# A download that breaks off goes on where it stopped.
DOWNLOAD_RETRIES = 3
# Each way of choosing worked examples is a job of its own.
PREPARATION = "prepare_dataset" if CATALOGUE.run.protocol.examples == "balanced" else "prepare_first_rows"


if workflow.is_main_process:
    check_models()


rule retrieve_all:
    """Everything of the run that needs the network: models and datasets. What follows runs with the network off."""
    input:
        [f"{MODELS}/{name}.json" for name in HUB_MODELS],
        [f"resources/datasets/{name}/retrieved.json" for name in USED_DATASETS if name not in SOURCES],
    localrule: True


rule retrieve_dataset:
    """Download a dataset's pinned files and check their content."""
    output:
        receipt="resources/datasets/{dataset}/retrieved.json",
    log:
        "resources/datasets/{dataset}.log",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../../envs/inference.yaml"
    params:
        job="retrieve_dataset",
    script:
        "../scripts/job.py"


rule retrieve_model:
    """Download a model at its configured revision and check its folder."""
    output:
        receipt=f"{MODELS}/{{model}}.json",
    log:
        f"{RUN}/logs/retrieve_model/{{model}}.log",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../../envs/inference.yaml"
    resources:
        # Downloads share one line and one disk.
        downloads=1,
        disk_mb=lambda wildcards: planning.checkpoint_mb(CATALOGUE.models[wildcards.model]),
    params:
        job="retrieve_model",
    script:
        "../scripts/job.py"


rule prepare_dataset:
    """Read and verify the published files; write the samples, and the worked examples for few-shot prompts."""
    input:
        files=dataset_files,
    output:
        samples=f"{RUN}/datasets/{{dataset}}/samples.jsonl",
        shots=f"{RUN}/datasets/{{dataset}}/shots.jsonl",
        description=f"{RUN}/datasets/{{dataset}}/dataset.json",
    log:
        f"{RUN}/logs/prepare_dataset/{{dataset}}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        # Not among the parameters: who may read the samples makes no cell run again.
        private=lambda wildcards: int(wildcards.dataset in PRIVATE),
    params:
        job=PREPARATION,
        entry=lambda wildcards: CATALOGUE.datasets[wildcards.dataset].model_dump_json(
            exclude={"tokens", "test_set", "margin", "redistributable", "private"}
        ),
        # By content: where they stand differs between installations.
        documents=lambda wildcards: datasets.mapping_hashes(ROOT, CATALOGUE.datasets[wildcards.dataset]),
        limit=CATALOGUE.run.limit,
        seed=CATALOGUE.run.seed,
        # Cells run again after this: of readers and tasks, the dataset's own count.
        code=lambda wildcards: provenance.code_of(
            PREPARATION,
            f"datasets.readers.read_{CATALOGUE.datasets[wildcards.dataset].reader}",
            f"tasks.kinds.{CATALOGUE.datasets[wildcards.dataset].task}",
        ),
    script:
        "../scripts/job.py"
