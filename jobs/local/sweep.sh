#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One run for each value of a policy's limit on this machine, and a table of them.
#
#   jobs/local/sweep.sh [--table] [CONFIG]
#
# --table: run nothing, print the results that are there, as after jobs/slurm/sweep.sbatch.
# CONFIG: as jobs/config.env, which it defaults to
set -euo pipefail
runs=yes
if [ "${1-}" = --table ]; then runs=no && shift; fi
config=${1:+$(realpath "$1")}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=../steps.sh
. jobs/steps.sh

read_config "$config"
[ $runs = no ] || prepare
print_head 'limit'
for value in $SWEEP_VALUES; do
  POLICY=$SWEEP_POLICY$value
  [ $runs = no ] || run_stream "sweep-$value"
  [ ! -s "$RESULTS/sweep-$value.json" ] || print_row "$value" "$RESULTS/sweep-$value.json"
done
