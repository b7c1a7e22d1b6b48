"""Verify every file of models and datasets."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench.joblog import job_log

with job_log(snakemake.log[0]):
    from quantbench import jobs

    notes = Path(snakemake.params.notes)
    jobs.verify_files(snakemake.config, snakemake.params.models, snakemake.params.datasets, notes)
