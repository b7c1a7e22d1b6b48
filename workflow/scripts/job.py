"""The script of every rule: hands a job's values, by their names, to the function of ``quantbench.jobs`` it is for."""

import sys
from inspect import signature
from pathlib import Path

beside = Path(snakemake.scriptdir).parent
if (beside / "quantbench").is_dir():  # a checkout; where rules come from a distance, the installed package is taken
    sys.path.insert(0, str(beside))


def named(files):
    """The named files of a job, as paths."""
    return {
        name: Path(value) if isinstance(value, str) else [Path(item) for item in value] for name, value in files.items()
    }


from quantbench.joblog import job_log

with job_log(snakemake.log[0]):
    from quantbench import jobs

    values = {
        **named(snakemake.input),
        **named(snakemake.output),
        **dict(snakemake.resources.items()),
        **dict(snakemake.wildcards.items()),
        **dict(snakemake.params.items()),
        "config": snakemake.config,
        "log": Path(snakemake.log[0]),
    }
    function = getattr(jobs, snakemake.params.job)
    function(**{name: values[name] for name in signature(function).parameters if name in values})
