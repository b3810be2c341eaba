#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh machine to a result: installs what is missing, builds, and runs a network that ships
# over four unequal devices, on radio frames whose noise drifts, without and with rebalancing.
#
#   jobs/quickstart.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The main job.
BUILD=build
RESULTS=results/quickstart
MODEL=io/models/modulation.h5
FLEET=jobs/fleets/quickstart.yaml
RANKS=4
DATA=$RESULTS/frames.h5
SAMPLES=12000
SNR=0=10:20,0.35=10:20,0.45=-6:2,0.7=-6:2,0.8=10:20,1=10:20  # good, bad, good again [dB]
SEED=1
POLICY=threshold:value=0.8
BATCH=8
EPOCH=256

# shellcheck source=steps.sh
. jobs/steps.sh

build() {
  cmake --preset release -B "$BUILD" -DEE_BUILD_TESTS=OFF > "$RESULTS/build.log" &&
    cmake --build "$BUILD" --target edgeexit >> "$RESULTS/build.log"
}

mkdir -p "$RESULTS"
jobs/setup.sh build run
echo "== build (log: $RESULTS/build.log)"
build || { tail -n 30 "$RESULTS/build.log" >&2 && die "the build failed"; }
echo "== $SAMPLES radio frames, signal-to-noise ratio $SNR dB"
rm -f "$DATA"
prepare
for REBALANCE in off on; do
  echo "== run over $RANKS devices, rebalancing $REBALANCE"
  run_stream "$REBALANCE"
done
echo "== run over $RANKS devices, rebalancing off, but planned for the stream's mean exit rates"
REBALANCE=off
run_stream told --shares "$(shares "$RESULTS/off.json")"
echo "== report of the run with rebalancing"
edgeexit report "$RESULTS/on.h5"
echo
echo "trace: $PWD/$RESULTS/on.h5"
echo
print_head rebalancing
print_row off "$RESULTS/off.json"
print_row 'off, told rates' "$RESULTS/told.json"
print_row on "$RESULTS/on.json"
