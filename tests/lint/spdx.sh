#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every source says its licence in one of its first two lines.
source "$(dirname "$0")/sources.sh"

while read -r file; do
  head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2\.0' ||
    violation "$file: no SPDX-License-Identifier in its first two lines"
done < <(list_files '*.c' '*.h' '*.py' '*.cmake' CMakeLists.txt && list_scripts)
finish
