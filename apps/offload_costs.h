/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/fleet.h"

/** @file offload_costs.h  The option --offload-cost: a number, a file, or what links take. */
typedef struct ee_offload_costs {
  double      constant;  // what policies are told when they are made
  ee_schedule changes;   // by sample id; empty without a file
  bool        link;      // measured while the stream runs
} ee_offload_costs;

/**
 * Read @p text: a number in [0, 8], the path of a table or a trace (offload_costs_file.h), or, if
 * @p live, the word link.
 * @param[in,out] costs  keeps its constant unless @p text is a number; to be freed
 * @return EE_OK, also for NULL; EE_ERR_USAGE; what reading the file returned
 */
ee_status ee_offload_costs_read(const char *text, bool live, ee_offload_costs *costs);

void ee_offload_costs_free(ee_offload_costs *costs);
