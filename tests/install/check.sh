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
