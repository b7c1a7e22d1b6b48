# Needs: tables; for the published figures nothing but the repository. Produces: what to deploy, task by task.


rule recommend:
    """Say which model and precision to deploy for every task on GPUs of common sizes."""
    input:
        cells=f"{RUN}/tables/cells.csv",
        effects=f"{RUN}/tables/precision_effects.csv",
        draws=f"{RUN}/tables/resampled_scores.npz",
        settings=f"{RUN}/tables/configuration.json",
    output:
        report(
            f"{RUN}/recommendations.md",
            caption="../report/recommendations.rst",
            category="Recommendations",
            labels={"recommendations": "to read"},
        ),
        report(
            f"{RUN}/recommendations.csv",
            caption="../report/recommendations.rst",
            category="Recommendations",
            labels={"recommendations": "as a table"},
        ),
    log:
        f"{RUN}/logs/recommend.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="recommend",
        code=provenance.code_of("recommend"),
    script:
        "../scripts/job.py"


PUBLISHED = f"{CATALOGUE.run.results_folder}/published"


rule published_figures:
    """Draw the paper's published Table 1 as Figures 2 (two ways) and 7, and write its recommendations (`make paper-figures`)."""
    input:
        table1=from_here([settings.located(ROOT, "resources/paper/table1.csv")]),
        table2=from_here([settings.located(ROOT, "resources/paper/table2.csv")]),
        constants=from_here([settings.located(ROOT, "resources/paper/constant_answers.csv")]),
    output:
        figures=expand(
            f"{PUBLISHED}/figures/{{figure}}.{{format}}",
            figure=["figure2", "figure2_bars", "figure2_bars_by_model", "figure7"],
            format=["png", "pdf", "svg"],
        ),
        recommendations=f"{PUBLISHED}/recommendations.md",
        csv=f"{PUBLISHED}/recommendations.csv",
    log:
        f"{PUBLISHED}/logs/published_figures.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        job="published_figures",
        code=lambda wildcards: provenance.code_of("published_figures"),
    script:
        "../scripts/job.py"
