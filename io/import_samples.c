/* SPDX-License-Identifier: Apache-2.0 */
/* The way of imported samples into a data file. */
#include "import_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 1048576

static ee_status make_block(ee_sample_sink *s) {
  s->most    = s->sample_bytes < BLOCK_BYTES ? (int)(BLOCK_BYTES / s->sample_bytes) : 1;
  s->samples = calloc((size_t)s->most, s->sample_bytes);
  s->labels  = calloc((size_t)s->most, sizeof *s->labels);
  if (s->samples == NULL || s->labels == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for samples of %zu bytes of %s", s->sample_bytes, s->out);
  return EE_OK;
}

ee_status ee_sink_open(const char *out, const ee_data_info *info, ee_data_range range,
                       ee_sample_sink *sink) {
  *sink = (ee_sample_sink){
      .out          = out,
      .range        = range,
      .sample_bytes = (size_t)(info->dim[0] * info->dim[1] * info->dim[2]),
  };
  if (range.first < 0 || range.count > INT64_MAX - range.first)
    return EE_FAIL(EE_ERR_ARG, "%s: the range of samples cannot begin at %lld and have %lld", out,
                   (long long)range.first, (long long)range.count);
  ee_data_info file = *info;
  file.type         = EE_DATA_U8;
  file.labelled     = true;
  EE_TRY(make_block(sink));
  return ee_data_create(out, &file, NULL, &sink->writer);
}

static ee_status flush(ee_sample_sink *sink) {
  ee_status status = ee_data_append(sink->writer, sink->n, sink->samples, sink->labels, NULL);
  sink->n          = 0;
  return status;
}

static bool in_range(ee_data_range range, int64_t i) {
  return i >= range.first && (range.count < 0 || i - range.first < range.count);
}

ee_status ee_sink_put(ee_sample_sink *sink, const uint8_t *sample, int32_t label) {
  if (!in_range(sink->range, sink->seen++)) return EE_OK;
  memcpy(sink->samples + (size_t)sink->n * sink->sample_bytes, sample, sink->sample_bytes);
  sink->labels[sink->n++] = label;
  return sink->n == sink->most ? flush(sink) : EE_OK;
}

/* One past the last sample of a range that has a count; the largest integer if that is less. */
static int64_t end_of(ee_data_range range) {
  bool fits = range.first < 0 || range.count <= INT64_MAX - range.first;
  return fits ? range.first + range.count : INT64_MAX;
}

static ee_status check_range(const ee_sample_sink *sink) {
  char    text[64];
  int64_t end = sink->range.count < 0 ? sink->range.first : end_of(sink->range);
  if (end <= sink->seen) return EE_OK;
  return EE_FAIL(EE_ERR_ARG, "%s: samples %s were asked for, the source has %lld", sink->out,
                 ee_range_text(sink->range, text, sizeof text), (long long)sink->seen);
}

ee_status ee_sink_close(ee_sample_sink *sink, ee_status status) {
  if (status == EE_OK) status = check_range(sink);
  if (status == EE_OK) status = flush(sink);
  ee_status end = ee_data_finish(&sink->writer, status == EE_OK);
  free(sink->samples);
  free(sink->labels);
  *sink = (ee_sample_sink){0};
  return status != EE_OK ? status : end;
}

const char *ee_range_text(ee_data_range range, char *text, size_t size) {
  if (range.count < 0)
    snprintf(text, size, "[%lld, end)", (long long)range.first);
  else
    snprintf(text, size, "[%lld, %lld)", (long long)range.first, (long long)end_of(range));
  return text;
}
