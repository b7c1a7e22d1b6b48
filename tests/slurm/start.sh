#!/usr/bin/env bash
# tests/slurm/start.sh [GPUS] [CPUS]: a SLURM cluster of one node on this machine, for tests. Needs root; stop.sh ends it.
#
# munge, slurmctld and slurmd run for real. The GPUs are stand-ins (links to /dev/null), which SLURM counts, assigns and names
# to jobs as it does real ones. There is no accounting database and nothing is confined by cgroups: a container has
# neither. An existing /etc/slurm/slurm.conf that this script did not write is left alone, and the start refused.
set -euo pipefail

gpus=${1:-4} cpus=${2:-8}
host=$(hostname -s) state=/var/lib/quantbench-slurm conf=/etc/slurm/slurm.conf
mark="# written by quantbench tests/slurm/start.sh"

if [ -e $conf ] && ! grep -q "^$mark" $conf; then
    echo "$conf belongs to a cluster; not touching it" >&2
    exit 2
fi
"$(dirname "$0")/stop.sh"

# SLURM trusts what munge signs: a daemon with a key and a socket of its own, beside any that the machine runs.
mkdir -p "$state"/{controller,node,devices,munge}
chmod -R 755 "$state"
chmod 700 "$state/munge"
head -c 128 /dev/urandom > "$state/munge/key"
chmod 400 "$state/munge/key"
munged --force --key-file="$state/munge/key" --seed-file="$state/munge/seed" --log-file="$state/munged.log" \
    --pid-file="$state/munged.pid" --socket="$state/munge.socket"

# The same file four times would count as one device.
for index in $(seq 0 $((gpus - 1))); do ln -sf /dev/null "$state/devices/gpu$index"; done
mkdir -p /etc/slurm
cat > /etc/slurm/gres.conf <<EOF
NodeName=$host Name=gpu File=$state/devices/gpu[0-$((gpus - 1))]
EOF
# Times are short so that tests wait little: KillWait between TERM and KILL, OverTimeLimit past a job's limit. MinJobAge
# keeps finished jobs visible to squeue, which stands in for accounting.
cat > $conf <<EOF
$mark
ClusterName=quantbench
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket
CredType=cred/munge
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
KillWait=2
OverTimeLimit=0
MinJobAge=86400
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=100000
SlurmdParameters=config_overrides
DefMemPerCPU=500
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 Sockets=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=400000 Gres=gpu:$gpus
PartitionName=main Nodes=$host Default=YES DefaultTime=60 MaxTime=UNLIMITED State=UP
EOF
slurmctld -c
slurmd
for _ in $(seq 150); do
    if [ "$(sinfo -h -o %T 2>/dev/null)" = idle ]; then
        exec sinfo -N -o '%N %T, %c CPUs, %m MB, %G'
    fi
    sleep 0.2
done
echo "the node did not become idle" >&2
tail -n 20 "$state/slurmctld.log" "$state/slurmd.log" >&2
exit 1
