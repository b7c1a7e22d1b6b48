"""List what some files take, and free it when confirmed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench.joblog import job_log

with job_log(snakemake.log[0]):
    from quantbench import jobs

    jobs.clean(snakemake.config, snakemake.rule, snakemake.params.paths)
