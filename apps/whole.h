/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exec.h"
#include "ee/link_values.h"
#include "ee/model_file.h"

/** Where values are rounded on their way through a model. */
typedef struct ee_whole_cuts ee_whole_cuts;

/**
 * @file whole.h
 * A whole model on one device, with every exit's opinion of every sample.
 */
typedef struct ee_whole {
  const ee_model   *model;  // borrowed
  const ee_backend *backend;
  ee_resident      *resident;
  ee_exec          *exec;
  int               batch_limit;
  ee_whole_cuts    *cuts;  // NULL: none
} ee_whole;

/** Open @p model, whose constants are in memory, on backend @p backend, a name or NULL as in
 *  ee_choose_backend().  Says so if nodes that compute fall to another backend. */
ee_status ee_whole_open(const ee_model *model, const char *backend, int batch_limit,
                        ee_whole *whole);

/** The same with the weights of @p file, layer by layer, so that they are in memory once. */
ee_status ee_whole_open_file(ee_model_file *file, const char *backend, int batch_limit,
                             ee_whole *whole);

/**
 * From here on ee_whole_run() rounds what crosses the @p n rising cuts, in front of layers 1 to
 * n_layers - 1, as links would that carry @p values.  Once.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_whole_round(ee_whole *whole, ee_link_values values, const int *cuts, int n);

/** Where to write the input of a batch: shape [batch_limit, elements]. */
float *ee_whole_input(ee_whole *whole);

/**
 * Run a batch of @p n samples.
 * @param[out] logits  shape [n, n_exits, n_classes]
 * @param[out] score   shape [n, n_exits], NaN where an exit has none; NULL: not wanted
 */
ee_status ee_whole_run(ee_whole *whole, int n, float *logits, float *score);

void ee_whole_close(ee_whole *whole);

/** Backend by name, opened; @p name NULL: the one that the environment's EE_BACKEND names, or the
 *  best.  EE_ERR_USAGE if there is none of the name. */
ee_status ee_choose_backend(const char *name, const ee_backend **backend);
