/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>

#include "ee/exec.h"

/** @file memory_json.h  What layers need in memory, as JSON. */

/** Add to @p to: weight_bytes, packed_bytes, arena_bytes, and their sum, bytes. */
void ee_memory_add(const ee_memory_need *need, cJSON *to);
