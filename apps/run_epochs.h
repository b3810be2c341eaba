/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/trace.h"

/** @file run_epochs.h  Epoch records kept in memory, with copies of their arrays and plans. */
typedef struct ee_run_epochs {
  ee_epoch_record *record;  // shape [n]
  int              n, room;
  ee_status        status;  // of the first that could not be kept
} ee_run_epochs;

/** Keep a copy of @p record; the first failure is remembered in `status`. */
void ee_run_epochs_keep(ee_run_epochs *epochs, const ee_epoch_record *record);

void ee_run_epochs_free(ee_run_epochs *epochs);
