/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading how the inputs of nodes become 8 bits. */
#include "model_quantization.h"

#include <limits.h>
#include <stdlib.h>

#include "h5_array.h"
#include "h5_text.h"
#include "model_format.h"

#define VERSION 1  // of the formula

ee_status ee_model_write_quantization(const ee_h5 *h5, const ee_model *model) {
  size_t  n   = (size_t)model->n_nodes;
  hsize_t dim = (hsize_t)n;
  if (model->quantization.method[0] == '\0' || n == 0) return EE_OK;
  float    *scale = calloc(n, sizeof *scale);
  int32_t  *zero  = calloc(n, sizeof *zero);
  ee_status status =
      scale != NULL && zero != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "to write %s", h5->path);
  for (size_t k = 0; k < n && status == EE_OK; k++) {
    scale[k] = model->node[k].quant.scale;
    zero[k]  = model->node[k].quant.zero;
  }
  if (status == EE_OK) status = ee_h5_write_array(h5, EE_MODEL_SCALES, EE_H5_F32, 1, &dim, scale);
  if (status == EE_OK) status = ee_h5_write_array(h5, EE_MODEL_ZEROS, EE_H5_I32, 1, &dim, zero);
  free(scale);
  free(zero);
  EE_TRY(status);
  const ee_quantization *q = &model->quantization;
  EE_TRY(ee_h5_write_text_attribute(h5, EE_MODEL_QUANTIZATION, "method", q->method));
  EE_TRY(ee_h5_write_int_attribute(h5, EE_MODEL_QUANTIZATION, "version", VERSION));
  return ee_h5_write_int_attribute(h5, EE_MODEL_QUANTIZATION, "samples", q->samples);
}

static ee_status read_facts(const ee_h5 *h5, ee_quantization *q) {
  int64_t samples;
  EE_TRY(
      ee_h5_read_text_attribute(h5, EE_MODEL_QUANTIZATION, "method", q->method, sizeof q->method));
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_QUANTIZATION, "samples", 1, INT_MAX, &samples));
  q->samples = (int)samples;
  if (q->method[0] == '\0')
    return EE_FAIL(EE_ERR_FORMAT, "%s: %s has no method", h5->path, EE_MODEL_QUANTIZATION);
  return EE_OK;
}

/* One number for each node; *data is the caller's in any case. */
static ee_status read_numbers(const ee_h5 *h5, const char *set, ee_h5_kind kind, int n_nodes,
                              void **data) {
  int64_t n;
  EE_TRY(ee_h5_read_vector(h5, set, kind, EE_MODEL_MAX_ROWS, data, &n));
  if (n == n_nodes) return EE_OK;
  return EE_FAIL(EE_ERR_FORMAT, "%s: %s has %lld elements, but there are %d nodes", h5->path, set,
                 (long long)n, n_nodes);
}

ee_status ee_model_read_quantization(const ee_h5 *h5, ee_model *model) {
  void   *scale = NULL, *zero = NULL;
  int64_t version;
  if (!ee_h5_exists(h5, EE_MODEL_QUANTIZATION)) return EE_OK;
  EE_TRY(ee_h5_read_int_attribute(h5, EE_MODEL_QUANTIZATION, "version", 1, INT_MAX, &version));
  if (version != VERSION) return EE_OK;
  EE_TRY(read_facts(h5, &model->quantization));
  ee_status status = read_numbers(h5, EE_MODEL_SCALES, EE_H5_F32, model->n_nodes, &scale);
  if (status == EE_OK) status = read_numbers(h5, EE_MODEL_ZEROS, EE_H5_I32, model->n_nodes, &zero);
  for (int k = 0; k < model->n_nodes && status == EE_OK; k++) {
    model->node[k].quant = (ee_quant){((float *)scale)[k], ((int32_t *)zero)[k]};
  }
  free(scale);
  free(zero);
  return status;
}
