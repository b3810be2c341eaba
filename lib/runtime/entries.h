/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/device.h"
#include "message.h"

/**
 * @file entries.h
 * At which cuts samples come into a stage: where its layers begin in the plan, and with offloading
 * also behind each exit of the stage before.
 */
typedef struct ee_entries {
  int                n;       // >= 1
  ee_message_layout *layout;  // shape [n], by rising cut; the last is the plan's
} ee_entries;

/** Cuts at which samples come into stage @p stage of @p plan.
 *  @param[out] entries  to be closed; EE_ERR_NOMEM leaves it empty */
ee_status ee_entries_open(const ee_run_setup *setup, const ee_plan *plan, int plan_epoch, int stage,
                          ee_entries *entries);

/** First layer that the stage must hold. */
int ee_entries_first_layer(const ee_run_setup *setup, const ee_plan *plan, int stage);

/** Index of the entry at @p cut; the last one if there is none, whose check will say so. */
int ee_entries_at(const ee_entries *entries, int cut);

/** Bytes of the longest message of @p n samples that may come in. */
size_t ee_entries_bytes(const ee_entries *entries, int n);

void ee_entries_close(ee_entries *entries);
