#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A simulation that breaks in mid-run ends with one sentence of ours and exit code 1: one whose
# ranks wait for each other, which SimGrid takes for a good end, names them.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"
[[ -e $bin/broken/edgeexit-simulated ]] || skip "built without SimGrid"
cd "$scratch"
export TMPDIR=$scratch

mkdir program
cp "$bin/edgeexit" "$bin/broken/edgeexit-simulated" program
tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 20 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
cat > fleet.yaml << 'FLEET'
devices: [{name: edge, count: 6, flops: 1G}]
FLEET

# ends HOW CODE [SENTENCE]
ends() {
  local code=0
  BROKEN=$1 program/edgeexit simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml \
    > out 2> err || code=$?
  expect "exit code of $1" "$code" "$2"
  expect "$1 says" "$(cat err)" "${3:+edgeexit: $3}"
  if compgen -G "$scratch/edgeexit-*" > left; then fail "$1 leaves behind: $(cat left)"; fi
}

stuck="the simulation is deadlocked after 0 s:"
ends nothing 0
ends fail 1
ends deadlock 1 "$stuck 6 of 6 devices wait for what never comes: rank 0 for any of several messages, \
rank 1 for a message, rank 2 for any of several messages, rank 3 for any of several messages, ..."
ends signal 1 "signal 9 (Killed) ended the simulation"
BROKEN=abort program/edgeexit simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml > out 2> err &&
  fail "MPI_Abort() is taken for a good end"
[[ $(wc -l < err) -eq 1 ]] || fail "MPI_Abort() says: $(cat err)"
