#!/bin/bash
# Several hosts on one machine: network namespaces with their own host names and addresses, joined
# by a bridge, so that MPI starts daemons and talks TCP between them as it would in a cluster.
# Processes and files are shared, no ssh is needed, and the machine's own network is left alone.
#
#   cluster/netns-hosts.sh run RANKS... -- COMMAND...   mpirun over new hosts, RANKS on each
#   cluster/netns-hosts.sh up N                         makes N hosts that stay; prints their folder
#   cluster/netns-hosts.sh run --on FOLDER RANKS... -- COMMAND...
#   cluster/netns-hosts.sh link FOLDER K rate RATE      100mbit, 1gbit, ...: both ways of host K
#   cluster/netns-hosts.sh link FOLDER K loss PERCENT   of the packets that reach it; 0: none
#   cluster/netns-hosts.sh link FOLDER K cut|join       takes it off the network, and back
#   cluster/netns-hosts.sh bytes FOLDER                 what each host has received so far
#   cluster/netns-hosts.sh down FOLDER                  ends all that runs on them, removes them
#
# Host k is called nodeK and has the address 10.77.0.K. FOLDER/pids names the process that keeps
# the bridge (line 1), then those that keep the hosts: `nsenter --net --target PID` enters one.
# MPIRUN_FLAGS adds to mpirun's flags; SIGUSR1, SIGTERM and SIGINT are passed on to mpirun.
# Needs root or user namespaces; without either it ends with code 77, or with 1 where hosts are a
# must (root, CI, BALLAST_REQUIRE_NETNS).
set -euo pipefail

die() {
  echo "netns-hosts: $1" >&2
  exit "${2-1}"
}

usage() {
  sed -n 's/^#   /  /p' "$0" >&2
  exit 2
}

check_rights() {
  local tool code=77
  for tool in ip mpirun nsenter unshare; do
    command -v "$tool" >/dev/null || die "there is no '$tool'; launch/install.sh --tests brings it"
  done
  unshare "${new_user[@]}" --net --uts true 2>/dev/null && return
  if (($(id -u) == 0)) || [[ -n "${CI-}${BALLAST_REQUIRE_NETNS-}" ]]; then
    code=1
  fi
  die "no right to make network namespaces: needs root, or user namespaces" "$code"
}

# keep COMMAND...: COMMAND makes namespaces; starts a process that keeps them, waits for it.
keep() {
  "$@" sleep infinity </dev/null >/dev/null 2>&1 &
  local pid=$!
  echo "$pid" >>"$folder/pids"
  until [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "sleep infinity " ]]; do
    kill -0 "$pid" || die "the namespaces of a host were refused"
    sleep 0.01
  done
}

# Sets `enter` to the command that enters host K; 0 is the bridge.
set_enter() {
  enter=(nsenter --target "$(sed -n "$(($1 + 1))p" "$folder/pids")" --net --uts "${old_user[@]}" --)
}

make_hosts() {
  local k
  keep unshare "${new_user[@]}" --net --uts
  set_enter 0
  local switch=("${enter[@]}")
  "${switch[@]}" ip link add bridge type bridge
  "${switch[@]}" ip link set bridge up
  for ((k = 1; k <= $1; k++)); do
    keep "${switch[@]}" unshare --net --uts
    set_enter "$k"
    "${switch[@]}" ip link add "port$k" type veth peer name eth0 netns "$(tail -n 1 "$folder/pids")"
    "${switch[@]}" ip link set "port$k" master bridge up
    "${enter[@]}" hostname "node$k"
    "${enter[@]}" ip link set lo up
    "${enter[@]}" ip address add "10.77.0.$k/24" dev eth0
    "${enter[@]}" ip link set eth0 up
  done
  # How mpirun reaches a host; it runs inside the first one.
  cat >"$folder/rsh" <<EOF
#!/bin/sh
pid=\$(sed -n "\$((\${1##*.} + 1))p" '$folder/pids')
shift
exec nsenter --target "\$pid" --net --uts -- sh -c "\$*"
EOF
  chmod +x "$folder/rsh"
}

# Both ends of the cable of host $1 send at most at the rate $2.
set_rate() {
  local shape=(root tbf rate "$2" burst 128kb latency 200ms)
  set_enter "$1"
  "${enter[@]}" tc qdisc replace dev eth0 "${shape[@]}"
  set_enter 0
  "${enter[@]}" tc qdisc replace dev "port$1" "${shape[@]}"
}

# Host $1 drops $2 of 100 packets that reach it.
set_loss() {
  set_enter "$1"
  "${enter[@]}" nft -f - <<EOF
table inet loss
delete table inet loss
table inet loss {
  chain input {
    type filter hook input priority 0
    iif eth0 numgen random mod 100 < $2 drop
  }
}
EOF
}

# change_link K WHAT [VALUE]
change_link() {
  [[ $1 =~ ^[1-9][0-9]*$ && -n $(sed -n "$(($1 + 1))p" "$folder/pids") ]] || die "no host '$1'"
  case $2 in
    rate) set_rate "$1" "${3?}" ;;
    loss)
      [[ ${3-} =~ ^[0-9]+$ ]] || usage
      set_loss "$1" "$3"
      ;;
    cut | join)
      set_enter 0
      "${enter[@]}" ip link set "port$1" "$([[ $2 == cut ]] && echo down || echo up)"
      ;;
    *) usage ;;
  esac
}

# A line "nodeK BYTES" for each host.
print_bytes() {
  local k
  for ((k = 1; k < $(wc -l <"$folder/pids"); k++)); do
    set_enter "$k"
    echo "node$k $("${enter[@]}" ip -stats link show eth0 | awk '/RX:/ { getline; print $1 }')"
  done
}

remove_hosts() {
  local pid process space
  [[ -e $folder/pids ]] || return 0
  while read -r pid; do
    space=$(readlink "/proc/$pid/ns/net") || continue
    [[ $space != "$(readlink /proc/self/ns/net)" ]] || continue
    for process in /proc/[0-9]*; do
      if [[ $(readlink "$process/ns/net") == "$space" ]]; then
        kill -KILL "${process#/proc/}" || true
      fi
    done
  done <"$folder/pids" 2>/dev/null
  rm -rf "$folder"
}

# run_on_hosts RANKS... -- COMMAND...
run_on_hosts() {
  local host=0 ranks=0 list=() flags pid code
  while (($#)) && [[ $1 != -- ]]; do
    [[ $1 =~ ^[1-9][0-9]*$ ]] || usage
    list+=("10.77.0.$((++host)):$1")
    ranks=$((ranks + $1))
    shift
  done
  (($# >= 2 && host >= 1)) || usage
  shift
  if [[ -z $folder ]]; then
    folder=$(mktemp -d "${TMPDIR:-/tmp}/ballast-hosts.XXXXXX")
    trap remove_hosts EXIT
    # Nothing stays behind when this script is killed.
    (tail --pid=$$ -f /dev/null && remove_hosts) </dev/null >/dev/null 2>&1 &
    make_hosts "$host"
  fi
  set_enter 1
  read -ra flags <<<"${MPIRUN_FLAGS-}"
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    "${enter[@]}" mpirun -n "$ranks" \
    --host "$(IFS=, && echo "${list[*]}")" --map-by slot --bind-to none \
    --mca plm_rsh_agent "$folder/rsh" --mca orte_tmpdir_base "$folder" \
    --mca oob_tcp_if_include 10.77.0.0/24 --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca mpi_yield_when_idle 1 "${flags[@]}" "$@" <&0 &
  pid=$!
  trap 'kill -USR1 $pid' USR1
  trap 'kill -TERM $pid' TERM INT
  while true; do
    code=0
    wait "$pid" || code=$?
    kill -0 "$pid" 2>/dev/null || exit "$code" # else a signal ended the wait, not the job
  done
}

new_user=() old_user=() folder=
if (($(id -u) != 0)); then
  new_user=(--user --map-root-user)
  old_user=(--user --preserve-credentials)
fi
action=${1-}
shift || usage
case $action in
  run)
    if [[ ${1-} == --on ]]; then
      (($# >= 2)) || usage
      folder=$2
      shift 2
    fi
    check_rights
    run_on_hosts "$@"
    ;;
  up)
    [[ $# == 1 && $1 =~ ^[1-9][0-9]*$ ]] || usage
    check_rights
    folder=$(mktemp -d "${TMPDIR:-/tmp}/ballast-hosts.XXXXXX")
    trap remove_hosts EXIT
    make_hosts "$1"
    trap - EXIT
    echo "$folder"
    ;;
  link)
    [[ $# -ge 3 && -e $1/pids ]] || usage
    folder=$1
    change_link "${@:2}"
    ;;
  bytes)
    [[ $# == 1 && -e $1/pids ]] || usage
    folder=$1
    print_bytes
    ;;
  down)
    [[ $# == 1 && -e $1/pids ]] || usage
    folder=$1
    remove_hosts
    ;;
  *) usage ;;
esac
