#!/bin/bash
# What a training step moves between hosts, by the counters of their interfaces, held against what
# it has to move: the weights into each host once a gather, one sum of gradients out of it for each
# group of leaves.
#   wire_bytes.sh BALLAST ROOT "RANKS..." LEAF_GROUP GROUP_SUM SHARDING
# Prints both and their ratio; ends with 1 unless that is from 0.98 to 1.05.
set -euo pipefail
ballast=$1 root=$2 group=$4 sum=$5 sharding=$6
read -ra ranks <<<"$3"
# shellcheck source=tests/cluster/hosts.bash
source "$root/tests/cluster/hosts.bash"
bring_up wire "${#ranks[@]}"

total=0
for count in "${ranks[@]}"; do total=$((total + count)); done
dim=256 ffn=512 layers=4 vocabulary=256
seq 1 20000 | "$ballast" prepare --input - --output text.h5 >/dev/null
cat >wire.ini <<END
[model]
dim = $dim
layers = $layers
heads = 4
ffn = $ffn
[data]
path = text.h5
seq_len = 16
micro_batch = 1
global_batch = $total
leaf_group = $group
[precision]
group_sum = $sum
[parallel]
sharding = $sharding
prefetch_units = 1
END

# received STEPS: bytes that all hosts receive in a run of so many steps.
received() {
  local before after
  before=$("$root/cluster/netns-hosts.sh" bytes "$hosts" | awk '{ all += $2 } END { print all }')
  "$root/cluster/netns-hosts.sh" run --on "$hosts" "${ranks[@]}" -- "$ballast" train \
    --config wire.ini --run.dir "run-$1" --run.steps "$1" >"$1.log" 2>&1 || {
    cat "$1.log" >&2
    return 1
  }
  after=$("$root/cluster/netns-hosts.sh" bytes "$hosts" | awk '{ all += $2 } END { print all }')
  echo $((after - before))
}
short=$(received 2)
long=$(received 7)

awk -v ranks="$3" -v group="$group" -v sum="$sum" -v sharding="$sharding" -v dim=$dim -v ffn=$ffn \
  -v layers=$layers -v vocabulary=$vocabulary -v moved=$((long - short)) 'BEGIN {
  hosts = split(ranks, count)
  for (h = 1; h <= hosts; h++) total += count[h]
  block = 4 * dim * dim + 3 * dim * ffn + 2 * dim
  ends = 2 * vocabulary * dim + dim
  # A pass up and a pass down; what is in the two rooms at the turn serves again.
  gathers = sharding == "full" ? 2 * layers - 2 : layers
  weights = 4 * (gathers * block + ends) * (hosts - 1)
  for (h = 1; h <= hosts; h++) {
    for (leaf = first; leaf < first + count[h]; leaf++) {
      whole_end = leaf - leaf % group + group - 1
      if (whole_end >= total) whole_end = total - 1
      begins = leaf % group == 0
      if (!begins && last_sum == int(leaf / group) + 1) continue # in the sum of its host
      bytes = 4
      if (sum == "bf16" && begins && whole_end < first + count[h]) bytes = 2
      if (begins) last_sum = int(leaf / group) + 1
      gradients += bytes * (layers * block + ends) * (1 - count[h] / total)
    }
    last_sum = 0
    first += count[h]
  }
  ratio = moved / 5 / (weights + gradients)
  printf "hosts of %s ranks, groups of %d, %s, %s: %.2f MB a step, at least %.2f: %.3f\n", \
    ranks, group, sum, sharding, moved / 5e6, (weights + gradients) / 1e6, ratio
  exit !(ratio > 0.98 && ratio < 1.05)
}'
