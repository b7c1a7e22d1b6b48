"""The claims about GPUs that were only ever tested on simulated ones, and what a machine's checks say of each."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .result import Check, Evidence, Finding

CLAIMS = {
    "no_offloading": "Loading places every piece of a model on a GPU, none on the CPU or a disk",
    "number_of_devices": "A model spread over several GPUs stands where the planner placed it, and holds there what was planned",
    "cuda_usable": "Before loading, torch is seen to compute on every leased GPU",
    "batch_peak": "The peak of a batch is planned within 1%",
    "out_of_memory": "Out of memory is told in one line, batches are halved, and nothing stays allocated",
    "nvml_refusals": "What NVML refuses to tell ends no command",
    "nf4_peak": "The peak of NF4, its workspace included, is planned within 1%",
    "continuous_choices": "The engine continuous uses the attention and the execution that its code states",
    "one_node": "The GPUs of a job on SLURM are those of one node",
}
# Why a claim was not tried, where no check that could try it says.
_ELSEWHERE = "no check ran that could show it; a rehearsal compares no memory"


def findings(evidence: Sequence[Evidence], checks: Sequence[Check]) -> list[Finding]:
    """Each claim with what was seen of it: contradicted where anything speaks against it, not tried where nothing was seen."""
    return [_finding(key, [one for one in evidence if one.finding == key], checks) for key in CLAIMS]


def slurm_evidence(environment: os._Environ[str] | dict[str, str] = os.environ) -> list[Evidence]:
    """On how many nodes the SLURM job that this runs in is; nothing outside of one."""
    nodes = environment.get("SLURM_JOB_NUM_NODES", "")
    if not nodes.isdigit():
        return []
    return [Evidence(finding="one_node", holds=nodes == "1", words=f"this job is on {nodes} node(s)")]


def _finding(key: str, seen: Sequence[Evidence], checks: Sequence[Check]) -> Finding:
    if not seen:
        return Finding(key=key, claim=CLAIMS[key], status="not tried", words=[_reason(key, checks)])
    against = [one.words for one in seen if not one.holds]
    status = "contradicted" if against else "shown"
    return Finding(
        key=key, claim=CLAIMS[key], status=status, words=against or list(dict.fromkeys(one.words for one in seen))
    )


def _reason(key: str, checks: Sequence[Check]) -> str:
    if key == "one_node":
        return "this is no job on SLURM; tests/slurm tries it"
    named = {
        "no_offloading": "peak",
        "number_of_devices": "several GPUs",
        "cuda_usable": "CUDA",
        "batch_peak": "peak",
        "out_of_memory": "out of memory",
        "nvml_refusals": "NVML",
        "nf4_peak": "peak",
        "continuous_choices": "continuous",
    }
    reasons = [check.words for check in checks if named[key] in check.name and check.status != "passed"]
    return reasons[0] if reasons else _ELSEWHERE
