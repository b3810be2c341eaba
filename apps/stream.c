/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "ee/exec.h"

static ee_status check_shape(const char *path, const ee_data_info *info, const ee_model *model) {
  const ee_shape *in    = &model->value[model->input].shape;
  int64_t         want  = ee_shape_elements(in);
  int64_t         given = info->dim[0] * info->dim[1] * info->dim[2];
  char            text[128];
  bool            same = want == given;
  if (in->rank == 4) {
    for (int i = 0; i < 3; i++) same &= in->dim[i + 1] == info->dim[i];
  }
  if (same) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: samples have shape [%lld, %lld, %lld], model %s takes %s", path,
                 (long long)info->dim[0], (long long)info->dim[1], (long long)info->dim[2],
                 model->name, ee_shape_text(in, text, sizeof text));
}

static ee_status read_labels(const char *path, ee_stream *s) {
  if (!ee_data_file_info(s->file)->labelled) return EE_OK;
  s->label = malloc((size_t)(s->n > 0 ? s->n : 1) * sizeof *s->label);
  if (s->label == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld labels", (long long)s->n);
  EE_TRY(ee_data_read_labels(s->file, 0, s->n, s->label));
  for (int64_t i = 0; i < s->n; i++) {
    if (s->label[i] < -1 || s->label[i] >= s->model->n_classes) {
      return EE_FAIL(EE_ERR_ARG, "%s: label %d of sample %lld is outside the model's %d classes",
                     path, s->label[i], (long long)i, s->model->n_classes);
    }
  }
  return EE_OK;
}

ee_status ee_stream_open(const char *path, const ee_model *model, int64_t limit,
                         ee_stream *stream) {
  *stream = (ee_stream){.model = model, .path = path};
  EE_TRY(ee_data_open(path, &stream->file));
  const ee_data_info *info = ee_data_file_info(stream->file);
  stream->n                = limit > 0 && limit < info->n ? limit : info->n;
  ee_status status         = check_shape(path, info, model);
  if (status == EE_OK) status = read_labels(path, stream);
  if (status != EE_OK) ee_stream_close(stream);
  return status;
}

ee_status ee_stream_of_outcomes(const ee_exit_table *outcomes, const ee_model *model, int64_t limit,
                                ee_stream *stream) {
  int64_t n        = limit > 0 && limit < outcomes->n ? limit : outcomes->n;
  bool    labelled = false;
  *stream          = (ee_stream){.model = model, .n = n};
  for (int64_t i = 0; i < n; i++) labelled |= outcomes->label[i] >= 0;
  if (!labelled) return EE_OK;
  stream->label = malloc((size_t)n * sizeof *stream->label);
  if (stream->label == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld labels", (long long)n);
  memcpy(stream->label, outcomes->label, (size_t)n * sizeof *stream->label);
  return EE_OK;
}

/* Room for @p n raw samples. */
static ee_status reserve(ee_stream *s, int64_t n) {
  if (n <= s->raw_samples) return EE_OK;
  size_t one = ee_data_file_info(s->file)->type == EE_DATA_U8 ? sizeof(uint8_t) : sizeof(float);
  size_t all = (size_t)n * (size_t)ee_model_value_elements(s->model, s->model->input) * one;
  void  *raw = realloc(s->raw, all);
  if (raw == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld samples", (long long)n);
  s->raw         = raw;
  s->raw_samples = n;
  return EE_OK;
}

/* Samples that can be looked up, if they are ids; one that cannot is named. */
static ee_status check_ids(const ee_stream *s, int64_t first, int64_t n, const float *input) {
  int64_t one = ee_model_value_elements(s->model, s->model->input);
  if (ee_model_check_ids(s->model, input, n) == EE_OK) return EE_OK;
  int64_t i = 0;
  while (ee_model_check_ids(s->model, input + i * one, 1) == EE_OK) i++;
  return EE_FAIL(EE_ERR_FORMAT, "%s, sample %lld: %s", s->path, (long long)(first + i),
                 ee_status_message());
}

ee_status ee_stream_read(void *self, int64_t first, int64_t n, float *input) {
  ee_stream *s = self;
  if (s->file == NULL) {
    memset(input, 0,
           (size_t)(n * ee_model_value_elements(s->model, s->model->input)) * sizeof *input);
    return EE_OK;
  }
  EE_TRY(reserve(s, n));
  EE_TRY(ee_data_read(s->file, first, n, s->raw));
  bool bytes = ee_data_file_info(s->file)->type == EE_DATA_U8;
  ee_model_preprocess(s->model, bytes ? s->raw : NULL, bytes ? NULL : s->raw, n, input);
  return check_ids(s, first, n, input);
}

void ee_stream_close(ee_stream *stream) {
  ee_data_close(&stream->file);
  free(stream->label);
  free(stream->raw);
  *stream = (ee_stream){0};
}
