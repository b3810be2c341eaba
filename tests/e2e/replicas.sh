#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stages that several devices share: what plan tells of them, what a simulated run then takes, who
# answers how much, and that a live run gives the bits of one device.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

tool make_model model.h5 2 1 128 11 1
cat > fleet.yaml << FLEET
devices: [{name: d, count: 6, flops: 100M}]
links: {default: {bandwidth: 1Gbit/s, latency: 0.1ms}}
FLEET

# planned PLANNER PATH [OPTION...]: a value of the last plan
planned() {
  edgeexit plan model.h5 --fleet fleet.yaml --planner "$1" --batch 4 --slots 3 --json "${@:3}" |
    tool json_value "$2"
}

# Six devices in a row end at the heaviest layer; six that share all layers do not.
expect "plan" "$(planned replicate plans.5.plan)" "0-8 @0,1,2,3,4,5"
expect "devices of its stages" "$(planned replicate plans.5.stage_devices.0)" 6
expect "devices in use" "$(planned replicate best.devices)" 6
awk -v r="$(planned replicate plans.5.period_s)" -v e="$(planned exact plans.5.period_s)" \
  'BEGIN { exit !(e / r > 1.25) }' || fail "replicas gain too little"
edgeexit plan model.h5 --fleet fleet.yaml --planner replicate --batch 4 --slots 3 > out
grep -q "^verdict: use 6 of 6 devices (d0, d1, d2, d3, d4, d5): 6.00 times" out ||
  fail "the verdict is $(grep verdict out)"

# What moves layers does not know replicas.
for option in "--rebalance on" "--offload on --rebalance off"; do
  # shellcheck disable=SC2086
  edgeexit run model.h5 none.h5 --planner replicate $option 2> err && fail "ran with $option"
  grep -q "planner replicate keeps its plan" err || fail "$option: $(cat err)"
done

edgeexit run model.h5 none.h5 --planner replicate --rebalance off --cuts 3 2> err && fail "ran with --cuts"
grep -q "^edgeexit: --cuts says the plan" err || fail "--cuts with replicas: $(cat err)"

# A live run: all devices hold all layers, or the memory makes it two stages.
tool make_data data.h5 2 1 128 230 0
run() {
  start_ranks "$1" run model.h5 data.h5 --policy threshold:value=0.2 --batch 4 --slots 3 \
    --epoch 50 --rebalance off --logits "${@:2}" > out 2> err || fail "run ${*:2}: $(cat err)"
}
run 1 --trace alone.h5
run 3 --trace shared.h5 --planner replicate
tool compare_traces alone.h5 shared.h5 || fail "answers differ from those of one device"
expect "plan of the trace" "$(value shared.h5 plans.0.plan)" "0-8 @0,1,2"

[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid: no simulated runs"
awk 'BEGIN {
  print "p0,c0,p1,c1,p2,c2"
  for (i = 0; i < 2400; i++) print "0,0,0,0,0,1"
}' > none.csv
edgeexit import exits none.csv --prediction p0,p1,p2 --confidence c0,c1,c2 --layers 3,6,9 \
  --classes 11 -o none.h5 > out

# simulate: what was predicted for the plan, and what it took, are within 3 % of each other
simulate() {
  edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --rebalance off --json \
    --planner replicate --batch 4 --slots 3 --outcomes none.h5 --epoch 400 --control-delay 3 \
    --trace trace.h5 > out 2> err || fail "simulate: $(cat err)"
  awk -v p="$(tool json_value period_predicted_s < out)" \
    -v m="$(tool json_value period_measured_s < out)" 'BEGIN { exit !(m / p > 0.97 && m / p < 1.03) }' ||
    fail "predicted and measured periods differ: $(cat out)"
}
simulate
for d in 0 1 2 3 4 5; do  # 600 batches of four in turn
  expect "batches of device $d" "$(tool json_value devices.$d.batches < out)" 100
  expect "answers of device $d" "$(value trace.h5 devices.$d.answers)" 400
done
