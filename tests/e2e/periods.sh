#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The period that the planner predicts is the simulated one, whether computing, bandwidth, or latency
# with so many slots and so large batches is the limit.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid"
cd "$scratch"
export TMPDIR=$scratch

tool make_model model.h5 2 1 128 11 1

# outcomes NAME A B: NAME.h5, where the shares A and B leave at the first two exits
outcomes() {
  awk -v a="$2" -v b="$3" 'BEGIN {
    srand(1)
    print "p0,c0,p1,c1,p2,c2"
    for (i = 0; i < 8000; i++) {
      r = rand()
      printf "0,%d,0,%d,0,1\n", r < a, r < a + b
    }
  }' > "$1.csv"
  edgeexit import exits "$1.csv" --prediction p0,p1,p2 --confidence c0,c1,c2 --layers 3,6,9 \
    --classes 11 -o "$1.h5" > out
}

# fleet DEVICES FLOPS BANDWIDTH LATENCY
fleet() {
  cat > fleet.yaml << FLEET
devices: [{name: d, count: $1, flops: $2}]
links: {default: {bandwidth: $3, latency: $4}}
FLEET
}

# simulate OPTION...: predicted and simulated period [ms]
simulate() {
  edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --rebalance off --json \
    --control-delay 3 "$@" > out 2> err || fail "simulate $*: $(cat err)"
  awk -v p="$(tool json_value period_predicted_s < out)" \
    -v m="$(tool json_value period_measured_s < out)" 'BEGIN { print p * 1e3, m * 1e3 }'
}

# agree WANTED WITHIN DEVICES FLOPS BANDWIDTH LATENCY OPTION...: the predicted period is WANTED ms,
# and the simulated one the same within so many per cent
agree() {
  fleet "${@:3:4}"
  local periods
  periods=$(simulate "${@:7}")
  awk -v wanted="$1" -v within="$2" '{
    exit !($1 > 0.97 * wanted && $1 < 1.03 * wanted && ($2 / $1 - 1) ^ 2 < (within / 100) ^ 2)
  }' <<< "$periods" || fail "periods $periods ms, expected $1 within $2 %, of ${*:3}"
}

# A sum takes round trips of 60 ms, an epoch of 16 samples 10 ms of computing: where nothing waits for
# sums the stream is as fast as without them, each epoch is counted, and nothing is said; where moves
# do, what holds the stream is named.
outcomes some 0.3 0.2
fleet 3 1G 10Gbit/s 30ms
held=(--outcomes some.h5 --cuts 3/6 --slots 64 --epoch 16 --samples 2000)
edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --json "${held[@]}" \
  --epoch 2000 --rebalance off > out 2> err
wanted=$(tool json_value last_answer_s < out)
edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --json "${held[@]}" \
  --rebalance off --trace free.h5 > out 2> err
awk -v a="$(tool json_value last_answer_s < out)" -v b="$wanted" \
  'BEGIN { exit !((a / b - 1) ^ 2 < 0.02 ^ 2) }' || fail "with sums the stream takes other than $wanted s: $(cat out)"
expect "epochs" "$(tool json_value epochs < out)" 125
! grep -q 'waited for sums' err || fail "nothing waits for sums, but: $(cat err)"
edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --json "${held[@]}" \
  --control-delay 1 > out 2> err
awk -v a="$(tool json_value last_answer_s < out)" -v b="$wanted" 'BEGIN { exit !(a / b > 1.5) }' ||
  fail "short epochs do not hold the stream: $(cat out)"
grep -q 'waited for sums.*--epoch [0-9]* or more, or a longer --control-delay' err ||
  fail "a stream that is held says: $(cat err)"

# Without a word on epochs they are long enough for these links, and moves may be made at no cost.
auto=(--outcomes some.h5 --slots 64 --samples 2000)
edgeexit simulate model.h5 --fleet fleet.yaml --policy threshold:value=0.5 --json "${auto[@]}" \
  > out 2> err
awk -v a="$(tool json_value last_answer_s < out)" -v b="$wanted" 'BEGIN { exit !(a / b < 1.02) }' ||
  fail "epochs of their own length hold the stream: $(cat out)"
! grep -q 'waited for sums' err || fail "epochs of their own length: $(cat err)"

# Samples have 2,048 bytes at cut 3: 1.6384 ms at 10 Mbit/s, and 13.1072 ms eight of them.
outcomes none 0 0
stay=(--outcomes none.h5 --cuts 3 --samples 1200 --epoch 200)
agree 41.6384 3 2 10G 10Mbit/s 20ms "${stay[@]}" --batch 1 --slots 1    # a round trip each
agree 10.4096 3 2 10G 10Mbit/s 20ms "${stay[@]}" --batch 1 --slots 4    # four at a time
agree 2.0692 3 2 10G 10Mbit/s 10ms "${stay[@]}" --batch 8 --slots 2     # two batches
agree 1.6384 3 2 10G 10Mbit/s 10ms "${stay[@]}" --batch 8 --slots 4     # transmission alone
agree 10.1638 3 2 10G 100Mbit/s 20ms "${stay[@]}" --batch 4 --slots 1
agree 1.2705 3 2 10G 100Mbit/s 20ms "${stay[@]}" --batch 4 --slots 8
agree 13.5424 3 2 30M 10Mbit/s 10ms "${stay[@]}" --batch 8 --slots 2    # computing

# A share of 0.3 leaves before cut 3 and as many more before cut 6: with batches of eight hardly any
# message is saved, with single samples three in ten are; a link behind exits is not the limit.
outcomes some 0.3 0.3
some=(--outcomes some.h5 --samples 8000 --epoch 800)
agree 7 3 2 10G 1Gbit/s 20ms "${some[@]}" --cuts 3 --batch 1 --slots 4
agree 2.5 3 2 10G 1Gbit/s 20ms "${some[@]}" --cuts 3 --batch 8 --slots 2
agree 0.833 3 3 10G 1Gbit/s 20ms "${some[@]}" --cuts 3/6 --batch 8 --slots 6

# Nearly all leave: a batch that nobody survived needs no credit, two of three at 0.05 a sample
outcomes few 0.95 0
agree 0.842 8 2 10G 1Gbit/s 20ms --outcomes few.h5 --samples 8000 --epoch 1600 --cuts 3 --batch 8 \
  --slots 2

# What was profiled counts, and with it what it costs to pass values on and to take them: devices a
# thousandth as fast as this one are simulated as they were planned.
edgeexit profile --repeats 5 model.h5 > out 2> err
printf 'devices: [{name: d, count: 2, relative: 0.001}]\n' > fleet.yaml
outcomes all 0 0
for cut in 2 4; do
  read -r predicted simulated <<< "$(simulate --outcomes all.h5 --cuts $cut --samples 1200 --epoch 200)"
  awk -v p="$predicted" -v m="$simulated" 'BEGIN { exit !((m / p - 1) ^ 2 < 1e-5 ^ 2) }' ||
    fail "a profiled model cut at $cut: predicted $predicted ms, simulated $simulated"
done
