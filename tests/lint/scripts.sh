#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shell scripts pass shellcheck.
source "$(dirname "$0")/sources.sh"

command -v shellcheck > /dev/null || skip "shellcheck is not there"
while read -r file; do
  shellcheck --external-sources --source-path=SCRIPTDIR --format=gcc "$file" ||
    violation "$file: see above"
done < <(list_scripts)
finish
