#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the build, moves what was installed, and builds and runs a project that uses it.
#
#   check.sh CMAKE BUILD GENERATOR COMPILER MPIEXEC
set -euo pipefail
cmake=$1 build=$2 generator=$3 compiler=$4 mpiexec=$5
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" > "$work/install.log"
mv "$work/first" "$work/another place"
"$cmake" -S "$source" -B "$work/consumer" -G "$generator" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_C_COMPILER="$compiler" -DCMAKE_PREFIX_PATH="$work/another place"
"$cmake" --build "$work/consumer"
"$work/consumer/planner"
"$mpiexec" -n 2 "$work/consumer/everything"
"$work/another place/bin/edgeexit" --version
if [[ -e $build/bin/edgeexit-simulated ]]; then
  if [[ -x $build/bin/edgeexit-simulated || -e "$work/another place/bin/edgeexit-simulated" ]]; then
    echo "edgeexit-simulated looks like a command, which it is not" >&2
    exit 1
  fi
  cd "$work"
  "$work/another place/bin/edgeexit" generate network plain --blocks 2 -o model.h5
  printf 'p,c\n0,1\n0,1\n' > exits.csv
  printf 'devices: [{name: d, count: 2, flops: 1G}]\n' > fleet.yaml
  "$work/another place/bin/edgeexit" import exits exits.csv --prediction p --confidence c \
    --layers 3 --classes 10 -o exits.h5
  "$work/another place/bin/edgeexit" simulate model.h5 --outcomes exits.h5 --fleet fleet.yaml
fi
