/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <cJSON.h>
#include <stdbool.h>

#include "ee/model.h"

/**
 * @file info_parts.h
 * What `edgeexit info` tells.  Of files that hold answers or results there is one function for each
 * format, which reads the file and prints text, or one JSON object.
 */
ee_status ee_info_exits(const char *path, bool json);
ee_status ee_info_result(const char *path, bool json);
ee_status ee_info_reliability(const char *path, bool json);
ee_status ee_info_trace(const char *path, bool json);

/** Print what would run models on this host. */
ee_status ee_info_host(bool json);

/** Print what would run @p model on this host, and in how much memory; or add it to @p to. */
ee_status ee_info_runs_text(const ee_model *model);
ee_status ee_info_runs_add(const ee_model *model, cJSON *to);
