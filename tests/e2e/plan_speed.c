/* SPDX-License-Identifier: Apache-2.0 */
/* plan_speed PLANNER LAYERS DEVICES TYPES LINKS REPEATS: processor seconds that a planner takes for
 * a drawn chain, the median of REPEATS, and how far its plan is from the lower bound.  Devices are
 * of TYPES types in turn; links: none, equal, or unequal (a latency and a bandwidth for each pair
 * of types, or with `any` of devices). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "ee/partition.h"
#include "ee/rng.h"

/* Loads of one layer on a device of speed 1 are about a second, and so is the slowest link. */
static void draw_layers(ee_chain *c, double *block) {
  ee_rng  rng  = ee_rng_at(1, 0);
  double *work = block, *reach = work + c->n_layers, *cut = reach + c->n_layers;
  for (int l = 0; l < c->n_layers; l++) work[l] = 0.5 + ee_rng_uniform(&rng);
  for (int l = 0; l < c->n_layers; l++) reach[l] = l < c->n_layers / 3 ? 1.0 : 0.6;
  for (int l = 0; l <= c->n_layers; l++) cut[l] = 0.5 + ee_rng_uniform(&rng);
  c->work      = work;
  c->reach     = reach;
  c->cut_bytes = cut;
}

/* Kind of the link between two devices, by name of LINKS; 0: all are of one kind. */
static uint64_t kind_of_link(const char *links, int types, int from, int to) {
  if (strcmp(links, "any") == 0) return 1 + (uint64_t)from * 65536 + (uint64_t)to;
  if (strcmp(links, "unequal") != 0) return 0;
  return 1 + (uint64_t)(from % types) * 65536 + (uint64_t)(to % types);
}

static void draw_devices(ee_chain *c, const char *links, int types, double *block) {
  int     n     = c->n_devices;
  double *speed = block, *latency = speed + n, *bandwidth = latency + (size_t)n * (size_t)n;
  for (int d = 0; d < n; d++) {
    ee_rng rng = ee_rng_at(2, (uint64_t)(d % types));
    speed[d]   = 1.0 + ee_rng_uniform(&rng);
  }
  c->speed = speed;
  if (strcmp(links, "none") == 0) return;
  for (int k = 0; k < n * n; k++) {
    ee_rng rng   = ee_rng_at(3, kind_of_link(links, types, k / n, k % n));
    latency[k]   = 0.1 * ee_rng_uniform(&rng);
    bandwidth[k] = 1.0 + 4.0 * ee_rng_uniform(&rng);
  }
  c->latency   = latency;
  c->bandwidth = bandwidth;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static ee_status measure(const ee_chain *chain, const ee_planner *planner, int repeats,
                         double *seconds) {
  ee_forecast forecast = {0};
  for (int r = 0; r < repeats; r++) {
    ee_plan *plan  = NULL;
    double   begin = ee_clock_effort();
    EE_TRY(planner->find(chain, &plan));
    seconds[r]       = ee_clock_effort() - begin;
    ee_status status = ee_partition_forecast(chain, plan, &forecast);
    ee_plan_destroy(&plan);
    EE_TRY(status);
  }
  qsort(seconds, (size_t)repeats, sizeof *seconds, by_size);
  printf("%.6f s, %.2f %% above the lower bound\n", seconds[repeats / 2],
         100.0 * (forecast.period / forecast.lower_bound - 1.0));
  return EE_OK;
}

static ee_status run(const ee_planner *planner, ee_chain *chain, int types, const char *links,
                     int repeats) {
  size_t    layers = (size_t)chain->n_layers, devices = (size_t)chain->n_devices;
  double   *block   = calloc(3 * layers + 1 + devices + 2 * devices * devices, sizeof *block);
  double   *seconds = calloc((size_t)repeats, sizeof *seconds);
  ee_status status =
      block != NULL && seconds != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for the chain");
  if (status == EE_OK) {
    draw_layers(chain, block);
    draw_devices(chain, links, types, block + 3 * layers + 1);
    status = measure(chain, planner, repeats, seconds);
  }
  free(block);
  free(seconds);
  return status;
}

int main(int argc, char **argv) {
  const ee_planner *planner   = argc == 7 ? ee_planner_by_name(argv[1]) : NULL;
  int               number[4] = {0};
  const int         at[]      = {2, 3, 4, 6};
  for (int k = 0; k < 4 && planner != NULL; k++) number[k] = atoi(argv[at[k]]);
  if (number[0] < 1 || number[1] < 1 || number[1] > 65536 || number[2] < 1 || number[3] < 1) {
    fprintf(stderr, "usage: plan_speed PLANNER LAYERS DEVICES TYPES none|equal|unequal|any N\n");
    return 2;
  }
  ee_chain  chain  = {.n_layers        = number[0],
                      .n_devices       = number[1],
                      .message_samples = 8,
                      .slots           = 1,
                      .source          = -1};
  ee_status status = run(planner, &chain, number[2], argv[5], number[3]);
  if (status != EE_OK) fprintf(stderr, "plan_speed: %s\n", ee_status_message());
  return status == EE_OK ? 0 : 1;
}
