#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Ranks die under a launcher that lets the others live: those agree on who lives, or all end where
# they cannot go on; nobody waits for ever.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"
export OMPI_MCA_orte_enable_recovery=1
# What a killed process leaves in memory and in its temporary folder goes away with ours.
export OMPI_MCA_orte_tmpdir_base=$scratch OMPI_MCA_btl_vader_backing_directory=$scratch

# die RANKS HOW SEED: what the ranks say, in "said"
die() {
  timeout 60 "${EE_MPIRUN:-mpirun}" -n "$1" "$bin/fault.dying_ranks" "$2" "$3" < /dev/null \
    > "$scratch/said" 2> "$scratch/err" || fail "$*: $(cat "$scratch/said" "$scratch/err")"
}

for ranks in 1 2 3 4 6; do
  for seed in 1 2 3 4 5 6; do
    how=tolerated
    ((seed <= 4)) || how=traced
    die $ranks $how $seed
    grep -qx "[0-9]* live" "$scratch/said" || fail "$ranks ranks, seed $seed: $(cat "$scratch/said")"
    live=$(sed -n 's/ live$//p' "$scratch/said")
    ((ranks == 1 ? live == 1 : live < ranks)) || fail "$live of $ranks live, seed $seed"
  done
done
for ranks in 2 3 4 6; do
  for how in strict settled; do
    die $ranks $how 0
    expect "what $ranks ranks say, $how" "$(cat "$scratch/said")" \
      "rank $((ranks - 1)) has died, says rank 0"
  done
done
