# Needs: tables only. Produces: the figures of the run as PNG, PDF and SVG.
if workflow.is_main_process:
    for name, reason in SELECTION.left_out.items():
        logger.warning(f"{name} is not drawn: {reason}")


rule figure:
    """Draw one figure from the tables."""
    input:
        cells=f"{RUN}/tables/cells.csv",
        effects=f"{RUN}/tables/precision_effects.csv",
        pooled=f"{RUN}/tables/pooled_effects.csv",
        draws=f"{RUN}/tables/resampled_scores.npz",
        labels=f"{RUN}/tables/label_effects.csv",
        reliability=f"{RUN}/tables/reliability.csv",
        flips=f"{RUN}/tables/flips_by_confidence.csv",
    output:
        report(
            f"{RUN}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        f"{RUN}/figures/{{figure}}.pdf",
        f"{RUN}/figures/{{figure}}.svg",
    log:
        f"{RUN}/logs/figure/{{figure}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="figure",
        caption=lambda wildcards: figures.caption(wildcards.figure),
        code=lambda wildcards: provenance.code_of("figure", f"figures.{wildcards.figure}"),
    script:
        "../scripts/job.py"
