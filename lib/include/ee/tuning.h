/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file tuning.h
 * Ways of nodes that were measured on one kind of processor and stored in the model.
 *
 * ee_node.method counts only where the processor, the kernels of the backend `simd` and the version
 * are those that were measured; elsewhere, and when the process says so, every node goes the way
 * that follows from its shapes.  The switch of Winograd convolutions and the check of their
 * accuracy stand above it.
 */

/** Raised whenever kernels change so much that older measurements mean nothing. */
#define EE_TUNING_VERSION 1

/** What a model's ways are to this process. */
typedef enum ee_tuned {
  EE_TUNED_NEVER,      // there are none
  EE_TUNED_HERE,       // they count
  EE_TUNED_OFF,        // not wanted
  EE_TUNED_ELSEWHERE,  // another processor or other vectors
  EE_TUNED_OTHERWISE,  // another version
} ee_tuned;

const char *ee_method_name(ee_method way);
/** EE_METHOD_COUNT if unknown. */
ee_method ee_method_by_name(const char *name);

/** Whether the backend `simd` can compute @p node in this way on some processor.  The shapes of the
 *  node's values must be those of its operator. */
bool ee_method_fits(const ee_model *model, const ee_node *node, ee_method way);

/** Whether ways that were measured may count in this process; they may until told otherwise.  Not
 *  while layers are held: they are packed for one way. */
void ee_tuning_set(bool on);

ee_tuned ee_tuning_state(const ee_model *model);

/** Whether the state is EE_TUNED_HERE. */
bool ee_tuning_applies(const ee_model *model);

/** Make @p model one that is measured here, now, with @p batch samples; all nodes go by rule. */
void ee_tuning_begin(ee_model *model, int batch);

/** Nodes that do not go by rule. */
int ee_tuning_count(const ee_model *model);

/** Whether every node's way fits it.  @return EE_OK; EE_ERR_FORMAT with node and way */
ee_status ee_tuning_check(const ee_model *model);
