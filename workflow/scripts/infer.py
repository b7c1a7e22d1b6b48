"""Run one cell."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench import devices, jobs
from quantbench import planner as planning

folders = {
    "data": str(Path(snakemake.input.samples).parent),
    "outputs": str(Path(snakemake.output.predictions).parent),
    "progress": snakemake.params.progress,
    "leases": str(devices.lease_folder()),
    "notes": snakemake.params.notes,
}
gpus = planning.gpus_asked_for(snakemake.resources)
jobs.infer(snakemake.config, snakemake.params.cell, folders, gpus, snakemake.log[0])
