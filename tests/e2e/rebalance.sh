#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Layers that move while the stream runs, on the paced clock: devices change their speeds by
# schedule, so plans switch; no answer is lost, doubled or changed.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

cat > "$scratch/fleet.yaml" << 'FLEET'
name: moody
devices:
  - {name: camera, flops: 160e6}
  - {name: hub, flops: 160e6, speed: [{at: 0.5, factor: 0.25}]}
  - {name: shelf, flops: 160e6}
  - {name: attic, flops: 160e6, speed: [{at: 0, factor: 0.2}, {at: 0.8, factor: 1}]}
links:
  default: {bandwidth: 100Mbit/s, latency: 200us}
FLEET
tool make_model "$scratch/model.h5" 2 1 128 11 1
edgeexit generate modulation --samples 800 --seed 4 -o "$scratch/data.h5"
edgeexit score --backend blis -o "$scratch/exits.h5" "$scratch/model.h5" "$scratch/data.h5" \
  > "$scratch/out"

# run NAME OPTION...: a run on the fleet, with a trace of this name
run() {
  start_ranks 4 run --fleet "$scratch/fleet.yaml" --policy threshold:value=0.5 --backend blis \
    --batch 4 --epoch 40 --logits --trace "$scratch/$1.h5" "${@:2}" \
    "$scratch/model.h5" "$scratch/data.h5" > "$scratch/$1.txt" 2>&1 ||
    fail "run $*: $(cat "$scratch/$1.txt")"
  tool compare_traces --exits "$scratch/exits.h5" --threshold 0.5 "$scratch/$1.h5"
  expect "answers of run $1" "$(value "$scratch/$1.h5" answered)" 800
  expect "the end of run $1" "$(value "$scratch/$1.h5" complete)" true
}

run peer --weights peer
run file --weights file
for name in peer file; do
  plans=$(value "$scratch/$name.h5" plans.#)
  ((plans >= 2)) || fail "run $name served under $plans plan; expected a switch"
  expect "the first move of run $name" "$(value "$scratch/$name.h5" rebalances.0.switched)" true
done

# The run that may not move answers as many, under one plan.
run still --rebalance off
expect "plans of a run that may not move" "$(value "$scratch/still.h5" plans.#)" 1

# A device that leaves loses its layers at once and serves what it had; when it is back, well before
# the stream ends, it gets some again.
cat > "$scratch/fleet.yaml" << 'FLEET'
name: coming and going
devices:
  - {name: camera, flops: 40e6}
  - {name: hub, flops: 80e6, away: [{from: 0.4, to: 1.2}]}
  - {name: shelf, flops: 40e6}
  - {name: attic, flops: 40e6}
links:
  default: {bandwidth: 100Mbit/s, latency: 200us}
FLEET
run away
with=$(edgeexit report --json "$scratch/away.h5" | tr '{' '\n' |
  sed -n 's/.*"plan":"\([^"]*\)".*/\1/p' | grep -c '@1' || true)
all=$(value "$scratch/away.h5" plans.#)
((all >= 3 && with >= 2 && with < all)) ||
  fail "the hub is in $with of $all plans; expected the first, not all, and a later one"

# Everybody is away for a while: they serve what they own.
cat > "$scratch/fleet.yaml" << 'FLEET'
name: siesta
devices: [{name: d, count: 4, flops: 160e6, away: [{from: 0.4, to: 1}]}]
links: {default: {bandwidth: 100Mbit/s, latency: 200us}}
FLEET
run siesta
run siesta-still --rebalance off
