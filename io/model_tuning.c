/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading how a model was tuned. */
#include "model_tuning.h"

#include <limits.h>
#include <stdlib.h>

#include "ee/tuning.h"
#include "h5_text.h"
#include "model_format.h"

#define MOST_SAMPLES 65536  // of a batch

static ee_status write_methods(const ee_h5 *h5, const ee_model *model) {
  const char **name = calloc((size_t)model->n_nodes, sizeof *name);
  if (name == NULL) return EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (int k = 0; k < model->n_nodes; k++) name[k] = ee_method_name(model->node[k].method);
  ee_status status = ee_h5_write_texts(h5, EE_MODEL_METHODS, model->n_nodes, name);
  free(name);
  return status;
}

ee_status ee_model_write_tuning(const ee_h5 *h5, const ee_model *model) {
  const ee_tuning *t = &model->tuning;
  if (t->cpu[0] == '\0' || model->n_nodes == 0) return EE_OK;
  EE_TRY(write_methods(h5, model));
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_TUNING, "cpu", t->cpu));
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_TUNING, "vectors", t->vectors));
  EE_TRY(ee_h5_write_int_attribute(h5, EE_MODEL_TUNING, "version", t->version));
  return ee_h5_write_int_attribute(h5, EE_MODEL_TUNING, "batch", t->batch);
}

static ee_status set_methods(const ee_h5 *h5, char *const *name, int n, ee_model *model) {
  if (n != model->n_nodes)
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %d elements, but there are %d nodes", h5->path,
                   EE_MODEL_METHODS, n, model->n_nodes);
  for (int k = 0; k < n; k++) {
    ee_node *node = &model->node[k];
    node->method  = ee_method_by_name(name[k]);
    if (node->method == EE_METHOD_COUNT)
      return EE_FAIL(EE_ERR_FORMAT, "%s: node '%s' was tuned to the unknown method \"%s\"",
                     h5->path, node->name, name[k]);
  }
  return EE_OK;
}

static ee_status read_methods(const ee_h5 *h5, ee_model *model) {
  char **name;
  int    n;
  EE_TRY(ee_h5_read_texts(h5, EE_MODEL_METHODS, EE_MODEL_MAX_ROWS, &name, &n));
  ee_status status = set_methods(h5, name, n, model);
  ee_h5_free_texts(name, n);
  return status;
}

ee_status ee_model_read_tuning(const ee_h5 *h5, ee_model *model) {
  ee_tuning *t = &model->tuning;
  int64_t    version, batch;
  if (!ee_h5_exists(h5, EE_MODEL_TUNING)) return EE_OK;
  EE_TRY(ee_h5_read_text_attribute(h5, EE_MODEL_TUNING, "cpu", t->cpu, sizeof t->cpu));
  EE_TRY(ee_h5_read_text_attribute(h5, EE_MODEL_TUNING, "vectors", t->vectors, sizeof t->vectors));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_TUNING, "version", 1, INT_MAX, &version));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_TUNING, "batch", 1, MOST_SAMPLES, &batch));
  t->version = (int)version;
  t->batch   = (int)batch;
  if (t->cpu[0] == '\0')
    return EE_FAIL(EE_ERR_FORMAT, "%s was tuned for a processor without a name", h5->path);
  return version == EE_TUNING_VERSION ? read_methods(h5, model) : EE_OK;
}
