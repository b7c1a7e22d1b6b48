"""Free the full weights of one model."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench.joblog import job_log

with job_log(snakemake.log[0]):
    from quantbench import jobs

    manifests, notes = list(snakemake.input.checkpoints), Path(snakemake.params.notes)
    jobs.release_weights(snakemake.config, snakemake.wildcards.model, manifests, notes)
