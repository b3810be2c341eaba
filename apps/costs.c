/* SPDX-License-Identifier: Apache-2.0 */
#include "costs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "passes.h"
#include "profiled.h"
#include "random_input.h"

ee_status ee_costs_measure(ee_whole *whole, int repeats, double seconds, ee_model *model,
                           double *cpu_share) {
  const ee_pass_options options = {.by_layer    = true,
                                   .early_heads = true,
                                   .cpu_time    = true,
                                   .repeats     = repeats,
                                   .seconds     = seconds};
  ee_pass_times         times;
  float                *input;
  EE_TRY(ee_random_input(model, whole->batch_limit, &input));
  ee_status status = ee_passes_measure(whole, input, &options, &times);
  free(input);
  EE_TRY(status);
  for (int l = 0; l < model->n_layers; l++) {
    model->layer[l].seconds = times.layer[l].median / whole->batch_limit;
  }
  for (int e = 0; e < model->n_exits; e++) {
    model->head_seconds[e] = times.head[e].median / whole->batch_limit;
  }
  model->profile = ee_profile_here(whole->backend);
  *cpu_share     = times.cpu_share;
  ee_pass_times_free(&times);
  return EE_OK;
}

/* CPU time of a batch through all layers and heads, the least of some [s]. */
static ee_status least_pass(ee_whole *whole, const float *input, float *logits, int repeats,
                            double *seconds) {
  const ee_model *m     = whole->model;
  size_t          batch = (size_t)whole->batch_limit;
  *seconds              = INFINITY;
  for (int r = 0; r <= repeats; r++) {
    memcpy(ee_whole_input(whole), input,
           batch * (size_t)ee_model_value_elements(m, m->input) * sizeof *input);
    int64_t begin = ee_clock_cpu_ns();
    EE_TRY(ee_whole_run(whole, whole->batch_limit, logits, NULL));
    double took = (double)(ee_clock_cpu_ns() - begin) * 1e-9;
    if (r > 0) *seconds = fmin(*seconds, took);
  }
  return EE_OK;
}

static ee_status measure_cuts(ee_whole *whole, int repeats, const float *input, float *logits,
                              int *cuts, double *seconds) {
  const ee_model *m = whole->model;
  double          before, behind, bytes = 0.0;
  for (int c = 1; c < m->n_layers; c++) {
    cuts[c - 1] = c;
    bytes += (double)ee_link_cut_bytes(m, c, EE_LINK_F32) * whole->batch_limit;
  }
  EE_TRY(least_pass(whole, input, logits, repeats, &before));
  EE_TRY(ee_whole_round(whole, EE_LINK_F32, cuts, m->n_layers - 1));
  EE_TRY(least_pass(whole, input, logits, repeats, &behind));
  *seconds = bytes > 0.0 ? fmax(behind - before, 0.0) / bytes / 2.0 : 0.0;
  return EE_OK;
}

ee_status ee_cut_cost_measure(ee_whole *whole, int repeats, double *seconds) {
  const ee_model *m   = whole->model;
  size_t          all = (size_t)whole->batch_limit * (size_t)m->n_exits * (size_t)m->n_classes;
  float          *input;
  *seconds = 0.0;
  if (m->n_layers < 2) return EE_OK;
  EE_TRY(ee_random_input(m, whole->batch_limit, &input));
  float    *logits = malloc(all * sizeof *logits);
  int      *cuts   = malloc((size_t)m->n_layers * sizeof *cuts);
  ee_status status = EE_OK;
  if (logits == NULL || cuts == NULL) status = EE_FAIL(EE_ERR_NOMEM, "for %d cuts", m->n_layers);
  if (status == EE_OK) status = measure_cuts(whole, repeats, input, logits, cuts, seconds);
  free(input);
  free(logits);
  free(cuts);
  return status;
}
