/* SPDX-License-Identifier: Apache-2.0 */
#include "costs.h"

#include <stdlib.h>

#include "passes.h"
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
  *cpu_share = times.cpu_share;
  ee_pass_times_free(&times);
  return EE_OK;
}
