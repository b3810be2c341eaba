#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Teacher, students of 4 and 2 branches, their answers, tables, ONNX files and reference logits.
# Whatever is there already is not made again, and a training goes on after its last epoch, so that
# the script can be ended and started again.
#
#   apps/train/distree.sh CIFAR10 OUT [--threads N]
#
# CIFAR10: a folder with data_batch_1.bin ... data_batch_5.bin.  OUT: where all files go; OUT/pid
# holds the number of the running process.  PYTHON names another Python than /usr/bin/python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 2 ] || { sed -n '7,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cifar=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
shift 2
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1
exec 9> "$out/lock"
flock -n 9 || { echo "$out: already at work, process $(cat "$out/pid")" >&2; exit 1; }
echo $$ > "$out/pid"
trap 'rm -f "$out/pid"' EXIT

distree() {
  "$python" "$here/distree.py" --threads 1 "${threads[@]}" "$@"
}
threads=("$@")

# need FILE COMMAND...: run the command unless the file is there
need() {
  [ -e "$1" ] && return
  echo "$(date -u +%FT%TZ) ${*:2}"
  "${@:2}"
}

need "$out/teacher.ckpt" distree teacher --data "$cifar" --out "$out/teacher.ckpt"
for k in 4 2; do
  made=$out/k$k
  need "$made.ckpt" distree student --data "$cifar" --teacher "$out/teacher.ckpt" --branches $k \
    --out "$made.ckpt"
  distree costs "$made.ckpt"
  need "${made}_test.npz" distree answers "$made.ckpt" --data "$cifar" --out "$made"
  need "${made}_branches.csv" distree tables "${made}_kept.npz" "${made}_test.npz" --out "$made"
  need "$made.onnx" "$python" "$here/edgetrain.py" --threads 1 export "$made.ckpt" \
    --out "$made.onnx"
  need "${made}_reference.h5" "$python" "$here/edgetrain.py" --threads 1 reference "$made.ckpt" \
    --data "$cifar" --out "${made}_reference.h5"
done
echo "$(date -u +%FT%TZ) done"
