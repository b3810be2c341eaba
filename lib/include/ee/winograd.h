/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file winograd.h
 * Whether convolutions of 3 x 3 may be computed by Winograd's minimal filtering: two to three times
 * as fast, with errors around 1e-5 of a layer's largest element in place of 1e-6.
 */
typedef enum ee_winograd_rule {
  EE_WINOGRAD_BY_MODEL,  // unless the model says no_winograd; where a process begins
  EE_WINOGRAD_ON,        // whatever models say
  EE_WINOGRAD_OFF,
} ee_winograd_rule;

/** Set the rule of this process.  Not while layers are held: they are packed for one way.  All
 *  ranks of a run should have the same rule, or bits depend on the plan. */
void ee_winograd_set(ee_winograd_rule rule);

/** Whether rule and @p model allow it. */
bool ee_winograd_is_on(const ee_model *model);
