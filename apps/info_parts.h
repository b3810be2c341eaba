/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/status.h"

/**
 * @file info_parts.h
 * What `edgeexit info` tells of files that hold answers or results: one function for each format,
 * which reads the file and prints text, or one JSON object.
 */
ee_status ee_info_exits(const char *path, bool json);
ee_status ee_info_result(const char *path, bool json);
ee_status ee_info_reliability(const char *path, bool json);
ee_status ee_info_trace(const char *path, bool json);
