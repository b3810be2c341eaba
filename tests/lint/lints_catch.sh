#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every lint passes a small tree that keeps the rules, and names what is wrong in one that does not.
set -euo pipefail
lints=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"
failures=0

licence='/* SPDX-License-Identifier: Apache-2.0 */'
declare -A skipped

# A tree that keeps all rules.
good_tree() {
  rm -rf "${tree:?}"/*
  mkdir -p lib/include/ee lib/core lib/nn partition io
  printf '%s\n#pragma once\n/**\n * @file status.h\n */\n' "$licence" > lib/include/ee/status.h
  printf '%s\nint ee_sum(int a, int b) {\n  return a + b;\n}\n' "$licence" > lib/core/status.c
  printf '%s\n#include <blis.h>\n\n#include "ee/status.h"\n' "$licence" > lib/nn/blis.c
  printf '%s\n#include <hdf5.h>\n' "$licence" > io/h5.c
  printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho run\n' > run
  printf 'BasedOnStyle: Google\nColumnLimit: 100\nAllowShortFunctionsOnASingleLine: None\n' \
    > .clang-format
}

# lint NAME: run it on the tree; its output and its exit code.
lint() {
  output=$("$lints/$1.sh" "$tree" 2>&1) && code=0 || code=$?
}

passes() {
  good_tree
  lint "$1"
  case $code in
    0) ;;
    77) skipped[$1]=yes && echo "$1: $output" ;;
    *) fail "$1 fails a tree that keeps the rules: $output" ;;
  esac
}

# catches NAME SENTENCE: the tree breaks the rule now.
catches() {
  [ -z "${skipped[$1]-}" ] || { good_tree && return; }
  lint "$1"
  [ "$code" -eq 1 ] || fail "$1 does not fail where it should say: $2"
  [[ $output == *"$2"* ]] || fail "$1 does not say: $2, but: $output"
  good_tree
}

fail() {
  echo "FAILED $*"
  failures=$((failures + 1))
}

# c_function LINES: a function of so many lines.
c_function() {
  printf 'int ee_long(void) {\n'
  seq $(($1 - 2)) | sed 's/.*/  ;/'
  printf '}\n'
}

for name in include_rules lengths spdx leftovers format scripts public_headers; do passes $name; done

echo '#include "ee/agree.h"' >> partition/plan.c
catches include_rules 'partition/plan.c includes ee/agree.h: partition may not'
echo '#include "ee/model.h"' >> lib/core/status.c
catches include_rules 'lib/core/status.c includes ee/model.h: core may not include nn'
echo '#include "ee/policy.h"' >> lib/include/ee/status.h
catches include_rules 'lib/include/ee/status.h includes ee/policy.h: core may not include exits'
echo '#include "ee/unheard.h"' >> lib/core/status.c
catches include_rules 'gives to no module'
echo '#include "ee/status.h"' > lib/include/ee/unheard.h
catches include_rules 'lib/include/ee/unheard.h: tests/lint/include_rules.sh gives it to no module'
echo '#include <H5FDdevelop.h>' >> lib/core/status.c
catches include_rules 'includes <H5FDdevelop.h>: core may not'
echo '#include <mpi.h>' >> io/h5.c
catches include_rules 'includes <mpi.h>: io may not'
echo '#include "../core/private.h"' >> lib/nn/blis.c
catches include_rules 'private headers stay in their folder'

c_function 101 >> io/h5.c
catches lengths 'io/h5.c:3: a function of 101 lines, more than 100'
for _ in 1 2 3; do c_function 16 >> io/h5.c; done
catches lengths 'the median function has 16 lines'
for i in 1 2 3 4 5 6; do c_function $((i == 1 ? 46 : 3)) >> io/h5.c; done
catches lengths 'one function in ten has more than 45 lines: 46'
seq 499 | sed 's|^|// |' >> io/h5.c
catches lengths 'io/h5.c has 501 lines'

sed -i.old 1d io/h5.c
catches spdx 'io/h5.c: no SPDX'
sed -i.old 2d run
catches spdx 'run: no SPDX'
echo "// TO""DO" >> io/h5.c
catches leftovers "io/h5.c:3:// TO""DO"
echo "path = /ho""me/somebody" > run
catches leftovers 'run:1:path'
echo 'int  ee_x;' >> io/h5.c
catches format 'io/h5.c:3: not formatted'
# shellcheck disable=SC2016 # the script under test has the variable
printf '#!/bin/sh\necho $1\n' > io/bad.sh
catches scripts 'io/bad.sh: see above'
printf '/**\n * @file status.h\n */\nsize_t ee_n(void);\n' > lib/include/ee/status.h
catches public_headers 'lib/include/ee/status.h does not compile alone'
echo "$licence" > lib/include/ee/status.h
catches public_headers 'no comment with @file status.h'

echo "$failures failures"
[ $failures -eq 0 ]
