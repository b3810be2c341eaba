#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One picture in bands of rows on several devices: any heights, any number of ranks and both ways to
# treat borders give the bits of one device, on every clock; what is promised comes true.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"
export TMPDIR=$scratch

model=$source_dir/io/models/resnet_cifar10.h5 policy=threshold:value=0.5
edgeexit generate input "$model" --samples 24 --seed 3 -o data.h5 > out
edgeexit score -o exits.h5 "$model" data.h5 > out

# run RANKS NAME OPTION...: with a trace of that name
run() {
  start_ranks "$1" run "$model" data.h5 --policy $policy --logits --trace "$2.h5" "${@:3}" \
    > "$2.out" 2> "$2.err" || fail "run $*: $(cat "$2.err")"
}

run 1 alone
for exit in 0 1 2; do
  [[ $(value alone.h5 exits.$exit.answers) != 0 ]] || fail "nobody leaves at exit $exit"
done
run 1 one --bands auto --window 1 --ahead 0
run 2 two --bands 3/5 --borders apart
run 3 three --bands 1/0/2 --window 2 --fuse 1
run 4 four --bands auto --borders apart --fuse 2
run 6 six --bands 5/1/3/2/4/1 --ahead 9 --borders together
tool compare_traces --exits exits.h5 --threshold 0.5 alone.h5 one.h5 two.h5 three.h5 four.h5 \
  six.h5 > out || fail "$(cat out)"

# the same with other bits: direct convolutions, whose bands may have any height
run 1 direct --winograd off
run 3 rows --winograd off --bands 2/9/4 --borders apart
run 4 fused --winograd off --bands auto
tool compare_traces direct.h5 rows.h5 fused.h5 > out || fail "$(cat out)"
grep -q '2 bands of rows on devices 0/2@' three.err || fail "who has bands: $(cat three.err)"

cat > fleet.yaml << 'FLEET'
name: three that differ
devices:
  - {name: a, flops: 400M}
  - {name: b, flops: 300M}
  - {name: c, flops: 400M}
links:
  default: {bandwidth: 20Mbit/s, latency: 2ms}
FLEET
sed 's/00M}/000M}/' fleet.yaml > quick.yaml
run 3 paced --fleet quick.yaml --bands 4/3/4 --borders apart
tool compare_traces --exits exits.h5 --threshold 0.5 paced.h5 > out || fail "$(cat out)"

[[ -e $bin/edgeexit-simulated ]] || exit 0

# simulate OPTION...: figures of a simulated run, one sample after the other
simulate() {
  edgeexit simulate "$model" data.h5 --outcomes exits.h5 --policy $policy --fleet fleet.yaml --json \
    "$@" > json 2> err || fail "simulate $*: $(cat err)"
}
of() {
  tool json_value "$1" < json
}
# near NAME IS WANTED: within one per cent
near() {
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0.99 * b && a < 1.01 * b) }' ||
    fail "$1 is $2; expected $3"
}

for way in '--bands auto' '--bands 4/3/4 --borders apart' '--bands 4/3/4 --borders together' \
  '--bands auto --fuse 1 --winograd off' '--bands 0/1/0'; do
  # shellcheck disable=SC2086 # several words
  simulate --exits exits.h5 --rate 0.5 $way
  near "latency with $way" "$(of latency_mean_s)" "$(of latency_predicted_s)"
  expect "answers with $way" "$(of answered)" 24
done
simulate --policy final --bands auto
near "period" "$(of period_measured_s)" "$(of period_predicted_s)"

# what plan --bands says is what comes: the answer of the last exit goes back to the source
simulate --policy final --bands auto --rate 0.5
simulated=$(of latency_mean_s)
edgeexit plan "$model" --bands --fleet fleet.yaml --json > json
expect "who wins" "$(of best.for_latency)" bands
awk -v a="$simulated" -v b="$(of bands.2.latency_s)" 'BEGIN { exit !(a > b && a < b + 0.005) }' ||
  fail "simulated $simulated s, planned $(of bands.2.latency_s) s"
