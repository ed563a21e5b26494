#!/bin/bash
# A real Slurm on one machine: munged, slurmctld and a slurmd on each of some hosts, which are the
# network namespaces of cluster/netns-hosts.sh. All are plain processes with their files in one
# folder; a Slurm of the machine itself is left alone.
#
#   cluster/slurm-local.sh up [N]                  starts Slurm on N hosts, else 2; prints its folder
#   cluster/slurm-local.sh on FOLDER COMMAND...    runs sbatch, scancel ... on the first host
#   cluster/slurm-local.sh down FOLDER             ends Slurm, its jobs and its hosts
#
# Hosts are called node1, node2 ..., each with four processors whatever the machine has. FOLDER/log
# holds what the daemons say. Needs root, since slurmd becomes the user of each job; ends with code 77
# without.
set -euo pipefail
here=$(realpath "$(dirname "$0")")

die() {
  echo "slurm-local: $1" >&2
  exit "${2-1}"
}

usage() {
  sed -n 's/^#   /  /p' "$0" >&2
  exit 2
}

check_rights() {
  local tool
  if (($(id -u) != 0)); then
    die "only root can start slurmd" 77
  fi
  for tool in munged slurmctld slurmd sbatch; do
    command -v "$tool" >/dev/null || die "there is no '$tool'; launch/install.sh --tests brings it"
  done
}

on_host() {
  local pid
  pid=$(sed -n "$(($1 + 1))p" "$folder/hosts/pids")
  shift
  SLURM_CONF=$folder/slurm.conf nsenter --target "$pid" --net --uts -- "$@"
}

# daemon HOST COMMAND...: until the host ends, and so with a folder of its own to fall into.
daemon() {
  local name=${2##*/}-node$1
  on_host "$@" </dev/null >"$folder/log/$name.out" 2>&1 &
}

# A requeued job waits until the credentials of its last run are void, 5 seconds at the least and 120
# by default, and then for the scheduler, which looks once a minute by default. Temporary files are a host's own (%n): PMIx names them after the job alone.
# Without a control group of their own here, processes are found by their parents (linuxproc) and
# bound by nobody (task/none). Processors are what this file says, not what there is.
write_configuration() {
  cat >"$folder/slurm.conf" <<EOF
ClusterName=ballast
SlurmctldHost=node1(10.77.0.1)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
TmpFS=$folder/tmp-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd-%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
ReturnToService=2
KillWait=5
MailProg=/bin/true
NodeName=node[1-$1] NodeAddr=10.77.0.[1-$1] CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
}

start_munge() {
  (umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
  daemon 1 munged --foreground --force --num-threads=2 --key-file="$folder/munge/key" \
    --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/log/munged" --seed-file="$folder/munge/seed"
  wait_for "munged" test -S "$folder/munge/socket"
}

# wait_for WHAT COMMAND...: until COMMAND succeeds.
wait_for() {
  local what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    ((++tries < 600)) || {
      tail -n 20 "$folder"/log/* >&2
      die "$what did not come up within a minute; above is what was said"
    }
    sleep 0.1
  done
}

all_idle() {
  [[ $(on_host 1 sinfo --noheader --Node --format=%T) == $(yes idle | head -n "$1") ]]
}

up() {
  local host
  umask 022
  folder=$(mktemp -d "${TMPDIR:-/tmp}/ballast-slurm.XXXXXX")
  trap down EXIT
  chmod 755 "$folder"
  ln -s "$("$here/netns-hosts.sh" up "$1")" "$folder/hosts"
  mkdir "$folder"/{log,state,munge}
  write_configuration "$1"
  start_munge
  daemon 1 slurmctld -D
  for ((host = 1; host <= $1; host++)); do
    mkdir "$folder"/{spool,tmp}-"node$host"
    daemon "$host" slurmd -D -N "node$host"
  done
  wait_for "Slurm" all_idle "$1"
  trap - EXIT
  echo "$folder"
}

down() {
  # All of Slurm runs on the hosts, and ends with them.
  if [[ -e $folder/hosts ]]; then
    "$here/netns-hosts.sh" down "$(realpath "$folder/hosts")"
  fi
  rm -rf "$folder"
}

action=${1-}
shift || usage
case $action in
  up)
    [[ $# -le 1 && ${1-2} =~ ^[1-9]$ ]] || usage
    check_rights
    up "${1-2}"
    ;;
  on)
    [[ $# -ge 2 && -e $1/slurm.conf ]] || usage
    folder=$1
    shift
    on_host 1 "$@"
    ;;
  down)
    [[ $# == 1 && -e $1/slurm.conf ]] || usage
    folder=$1
    down
    ;;
  *) usage ;;
esac
