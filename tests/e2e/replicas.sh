#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stages that several devices share: what plan tells of them, what a simulated run then takes, who
# answers how much, that a live run gives the bits of one device, also when a device slows down and
# turns or layers move, and that the plan is then the one that the planner makes for the slow device.
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

edgeexit run model.h5 none.h5 --planner replicate --offload on --rebalance off 2> err &&
  fail "ran with --offload on"
grep -q "planner replicate shares stages; it needs --offload off" err || fail "offload: $(cat err)"
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

# On the paced clock: the second device slows down for good.
# slow_fleet NAME MEMORY [CHANGE]: the second of four devices may change
slow_fleet() {
  cat > "$1.yaml" << FLEET
devices:
  - {name: a, flops: 16M, memory: $2}
  - {name: b, flops: 16M, memory: $2${3:+, speed: [$3]}}
  - {name: c, flops: 8M, memory: $2}
  - {name: d, flops: 4M, memory: $2}
links: {default: {bandwidth: 1Gbit/s, latency: 0.1ms}}
FLEET
}
# moved NAME FLEET OPTION...: a run whose plan must change
moved() {
  start_ranks 4 run model.h5 data.h5 --policy threshold:value=0.2 --batch 2 --slots 3 --epoch 20 \
    --logits --fleet "$2.yaml" --planner replicate --trace "$1.h5" "${@:3}" > out 2> err ||
    fail "run $*: $(cat err)"
  tool compare_traces alone.h5 "$1.h5" || fail "answers of $1 differ from those of one device"
  (($(value "$1.h5" plans.#) >= 2)) || fail "$1 served under one plan"
}
slow_fleet paced 10MB '{at: 0.6, factor: 0.25}'
moved paced paced
expect "first plan" "$(value paced.h5 plans.0.plan)" "0-8 @0*4,1*4,2*2,3"
moved drained paced --move drain
moved built paced --move build --weights file

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

# adapt NAME MEMORY: the plan and the pace of the last epoch are those for the slow device, known from
# the start
adapt() {
  local known
  slow_fleet "$1" "$2" '{at: 10, factor: 0.25}'
  slow_fleet known "$2" '{at: 0, factor: 0.25}'
  known=$(edgeexit plan model.h5 --fleet known.yaml --planner replicate --batch 1 --slots 3 --json \
    -n 4 | tool json_value plans.3.period_s)
  edgeexit simulate model.h5 --fleet "$1.yaml" --policy threshold:value=0.5 --planner replicate \
    --batch 1 --slots 3 --outcomes none.h5 --epoch 30 --trace trace.h5 --json > out 2> err ||
    fail "simulate $1: $(cat err)"
  (($(tool json_value moves_done < out) >= 1)) || fail "$1: nothing moved"
  awk -v k="$known" -v p="$(tool json_value period_predicted_s < out)" \
    'BEGIN { exit !(p / k < 1.06 && p / k > 0.97) }' || fail "$1: planned for $known s: $(cat out)"
}
adapt whole 10MB
