#!/usr/bin/env bash
# tests/slurm/stop.sh: cancel all jobs of start.sh's cluster, end its daemons and remove its configuration. Without one it
# does nothing. A configuration whose controller is gone would delay every start of Snakemake by many seconds.
set -uo pipefail

state=/var/lib/quantbench-slurm conf=/etc/slurm/slurm.conf
grep -qs "quantbench tests/slurm" $conf || exit 0

squeue -h -o %A 2>/dev/null | xargs -r scancel --signal=KILL --full 2>/dev/null
squeue -h -o %A 2>/dev/null | xargs -r scancel 2>/dev/null
for _ in $(seq 25); do
    [ -z "$(squeue -h 2>/dev/null)" ] && break
    sleep 0.2
done
for daemon in "$state/slurmd.pid" "$state/slurmctld.pid" "$state/munged.pid"; do
    [ -s "$daemon" ] || continue
    pid=$(cat "$daemon")
    kill "$pid" 2>/dev/null
    for _ in $(seq 50); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
    rm -f "$daemon"
done
rm -rf "$state" $conf /etc/slurm/gres.conf
exit 0
