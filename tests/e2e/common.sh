# SPDX-License-Identifier: Apache-2.0
# What the scripts of e2e and fault share.  Each is called as: SCRIPT BIN_DIR SOURCE_DIR.
# shellcheck shell=bash
set -euo pipefail

bin=${1:?usage: $0 BIN_DIR SOURCE_DIR}
source_dir=${2:?usage: $0 BIN_DIR SOURCE_DIR}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

set -a
# shellcheck source=../../jobs/mpi.env
. "$source_dir/jobs/mpi.env"
set +a

edgeexit() {
  "$bin/edgeexit" "$@"
}

start_ranks() {
  "${EE_MPIRUN:-mpirun}" -n "$1" "$bin/edgeexit" "${@:2}"
}

tool() {
  "$bin/e2e.$1" "${@:2}"
}

# say and end: a fact that does not hold, or one that cannot be tested here
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

skip() {
  echo "SKIPPED: $*"
  exit 77
}

# value TRACE PATH: one value of the trace's report
value() {
  edgeexit report --json "$1" | tool json_value "$2"
}

# expect NAME IS WANTED
expect() {
  [[ $2 == "$3" ]] || fail "$1 is $2; expected $3"
}

# need_data NAME: the path below the folder of test data, or the end of this test
need_data() {
  [[ -n ${EE_TEST_DATA:-} ]] || skip "EE_TEST_DATA is not set"
  [[ -e $EE_TEST_DATA/$1 ]] || skip "EE_TEST_DATA has no $1"
}

# wrong_setting SCRIPT NAME=VALUE: a script of jobs refuses it in one line that names it
wrong_setting() {
  local code=0
  env BUILD="$bin/.." "$2" "$source_dir/jobs/$1" > wrong.out 2> wrong.err || code=$?
  expect "exit code of $1 with $2" $code 1
  [[ $(cat wrong.out wrong.err) == "$1: ${2%%=*} is '${2#*=}', expected "* ]] ||
    fail "$1 with $2 says: $(cat wrong.out wrong.err)"
  expect "lines of $1 with $2" "$(cat wrong.out wrong.err | wc -l | tr -d ' ')" 1
}
