"""Quantize one model at one precision."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(snakemake.scriptdir).parent))  # the package lies beside the scripts

from quantbench.joblog import job_log

with job_log(snakemake.log[0]):
    from quantbench import devices, jobs
    from quantbench import planner as planning

    machine = {
        "gpus": planning.gpus_asked_for(snakemake.resources),
        "leases": str(devices.lease_folder()),
        "notes": snakemake.params.notes,
    }
    out = Path(snakemake.output[0])
    jobs.quantize_model(snakemake.config, snakemake.wildcards.model, snakemake.wildcards.precision, out, machine)
