# SPDX-License-Identifier: Apache-2.0
# What the tests of jobs/experiments share.
# shellcheck shell=bash source=common.sh
. "$(dirname "$0")/common.sh"
BUILD=$(dirname "$bin")
export BUILD
experiments=$source_dir/jobs/experiments

# experiment NAME [ARGUMENT...]: its output to $scratch/out
experiment() {
  "$experiments/$1.sh" "$scratch/of-$1" "${@:2}" > "$scratch/out" 2> "$scratch/err" ||
    fail "$1: $(tail -3 "$scratch/err")"
}

# rows PATTERN NUMBER: lines of the output
rows() {
  expect "number of lines with $1" "$(grep -cE "$1" "$scratch/out")" "$2"
}
