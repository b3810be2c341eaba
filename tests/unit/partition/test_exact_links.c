/* SPDX-License-Identifier: Apache-2.0 */
/* The exact planner where every pair of devices has a link of its own, against plain loops. */
#include <math.h>

#include "ee_test.h"
#include "random_chain.h"

enum { LAYERS = 16, DEVICES = 12 };

typedef struct fleet {
  ee_chain chain;
  double   work[LAYERS], reach[LAYERS], cut[LAYERS + 1], speed[DEVICES];
  double   latency[DEVICES * DEVICES];
} fleet;

/* Whole numbers, so that ties are ties; some devices are slow, most links lag. */
static void draw(uint64_t k, fleet *f) {
  ee_rng rng = ee_rng_at(51, k);
  f->chain   = (ee_chain){.n_layers        = LAYERS,
                          .n_devices       = DEVICES,
                          .work            = f->work,
                          .reach           = f->reach,
                          .cut_bytes       = f->cut,
                          .speed           = f->speed,
                          .latency         = f->latency,
                          .message_samples = 1,
                          .source          = below(&rng, DEVICES + 1) - 1};
  for (int l = 0; l < LAYERS; l++) f->work[l] = 8 + below(&rng, 8);
  for (int l = 0; l < LAYERS; l++) f->reach[l] = l < LAYERS / 2 ? 1.0 : 0.5;
  for (int l = 0; l <= LAYERS; l++) f->cut[l] = 0.0;
  for (int d = 0; d < DEVICES; d++) f->speed[d] = 1 << below(&rng, 3);
  for (int p = 0; p < DEVICES * DEVICES; p++) f->latency[p] = below(&rng, 24) / 2.0;
}

/** How layers are held: period, then stages and squares within a period. */
typedef struct held {
  double period, squares;
  int    stages;
} held;

static bool better(const held *a, const held *b, bool by_period) {
  if (by_period) return a->period < b->period;
  return a->stages != b->stages ? a->stages < b->stages : a->squares < b->squares;
}

/* Layers [0, j) with the last stage on p, for every j and p in turn: the least period, or of what
 * keeps to `limit` the fewest stages and the least squares. */
static held by_loops(const ee_chain *c, double limit, bool by_period) {
  static held at[LAYERS + 1][DEVICES];
  held        none = {INFINITY, INFINITY, LAYERS + 1}, best = none;
  for (int p = 0; p < DEVICES; p++) {
    for (int j = 1; j <= LAYERS; j++) {
      at[j][p] = none;
      for (int i = 0; i < j; i++) {
        for (int q = i > 0 ? 0 : p; q < (i > 0 ? p : p + 1); q++) {
          held   before = i > 0 ? at[i][q] : (held){0};
          int    from   = i > 0 ? q : c->source;
          double link   = from >= 0 && from != p ? link_by_formula(c, from, p, i) : 0.0;
          double load   = stage_by_formula(c, p, i, j);
          double most   = fmax(before.period, fmax(link, load));
          held   here   = {most, before.squares + load * load, before.stages + 1};
          if (most <= limit && better(&here, &at[j][p], by_period)) at[j][p] = here;
        }
      }
    }
    if (better(&at[LAYERS][p], &best, by_period)) best = at[LAYERS][p];
  }
  return best;
}

static void period_stages_and_squares_are_those_of_plain_loops(void) {
  int stages = 0;
  for (uint64_t k = 0; k < 1000; k++) {
    static fleet f;
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    double       squares = 0.0;
    draw(k, &f);
    CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&f.chain, &plan), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&f.chain, plan, &forecast), EE_OK);
    held shortest = by_loops(&f.chain, INFINITY, true);
    held fewest   = by_loops(&f.chain, shortest.period, false);
    for (int s = 0; s < plan->n_stages; s++) {
      double load = ee_partition_stage_seconds(&f.chain, plan, s);
      squares += load * load;
    }
    CU_ASSERT_EQUAL(forecast.period, shortest.period);
    CU_ASSERT_EQUAL(plan->n_stages, fewest.stages);
    CU_ASSERT_EQUAL(squares, fewest.squares);
    stages += plan->n_stages;
    ee_plan_destroy(&plan);
  }
  CU_ASSERT_TRUE(stages > 4000);  // mean of more than four
}

/* Device 1 is slow and holds the first two layers only with device 0, devices 0 and 2 hold them
 * alone; 0 has no good link to 3, which must run the last layer. */
static void of_those_with_a_good_link_the_one_with_the_fewest_stages_comes_before(void) {
  double   work[] = {4, 4, 40}, reach[] = {1, 1, 1}, cut[4] = {0}, speed[] = {1, 0.5, 1, 4};
  double   latency[] = {0, 0, 99, 99, 0, 0, 99, 0, 99, 99, 0, 0, 99, 0, 0, 0};
  ee_plan *plan      = NULL;
  char     text[64];
  ee_chain chain = {.n_layers        = 3,
                    .n_devices       = 4,
                    .work            = work,
                    .reach           = reach,
                    .cut_bytes       = cut,
                    .speed           = speed,
                    .latency         = latency,
                    .message_samples = 1,
                    .source          = -1};
  CU_ASSERT_EQUAL_FATAL(ee_partition_exact(&chain, &plan), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_plan_text(plan, text, sizeof text), "0-1 @2 | 2-2 @3");
  ee_plan_destroy(&plan);
}

const ee_fact ee_facts[] = {
    EE_FACT(period_stages_and_squares_are_those_of_plain_loops),
    EE_FACT(of_those_with_a_good_link_the_one_with_the_fewest_stages_comes_before),
    {NULL, NULL},
};
