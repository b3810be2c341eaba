# SPDX-License-Identifier: Apache-2.0
# For scripts of bad input: that the program refuses it, at 1 and 4 ranks, in one sentence.
# shellcheck shell=bash
# shellcheck source=../e2e/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/common.sh"

n_refused=0

# ended NAME CODE: keeps the exit code of a command beside its output
ended() {
  echo "$2" > "$scratch/$1.code"
}

# judge NAME CODE PATTERN COMMAND...: one sentence of ours, like the pattern, and this exit code;
# a warning that the machine is busy is not about the command
judge() {
  local code said sentences
  code=$(cat "$scratch/$1.code")
  said=$(grep -v '^edgeexit: warning: this process had a core for' "$scratch/$1.err") || true
  sentences=$(grep -c '^edgeexit:' <<< "$said") || true
  ((code != 124)) || fail "'${*:4}' hangs"
  [[ $code == "$2" ]] || fail "'${*:4}' ends with $code; expected $2: $said"
  [[ $sentences == 1 ]] || fail "'${*:4}' says $sentences sentences; expected 1: $said"
  # shellcheck disable=SC2053 # the right side is a pattern
  [[ $(grep '^edgeexit:' <<< "$said") == $3 ]] ||
    fail "'${*:4}' says '$said'; expected '$3'"
  n_refused=$((n_refused + 1))
}

# refused CODE PATTERN ARGUMENT...: edgeexit refuses these arguments
refused() {
  local code=0
  timeout 20 "$bin/edgeexit" "${@:3}" < /dev/null > "$scratch/one.out" 2> "$scratch/one.err" ||
    code=$?
  ended one "$code"
  judge one "$1" "$2" edgeexit "${@:3}"
}

# refused_by_ranks CODE PATTERN ARGUMENT...: one rank and four refuse to run with these arguments
refused_by_ranks() {
  local code=0
  timeout 20 "${EE_MPIRUN:-mpirun}" -n 4 "$bin/edgeexit" run "${@:3}" < /dev/null \
    > "$scratch/four.out" 2> "$scratch/four.err" &
  refused "$1" "$2" run "${@:3}"
  wait $! || code=$?
  ended four "$code"
  judge four "$1" "$2" mpirun -n 4 edgeexit run "${@:3}"
}
