#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public header says what it is and compiles alone, as C11, with gcc and clang if they are
# there.  EE_INCLUDE_FLAGS: where mpi.h is, as words for the compiler.
source "$(dirname "$0")/sources.sh"

read -ra include_flags <<< "${EE_INCLUDE_FLAGS-}"
compilers=()
for compiler in gcc clang; do
  ! command -v "$compiler" > /dev/null || compilers+=("$compiler")
done
[ ${#compilers[@]} -gt 0 ] || skip "neither gcc nor clang is there"

for header in lib/include/ee/*.h; do
  name=$(basename "$header")
  grep -q "@file $name\$" "$header" || violation "$header: no comment with @file $name"
  for compiler in "${compilers[@]}"; do
    printf '#include "ee/%s"\n#include "ee/%s"\ntypedef int ee_no_empty_unit;\n' "$name" "$name" |
      "$compiler" -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c - -Ilib/include \
        "${include_flags[@]}" || violation "$header does not compile alone with $compiler"
  done
done
echo "compiled with: ${compilers[*]}"
finish
