# Needs: prepared samples, a model folder, a GPU or patience. Produces: predictions, measurements, manifest of a cell.


if workflow.is_main_process:
    check_fit()


rule infer:
    """Run one cell: measure latency and memory, then answer every sample."""
    input:
        samples=f"{RUN}/datasets/{{dataset}}/samples.jsonl",
        shots=f"{RUN}/datasets/{{dataset}}/shots.jsonl",
        model=cell_weights,
        full=full_answers,
    output:
        # likelihoods.npz beside them is none of the outputs: cells of before it was kept need not run again.
        predictions=f"{RUN}/cells/{CELL}/predictions.jsonl",
        measurements=f"{RUN}/cells/{CELL}/measurements.json",
        manifest=f"{RUN}/cells/{CELL}/manifest.json",
        # Further answers of the same samples, where the run repeats them.
        repeats=[f"{RUN}/cells/{CELL}/{name}" for name in repeat_names(CATALOGUE.run.protocol.repeats)],
    log:
        f"{RUN}/logs/infer/{CELL}.log",
    benchmark:
        f"{RUN}/benchmarks/infer/{CELL}.tsv"
    priority: longest_first
    conda:
        "../../envs/inference.yaml"
    threads: CATALOGUE.run.hardware.threads
    resources:
        gpu=request("gpu"),
        gres=request("gres"),
        # GPUs of one cell are GPUs of one node; SLURM counts --gpus over all nodes of a job.
        nodes=1,
        mem_mb=request("mem_mb"),
        disk_mb=request("disk_mb"),
        runtime=request("runtime"),
    params:
        job="infer",
        cell=lambda wildcards: cell_of(wildcards).folder,
        # What the outputs depend on; a change of any of it, and of nothing else, runs the cell again.
        identity=lambda wildcards: spec_of(wildcards).identity,
        progress=lambda wildcards: f"{RUN}/progress/{cell_of(wildcards).folder}",
        notes=NOTES,
    script:
        "../scripts/job.py"


rule infer_all:
    """Only the GPU work: the predictions of every cell of the run."""
    input:
        cell_files("predictions.jsonl", CELLS),
