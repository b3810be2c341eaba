/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against every plan there is: a period is feasible from the best plan's on. */
#include <math.h>

#include "ee_test.h"
#include "random_chain.h"

#define CHAINS 3000

static void a_period_is_feasible_exactly_from_that_of_the_best_of_all_plans_on(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    random_chain_draw(k, true, &r);
    best_plan best = best_of_all_plans(&r.chain);
    if (!best.found) {
      CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, 1e300));
      continue;
    }
    CU_ASSERT_TRUE(ee_partition_feasible(&r.chain, best.period));
    CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, nextafter(best.period, -1.0)));
  }
}

static void the_period_of_the_exact_plan_is_feasible_and_a_billionth_less_is_not(void) {
  for (uint64_t k = 0; k < CHAINS; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    ee_forecast  forecast;
    random_chain_draw(k, false, &r);
    if (ee_partition_exact(&r.chain, &plan) != EE_OK) continue;
    CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&r.chain, plan, &forecast), EE_OK);
    CU_ASSERT_TRUE(ee_partition_feasible(&r.chain, forecast.period));
    if (forecast.period > 0.0) {
      CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, forecast.period * (1 - 1e-9)));
    }
    ee_plan_destroy(&plan);
  }
}

static void no_period_is_feasible_for_a_wrong_chain_or_is_no_number(void) {
  random_chain r;
  random_chain_draw(0, true, &r);
  CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, -1.0));
  CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, (double)NAN));
  r.work[0] = -1.0;
  CU_ASSERT_FALSE(ee_partition_feasible(&r.chain, 1e300));
}

const ee_fact ee_facts[] = {
    EE_FACT(a_period_is_feasible_exactly_from_that_of_the_best_of_all_plans_on),
    EE_FACT(the_period_of_the_exact_plan_is_feasible_and_a_billionth_less_is_not),
    EE_FACT(no_period_is_feasible_for_a_wrong_chain_or_is_no_number),
    {NULL, NULL},
};
