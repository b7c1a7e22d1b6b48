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
        # Whose texts the explorer leaves out.
        hidden=[] if CATALOGUE.run.data.private_texts_in_report else sorted(PRIVATE),
        code=provenance.code_of("report"),
    script:
        "../scripts/job.py"
