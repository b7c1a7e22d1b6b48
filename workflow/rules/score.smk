# Needs: predictions and prepared samples; no GPU, no torch. Produces: scores and scored answers of each cell.
#
# One job scores all cells of a dataset: hundreds of small jobs would spend their time starting Python.

SCORE_CODE = provenance.source_hash("tasks", "scoring", "statistics")

for dataset in CATALOGUE.datasets:
    cells = [cell for cell in MERGED if cell.dataset == dataset]
    # Of an opened bundle without texts, the scored answers are taken as they came.
    if not cells or dataset in UNSCORED:
        continue

    rule:
        """Read and judge the answers of every cell of one dataset."""
        name:
            f"score_{dataset}"
        input:
            samples=f"{RUN}/datasets/{dataset}/samples.jsonl",
            predictions=cell_files("predictions.jsonl", cells),
        output:
            scores=cell_files("scores.json", cells),
            answers=cell_files("scored.jsonl", cells),
        log:
            f"{RUN}/logs/score/{dataset}.log",
        conda:
            "../../envs/analysis.yaml"
        params:
            dataset=dataset,
            cells=[cell.folder for cell in cells],
            entry=CATALOGUE.datasets[dataset].model_dump_json(
                include={"task", "reader", "metric", "labels", "negative_label"}
            ),
            comparison=CATALOGUE.run.comparison.model_dump(include={"resamples", "confidence"}),
            seed=CATALOGUE.run.seed,
            code=SCORE_CODE,
        script:
            "../scripts/score.py"
