# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the lints: the files of a tree, and how a lint ends.  A lint is run as LINT ROOT.
set -euo pipefail
export LC_ALL=C
cd "${1:?root of the tree}"
violations=0

# list_files NAME...: paths of the tree's files whose names match, without what was built.
list_files() {
  local name names=()
  for name in "$@"; do names+=(-o -name "$name"); done
  find . \( -name .git -o -name 'build*' -o -name results -o -name __pycache__ \) -prune \
    -o -type f \( "${names[@]:1}" \) -print | sed 's|^\./||' | sort
}

# Scripts by ending or by their first line.
list_scripts() {
  list_files '*.sh' '*.sbatch'
  list_files run | while read -r file; do
    ! head -n 1 "$file" | grep -q '^#!.*sh' || echo "$file"
  done
}

violation() {
  echo "$*"
  violations=$((violations + 1))
}

# Every line that comes in is a violation.
violation_lines() {
  local line
  while IFS= read -r line; do violation "$line"; done
}

finish() {
  [ "$violations" -eq 0 ] || { echo "$violations violations"; exit 1; }
  echo "no violations"
}

skip() {
  echo "SKIPPED: $*"
  exit 77
}
