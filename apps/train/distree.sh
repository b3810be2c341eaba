#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Students of one teacher, their answers, tables, ONNX files and reference logits.
# Whatever is there already is not made again, and a training goes on after its last epoch, so that
# the script can be ended and started again.
#
#   [TEACHER=FILE] [EPOCHS=N] [THREADS=N] apps/train/distree.sh CIFAR10 OUT [NETWORK...]
#
# CIFAR10: a folder with data_batch_1.bin ... data_batch_5.bin.  OUT: where all files go; OUT/pid
# holds the number of the running process.  NETWORK: branches, first width, fusion, as k4w8-concat,
# k2w12 (mean) or k4 (default width); default k4 k2.  TEACHER: a network to learn from, as
# io/models/resnet_cifar10.h5; default OUT/teacher.ckpt, which is trained first.  EPOCHS: of the
# students.  PYTHON names another Python than /usr/bin/python3.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 2 ] || { sed -n '7,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cifar=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
networks=("${@:3}")
[ ${#networks[@]} -gt 0 ] || networks=(k4 k2)
form='^k([0-9]+)(w([0-9]+))?(-(mean|sum|concat))?$'
for network in "${networks[@]}"; do
  [[ $network =~ $form ]] || { echo "$network: expected a name as k4w8-concat" >&2; exit 2; }
done
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1
exec 9> "$out/lock"
flock -n 9 || { echo "$out: already at work, process $(cat "$out/pid")" >&2; exit 1; }
echo $$ > "$out/pid"
trap 'rm -f "$out/pid"' EXIT

distree() {
  "$python" "$here/distree.py" --threads "${THREADS:-1}" "$@"
}

# need FILE COMMAND...: run the command unless the file is there
need() {
  [ -e "$1" ] && return
  echo "$(date -u +%FT%TZ) ${*:2}"
  "${@:2}"
}

# student NETWORK: its checkpoint
student() {
  [[ $1 =~ $form ]]
  local options=(--branches "${BASH_REMATCH[1]}" --fusion "${BASH_REMATCH[5]:-mean}")
  [ -z "${BASH_REMATCH[3]}" ] || options+=(--width "${BASH_REMATCH[3]}")
  [ -z "${EPOCHS:-}" ] || options+=(--epochs "$EPOCHS")
  need "$out/$1.ckpt" distree student --data "$cifar" --teacher "$teacher" "${options[@]}" \
    --out "$out/$1.ckpt"
}

teacher=${TEACHER:-$out/teacher.ckpt}
[ -n "${TEACHER:-}" ] || need "$teacher" distree teacher --data "$cifar" --out "$teacher"
for network in "${networks[@]}"; do
  made=$out/$network
  student "$network"
  distree costs "$made.ckpt"
  need "${made}_test.npz" distree answers "$made.ckpt" --data "$cifar" --out "$made"
  need "${made}_branches.csv" distree tables "${made}_kept.npz" "${made}_test.npz" --out "$made"
  need "$made.onnx" "$python" "$here/edgetrain.py" --threads 1 export "$made.ckpt" \
    --out "$made.onnx"
  need "${made}_reference.h5" "$python" "$here/edgetrain.py" --threads 1 reference "$made.ckpt" \
    --data "$cifar" --out "${made}_reference.h5"
done
echo "$(date -u +%FT%TZ) done"
