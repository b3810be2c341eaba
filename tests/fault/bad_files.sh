#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Models and data that are missing, empty, cut off, changed, of another kind or of another shape.
# shellcheck source=refusal.sh
. "$(dirname "$0")/refusal.sh"

# flip FILE BYTE: turns one bit of a copy
flip() {
  local was
  was=$(od -An -tu1 -j "$2" -N1 "$1")
  printf '%b' "\\0$(printf %o $((was ^ 16)))" |
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# break_file GOOD: copies of it with faults, beside it
break_file() {
  local bytes at
  bytes=$(wc -c < "$1")
  : > "$1.empty"
  head -c $((bytes / 2)) "$1" > "$1.half"
  head -c $((bytes - 1)) "$1" > "$1.short"
  head -c 100 "$1" > "$1.head"
  for at in 0 20 300 512 $((bytes / 3)) $((bytes / 2)) $((bytes - 1)); do
    cp "$1" "$1.flip$at"
    flip "$1.flip$at" "$at"
  done
  mkdir "$1.folder"
  echo "layers: none" > "$1.text"
}

model=$scratch/model.h5 data=$scratch/data.h5 exits=$scratch/exits.h5
tool make_model "$model" 2 1 128 11 1
edgeexit generate modulation --samples 20 --seed 6 -o "$data"
edgeexit score -o "$exits" "$model" "$data" > "$scratch/out"
break_file "$model"
break_file "$data"

for fault in missing empty half folder text flip300 flip512; do
  refused_by_ranks 1 "*$model.$fault*" "$model.$fault" "$data"
  refused_by_ranks 1 "*$data.$fault*" "$model" "$data.$fault"
done
for file in "$model".{missing,empty,half,short,head,folder,text,flip*}; do
  refused 1 "*$file*" info "$file"
  refused 1 "*$file*" score -o "$scratch/none.h5" "$file" "$data"
  refused 1 "*$file*" plan "$file"
done
for file in "$data".{missing,empty,half,short,head,folder,text,flip*}; do
  refused 1 "*$file*" info "$file"
  refused 1 "*$file*" score -o "$scratch/none.h5" "$model" "$file"
  refused 1 "*$file*" quantize -o "$scratch/none.h5" "$model" "$file"
done

# a weight that no answer survives, under a seal that holds
weight=$(h5ls "$model/weights" 2> "$scratch/out" | awk 'NR == 1 { print $1 }') || weight=
if [[ -n $weight ]]; then
  for value in nan inf; do
    cp "$model" "$model.odd"
    tool spoil "$model.odd" "/weights/$weight" 5 $value
    odd="*$model.odd: element 5 of /weights/$weight, which node * reads, is *$value, expected a finite*"
    refused 1 "$odd" score -o "$scratch/none.h5" "$model.odd" "$data"
    refused_by_ranks 1 "$odd" "$model.odd" "$data"
  done
fi

# a pipe that nobody writes to is refused at once
pipe=$scratch/pipe
mkfifo "$pipe"
for command in info bench profile tune plan report "import onnx -o $scratch/none.h5" "import cifar10 -o $scratch/none.h5"; do
  # shellcheck disable=SC2086 # a command and its kind
  refused 1 "*$pipe is not a regular file*" $command "$pipe"
done
refused 1 "*$pipe is not a regular file*" score -o "$scratch/none.h5" "$model" "$pipe"
refused 1 "*$pipe is not a regular file*" plan --fleet "$pipe" "$model"
refused 1 "*$pipe is not a regular file*" plan --exits "$pipe" "$model"
refused_by_ranks 1 "*$pipe is not a regular file*" "$model" "$pipe"

# whole files, but of another kind
refused_by_ranks 1 "*$exits*edgeexit-model*" "$exits" "$data"
refused_by_ranks 1 "*$data*edgeexit-model*" "$data" "$data"
refused_by_ranks 1 "*$model*edgeexit-data*" "$model" "$model"

# whole files, but not for each other
tool make_model "$scratch/image.h5" 3 32 32 10 1
tool make_model "$scratch/few.h5" 2 1 128 4 1
tool make_data "$scratch/label.h5" 2 1 128 5 11
refused_by_ranks 1 "*$data*\[2, 1, 128\]*\[*3, 32, 32\]*" "$scratch/image.h5" "$data"
refused_by_ranks 1 "*$data*label * outside * 4 classes*" "$scratch/few.h5" "$data"
refused_by_ranks 1 "*$scratch/label.h5*label 11 of sample 4*11 classes*" "$model" \
  "$scratch/label.h5"
refused 1 "*$scratch/label.h5*label 11*" score -o "$scratch/none.h5" "$model" "$scratch/label.h5"
refused 1 "*$scratch/label.h5*label 11*" calibrate "$model" "$scratch/label.h5"
refused 1 "*$scratch/label.h5*label 11*" quantize -o "$scratch/none.h5" "$model" "$scratch/label.h5"
refused 1 "*$data*\[2, 1, 128\]*\[*3, 32, 32\]*" quantize -o "$scratch/none.h5" \
  "$scratch/image.h5" "$data"

[[ ! -e $scratch/none.h5 ]] || fail "a refused table was left behind"
echo "refused $n_refused times"
