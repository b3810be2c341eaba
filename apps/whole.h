/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exec.h"

/**
 * @file whole.h
 * A whole model on one device, with every exit's opinion of every sample.
 */
typedef struct ee_whole {
  const ee_model *model;  // borrowed
  ee_resident    *resident;
  ee_exec        *exec;
  int             batch_limit;
} ee_whole;

/** Open @p model, whose constants are in memory, on backend @p backend (a name; NULL: the best). */
ee_status ee_whole_open(const ee_model *model, const char *backend, int batch_limit,
                        ee_whole *whole);

/** Where to write the input of a batch: shape [batch_limit, elements]. */
float *ee_whole_input(ee_whole *whole);

/**
 * Run a batch of @p n samples.
 * @param[out] logits  shape [n, n_exits, n_classes]
 * @param[out] score   shape [n, n_exits], NaN where an exit has none; NULL: not wanted
 */
ee_status ee_whole_run(ee_whole *whole, int n, float *logits, float *score);

void ee_whole_close(ee_whole *whole);

/** Backend by name, opened; @p name NULL: the best.  EE_ERR_USAGE if there is none of the name. */
ee_status ee_choose_backend(const char *name, const ee_backend **backend);
