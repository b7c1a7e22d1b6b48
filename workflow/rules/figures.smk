# Needs: tables only. Produces: the figures of the run's studies as PNG, PDF and SVG.
# Modules that every figure uses; a change of one redraws all.
FIGURE_PARTS = [f"figures/{name}" for name in ("panels", "saving", "style", "view")]
# Figure 7 shows recommendations, and changes with how they are made.
OWN_PARTS = {"figure7": ["recommend"]}


rule figure:
    """Draw one figure from the tables."""
    input:
        cells=f"{RUN}/tables/cells.csv",
        effects=f"{RUN}/tables/precision_effects.csv",
    output:
        report(f"{RUN}/figures/{{figure}}.png", caption="../report/figure.rst", category="Figures"),
        f"{RUN}/figures/{{figure}}.pdf",
        f"{RUN}/figures/{{figure}}.svg",
    log:
        f"{RUN}/logs/figure/{{figure}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        caption=lambda wildcards: figures.caption(wildcards.figure),
        code=lambda wildcards: provenance.source_hash(
            f"figures/{wildcards.figure}", *FIGURE_PARTS, *OWN_PARTS.get(wildcards.figure, [])
        ),
    script:
        "../scripts/figure.py"
