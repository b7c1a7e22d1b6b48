# Needs: what the run's cells left, scored and drawn. Produces: one compressed file to redraw everything from.


rule bundle:
    """Pack the run into one file from which tables, figures and report are made again (`make figures BUNDLE=<file>`)."""
    input:
        [cell_files(name, MERGED) for name in ["manifest.json", "measurements.json", "scores.json", "scored.jsonl"]],
        figure_files(),
    output:
        target=f"{RUN}/{CATALOGUE.run.run}.tar.zst",
    log:
        f"{RUN}/logs/bundle.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="bundle",
        cells=[cell.folder for cell in MERGED],
        code=provenance.code_of("bundle"),
    script:
        "../scripts/job.py"
