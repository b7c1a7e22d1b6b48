# Needs: scores, scored answers and measurements of the run's cells. Produces: the tables, which figures and readers use.
TABLES = [
    "cells.csv",
    "table1.csv",
    "table1.md",
    "precision_effects.csv",
    "pooled_effects.csv",
    "resampled_scores.npz",
    "label_effects.csv",
    "length_effects.csv",
    "efficiency.csv",
    "likelihoods.csv",
    "reliability.csv",
    "flips_by_confidence.csv",
    "configuration.json",
]


rule compare:
    """Gather every cell into tidy tables and compare precisions pair by pair."""
    input:
        scores=cell_files("scores.json", MERGED),
        answers=cell_files("scored.jsonl", MERGED),
        measurements=cell_files("measurements.json", MERGED),
        manifests=cell_files("manifest.json", MERGED),
        # Log-probabilities are read where cells kept them: those of before have none and need not run again.
    output:
        report(
            f"{RUN}/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "Table 1", "format": "CSV"},
        ),
        [f"{RUN}/tables/{name}" for name in TABLES if name != "table1.csv"],
    log:
        f"{RUN}/logs/compare.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="compare",
        studies={name: study.model_dump() for name, study in grid.active_studies(CATALOGUE).items()},
        comparison=CATALOGUE.run.comparison.model_dump(),
        margins={name: entry.margin for name, entry in CATALOGUE.datasets.items()},
        seed=CATALOGUE.run.seed,
        # Packing reads it from the configuration that stands beside the tables.
        texts_in_bundles=CATALOGUE.run.data.texts_in_bundles,
        cells=[cell.folder for cell in MERGED],
        code=provenance.code_of("compare"),
    script:
        "../scripts/job.py"
