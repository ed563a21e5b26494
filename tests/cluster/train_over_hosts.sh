#!/bin/bash
# One training by a single process, then by 2 + 2 ranks on two hosts, launched as a person would,
# and with leaves added up in groups, by ranks that are dealt to the hosts in turn, which go on from
# what one host has begun: the same losses, the same gradient norms, the same state, to the last bit.
#   train_over_hosts.sh BALLAST ROOT
set -euo pipefail
ballast=$1 root=$2
# shellcheck source=tests/cluster/hosts.bash
source "$root/tests/cluster/hosts.bash"
bring_up train 2

seq 1 70000 | "$ballast" prepare --input - --output text.h5
cat >tiny.ini <<END
[model]
dim = 48
layers = 2
heads = 4
kv_heads = 2
ffn = 80
[data]
path = text.h5
seq_len = 32
micro_batch = 1
global_batch = 12
[optim]
lr = 3e-3
[log]
every = 1
[run]
steps = 12
END
printf '10.77.0.1 slots=2\n10.77.0.2 slots=2\n' >hostfile

"$ballast" train --config tiny.ini --run.dir one
# Entering namespaces of an ordinary user means becoming their root.
user=()
(($(id -u) == 0)) || user=(--user --preserve-credentials)
flags=(--bind-to none --mca plm_rsh_agent "$hosts/rsh")
flags+=(--mca oob_tcp_if_include 10.77.0.0/24 --mca btl_tcp_if_include 10.77.0.0/24)
BALLAST=$ballast MPIRUN_FLAGS=${flags[*]} \
  nsenter --target "$(sed -n 2p "$hosts/pids")" --net --uts "${user[@]}" -- \
  "$root/launch/hosts.sh" hostfile tiny.ini --run.dir two

groups=(--data.leaf_group 2 --precision.group_sum bf16 --precision.param bf16)
"$ballast" train --config tiny.ini --run.dir one-groups "${groups[@]}"
"$ballast" train --config tiny.ini --run.dir two-groups --run.stop_at 5 "${groups[@]}"
MPIRUN_FLAGS='--mca rmaps_base_mapping_policy node' \
  "$root/cluster/netns-hosts.sh" run --on "$hosts" 2 1 -- "$ballast" train --config tiny.ini \
  --run.dir two-groups --checkpoint.resume true "${groups[@]}"

for run in one two one-groups two-groups; do
  grep -oE '"(step|loss|grad_norm)":[^,]*' "$run/log.jsonl" >"$run.numbers"
  grep -o 'state hash .*' "$run/train.log" | tail -n 1 >>"$run.numbers"
done
cat one.numbers
[[ $(grep -c '"loss"' one.numbers) == 12 ]] || exit 1
diff one.numbers two.numbers
diff one-groups.numbers two-groups.numbers
