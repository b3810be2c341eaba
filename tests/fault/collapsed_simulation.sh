#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A simulated run whose links or devices collapse takes months of simulated time, and none to speak
# of on the host: devices wait for what comes, and where they must look for it their naps grow.  Its
# answers are those of any run, and SIGTERM ends it in order.
# shellcheck source=../e2e/common.sh
. "$(dirname "$0")/../e2e/common.sh"
[[ -e $bin/edgeexit-simulated ]] || skip "built without SimGrid"
cd "$scratch"
export TMPDIR=$scratch
model=$source_dir/io/models/modulation.h5
patience=60  # what takes longer waits in vain [s]

edgeexit generate modulation --samples 1000 --seed 3 -o data.h5
edgeexit score "$model" data.h5 -o exits.h5 > out
leaving=(--outcomes exits.h5 --policy threshold:value=0.8)
accuracy=$(edgeexit policy exits.h5 --policy threshold:value=0.8 --json | tool json_value accuracy)

# fleet NAME DEVICES LINKS
fleet() {
  printf 'devices: [%s]\nlinks: {default: {bandwidth: 200Mbit/s, latency: 1ms%s}}\n' "$2" "$3" > "$1.yaml"
}
falls=', changes: [{at: 0.3, bandwidth: 1B/s}]'
two='{name: a, flops: 1.6G}, {name: b, flops: 1.6G}'
fleet links "$two" "$falls"
fleet both "{name: a, flops: 1.6G, speed: [{at: 0.3, factor: 1e-6}]}, {name: b, flops: 1.6G}" "$falls"
fleet five "{name: a, count: 2, flops: 1.6G}, {name: c, flops: 1.6G, speed: [{at: 0.1, factor: 0.001}]}, {name: d, count: 2, flops: 1.6G}" "$falls"

# ends NAME OPTION...: all samples are answered as in a replay, and soon
ends() {
  rm -f "$1.h5"
  timeout "$patience" "$bin/edgeexit" simulate "$model" data.h5 "${leaving[@]}" --trace "$1.h5" \
    "${@:2}" > out 2> err || fail "$1 did not end: $(cat err)"
  expect "answers of $1" "$(value "$1.h5" answered)" 1000
  expect "accuracy of $1" "$(value "$1.h5" accuracy)" "$accuracy"
}

for move in live build drain; do
  ends "move-$move" --fleet links.yaml --epoch 100 --move "$move"
done
ends slow-device --fleet both.yaml --epoch 100
ends five --fleet five.yaml --epoch 100 --planner exact
ends rows --fleet five.yaml --bands 1/1/1/1/1

code=0
timeout -k "$patience" 2 "$bin/edgeexit" simulate --bands auto --fleet five.yaml "${leaving[@]}" \
  "$model" > out 2> err || code=$?
if ((code == 124)); then
  grep -q '^edgeexit: interrupted: [0-9]* of 1000 samples were answered' err || fail "SIGTERM: $(cat err)"
else
  expect "exit code of a run that SIGTERM found at its end" "$code" 0
fi
