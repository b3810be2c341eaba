/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "ee/exit_table.h"
#include "ee/model.h"

/**
 * @file exits_file.h
 * An exit table in HDF5: what every exit said of every sample, so that policies, calibration and
 * simulation need not run the network.  Sealed like a model file.
 *
 * `logits` float32 [n, n_exits, n_classes] (chunked), `labels` int32 [n] (-1: unlabelled), per exit
 * `temperature` [n_exits], `attach` [n_exits], `head_flops` [n_exits]; per layer `layer_flops`
 * [n_layers]; per cut `cut_bytes` [n_layers + 1].
 *
 * Exits with learned scores have them in `score` float32 [n, n_exits], NaN where an exit has none.
 *
 * Where values were rounded at cuts, as links would, `link_values` says how, as text, and
 * `link_cuts` int32 in front of which layers, rising.
 *
 * Whose answers they are is in two attributes, `network`, the model's name, and `network_identity`,
 * 16 hexadecimal digits of model_identity.h; both are left out where no model is known.  A third,
 * `backend`, tells what computed them, and is left out where that is not known.
 *
 * A table from elsewhere, of which only answers are known, has no logits but `prediction` int32
 * [n, n_exits], mostly with `confidence` float32 [n, n_exits], and the attribute `n_classes`.
 */

typedef struct ee_exits_info {
  int64_t       n;
  int           n_exits, n_classes, n_layers;
  const int    *attach;       // shape [n_exits]
  const float  *temperature;  // shape [n_exits]
  const double *head_flops;   // shape [n_exits]
  const double *layer_flops;  // shape [n_layers]
  const double *cut_bytes;    // shape [n_layers + 1]
  const char   *provenance;   // "" if none
  bool          has_logits;
  bool          has_confidence;  // stored, if there are no logits
  bool          has_score;
  const char   *link_values;  // how values were rounded, "f16" or "int8"; "" if they were not
  int           n_link_cuts;
  const int    *link_cuts;  // shape [n_link_cuts], rising, layers in front of which they were
  const char   *network;    // name of the model whose answers they are; "" if it is not known
  uint64_t      identity;   // model_identity.h, of the same; 0 if it is not known
  const char   *backend;    // what computed the answers; "" if it is not known
} ee_exits_info;

typedef struct ee_exits_writer ee_exits_writer;
typedef struct ee_exits_file   ee_exits_file;

/** Start a table at @p path; shapes, costs, temperatures and, if its constants are in memory, the
 *  identity are @p model's. */
ee_status ee_exits_create(const char *path, const ee_model *model, const char *provenance,
                          ee_exits_writer **writer);

/** Note, once, that values were rounded to @p values at @p n >= 1 cuts, rising, in front of layers
 * 1 to n_layers - 1.  EE_ERR_ARG if they are not so. */
ee_status ee_exits_note_links(ee_exits_writer *writer, const char *values, const int *cuts, int n);

/** Note, once, the name of the backend that computes the answers. */
ee_status ee_exits_note_backend(ee_exits_writer *writer, const char *backend);

/** Append @p n samples; logits shape [n, n_exits, n_classes], labels shape [n] or NULL. */
ee_status ee_exits_append(ee_exits_writer *writer, int64_t n, const float *logits,
                          const int32_t *labels);

/** The same with scores, shape [n, n_exits], in [0, 1], NaN where an exit has none; NULL, and only
 *  then, if no exit of the model has one. */
ee_status ee_exits_append_scored(ee_exits_writer *writer, int64_t n, const float *logits,
                                 const float *score, const int32_t *labels);

/** Seal and close; with keep false nothing is left at the path. */
ee_status ee_exits_finish(ee_exits_writer **writer, int keep);

/** Open for reading; EE_ERR_FILE, EE_ERR_FORMAT with path and reason. */
ee_status ee_exits_open(const char *path, ee_exits_file **file);

/** Borrowed; lives until close. */
const ee_exits_info *ee_exits_file_info(const ee_exits_file *file);

/** Read samples [@p first, @p first + @p n): logits shape [n, n_exits, n_classes], labels shape
 *  [n]; either may be NULL.  EE_ERR_ARG if logits are wanted and the table has none. */
ee_status ee_exits_read(ee_exits_file *file, int64_t first, int64_t n, float *logits,
                        int32_t *labels);

/** Read what a table without logits has: confidence and prediction, both of shape [n, n_exits];
 *  either may be NULL.  EE_ERR_ARG if it is wanted and not there. */
ee_status ee_exits_read_answers(ee_exits_file *file, int64_t first, int64_t n, float *confidence,
                                int32_t *prediction);

/** Read scores, shape [n, n_exits].  EE_ERR_ARG if the table has none. */
ee_status ee_exits_read_scores(ee_exits_file *file, int64_t first, int64_t n, float *score);

void ee_exits_close(ee_exits_file **file);

/**
 * Read a whole file into memory and check it.  Logits become calibrated probabilities by the
 * stored temperatures; an exit's layers are those up to the one it is attached to, its FLOP those
 * of these layers and of the heads of all exits up to it.
 * @param[out] table  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT with path, row and exit of what cannot be;
 *         EE_ERR_NOMEM
 */
ee_status ee_exits_load(const char *path, ee_exit_table **table);

/**
 * Write a table.  Layers cost what their exits say: the FLOP between two exits are spread over the
 * layers between them, and heads are free.  Probabilities are written as logits at temperature 1,
 * which are their logarithms (of 1e-30 where they are less); predictions and confidences then
 * follow from them.
 * @param table       checked
 * @param provenance  NULL: none
 */
ee_status ee_exits_save(const char *path, const ee_exit_table *table, const char *provenance);
