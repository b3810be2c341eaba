/* SPDX-License-Identifier: Apache-2.0 */
/* Random samples, drawn one number after the other. */
#include "random_input.h"

#include <stdlib.h>

#include "ee/exec.h"

#define INPUT_SEED 1

ee_data_type ee_random_type(const ee_model *model) {
  const ee_preprocess *made = &model->preprocess;
  bool plain                = made->n_channels == 0 && (made->scale == 0.0F || made->scale == 1.0F);
  return plain ? EE_DATA_F32 : EE_DATA_U8;
}

void ee_random_raw(const ee_model *model, int n, ee_rng *rng, void *raw) {
  bool     bytes    = ee_random_type(model) == EE_DATA_U8;
  uint64_t most     = (uint64_t)ee_model_ids(model);
  int64_t  elements = ee_model_value_elements(model, model->input) * n;
  for (int64_t i = 0; i < elements; i++) {
    if (bytes) {
      ((uint8_t *)raw)[i] = (uint8_t)ee_rng_below(rng, 256);
    } else if (most > 0) {
      ((float *)raw)[i] = (float)ee_rng_below(rng, most);
    } else {
      ((float *)raw)[i] = (float)(2.0 * ee_rng_uniform(rng) - 1.0);
    }
  }
}

ee_status ee_random_input(const ee_model *model, int n, float **input) {
  size_t elements = (size_t)(ee_model_value_elements(model, model->input) * n);
  bool   bytes    = ee_random_type(model) == EE_DATA_U8;
  ee_rng rng      = ee_rng_at(INPUT_SEED, 0);
  *input          = malloc(elements * sizeof **input);
  void *raw       = malloc(elements * sizeof **input);
  if (*input == NULL || raw == NULL) {
    free(raw);
    free(*input);
    *input = NULL;
    return EE_FAIL(EE_ERR_NOMEM, "for %d samples", n);
  }
  ee_random_raw(model, n, &rng, raw);
  ee_model_preprocess(model, bytes ? raw : NULL, bytes ? NULL : raw, n, *input);
  free(raw);
  return EE_OK;
}
