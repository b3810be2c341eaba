#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# C sources are as clang-format 14 writes them; other versions write some things differently.
source "$(dirname "$0")/sources.sh"

find_formatter() {
  local program
  for program in clang-format-14 clang-format; do
    if "$program" --version 2> /dev/null | grep -q 'version 14\.'; then
      echo "$program"
      return
    fi
  done
}

formatter=$(find_formatter)
[ -n "$formatter" ] || skip "clang-format 14 is not there"
violation_lines < <(list_files '*.c' '*.h' | tr '\n' '\0' |
  xargs -0 "$formatter" --dry-run 2>&1 | grep -oE '^[^ ]+\.[ch]:[0-9]+' |
  awk -F: '!seen[$1]++ { print $0 ": not formatted" }')
finish
