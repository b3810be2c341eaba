/* SPDX-License-Identifier: Apache-2.0 */
/* From raw samples to the network's input. */
#include "ee/exec.h"

/* One run of elements of one channel; plain loops that compilers make vectors of. */
static void scale_u8(const uint8_t *raw, int64_t n, float scale, float mean, float std,
                     float *out) {
  for (int64_t i = 0; i < n; i++) out[i] = ((float)raw[i] * scale - mean) / std;
}

static void scale_f32(const float *raw, int64_t n, float scale, float mean, float std, float *out) {
  for (int64_t i = 0; i < n; i++) out[i] = (raw[i] * scale - mean) / std;
}

void ee_model_preprocess(const ee_model *model, const uint8_t *u8, const float *f32, int64_t n,
                         float *out) {
  const ee_preprocess *p     = &model->preprocess;
  const ee_shape      *shape = &model->value[model->input].shape;
  float                scale = p->scale != 0.0f ? p->scale : 1.0f;
  int64_t              run = ee_shape_elements(shape), runs = n;
  if (p->n_channels > 0) {
    run  = ee_shape_product(shape, 2, shape->rank);
    runs = n * shape->dim[0] * shape->dim[1];
  }
  for (int64_t r = 0; r < runs; r++) {
    int64_t at   = r * run;
    float   mean = p->n_channels > 0 ? p->mean[r % p->n_channels] : 0.0f;
    float   std  = p->n_channels > 0 ? p->std[r % p->n_channels] : 1.0f;
    if (u8 != NULL) {
      scale_u8(u8 + at, run, scale, mean, std, out + at);
    } else {
      scale_f32(f32 + at, run, scale, mean, std, out + at);
    }
  }
}
