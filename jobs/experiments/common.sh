# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the experiments share.  To be sourced by a script of this folder; $1, if given, is a folder
# for tables and figures, which otherwise go to a temporary one.
#
#   BUILD        where the program was built; default build
#   CIFAR10_DIR  folder with data_batch_4.bin and data_batch_5.bin of CIFAR-10
#   SAMPLES      samples of batch 5 to use; default all 10,000
#   SEEDS        streams to average over; default 20
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BUILD=${BUILD:-build}
SAMPLES=${SAMPLES:-10000}
SEEDS=${SEEDS:-20}
# shellcheck disable=SC2034  # for the scripts that source this file
published=jobs/experiments/published
# shellcheck source=../steps.sh
. jobs/steps.sh
[ -x "$BUILD/bin/edgeexit" ] ||
  die "$BUILD/bin/edgeexit is not there; jobs/quickstart.sh builds it, BUILD names another folder"
if [ $# -gt 0 ]; then
  out=$1
  mkdir -p "$out"
else
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

need_cifar10() {
  local batch
  [ -n "${CIFAR10_DIR-}" ] ||
    die "CIFAR10_DIR is not set; expected the folder of CIFAR-10's binary batches"
  for batch in 4 5; do
    [ -r "$CIFAR10_DIR/data_batch_$batch.bin" ] ||
      die "$CIFAR10_DIR/data_batch_$batch.bin cannot be read; expected CIFAR-10's binary batches"
  done
}

# The samples that networks are calibrated on, and those that are reported: neither was trained on.
cifar10_data() {
  [ -e "$out/kept.h5" ] || edgeexit import cifar10 "$CIFAR10_DIR/data_batch_4.bin" \
    --range 8000:2000 -o "$out/kept.h5" > /dev/null
  [ -e "$out/batch5.h5" ] || edgeexit import cifar10 "$CIFAR10_DIR/data_batch_5.bin" \
    --range "0:$SAMPLES" -o "$out/batch5.h5" > /dev/null
}

# score MODEL.h5 NAME: its exit table of batch 5, in OUT/NAME.h5
score() {
  [ -e "$out/$2.h5" ] || edgeexit score "$1" "$out/batch5.h5" -o "$out/$2.h5" > /dev/null
}

# layers_of EXITS.h5: layers run until the last exit
layers_of() {
  edgeexit policy "$1" --policy final --json > "$out/final.json"
  figure "$out/final.json" mean_layers
}

# resnet50_with_exits A B [SAMPLES]: OUT/resnet50.h5, ResNet-50 with exits after blocks 4 and 8, and
# OUT/outcomes.h5, where the shares A and B of the samples leave at them, in a drawn order
resnet50_with_exits() {
  [ -e "$out/resnet50.h5" ] ||
    edgeexit generate network resnet50 --exits 4,8 -o "$out/resnet50.h5" > /dev/null
  awk -v a="$1" -v b="$2" -v n="${3:-900}" 'BEGIN {
    srand(1)
    print "p0,c0,p1,c1,p2,c2"
    for (i = 0; i < n; i++) leaves[i] = (i >= a * n) + (i >= (a + b) * n)
    for (i = n - 1; i >= 0; i--) {
      j = int(rand() * (i + 1))
      printf "0,%d,0,%d,0,1\n", leaves[j] < 1, leaves[j] < 2
      leaves[j] = leaves[i]
    }
  }' > "$out/outcomes.csv"
  edgeexit import exits "$out/outcomes.csv" --prediction p0,p1,p2 --confidence c0,c1,c2 \
    --layers 15,28,54 --classes 1000 -o "$out/outcomes.h5" > /dev/null
}
