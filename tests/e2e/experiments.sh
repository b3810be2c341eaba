#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of jobs/experiments, and the one that replays many policies, run on a small share of
# their data, and print a row for each thing that they promise.
# shellcheck source=experiments_common.sh
. "$(dirname "$0")/experiments_common.sh"

STREAM=resample:2000 SEEDS=2 experiment splitee
rows '^IMDb +splitee(-s)? ' 10
rows '^modulation +splitee(-s)? +0\.[1-6] ' 12
rows '^modulation +[a-z0-9-]+ +[0-9.]+ \+- ' 6

# the page has savings and accuracies of every published curve
awk -F '\t' '/^#/ || $1 == "dataset" { next }
  { key = $1 FS $3; saving[key] = saving[key] sprintf(" %.1f %% |", 100 - $5 * 1e6 / (12 * $2)) }
  $6 != "-" { right[key] = right[key] sprintf(", %.4f", $6) }
  END { for (key in saving) { split(key, name, FS)
    print "| published, " name[1] " |" saving[key] " " substr(right[key], 3) " |" } }' \
  "$source_dir/jobs/experiments/published/splitee.tsv" > "$scratch/published"
expect "published curves of SplitEE" "$(wc -l < "$scratch/published")" 10
while read -r row; do
  grep -qFx "$row" "$source_dir/docs/experiments.md" || fail "docs/experiments.md has no row $row"
done < "$scratch/published"

KEPT=1000 FRAMES=1000 TARGETS='0.72 0.75 1' experiment eenet
rows '^( +-|  0\.72|  0\.75) +0\.[0-9]+ .* (final|eenet:value=|threshold:values?=)' 8

N=50000 REPEATS=1 experiment replay_speed
rows ' M +-?[0-9.]+ M$' 9  # of so few samples the speed says nothing

ALONE=2 experiment dynamic_split  # of so few samples the measured bandwidth says nothing
rows '^two exits +0 +54 +101\.5057 ' 1
rows '^three exits +(0 +28 +243\.2503|28 +54 +188\.4156) ' 2

REPEATS=1 experiment planner_speed
rows ' [0-9.]+ +[0-9.]+ %$' 10

STREAMS=20 experiment jumps
rows '^(8|32|128|600) +[01248] ' 20

sed "s|^BUILD=.*|BUILD=$BUILD|; s|^RESULTS=.*|RESULTS=$scratch/results|; s|^SAMPLES=.*|SAMPLES=200|
  s|^SEEDS=.*|SEEDS=2|" "$source_dir/jobs/policies.env" > "$scratch/policies.env"
"$source_dir/jobs/local/policies.sh" "$scratch/policies.env" > "$scratch/out" 2> "$scratch/err" ||
  fail "policies.sh: $(tail -3 "$scratch/err")"
rows ' accuracy +mean_cost ' 8
rows '^ +[0-9.]+ +[0-9.]+ +[0-9.]+ ' $((21 + 21 + 21 + 3 + 21 + 21 + 20 + 21))
expect "files of results" "$(find "$scratch/results" -name 'policy-*.h5' | wc -l)" 8
