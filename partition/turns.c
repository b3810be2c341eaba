/* SPDX-License-Identifier: Apache-2.0 */
/* Small whole numbers in proportion to speeds. */
#include "turns.h"

#include <math.h>

#define MOST 256               // turns of the fastest device
#define CLOSE (1 + 1.0 / 256)  // times the shortest round
#define ROUNDING 1e-9          // relative; a speed that is half of another's has half of its turns

/* Turns of a device while the fastest has k. */
static int turns_of(double speed, double fastest, int k) {
  int turns = (int)floor(k * speed / fastest * (1 + ROUNDING));
  return turns > 1 ? turns : 1;
}

/* How long a batch of a round takes in the mean, times the speeds of all: 1 in exact proportion. */
static double slowness(const ee_chain *chain, const ee_plan *plan, int s, double fastest, int k) {
  double longest = 0.0, speed = 0.0;
  int    round = 0;
  for (int i = 0; i < ee_plan_width(plan, s); i++) {
    double own   = chain->speed[ee_plan_device(plan, s, i)];
    int    turns = turns_of(own, fastest, k);
    longest      = fmax(longest, turns / own);
    speed += own;
    round += turns;
  }
  return longest * speed / round;
}

ee_status ee_deal_turns(const ee_chain *chain, ee_plan *plan, int s) {
  double fastest = 0.0, least = INFINITY;
  int    n = ee_plan_width(plan, s), best = 1;
  for (int i = 0; i < n; i++) fastest = fmax(fastest, chain->speed[ee_plan_device(plan, s, i)]);
  for (int k = 1; k <= MOST && least > CLOSE && n > 1; k++) {
    double here = slowness(chain, plan, s, fastest, k);
    if (here >= least) continue;
    least = here;
    best  = k;
  }
  for (int i = 0; i < n && n > 1; i++) {
    int d     = ee_plan_device(plan, s, i);
    int turns = turns_of(chain->speed[d], fastest, best);
    if (turns != ee_plan_turns(plan, d)) EE_TRY(ee_plan_set_turns(plan, d, turns));
  }
  return EE_OK;
}

ee_status ee_partition_deal(const ee_chain *chain, ee_plan *plan) {
  for (int s = 0; s < plan->n_stages; s++) EE_TRY(ee_deal_turns(chain, plan, s));
  return EE_OK;
}
