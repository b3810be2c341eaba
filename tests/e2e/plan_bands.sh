#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# edgeexit plan --bands: one sample on several devices, next to the chain, and the verdict.
source "$(dirname "$0")/common.sh"
cd "$scratch"

edgeexit generate network plain --blocks 6 --exits 3 -o model.h5 > out

# bands NAME LINKS DEVICES OPTION...: plan on such a fleet to plan.json; of PATH: a value of it
bands() {
  printf 'devices: [%s]\nlinks: {default: %s}\n' "$3" "$2" > "$1.yaml"
  edgeexit plan model.h5 --bands --json --fleet "$1.yaml" "${@:4}" > plan.json
}
of() {
  tool json_value "$1" < plan.json
}
# about A B PART: equal but for that part
about() {
  awk -v a="$1" -v b="$2" -v part="$3" 'BEGIN { d = a - b; exit !(d * d <= part * part * b * b) }' ||
    fail "$1 is not about $2 ($4)"
}
refused() {
  local code=0
  edgeexit plan model.h5 --bands "${@:2}" > out 2> err || code=$?
  expect "exit code of ${*:2}" "$code" 2
  grep -q -- "$1" err || fail "${*:2} says: $(cat err)"
}
four='{name: a, flops: 1M}, {name: b, flops: 1M}, {name: c, flops: 1M}, {name: d, flops: 1M}'
two='{name: a, flops: 1M}, {name: b, flops: 1M}'

# one device has no bands to exchange, and is the chain
bands free '{bandwidth: 10GB/s, latency: 1us}' "$four"
about "$(of bands.0.latency_s)" "$(of bands.0.chain.latency_s)" 1e-9 "one device"
about "$(of bands.0.latency_s)" "$(of best.alone.latency_s)" 1e-9 "the best alone"
expect "bytes on one" "$(of bands.0.bytes_sent)" 0

# with free links two devices take half of the time, four a quarter, but for what follows the bands
expect "who wins" "$(of best.for_latency)" bands
about "$(of bands.1.latency_s)" "$(of bands.0.latency_s)" 0.52 "on two"
awk -v one="$(of bands.0.latency_s)" -v two="$(of bands.1.latency_s)" \
  'BEGIN { exit !(two < 0.6 * one && two >= 0.5 * one) }' || fail "two devices: $(of bands.1.latency_s)"
expect "rows of the first range" "$(of bands.1.ranges.0.rows.0) $(of bands.1.ranges.0.rows.1)" "4 4"
[[ $(of verdict) == "bands: a sample takes "* ]] || fail "verdict: $(of verdict)"
edgeexit plan model.h5 --bands --fleet free.yaml > table
grep -q '^verdict: bands: ' table || fail "the table has no verdict"
grep -q '^ *0-.*  a 0-.*  b ' table || fail "the table has no rows: $(cat table)"

# samples that leave early are expected to take less
late=$(of bands.1.latency_s)
bands free '{bandwidth: 10GB/s, latency: 1us}' "$four" --shares 0.5/0.5
about "$(of bands.1.latency_s)" "$(awk -v a="$(of bands.1.exit_latency_s.0)" \
  -v b="$(of bands.1.exit_latency_s.1)" 'BEGIN { printf "%.12g", (a + b) / 2 }')" 1e-9 "expected latency"
about "$(of bands.1.exit_latency_s.1)" "$late" 1e-9 "latency to the end"

# links that cost more than they gain
bands narrow '{bandwidth: 1kB/s, latency: 100ms}' "$two"
expect "who wins" "$(of best.for_latency)" alone
expect "devices used" "$(of bands.1.devices_used)" 1
[[ $(of verdict) == "one device: "*" on a alone"* ]] || fail "verdict: $(of verdict)"

# a fast server: everything goes there, as bands and as a chain
bands server '{bandwidth: 1GB/s, latency: 1ms}' '{name: a, flops: 1M}, {name: b, flops: 100M}'
expect "who wins" "$(of best.for_latency) $(of best.alone.device)" "alone b"
about "$(of bands.1.latency_s)" "$(of best.alone.latency_s)" 1e-6 "all on the server"

# devices without room for their bands are no answer
bands tight '{bandwidth: 1GB/s, latency: 1us}' \
  '{name: a, flops: 1M}, {name: b, flops: 1M, memory: 1kB}'
expect "fits" "$(of bands.0.fits) $(of bands.1.fits)" "true false"
expect "who wins" "$(of best.for_latency)" alone

refused '--bands is about one sample' --front
refused '--bands is about one sample' --max-period 1 --planner latency
refused '--bands and --branches are two ways' --branches
refused '--borders is far; expected auto' --borders far
refused '--link-values must be f32' --link-values f16
refused 'expected exact, ' --planner luck
code=0
edgeexit generate network bert_tiny -o words.h5 > out
edgeexit plan words.h5 --bands > out 2> err || code=$?
expect "exit code without pictures" "$code" 1
grep -q 'no layer of model .* can be cut into bands' err || fail "no pictures: $(cat err)"
