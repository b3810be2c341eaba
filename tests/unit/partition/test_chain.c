/* SPDX-License-Identifier: Apache-2.0 */
/* Chains with one thing wrong are refused with a sentence that names it. */
#include <math.h>
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

/* A chain that is right, with all arrays in use. */
static void right_chain(random_chain *r) {
  *r       = (random_chain){.attach       = {1, 2},
                            .work         = {1, 2, 3},
                            .reach        = {1, 1, 0.5},
                            .head_work    = {1, 0},
                            .cut_bytes    = {4, 4, 4, 1},
                            .weight_bytes = {8, 8, 8},
                            .speed        = {1, 2},
                            .memory       = {100, 0},
                            .bandwidth    = {0, 5, 5, 0},
                            .latency      = {0, 1, 1, 0}};
  r->chain = (ee_chain){.n_layers        = 3,
                        .n_devices       = 2,
                        .n_exits         = 2,
                        .work            = r->work,
                        .reach           = r->reach,
                        .head_work       = r->head_work,
                        .attach          = r->attach,
                        .cut_bytes       = r->cut_bytes,
                        .weight_bytes    = r->weight_bytes,
                        .speed           = r->speed,
                        .bandwidth       = r->bandwidth,
                        .latency         = r->latency,
                        .memory          = r->memory,
                        .message_samples = 1,
                        .slots           = 1,
                        .source          = 0};
}

/* The chain is refused by every planner, with @p words in the sentence, and made right again. */
static void refused(random_chain *r, const char *words) {
  CU_ASSERT_EQUAL(ee_chain_check(&r->chain), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), words));
  for (const ee_planner *const *planner = ee_planners(); *planner != NULL; planner++) {
    ee_plan *plan = NULL;
    CU_ASSERT_EQUAL((*planner)->find(&r->chain, &plan), EE_ERR_ARG);
    CU_ASSERT_PTR_NULL(plan);
  }
  right_chain(r);
}

#define REFUSED(change, words) \
  do {                         \
    change;                    \
    refused(&r, words);        \
  } while (0)

static void sizes_and_missing_arrays_are_refused(void) {
  random_chain r;
  right_chain(&r);
  CU_ASSERT_EQUAL(ee_chain_check(&r.chain), EE_OK);
  REFUSED(r.chain.n_layers = 0, "0 layers");
  REFUSED(r.chain.n_devices = -1, "-1 devices");
  REFUSED(r.chain.n_exits = -1, "-1 exits");
  REFUSED(r.chain.work = NULL, "NULL");
  REFUSED(r.chain.attach = NULL, "NULL");
  REFUSED(r.chain.message_samples = 0.5, "0.5 samples per message");
  REFUSED(r.chain.message_samples = (double)NAN, "nan samples per message");
  REFUSED(r.chain.slots = -1, "-1 slots");
  REFUSED(r.chain.source = 2, "device 2");
  REFUSED(r.chain.source = -2, "device -2");
}

static void amounts_that_are_negative_or_no_number_are_refused(void) {
  random_chain r;
  right_chain(&r);
  REFUSED(r.work[1] = -1, "work [0, 1] is -1");
  REFUSED(r.work[2] = (double)NAN, "work [0, 2] is nan");
  REFUSED(r.head_work[0] = (double)INFINITY, "head work [0, 0] is inf");
  REFUSED(r.cut_bytes[2] = -4, "cut bytes [0, 2] is -4");
  REFUSED(r.cut_bytes[3] = (double)NAN, "cut bytes [0, 3] is nan");
  REFUSED(r.weight_bytes[0] = -1, "weight bytes [0, 0] is -1");
  REFUSED(r.speed[1] = -2, "speed [0, 1] is -2");
  REFUSED(r.memory[0] = (double)NAN, "memory [0, 0] is nan");
  REFUSED(r.bandwidth[2] = -5, "bandwidth [1, 0] is -5");
  REFUSED(r.latency[1] = -1, "latency [0, 1] is -1");
}

static void reach_that_grows_and_exits_nowhere_are_refused(void) {
  random_chain r;
  right_chain(&r);
  REFUSED(r.reach[0] = 1.5, "reach of layer 0 is 1.5");
  REFUSED(r.reach[1] = 0.25, "reach of layer 2 is 0.5");
  REFUSED(r.reach[2] = -0.5, "reach of layer 2 is -0.5");
  REFUSED(r.reach[1] = (double)NAN, "reach of layer 1 is nan");
  REFUSED(r.attach[0] = 3, "exit 0 is attached after layer 3");
  REFUSED(r.attach[1] = -1, "exit 1 is attached after layer -1");
}

static void loads_beyond_a_double_and_absent_fleets_are_refused(void) {
  random_chain r;
  right_chain(&r);
  REFUSED((r.speed[0] = 0, r.speed[1] = 0), "all 2 devices are away");
  REFUSED((r.work[0] = 1e308, r.work[1] = 1e308), "expected finite");
  REFUSED((r.work[0] = 1e300, r.speed[0] = 1e-300), "expected finite");
  REFUSED((r.cut_bytes[1] = 1e300, r.bandwidth[1] = 1e-300), "expected finite");
  REFUSED((r.weight_bytes[0] = 1e308, r.weight_bytes[1] = 1e308), "expected finite");
}

const ee_fact ee_facts[] = {
    EE_FACT(sizes_and_missing_arrays_are_refused),
    EE_FACT(amounts_that_are_negative_or_no_number_are_refused),
    EE_FACT(reach_that_grows_and_exits_nowhere_are_refused),
    EE_FACT(loads_beyond_a_double_and_absent_fleets_are_refused),
    {NULL, NULL},
};
