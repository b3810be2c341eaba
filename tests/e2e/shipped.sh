#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The modulation network that ships: PyTorch's logits, and one device's bits on any number of them.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

model=$source_dir/io/models/modulation.h5
reference=$source_dir/io/models/modulation_reference.h5
data=$scratch/data.h5 exits=$scratch/exits.h5
[[ -e $model && -e $reference ]] || skip "io/models has no modulation.h5 and reference"

# the frames that apps/train/ship.sh gave to PyTorch
edgeexit generate modulation --samples 1000 --seed 4 --snr -10:20 -o "$data"
edgeexit score --backend ref --samples 100 -o "$exits" "$model" "$data"
tool compare_reference "$exits" "$reference" 100 0.8
edgeexit score --backend blis -o "$exits" "$model" "$data"
tool compare_reference "$exits" "$reference" 1000 0.8

traces=()
for ranks in 1 2 3 4 7; do
  edgeexit run --devices $ranks --backend blis --epoch 64 --min-gain 0 --logits \
    --policy threshold:value=0.8 --trace "$scratch/$ranks.h5" "$model" "$data" \
    > "$scratch/out" 2> "$scratch/err" || fail "$ranks ranks: $(cat "$scratch/err")"
  traces+=("$scratch/$ranks.h5")
done
tool compare_traces --exits "$exits" --threshold 0.8 "${traces[@]}"
