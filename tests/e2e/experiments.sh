#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of jobs/experiments run, on a small share of their data, and print a row for each thing
# that docs/experiments.md has a row for.
# shellcheck source=experiments_common.sh
. "$(dirname "$0")/experiments_common.sh"

STREAM=resample:2000 SEEDS=2 experiment splitee
rows '^IMDb +splitee(-s)? ' 10
rows '^modulation +splitee(-s)? +0\.[1-6] ' 12
rows '^modulation +[a-z0-9-]+ +[0-9.]+ \+- ' 6

N=20000 REPEATS=1 experiment replay_speed
rows ' M +[0-9.]+ M$' 9

if [[ -e $bin/edgeexit-simulated ]]; then
  CLOCK=simulated LIVE_SAMPLES=1000 experiment splitee_live
  rows '^ +[0-9]+ +100 ' 30
  rows '^live: ' 3
  same=$(awk '/^live: / { n += $3 == $12 } END { print n }' "$scratch/out")
  expect "runs as accurate as their replay" "$same" 3
fi
