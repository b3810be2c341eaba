#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Learned scores: a network whose exits have a second head decides by them live, while layers move,
# on the simulated and the paced clock and in the replay of its exit table alike; tools that write the
# model keep them.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=policies.sh
. "$(dirname "$0")/policies.sh"
cd "$scratch"
export TMPDIR=$scratch

tool make_model model.h5 2 1 128 11 1 scored
edgeexit generate modulation --samples 200 --seed 3 -o data.h5
eenet=eenet:values=0.5/0.03

# every exit answers some
edgeexit score --backend blis -o exits.h5 model.h5 data.h5 > out
edgeexit policy exits.h5 --policy $eenet --json > replay.json
for exit in 0 1 2; do
  awk -v share="$(tool json_value exit_share.$exit < replay.json)" 'BEGIN { exit !(share > 0.2) }' ||
    fail "too few samples leave at exit $exit: $(cat replay.json)"
done
edgeexit policy exits.h5 --policy eenet:value=1 --json > none.json
expect "share of the last exit at a score of 1" "$(tool json_value exit_share.2 < none.json)" 1

# live NAME RANKS OPTION...: a run with a trace of this name
live() {
  start_ranks "$2" run model.h5 data.h5 --policy $eenet --backend blis --epoch 16 --control-delay 1 \
    --logits --trace "$1.h5" "${@:3}" > out 2> err || fail "run $*: $(cat err)"
  cp "$1.h5" trace.h5
  as_replayed
}

live one 1
live three 3 --batch 8
live uneven 3 --batch 3 --cuts 3/6 --rebalance off
tool compare_traces one.h5 three.h5 uneven.h5 > differences || fail "$(cat differences)"

# the heads' scores change no bit of their logits
start_ranks 3 run model.h5 data.h5 --policy threshold:value=0.5 --backend blis --logits \
  --trace plain.h5 > out 2> err || fail "run by confidence: $(cat err)"
tool compare_traces --exits exits.h5 --threshold 0.5 plain.h5 > differences ||
  fail "$(cat differences)"

# layers move, with the heads of their exits: the same bits
cat > fleet.yaml << 'FLEET'
name: a hub that slows down
devices:
  - {name: camera, flops: 160e6}
  - {name: hub, flops: 160e6, speed: [{at: 0.1, factor: 0.2}]}
  - {name: attic, flops: 160e6, speed: [{at: 0, factor: 0.2}, {at: 0.3, factor: 1}]}
links:
  default: {bandwidth: 100Mbit/s, latency: 200us}
FLEET
for weights in peer file; do
  live moved-$weights 3 --fleet fleet.yaml --batch 4 --weights $weights
  plans=$(value moved-$weights.h5 plans.#)
  ((plans >= 2)) || fail "the run with weights of a $weights served under $plans plan"
  tool compare_traces one.h5 moved-$weights.h5 > differences || fail "$(cat differences)"
done

# scores of a table instead of layers
start_ranks 3 run model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml --policy $eenet --epoch 16 \
  --trace told.h5 > out 2> err || fail "paced by outcomes: $(cat err)"
cp told.h5 trace.h5
as_replayed
if [[ -e $bin/edgeexit-simulated ]]; then
  edgeexit simulate model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml --policy $eenet \
    --epoch 16 --trace simulated.h5 > out 2> err || fail "simulated: $(cat err)"
  cp simulated.h5 trace.h5
  as_replayed
fi

# what writes the model keeps its scores; temperatures do not change them
cp model.h5 kept.h5
edgeexit profile --repeats 3 kept.h5 > out
edgeexit calibrate kept.h5 data.h5 -o calibrated.h5 > out 2> err || fail "calibrate: $(cat err)"
edgeexit score --backend blis -o again.h5 calibrated.h5 data.h5 > out
for figure in exit_share.0 exit_share.1 mean_cost; do
  edgeexit policy again.h5 --policy $eenet --json > again.json
  expect "$figure after profile and calibrate" "$(tool json_value $figure < again.json)" \
    "$(tool json_value $figure < replay.json)"
done

# a network without scores
tool make_model bare.h5 2 1 128 11 1
edgeexit score -o bare-exits.h5 bare.h5 data.h5 > out
for command in "run bare.h5 data.h5" "policy bare-exits.h5"; do
  code=0
  # shellcheck disable=SC2086  # words
  edgeexit $command --policy $eenet > out 2> err || code=$?
  expect "exit code of $command without scores" $code 1
  grep -qF "policy eenet needs learned scores" err || fail "$command says: $(cat err)"
done
