# Needs: tables, figures, scored answers and predictions. Produces: one self-contained page for people.


rule report:
    """Write the run's page: verdict in words, tables to sort, figures, and an explorer of answers."""
    input:
        [f"{RUN}/tables/{name}" for name in TABLES],
        figure_files(),
        cell_files("scored.jsonl", MERGED),
    output:
        target=report(
            f"{RUN}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"page": "the run on one page"},
        ),
        figures=f"{RUN}/figures/figures.json",
    log:
        f"{RUN}/logs/report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="report",
        cells=[cell.folder for cell in MERGED],
        # The page says why these are missing.
        left_out=SELECTION.left_out,
        # Whose texts the explorer shows.
        texts_in_bundles=CATALOGUE.run.data.texts_in_bundles,
        private_texts=CATALOGUE.run.data.private_texts_in_report,
        private=[name for name in USED_DATASETS if CATALOGUE.datasets[name].is_private],
        code=provenance.code_of("report"),
    script:
        "../scripts/job.py"
