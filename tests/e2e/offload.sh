#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Offloading over recorded networks: steady ones are as good as a constant, others are not, and what
# is wrong in them is named by line.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
cd "$scratch"

# 200 samples: three of five are sure at the first exit, one of ten is wrong
awk 'BEGIN {
  print "p,c,q,d,y"
  for (i = 0; i < 200; i++) print 0 "," (i % 5 < 3 ? 0.9 : 0.4) ",0,0.95," (i % 10 == 3)
}' > wide.csv
edgeexit import exits wide.csv --prediction p,q --confidence c,d --label y -o exits.h5 > out

# offload NAME OPTION...: to NAME.json
offload() {
  edgeexit offload --json --target 0.8 --batch 50 --rounds 20 --deadline 0.01:0.2:20 exits.h5 \
    "${@:2}" > "$1.json" 2> err || fail "offload ${*:2}: $(cat err)"
}

of() {
  tool json_value "$2" < "$1.json"
}

# same NAME A B: all points of two studies agree
same() {
  local path
  for path in on_device accuracy seconds outage missed.{0..19}.share missed.{0..19}.share_half; do
    expect "$1: $path" "$(printf %.6g "$(of "$2" "points.0.$path")")" \
      "$(printf %.6g "$(of "$3" "points.0.$path")")"
  done
}

# refuse CODE WANTED OPTION...: exit code, and a sentence with WANTED
refuse() {
  local code=0
  edgeexit offload --batch 50 exits.h5 "${@:3}" > out 2> err || code=$?
  expect "exit code of ${*:3}" "$code" "$1"
  grep -qF -- "$2" err || fail "${*:3} says: $(cat err)"
}

offload constant --network 0.08
expect "share on the device" "$(printf %.3f "$(of constant points.0.on_device)")" 0.600

# a delay that does not change, alone and on top of the network
printf '0 0.08\n7 0.08\n' > steady.txt
offload steady --delay-trace steady.txt
same "a steady delay" steady constant
expect "period of the trace" "$(of steady network.trace_seconds)" 14
printf '0 0.03\n' > less.txt
offload less --delay-trace less.txt --network 0.05
same "a steady delay on top" less constant

# a bandwidth that carries what is sent in 30 ms
printf '0\t12\n9\t12\n' > bandwidth.txt
offload bandwidth --bandwidth-trace bandwidth.txt --bytes 45000
same "a steady bandwidth" bandwidth constant
echo 1 > packets.txt # 12 Mbit/s
offload packets --bandwidth-trace packets.txt --bytes 45000
same "a packet a millisecond" packets constant

# delays of 0, but of 40 seconds now and then
printf '0 0\n0.9 40\n1 0\n2.9 0\n' > bursts.txt
offload bursts --delay-trace bursts.txt
awk -v a="$(of bursts points.0.missed.19.share)" \
  -v b="$(of constant points.0.missed.19.share)" 'BEGIN { exit !(a > b) }' ||
  fail "bursts of delay miss no more deadlines than a steady one"
edgeexit offload --target 0.8 --batch 50 --deadline 0.1 --delay-trace bursts.txt exits.h5 > out
grep -q "deadline 0.1 s: missed by" out || fail "the text tells no missed deadline: $(cat out)"

# what is wrong
printf '0 0\n1 fast\n' > wrong.txt
refuse 1 "wrong.txt:2: 'fast' stands where a number is expected" --delay-trace wrong.txt
refuse 1 "wrong.txt:2: 'fast' stands where a number is expected" --bytes 1 \
  --bandwidth-trace wrong.txt
printf '0 0\n1 0\n' > wrong.txt
refuse 1 "wrong.txt: nothing ever crosses" --bandwidth-trace wrong.txt --bytes 1
refuse 1 "none.txt" --delay-trace none.txt
refuse 2 "--delay-trace and --bandwidth-trace are given" --delay-trace less.txt \
  --bandwidth-trace packets.txt
refuse 2 "no --bandwidth-trace that carries them" --delay-trace less.txt --bytes 10
refuse 2 "does not say how many bytes a sample has behind exit 0; give --bytes" \
  --bandwidth-trace packets.txt

for target in 0.5:1.5:3 -0.1:0.9:3 1.01 -1 nan 0.5:nan:2 0.5:inf:2 0.5:0.9:0 high; do
  refuse 2 "--target is $target; expected a number or FROM:TO:N with 1 to 10000 values, from 0 to 1" \
    --target $target
  [[ ! -s out ]] || fail "--target $target: $(cat out)"
done
for deadline in -1 1:-1:3 inf; do
  refuse 2 "--deadline is $deadline; expected a number" --deadline $deadline
done
edgeexit offload --batch 50 --target 0.9:0.5:2 --deadline 0 exits.h5 > out

# a table of a network of ours says how many bytes go on
tool make_model model.h5 2 1 128 11 1
edgeexit generate modulation --samples 100 --seed 3 -o data.h5
edgeexit score -o exits.h5 model.h5 data.h5 > out
edgeexit info --json model.h5 > model.json
offload told --bandwidth-trace packets.txt
expect "bytes of a sample" "$(of told network.bytes)" \
  "$(of model "layers.$(of model exits.1.attach).cut_bytes")"
echo "samples sent over recorded networks"
