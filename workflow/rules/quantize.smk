# Needs: a model folder. Produces, with `keep: quantized` or `both`: one quantized checkpoint a model and precision.


rule quantize_model:
    """Quantize a model once, so that its cells read a third of the bytes and quantize nothing."""
    input:
        model_files,
    output:
        manifest=f"{MODELS}/quantized/{{model}}/{{precision}}/manifest.json",
    log:
        f"{RUN}/logs/quantize_model/{{model}}-{{precision}}.log",
    benchmark:
        f"{RUN}/benchmarks/quantize_model/{{model}}-{{precision}}.tsv"
    conda:
        "../../envs/inference.yaml"
    threads: CATALOGUE.run.hardware.threads
    resources:
        gpu=quantizing("gpu"),
        gres=quantizing("gres"),
        nodes=1,
        mem_mb=quantizing("mem_mb"),
        disk_mb=quantizing("disk_mb"),
        runtime=4 * 60,
    params:
        job="quantize_model",
        settings=lambda wildcards: CheckpointPrecision.of(CATALOGUE.precisions[wildcards.precision]).model_dump(),
        notes=NOTES,
    script:
        "../scripts/job.py"


rule release_weights:
    """Free a retrieved model's full weights: its checkpoints exist and its full-precision cells are done."""
    input:
        checkpoints=lambda wildcards: checkpoints_of(wildcards.model),
        cells=lambda wildcards: cell_files("predictions.jsonl", unquantized_cells(wildcards.model)),
    output:
        f"{MODELS}/{{model}}.released.json",
    log:
        f"{RUN}/logs/release_weights/{{model}}.log",
    conda:
        "../../envs/inference.yaml"
    params:
        job="release_weights",
        notes=NOTES,
    script:
        "../scripts/job.py"
