/* SPDX-License-Identifier: Apache-2.0 */
/* Preprocessing, class names and provenance: from the options, or else the file's metadata. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_graph.h"

static const char *metadata(const Onnx__ModelProto *proto, const char *key) {
  for (size_t i = 0; i < proto->n_metadata_props; i++) {
    const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];
    if (entry->key != NULL && entry->value != NULL && strcmp(entry->key, key) == 0)
      return entry->value;
  }
  return NULL;
}

static int64_t count_entries(const char *list) {
  int64_t n = 1;
  for (const char *c = list; *c != '\0'; c++) n += *c == ',';
  return n;
}

/* Exactly @p n comma-separated numbers; *out is the caller's. */
static ee_status read_numbers(const char *key, const char *text, int64_t n, float **out) {
  const char *whole = text;
  *out              = malloc((size_t)n * sizeof **out);
  if (*out == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld numbers", (long long)n);
  for (int64_t i = 0; i < n; i++) {
    char *end;
    (*out)[i] = strtof(text, &end);
    if (end == text || *end != (i < n - 1 ? ',' : '\0') || !isfinite((*out)[i]))
      return EE_FAIL(EE_ERR_FORMAT, "metadata '%s' is '%.100s', it needs %lld numbers", key, whole,
                     (long long)n);
    text = end + 1;
  }
  return EE_OK;
}

/* Mean or std: from the options, else the metadata, else @p otherwise for every channel. */
static ee_status read_channels(const Onnx__ModelProto *proto, const char *key, const float *given,
                               int n, float otherwise, float **out) {
  const char *text = metadata(proto, key);
  if (given == NULL && text != NULL) return read_numbers(key, text, n, out);
  *out = malloc((size_t)n * sizeof **out);
  if (*out == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d channels", n);
  for (int c = 0; c < n; c++) (*out)[c] = given != NULL ? given[c] : otherwise;
  return EE_OK;
}

static ee_status read_scale(const Onnx__ModelProto *proto, const ee_onnx_options *options,
                            float *scale) {
  const char *text   = metadata(proto, "ee.scale");
  float      *number = NULL;
  *scale             = 1.0f;
  if (options->scale != 0.0f) {
    *scale = options->scale;
  } else if (text != NULL) {
    ee_status status = read_numbers("ee.scale", text, 1, &number);
    if (status == EE_OK) *scale = *number;
    free(number);
    EE_TRY(status);
  }
  if (!isfinite(*scale) || *scale == 0.0f)
    return EE_FAIL(EE_ERR_ARG, "the scale is %g, it must be a number other than 0", (double)*scale);
  return EE_OK;
}

static ee_status read_preprocess(const Onnx__ModelProto *proto, const ee_onnx_options *options,
                                 ee_model *model) {
  ee_preprocess  *p     = &model->preprocess;
  const ee_shape *shape = &model->value[model->input].shape;
  bool            given = options->n_channels > 0 || metadata(proto, "ee.mean") != NULL ||
               metadata(proto, "ee.std") != NULL;
  EE_TRY(read_scale(proto, options, &p->scale));
  if (!given) return EE_OK;

  int64_t channels = shape->rank > 1 ? shape->dim[1] : 0;
  if (channels < 1 || channels > 65536)
    return EE_FAIL(EE_ERR_UNSUPPORTED, "mean and std need an input with channels in dimension 1");
  if (options->n_channels > 0 && options->n_channels != channels)
    return EE_FAIL(EE_ERR_ARG, "mean and std are given for %d channels, the input has %lld",
                   options->n_channels, (long long)channels);
  const float *mean = options->n_channels > 0 ? options->mean : NULL;
  const float *std  = options->n_channels > 0 ? options->std : NULL;
  p->n_channels     = (int)channels;
  EE_TRY(read_channels(proto, "ee.mean", mean, p->n_channels, 0.0f, &p->mean));
  EE_TRY(read_channels(proto, "ee.std", std, p->n_channels, 1.0f, &p->std));
  for (int c = 0; c < p->n_channels; c++) {
    if (!isfinite(p->mean[c]) || !isfinite(p->std[c]) || p->std[c] <= 0.0f)
      return EE_FAIL(EE_ERR_ARG, "channel %d has mean %g and std %g; std must be above 0", c,
                     (double)p->mean[c], (double)p->std[c]);
  }
  return EE_OK;
}

static ee_status read_classes(const char *list, ee_model *model) {
  if (list == NULL) return EE_OK;
  if (count_entries(list) != model->n_classes)
    return EE_FAIL(EE_ERR_ARG, "there are %lld class names, the exits have %d classes",
                   (long long)count_entries(list), model->n_classes);
  model->class_name = calloc((size_t)model->n_classes, sizeof *model->class_name);
  if (model->class_name == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the class names");
  for (int k = 0; k < model->n_classes; k++) {
    size_t n             = strcspn(list, ",");
    model->class_name[k] = strndup(list, n);
    if (model->class_name[k] == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the class names");
    list += n + (list[n] == ',');
  }
  return EE_OK;
}

/* What the file says of its origin, or else which program wrote it. */
static ee_status read_provenance(const Onnx__ModelProto *proto, ee_model *model) {
  const char *said = metadata(proto, "ee.provenance"), *version = proto->producer_version;
  char        producer[256];
  if (said == NULL && proto->producer_name != NULL && proto->producer_name[0] != '\0') {
    snprintf(producer, sizeof producer, "ONNX from %s %s", proto->producer_name,
             version != NULL ? version : "");
    said = producer;
  }
  if (said == NULL) return EE_OK;
  model->provenance = strdup(said);
  return model->provenance != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for the provenance");
}

ee_status ee_onnx_apply_metadata(const Onnx__ModelProto *proto, const ee_onnx_options *options,
                                 ee_model *model) {
  const char *classes = options->class_names;
  EE_TRY(read_preprocess(proto, options, model));
  EE_TRY(read_classes(classes != NULL ? classes : metadata(proto, "ee.classes"), model));
  return read_provenance(proto, model);
}
