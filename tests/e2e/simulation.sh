#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On the simulated clock every policy decides on every sample what it decides in a replay, and so
# what it decides live (decisions.sh); layers move; a run is the same each time; and what a fleet's
# figures say comes out.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=policies.sh
. "$(dirname "$0")/policies.sh"
[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid"
cd "$scratch"
export TMPDIR=$scratch

tool make_model model.h5 2 1 128 11 1
layers=$(edgeexit info --json model.h5 | tool json_value layers.#)
edgeexit generate modulation --samples 200 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
check_every_policy

cat > fleet.yaml << 'FLEET'
name: camera, hub and server
devices:
  - {name: camera, flops: 0.1G}
  - {name: hub, flops: 0.1G}
  - {name: server, flops: 0.2G}
links:
  default: {bandwidth: 80Mbit/s, latency: 100us}
FLEET

# [epoch=N] simulate OPTION...: a simulated run with a trace
simulate() {
  rm -f trace.h5
  edgeexit simulate model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml \
    --epoch "${epoch:-16}" --control-delay 1 --trace trace.h5 "$@" > out 2> err || fail "simulate $*: $(cat err)"
}

for text in "${every_policy[@]}"; do
  options_for "$text"
  simulate --policy "$text" --rebalance off "${options[@]}"
  as_replayed
done
expect "clock" "$(value trace.h5 run.clock)" simulated

# offloaded samples leave their device at once
for text in splitee:alpha=0.4 splitee-s:alpha=0.4,arms=2 adaee offload:value=0.5 offload:value=0.35,exits=1; do
  simulate --policy "$text" --rebalance off --offload on --cuts 2/$((layers - 1)) --batch 3
  as_replayed
done

# no layer runs, so that no samples are needed
rm trace.h5
edgeexit simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml --epoch 16 --trace trace.h5 \
  --policy splitee:alpha=0.4 > out 2> err || fail "without data: $(cat err)"
as_replayed
expect "samples" "$(value trace.h5 answered)" 200

# the paced clock goes by outcomes too
rm trace.h5
start_ranks 3 run model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml --epoch 16 \
  --policy adaee --trace trace.h5 > out 2> err || fail "paced: $(cat err)"
as_replayed

# a fleet that does not fit its first plan: layers move, nothing changes for the samples, and the
# simulated time is the same each time
cat > fleet.yaml << 'FLEET'
name: a server that slows down
devices:
  - {name: camera, flops: 0.1G}
  - {name: hub, flops: 0.1G}
  - {name: server, flops: 0.2G, speed: [{at: 0.1, factor: 0.25}]}
links:
  default: {bandwidth: 80Mbit/s, latency: 100us}
FLEET
simulate --policy threshold:value=0.12 --json
sed 's/"controller_s":[^,]*,//' out > first.json  # which is this host's time
tool json_value moves_done < out > moves
[[ $(cat moves) -ge 1 ]] || fail "no layer moved, though the server slowed down"
as_replayed
simulate --policy threshold:value=0.12 --json
sed 's/"controller_s":[^,]*,//' out | cmp -s - first.json || fail "a second simulation gave other figures"

# one link is the bottleneck: at first with 2 Mbit/s, then with half of it; what follows its last
# message is one layer and latency; one epoch, so that sums of control take no share of the link
cat > fleet.yaml << 'FLEET'
name: a slow link
devices: [{name: camera, flops: 10G}, {name: server, flops: 10G}]
links:
  default: {bandwidth: 2Mbit/s, latency: 1ms, changes: [{at: 0.5, bandwidth: 1Mbit/s}]}
FLEET
epoch=256 simulate --policy final --rebalance off --cuts 3 --json
bytes=$(tool json_value devices.0.sent_bytes < out) wall=$(tool json_value devices.0.wall_s < out)
awk -v bytes="$bytes" -v wall="$wall" 'BEGIN {
  wanted = 0.5 + (bytes - 0.5 * 0.25e6) / 0.125e6
  exit !(wall > wanted && wall < 1.03 * wanted)
}' || fail "$bytes bytes over the slow link took $wall s"
# in one epoch, which is compared as a whole
awk -v period="$(tool json_value period_measured_s < out)" -v end="$(tool json_value last_answer_s < out)" \
  'BEGIN { exit !(200 * period > 0.99 * end && 200 * period < 1.01 * end) }' ||
  fail "200 samples until $(tool json_value last_answer_s < out) s are not a period of $(tool json_value period_measured_s < out) s"

# the same with a recorded link: 2 Mbit/s for 0.7 s, then 0.5 Mbit/s for 0.7 s, over and over
printf '0 2\n0.7 0.5\n' > net.txt
cat > fleet.yaml << 'FLEET'
name: a recorded link
devices: [{name: camera, flops: 10G}, {name: server, flops: 10G}]
links: {default: {trace: net.txt, latency: 1ms}}
FLEET
epoch=256 simulate --policy final --rebalance off --cuts 3 --json
bytes=$(tool json_value devices.0.sent_bytes < out) wall=$(tool json_value devices.0.wall_s < out)
awk -v bytes="$bytes" -v wall="$wall" 'BEGIN {
  period = 0.7 * (0.25e6 + 0.0625e6)
  whole = int(bytes / period)
  rest = bytes - whole * period
  wanted = 1.4 * whole
  wanted += rest < 0.7 * 0.25e6 ? rest / 0.25e6 : 0.7 + (rest - 0.7 * 0.25e6) / 0.0625e6
  exit !(wall > 0.99 * wanted && wall < 1.03 * wanted)
}' || fail "$bytes bytes over the recorded link took $wall s"

# a device that collapses counts as away: it is warned of once, left, and no plan goes back to it;
# without rebalancing the warning says that all will wait
cat > fleet.yaml << 'FLEET'
name: a camera that collapses
devices:
  - {name: camera, flops: 0.1G, speed: [{at: 0.1, factor: 1e-9}]}
  - {name: hub, flops: 0.1G}
  - {name: server, flops: 0.2G}
links:
  default: {bandwidth: 80Mbit/s, latency: 100us}
FLEET
simulate --policy final --json
expect "moves" "$(tool json_value moves_done < out)" 1
awk -v wall="$(tool json_value devices.0.wall_s < out)" 'BEGIN { exit !(wall < 2) }' || fail "$(cat out)"
as_replayed
expect "warnings of devices" "$(grep -c "warning: device" err)" 1
grep -qF "warning: device camera runs at 1e-09 of its speed from 0.1 s on, too slow to serve" err ||
  fail "a collapse: $(cat err)"
[[ $(value trace.h5 plans.0.plan) == *@0* ]] || fail "the first plan does without the camera"
[[ $(value trace.h5 plans.1.plan) != *@0* ]] || fail "the camera is not left: $(value trace.h5 plans.1.plan)"
edgeexit simulate model.h5 --samples 16 --outcomes exits.h5 --fleet fleet.yaml --rebalance off > out 2> err
grep -qF "runs at 1e-09 of its speed from 0.1 s on, and whatever needs its layers waits" err ||
  fail "a collapse without rebalancing: $(cat err)"
sed -i 's/at: 0.1,/at: 0,/' fleet.yaml
edgeexit plan --json --fleet fleet.yaml model.h5 > out 2> err
expect "idle" "$(tool json_value devices.0.idle < out)" away
expect "warnings of plan" "$(grep -c warning err)" 1

# energy is busy and idle watts times their seconds, in the run's figures and in the report
cat > fleet.yaml << 'FLEET'
name: one of two with watts
devices: [{name: camera, flops: 1G, watts: {busy: 5, idle: 2}}, {name: server, flops: 1G}]
FLEET
simulate --policy final --rebalance off --cuts 3 --json
awk -v energy="$(tool json_value energy_j < out)" -v busy="$(tool json_value devices.0.busy_s < out)" \
  -v end="$(tool json_value last_answer_s < out)" -v each="$(tool json_value energy_per_sample_j < out)" \
  'BEGIN {
    wanted = 5 * busy + 2 * (end - busy)
    exit !(busy > 0 && (energy - wanted) ^ 2 < 1e-12 && (each - wanted / 200) ^ 2 < 1e-12)
  }' || fail "energy: $(cat out)"
expect "energy of a device without watts" "$(tool json_value devices.1.energy_j < out)" null
edgeexit report --json trace.h5 > report.json
awk -v run="$(tool json_value energy_j < out)" -v report="$(tool json_value energy_j < report.json)" \
  'BEGIN { exit !(report > (1 - 1e-9) * run && report < (1 + 1e-9) * run) }' || fail "$(cat report.json)"
expect "name in the report" "$(tool json_value devices.1.name < report.json)" server

# a link gets slower: the least latency is then that of the camera alone, while the server alone
# still has the shortest period; a controller that judges latencies moves, one that judges periods
# does not
cat > fleet.yaml << 'FLEET'
name: a link that gets slower
devices: [{name: camera, flops: 0.1G}, {name: server, flops: 0.4G}]
links: {default: {bandwidth: 3Mbit/s, latency: 1ms, changes: [{at: 0.5, bandwidth: 1.5Mbit/s}]}}
FLEET
for planner in 'exact 0' 'latency 1'; do
  read -r name moves <<< "$planner"
  simulate --policy final --batch 1 --rate 100 --weights file --planner "$name" --json
  expect "moves with $name" "$(tool json_value moves_done < out)" "$moves"
  expect "first plan with $name" "$(value trace.h5 plans.0.plan)" "0-8 @1"
  tool json_value latency_mean_s < out > "mean-$name"
done
expect "plan in the end" "$(value trace.h5 plans.1.plan)" "0-8 @0"
expect "judged by" "$(value trace.h5 rebalances.0.judged_by)" latency
edgeexit report trace.h5 > out
gain=$(value trace.h5 rebalances.0.predicted_latency_gain)
grep -qE "latency +[0-9.]+ -> [0-9.]+ ms for a sample alone, predicted and judged by" out ||
  fail "the report has no latencies: $(cat out)"
awk -v gain="$gain" 'BEGIN { exit !(gain >= 0.1) }' || fail "it moved for a gain of $gain"
awk '{ mean[NR] = $1 } END { exit !(mean[2] < 0.95 * mean[1]) }' mean-exact mean-latency ||
  fail "latencies with exact and latency: $(cat mean-exact mean-latency)"

# plans that are fast enough only: one device has the least latency, two halve the period;
# when the server gets too slow for the period, plans are judged by that
cat > fleet.yaml << 'FLEET'
name: a period to keep
devices: [{name: camera, flops: 0.1G}, {name: server, flops: 0.1G}]
links: {default: {bandwidth: 100Mbit/s, latency: 1ms}}
FLEET
edgeexit plan --json --planner latency --fleet fleet.yaml --batch 1 model.h5 > least.json
alone=$(tool json_value plans.1.period_s < least.json)
limit=$(awk -v alone="$alone" 'BEGIN { print 0.8 * alone }')
edgeexit plan --json --max-period "$limit" --fleet fleet.yaml --batch 1 model.h5 > within.json
[[ $(tool json_value plans.1.plan < least.json) != "$(tool json_value plans.1.plan < within.json)" ]] ||
  fail "the limit changes nothing: $(cat within.json)"
simulate --policy final --batch 1 --planner latency --max-period "$limit"
expect "first plan within $limit s" "$(value trace.h5 run.first_plan)" "$(tool json_value plans.1.plan < within.json)"
expect "judged by" "$(edgeexit info --json trace.h5 | tool json_value judged_by)" latency
sed -i 's/server, flops: 0.1G/server, flops: 0.1G, speed: [{at: 0.1, factor: 0.3}]/' fleet.yaml
simulate --policy final --batch 1 --planner latency --max-period "$limit"
expect "judged by" "$(value trace.h5 rebalances.0.judged_by)" period
edgeexit report trace.h5 > out
! grep -q "judged by" out || fail "a move for the period is judged by latency: $(cat out)"

# a fleet that has nobody left is warned of
cat > away.yaml << 'FLEET'
devices:
  - {name: camera, flops: 0.1G, away: [{from: 0.2}]}
  - {name: server, flops: 0.1G, away: [{from: 0.1, to: 0.5}]}
FLEET
edgeexit simulate model.h5 --outcomes exits.h5 --fleet away.yaml --epoch 16 > out 2> err || fail "away: $(cat err)"
grep -q "all devices are away at 0.2 s" err || fail "with nobody left: $(cat err)"

# devices and links a million times slower take a million times as long, and no more of the host's
# time: looking about every 200 us, as on the real clock, would take days
slower() {
  printf 'devices: [{name: a, flops: %s}, {name: b, flops: %s}]\nlinks: {default: {latency: %s}}\n' \
    "$1" "$1" "$2" > slower.yaml
  edgeexit simulate model.h5 --outcomes exits.h5 --fleet slower.yaml --cuts 2 --merge-wait 0 \
    --epoch 1000 --rebalance off --json > out 2> err || fail "flops $1: $(cat err)"
  tool json_value last_answer_s < out
}
awk -v a="$(slower 1G 100us)" -v b="$(slower 1k 100s)" \
  'BEGIN { exit !(b / a / 1e6 > 0.999 && b / a / 1e6 < 1.001) }' || fail "slow devices: $(cat out)"

# a source slower than the plan: what is predicted is its period, and no layer moves for more
printf 'devices: [{name: a, flops: 0.05G}, {name: b, flops: 0.2G}]\n' > rated.yaml
for rate in 1 0; do
  edgeexit simulate model.h5 --outcomes exits.h5 --fleet rated.yaml --rate "$rate" --cuts 7 \
    --epoch 16 --policy final --json > out 2> err || fail "--rate $rate: $(cat err)"
  if [[ $rate == 1 ]]; then
    expect "predicted and moves" "$(tool json_value period_predicted_s < out) $(tool json_value moves_begun < out)" "1 0"
  elif [[ $(tool json_value moves_done < out) == 0 ]]; then
    fail "without a rate nothing moves: $(cat out)"
  fi
done

# what a better plan lacks is said where layers may move, and only there
printf 'devices: [{name: a, flops: 0.05G, memory: 450kB}, {name: b, flops: 0.2G, memory: 450kB}]\n' > full.yaml
for rebalance in on off; do
  edgeexit simulate model.h5 --outcomes exits.h5 --fleet full.yaml --cuts 7 --epoch 16 --policy final \
    --rebalance $rebalance > out 2> err || fail "full devices: $(cat err)"
  expect "lines of shortage with $rebalance" "$(grep -c 'a better plan is left: device' err)" \
    "$([[ $rebalance == on ]] && echo 1 || echo 0)"
done

# a move whose layers come when the stream is over has nothing measured
cat > late.yaml << 'FLEET'
devices: [{name: a, flops: 0.2G}, {name: b, flops: 0.05G}]
links:
  default: {bandwidth: 1GB/s}
  pairs: [{from: b, to: a, bandwidth: 1GB/s, changes: [{at: 0.001, bandwidth: 5kB/s}]}]
FLEET
edgeexit simulate model.h5 --outcomes exits.h5 --fleet late.yaml --cuts 2 --epoch 4 --batch 1 --samples 20 \
  --policy final --weights peer > out 2> err || fail "a late move: $(cat err)"
grep -q '1 moves begun, 0 done' out || fail "the late move: $(cat out)"
grep -q 'measured [0-9.]* in that epoch, [0-9.]* kB moved; the stream ended first$' out ||
  fail "the late move says: $(cat out)"

# what is refused
refuse() {
  local code=0
  edgeexit "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -qF -- "$2" err || fail "${*:3} says: $(cat err)"
  [[ $(wc -l < err) -eq 1 ]] || fail "${*:3} says more than one line: $(cat err)"
}
refuse 2 "--fleet must say" simulate model.h5 data.h5 --outcomes exits.h5
refuse 2 "--devices is 200, but fleet.yaml has $(grep -o 'name: [a-z]*,' fleet.yaml | wc -l) devices" simulate model.h5 \
  --outcomes exits.h5 --fleet fleet.yaml --devices 200
refuse 2 "it needs --fleet" simulate model.h5 data.h5 --fleet fleet.yaml
refuse 2 "--fleet must say" run model.h5 data.h5 --outcomes exits.h5
refuse 2 "DATA.h5 is missing" run model.h5
refuse 2 "--max-period is for --planner latency, not for exact" run model.h5 data.h5 --max-period 1
refuse 2 "with --cuts and --rebalance off none is" simulate model.h5 data.h5 --outcomes exits.h5 \
  --fleet fleet.yaml --planner latency --max-period 1 --cuts 3 --rebalance off
refuse 1 "no plan has a period of 1e-06 s or less; the shortest is" simulate model.h5 data.h5 \
  --outcomes exits.h5 --fleet fleet.yaml --planner latency --max-period 1e-6
refuse 2 "no --logits" run model.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml --logits
refuse 1 "none.h5" simulate none.h5 data.h5 --outcomes exits.h5 --fleet fleet.yaml
edgeexit score -o few.h5 --samples 150 model.h5 data.h5 > out
refuse 1 "those of 150 samples, the stream has 200" simulate model.h5 data.h5 --outcomes few.h5 \
  --fleet fleet.yaml --cuts 3

# memory counts as if layers ran: where a run of them is refused, so is this, for the same bytes
printf 'devices: [{name: a, flops: 1G, memory: 12kB}, {name: b, flops: 1G}]\n' > little.yaml
refuse 1 "device 0 (a) has 12000 byte of memory, but layers 0 to 0 need" simulate model.h5 \
  --outcomes exits.h5 --fleet little.yaml --cuts 1
needs=$(grep -o 'layers 0 to 0 need .*' err)
refuse 1 "$needs" run --devices 2 model.h5 data.h5 --fleet little.yaml --cuts 1
edgeexit plan --json model.h5 --devices 1 > plan.json
all=$(tool json_value devices.0.memory_bytes < plan.json)
printf 'devices: [{name: a, flops: 1G, memory: %dB}]\n' $((all - 1)) > little.yaml
refuse 1 "no plan fits" plan model.h5 --fleet little.yaml
sed 's/^edgeexit: //' err > needs
refuse 1 "$(cat needs)" simulate model.h5 --outcomes exits.h5 --fleet little.yaml
printf 'devices: [{name: a, flops: 1G, memory: %dB}]\n' "$all" > little.yaml
edgeexit simulate model.h5 --outcomes exits.h5 --fleet little.yaml --json > run.json 2> err ||
  fail "what fits is refused: $(cat err)"
awk -v run="$(tool json_value devices.0.memory_bytes < run.json)" -v plan="$all" \
  'BEGIN { exit !(run > 0.5 * plan && run <= plan) }' || fail "memory of a run: $(cat run.json)"

printf 'p,c,y\n0,0.9,0\n' > wide.csv
edgeexit import exits wide.csv --prediction p --confidence c --label y -o one.h5 > out
refuse 1 "one.h5 has 1 exits" simulate model.h5 data.h5 --outcomes one.h5 --fleet fleet.yaml \
  --cuts 3
if compgen -G "$scratch/edgeexit-*" > left; then fail "left behind: $(cat left)"; fi
