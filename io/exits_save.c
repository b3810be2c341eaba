/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an exit table in memory: its answers, or logits that stand for its probabilities. */
#include <math.h>
#include <stdlib.h>

#include "ee/exits_file.h"
#include "exits_format.h"
#include "h5_array.h"
#include "h5_seal.h"
#include "h5_text.h"

#define LEAST 1e-30f  // of a probability, so that its logarithm is finite

/* The per-exit and per-layer arrays of a file. */
typedef struct costs {
  int      n_exits, n_layers;
  int32_t *attach;       // shape [n_exits]
  float   *temperature;  // shape [n_exits]
  double  *head_flops;   // shape [n_exits]
  double  *layer_flops;  // shape [n_layers]
  double  *cut_bytes;    // shape [n_layers + 1]
} costs;

static void clear_costs(costs *c) {
  free(c->attach);
  free(c->temperature);
  free(c->head_flops);
  free(c->layer_flops);
  free(c->cut_bytes);
}

static void fill_costs(const ee_exit_table *table, costs *c) {
  int    layer = 0;
  double flops = 0.0;
  for (int e = 0; e < c->n_exits; e++) {
    int between       = table->layers[e] - layer;
    c->attach[e]      = table->layers[e] - 1;
    c->temperature[e] = 1.0f;
    for (; layer < table->layers[e]; layer++)
      c->layer_flops[layer] = (table->flops[e] - flops) / between;
    if (between == 0) c->head_flops[e] = table->flops[e] - flops;
    flops = table->flops[e];
  }
}

static ee_status make_costs(const ee_exit_table *table, costs *c) {
  size_t exits = (size_t)table->n_exits, layers = (size_t)table->layers[exits - 1];
  if (layers > EE_EXITS_MAX_LAYERS || exits > EE_EXITS_MAX)
    return EE_FAIL(EE_ERR_ARG, "%zu layers and %zu exits are more than the %d and %d of a table",
                   layers, exits, EE_EXITS_MAX_LAYERS, EE_EXITS_MAX);
  *c = (costs){.n_exits     = (int)exits,
               .n_layers    = (int)layers,
               .attach      = calloc(exits, sizeof *c->attach),
               .temperature = calloc(exits, sizeof *c->temperature),
               .head_flops  = calloc(exits, sizeof *c->head_flops),
               .layer_flops = calloc(layers, sizeof *c->layer_flops),
               .cut_bytes   = calloc(layers + 1, sizeof *c->cut_bytes)};
  if (c->attach == NULL || c->temperature == NULL || c->head_flops == NULL ||
      c->layer_flops == NULL || c->cut_bytes == NULL) {
    clear_costs(c);
    return EE_FAIL(EE_ERR_NOMEM, "to write %zu layers and %zu exits", layers, exits);
  }
  fill_costs(table, c);
  return EE_OK;
}

static ee_status write_costs(const ee_h5 *h5, const costs *c) {
  hsize_t exits = (hsize_t)c->n_exits, layers = (hsize_t)c->n_layers, cuts = layers + 1;
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_ATTACH, EE_H5_I32, 1, &exits, c->attach));
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_TEMPERATURE, EE_H5_F32, 1, &exits, c->temperature));
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_HEAD_FLOPS, EE_H5_F64, 1, &exits, c->head_flops));
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_LAYER_FLOPS, EE_H5_F64, 1, &layers, c->layer_flops));
  return ee_h5_write_array(h5, EE_EXITS_CUT_BYTES, EE_H5_F64, 1, &cuts, c->cut_bytes);
}

/* Logarithms of the probabilities. */
static ee_status write_logits(const ee_h5 *h5, const ee_exit_table *t) {
  hsize_t dim[3] = {(hsize_t)t->n, (hsize_t)t->n_exits, (hsize_t)t->n_classes};
  size_t  n      = (size_t)t->n * (size_t)t->n_exits * (size_t)t->n_classes;
  float  *logits = calloc(n + 1, sizeof *logits);
  if (logits == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %zu logits", n);
  for (size_t j = 0; j < n; j++) logits[j] = logf(fmaxf(t->probability[j], LEAST));
  ee_status status = ee_h5_write_array(h5, EE_EXITS_LOGITS, EE_H5_F32, 3, dim, logits);
  free(logits);
  return status;
}

static ee_status write_answers(const ee_h5 *h5, const ee_exit_table *t) {
  hsize_t dim[2] = {(hsize_t)t->n, (hsize_t)t->n_exits};
  EE_TRY(ee_h5_write_int_attribute(h5, "/", EE_EXITS_CLASSES, t->n_classes));
  EE_TRY(ee_h5_write_array(h5, EE_EXITS_PREDICTION, EE_H5_I32, 2, dim, t->prediction));
  if (t->confidence != NULL)
    return ee_h5_write_array(h5, EE_EXITS_CONFIDENCE, EE_H5_F32, 2, dim, t->confidence);
  return EE_OK;
}

static ee_status write_samples(const ee_h5 *h5, const ee_exit_table *t) {
  hsize_t dim[2] = {(hsize_t)t->n, (hsize_t)t->n_exits};
  EE_TRY(t->probability != NULL ? write_logits(h5, t) : write_answers(h5, t));
  if (t->score != NULL) EE_TRY(ee_h5_write_array(h5, EE_EXITS_SCORE, EE_H5_F32, 2, dim, t->score));
  return ee_h5_write_array(h5, EE_EXITS_LABELS, EE_H5_I32, 1, dim, t->label);
}

static ee_status write_all(const char *path, const ee_exit_table *table, const costs *c,
                           const char *provenance) {
  ee_h5     h5;
  ee_status status = ee_h5_create_sealed(path, EE_EXITS_FORMAT, &h5);
  if (status != EE_OK) return status;
  status = write_samples(&h5, table);
  if (status == EE_OK) status = write_costs(&h5, c);
  if (status == EE_OK) status = ee_h5_write_text(&h5, EE_EXITS_PROVENANCE, provenance);
  if (status == EE_OK) return ee_h5_commit(&h5);
  ee_h5_discard(&h5);
  return status;
}

ee_status ee_exits_save(const char *path, const ee_exit_table *table, const char *provenance) {
  costs c = {0};
  EE_TRY(ee_exit_table_check(table));
  EE_TRY(make_costs(table, &c));
  ee_status status = write_all(path, table, &c, provenance != NULL ? provenance : "");
  clear_costs(&c);
  return status;
}
