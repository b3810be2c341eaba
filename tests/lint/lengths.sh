#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Short functions and files: median function <= 15 lines, nine in ten <= 45, none over 100; files
# <= 500 lines.  A function begins where its type stands at the start of a line and ends with } at
# the start of a line, as clang-format writes them.
source "$(dirname "$0")/sources.sh"

# Prints "LENGTH FILE:LINE" for every function.
function_lengths() {
  awk '
    FNR == 1 { begin = 0; open = 0; head = "" }
    open {
      if (/^}/) {
        if (is_function) print FNR - begin + 1, FILENAME ":" begin
        open = 0; begin = 0
      }
      next
    }
    /^[A-Za-z_]/ && !begin { begin = FNR; head = "" }
    begin {
      head = head $0
      if (/\{$/) {
        open = 1
        is_function = head ~ /\)[ \t]*\{$/ && head !~ /=/
      } else if (/;[^;]*$/ || /^[ \t]*$/ || /}$/) begin = 0
    }' "$@"
}

percentile() {
  awk -v share="$1" '{ length_of[NR] = $1 }
    END { i = int(share * NR + 0.999999); print NR ? length_of[i < 1 ? 1 : i] : 0 }'
}

mapfile -t sources < <(list_files '*.c' '*.h')
lengths=$(function_lengths "${sources[@]}" | sort -n)
median=$(percentile 0.5 <<< "$lengths")
ninth=$(percentile 0.9 <<< "$lengths")
echo "$(wc -l <<< "$lengths") functions: median $median lines, nine in ten <= $ninth," \
  "longest $(tail -n 1 <<< "$lengths")"
[ "$median" -le 15 ] || violation "the median function has $median lines, more than 15"
[ "$ninth" -le 45 ] || violation "one function in ten has more than 45 lines: $ninth"
violation_lines < <(awk '$1 > 100 { print $2 ": a function of " $1 " lines, more than 100" }' \
  <<< "$lengths")

longest=0
while read -r file; do
  lines=$(wc -l < "$file")
  [ "$lines" -le "$longest" ] || { longest=$lines && longest_file=$file; }
  [ "$lines" -le 500 ] || violation "$file has $lines lines, more than 500"
done < <(list_files '*.c' '*.h' '*.py' '*.sh' '*.cmake' CMakeLists.txt)
echo "longest file: $longest_file, $longest lines"
finish
