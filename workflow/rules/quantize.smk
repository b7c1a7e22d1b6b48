# Needs: a model folder. Produces, with `keep: quantized` or `both`: one quantized checkpoint a model and precision.


rule quantize_model:
    """Quantize a model once, so that its cells read a third of the bytes and quantize nothing."""
    input:
        model_files,
    output:
        f"{MODELS}/quantized/{{model}}/{{precision}}/manifest.json",
    log:
        f"{RUN}/logs/quantize_model/{{model}}-{{precision}}.log",
    conda:
        "../../envs/inference.yaml"
    threads: CATALOGUE.run.hardware.threads
    resources:
        gpu=quantizing("gpu"),
        gres=quantizing("gres"),
        mem_mb=quantizing("mem_mb"),
        disk_mb=quantizing("disk_mb"),
        runtime=4 * 60,
    params:
        precision=lambda wildcards: CheckpointPrecision.of(CATALOGUE.precisions[wildcards.precision]).model_dump(),
        notes=NOTES,
    script:
        "../scripts/quantize_model.py"


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
        notes=NOTES,
    script:
        "../scripts/release_weights.py"
