# quantbench: what does quantizing a language model cost and save on biomedical text?
#
#   snakemake --cores 4 --resources gpu=4            the run of config/config.yaml on a workstation
#   snakemake --profile profiles/slurm               the same on a cluster
#   snakemake --configfile config/demo.yaml          the laptop run (`make demo` installs what it needs first)
#
# Every rule's docstring: snakemake --list-rules
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/weights.smk"


# With allow_missing, what cells left is taken as it is: nothing is retrieved and no inference is started.
if not CATALOGUE.run.allow_missing:

    include: "workflow/rules/retrieve.smk"
    include: "workflow/rules/quantize.smk"
    include: "workflow/rules/infer.smk"
    include: "workflow/rules/upkeep.smk"


include: "workflow/rules/score.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/recommend.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/bundle.smk"


rule all:
    """Every figure and table of the run."""
    default_target: True
    input:
        figure_files(),
        f"{RUN}/tables/table1.csv",
        f"{RUN}/recommendations.md",
        f"{RUN}/report.html",
        released_files(),
