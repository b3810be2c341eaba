/* SPDX-License-Identifier: Apache-2.0 */
/* Runs samples in float32 and in 8 bits, and compares what the exits say. */
#include <math.h>
#include <stdlib.h>

#include "ee/confidence.h"
#include "progress.h"
#include "quantize.h"
#include "whole.h"

#define BATCH 32

ee_status ee_quantize_open(ee_quantize *q) {
  size_t nodes = (size_t)q->model->n_nodes + 1, exits = (size_t)q->model->n_exits;
  size_t row = exits * (size_t)q->model->n_classes, n = (size_t)q->stream->n;
  q->keep   = calloc(nodes, sizeof *q->keep);
  q->quant  = calloc(nodes, sizeof *q->quant);
  q->exact  = calloc(n + 1, row * sizeof *q->exact);
  q->logits = calloc(n + 1, row * sizeof *q->logits);
  q->exit   = calloc(exits, sizeof *q->exit);
  if (q->keep != NULL && q->quant != NULL && q->exact != NULL && q->logits != NULL &&
      q->exit != NULL) {
    return EE_OK;
  }
  return EE_FAIL(EE_ERR_NOMEM, "for the logits of %zu samples", n);
}

void ee_quantize_close(ee_quantize *q) {
  free(q->keep);
  free(q->quant);
  free(q->exact);
  free(q->logits);
  free(q->exit);
}

static int64_t row_of(const ee_quantize *q) {
  return (int64_t)q->model->n_exits * q->model->n_classes;
}

static ee_status run_samples(const ee_quantize *q, ee_whole *whole, const char *verb,
                             float *logits) {
  ee_progress progress = ee_progress_begin(verb, q->stream->n);
  for (int64_t at = 0; at < q->stream->n;) {
    int64_t left = q->stream->n - at;
    int     n    = left < whole->batch_limit ? (int)left : whole->batch_limit;
    EE_TRY(ee_stream_read(q->stream, at, n, ee_whole_input(whole)));
    EE_TRY(ee_whole_run(whole, n, logits + at * row_of(q), NULL));
    at += n;
    ee_progress_show(&progress, at);
  }
  ee_progress_end(&progress);
  return EE_OK;
}

static ee_status look_with(ee_quantize *q, ee_ranges *ranges) {
  ee_whole whole;
  EE_TRY(ee_whole_open(q->model, ee_backend_names()[0], BATCH, &whole));
  ee_exec_set_watch(whole.exec, ee_ranges_watch, ranges);
  ee_status status = run_samples(q, &whole, "looked at", q->exact);
  if (status == EE_OK && q->method != EE_RANGE_MINMAX) {
    status = ee_ranges_count(ranges);
    if (status == EE_OK) status = run_samples(q, &whole, "counted", q->exact);
  }
  ee_whole_close(&whole);
  for (int k = 0; k < q->model->n_nodes && status == EE_OK; k++) {
    status = ee_ranges_quant(ranges, k, q->method, q->percentile, &q->quant[k]);
  }
  return status;
}

ee_status ee_quantize_look(ee_quantize *q) {
  ee_ranges *ranges;
  if (q->stream->n == 0) return EE_FAIL(EE_ERR_ARG, "%s has no samples", q->data);
  if (ee_quantization_possible(q->model) == 0)
    return EE_FAIL(EE_ERR_ARG, "model '%s' has no node that can be computed in 8 bits",
                   q->model->name);
  ee_quantization_clear(q->model);
  EE_TRY(ee_ranges_create(q->model, &ranges));
  ee_status status = look_with(q, ranges);
  ee_ranges_destroy(&ranges);
  return status;
}

/* Exit @p e over all samples. */
static ee_quantized_exit compare(const ee_quantize *q, int e) {
  int            classes  = q->model->n_classes;
  int64_t        labelled = 0, right[2] = {0, 0}, same = 0, n = q->stream->n;
  double         off = 0.0, all = 0.0;
  const int32_t *label = q->stream->label;
  for (int64_t i = 0; i < n; i++) {
    const float *x = q->exact + i * row_of(q) + e * classes;
    const float *y = q->logits + i * row_of(q) + e * classes;
    int          a = ee_argmax(x, classes), b = ee_argmax(y, classes);
    same += a == b;
    for (int c = 0; c < classes; c++) {
      off += ((double)y[c] - (double)x[c]) * ((double)y[c] - (double)x[c]);
      all += (double)x[c] * (double)x[c];
    }
    if (label == NULL || label[i] < 0) continue;
    labelled++;
    right[0] += a == label[i];
    right[1] += b == label[i];
  }
  ee_quantized_exit one = {.same  = (double)same / (double)n,
                           .error = all > 0.0 ? sqrt(off / all) : 0.0};
  for (int i = 0; i < 2; i++) {
    one.accuracy[i] = labelled > 0 ? (double)right[i] / (double)labelled : NAN;
  }
  return one;
}

ee_status ee_quantize_measure(ee_quantize *q) {
  ee_whole whole;
  for (int k = 0; k < q->model->n_nodes; k++) {
    q->model->node[k].quant = q->keep[k] ? (ee_quant){0.0F, 0} : q->quant[k];
  }
  EE_TRY(ee_whole_open(q->model, ee_backend_int8.name, BATCH, &whole));
  ee_status status = run_samples(q, &whole, "compared", q->logits);
  ee_whole_close(&whole);
  for (int e = 0; e < q->model->n_exits && status == EE_OK; e++) q->exit[e] = compare(q, e);
  return status;
}

double ee_quantize_loss(const ee_quantize *q) {
  double loss = -INFINITY;
  for (int e = 0; e < q->model->n_exits; e++) {
    loss = fmax(loss, q->exit[e].accuracy[0] - q->exit[e].accuracy[1]);
  }
  return loss;
}
