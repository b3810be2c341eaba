#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two devices that are the two cores of this machine, on the real clock: our residual network for
# CIFAR-10 over two ranks against one, with early exits and without, cut between any layers and only
# between residual blocks, runs of each in turn; and ONNX Runtime on the same cores, which runs all
# layers and all exits of every image.
#
#   jobs/experiments/two_cores.sh [OUT]
#
# Needs CIFAR10_DIR.  REPEATS: runs of each, default 5.  SAMPLES: images of each run, default 2000.
# POLICIES: of ours, default "final threshold:value=0.8"; none if empty.
# ONNX: the network as apps/train/edgetrain.py exports it; without it, or if Node.js does not find
# onnxruntime-node (NODE_PATH), ONNX Runtime is left out.  PEER_BATCHES: for it, default "1 8 16 32 64
# 128"; TIME: seconds of each of its measurements, default 2.
SAMPLES=${SAMPLES:-2000}
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
REPEATS=${REPEATS:-5}
PEER_BATCHES=${PEER_BATCHES:-1 8 16 32 64 128}
TIME=${TIME:-2}
POLICIES=${POLICIES-final threshold:value=0.8}
need_cifar10
cifar10_data
cp io/models/resnet_cifar10.h5 "$out/model.h5"
edgeexit profile "$out/model.h5" > "$out/profile.txt"
score "$out/model.h5" resnet

# rate P OPTION...: to OUT/run.json
rate() {
  edgeexit run --devices "$1" "$out/model.h5" "$out/batch5.h5" --batch 8 --json "${@:2}" \
    > "$out/run.json" 2> "$out/err" || die "$(cat "$out/err")"
  figure "$out/run.json" throughput_per_s
}

median() {
  sort -g | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

printf '%-22s %10s %10s %6s %12s %6s %22s\n' policy 'one rank' 'two ranks' ratio 'whole blocks' \
  ratio 'measured / predicted'
for policy in $POLICIES; do
  rm -f "$out"/rate-*
  for ((i = 0; i < REPEATS; i++)); do
    rate 1 --policy "$policy" >> "$out/rate-1"
    rate 2 --policy "$policy" --exits "$out/resnet.h5" >> "$out/rate-2"
    awk -v m="$(figure "$out/run.json" period_measured_s)" \
      -v p="$(figure "$out/run.json" period_predicted_s)" 'BEGIN { print m / p }' >> "$out/rate-p"
    rate 2 --policy "$policy" --exits "$out/resnet.h5" --whole-blocks >> "$out/rate-b"
  done
  awk -v policy="$policy" -v one="$(median < "$out/rate-1")" -v two="$(median < "$out/rate-2")" \
    -v blocks="$(median < "$out/rate-b")" -v period="$(median < "$out/rate-p")" 'BEGIN {
      printf "%-22s %10.1f %10.1f %6.2f %12.1f %6.2f %22.2f\n", policy, one, two, two / one,
        blocks, blocks / one, period
    }'
done

[ -n "${ONNX-}" ] || exit 0
[ -r "$ONNX" ] || die "ONNX is $ONNX, which cannot be read; expected the network as an ONNX file"
node -e 'require("onnxruntime-node")' 2> "$out/err" || exit 0

# peer BATCH THREADS: images per second of ONNX Runtime
peer() {
  node jobs/bench_onnxruntime.js "$ONNX" "$1" "$TIME" "$2" | awk '{ print 1e3 / $1 }'
}

printf '\n%-22s %10s %11s %13s\n' 'ONNX Runtime, batch' 'one thread' 'two threads' 'two processes'
for batch in $PEER_BATCHES; do
  rm -f "$out"/peer-*
  for ((i = 0; i < REPEATS; i++)); do
    peer "$batch" 1 >> "$out/peer-1"
    peer "$batch" 2 >> "$out/peer-2"
    peer "$batch" 1 > "$out/half-1" &
    peer "$batch" 1 > "$out/half-2"
    wait
    awk '{ n += $1 } END { print n }' "$out"/half-? >> "$out/peer-p"
  done
  printf '%-22s %10.1f %11.1f %13.1f\n' "$batch" "$(median < "$out/peer-1")" \
    "$(median < "$out/peer-2")" "$(median < "$out/peer-p")"
done
