"""Run one cell."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench import jobs

folders = {
    "data": str(Path(snakemake.input.samples).parent),
    "outputs": str(Path(snakemake.output.predictions).parent),
    "progress": snakemake.params.progress,
    "leases": snakemake.params.leases,
}
jobs.infer(snakemake.config, snakemake.params.cell, folders, snakemake.resources.gpu, snakemake.log[0])
