# Needs: predictions and prepared samples; no GPU, no torch. Produces: scores and scored answers of each cell.
#
# One job scores many cells of a dataset: hundreds of small jobs would spend their time starting Python. Snakemake compares
# each file it looks for with all outputs of the rule that makes it, so a rule has a bounded number of them.
SCORED_TOGETHER = 128

for (dataset, number), cells in score_parts(SCORED_TOGETHER).items():

    rule:
        """Read and judge the answers of cells of one dataset."""
        name:
            # The number comes last and is never left out: no two datasets can name the same rule, hoc_2 and hoc neither.
            f"score_{dataset}_{number}"
        input:
            samples=f"{RUN}/datasets/{dataset}/samples.jsonl",
            predictions=cell_files("predictions.jsonl", cells),
        output:
            scores=cell_files("scores.json", cells),
            answers=cell_files("scored.jsonl", cells),
        log:
            f"{RUN}/logs/score/{dataset}/{number}.log",
        conda:
            "../../envs/analysis.yaml"
        params:
            job="score",
            dataset=dataset,
            cells=[cell.folder for cell in cells],
            entry=CATALOGUE.datasets[dataset].model_dump_json(
                include={"task", "reader", "metric", "labels", "negative_label"}
            ),
            thoughts=thought_markers(cells),
            comparison=CATALOGUE.run.comparison.model_dump(include={"resamples", "confidence"}),
            seed=CATALOGUE.run.seed,
            code=provenance.code_of("score", f"tasks.kinds.{CATALOGUE.datasets[dataset].task}"),
        script:
            "../scripts/job.py"
