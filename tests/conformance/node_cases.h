/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "cases.h"

/**
 * @file node_cases.h
 * ONNX's operator tests.
 */
typedef struct node_result {
  char    op[64];       // the operator tested, or the one that is missing
  char    reason[128];  // why the test is only listed; "" if it must pass
  outcome outcome;      // a listed test must be REFUSED
} node_result;

/** Run the test in @p folder, called @p name. */
node_result run_node_case(const char *folder, const char *name, const char *backend);
