/* SPDX-License-Identifier: Apache-2.0 */
/* The planners to compare with, and what a plan gains that knows the exits. */
#include <string.h>

#include "ee_test.h"
#include "random_chain.h"

static void every_planner_is_found_by_its_name(void) {
  int n = 0;
  for (const ee_planner *const *planner = ee_planners(); *planner != NULL; planner++, n++) {
    CU_ASSERT_PTR_EQUAL(ee_planner_by_name((*planner)->name), *planner);
    CU_ASSERT_TRUE(strlen((*planner)->help) > 0);
  }
  CU_ASSERT_TRUE(n >= 3);
  CU_ASSERT_PTR_NULL(ee_planner_by_name("exac"));
  CU_ASSERT_PTR_NULL(ee_planner_by_name(""));
}

static void a_list_of_all_names_is_cut_to_the_room_it_has(void) {
  char text[256], few[10];
  int  commas = 0, n = 0;
  ee_planner_names(text, sizeof text);
  for (const char *c = text; *c != '\0'; c++) commas += *c == ',';
  for (const ee_planner *const *planner = ee_planners(); *planner != NULL; planner++, n++) {
    CU_ASSERT_PTR_NOT_NULL(strstr(text, (*planner)->name));
  }
  CU_ASSERT_EQUAL(commas, n - 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, " or "));
  CU_ASSERT_STRING_EQUAL(ee_planner_names(few, sizeof few), "exact, la");
}

static int present_devices(const ee_chain *c, int *device) {
  int n = 0;
  for (int d = 0; d < c->n_devices; d++) {
    if (c->speed[d] > 0.0) device[n++] = d;
  }
  return n;
}

static void uniform_gives_each_present_device_as_many_layers_as_any_other(void) {
  for (uint64_t k = 0; k < 1000; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    int          device[MOST_DEVICES];
    random_chain_draw(k, true, &r);
    r.chain.memory = NULL;
    int present    = present_devices(&r.chain, device);
    CU_ASSERT_EQUAL_FATAL(ee_planner_by_name("uniform")->find(&r.chain, &plan), EE_OK);
    CU_ASSERT_EQUAL(ee_plan_check(plan), EE_OK);
    CU_ASSERT_EQUAL(plan->n_devices, r.chain.n_devices);
    CU_ASSERT_EQUAL_FATAL(plan->n_stages, present < r.chain.n_layers ? present : r.chain.n_layers);
    int least = r.chain.n_layers / plan->n_stages;
    for (int s = 0; s < plan->n_stages; s++) {
      int layers = plan->stage[s].end - plan->stage[s].begin;
      CU_ASSERT_TRUE(layers == least || layers == least + 1);
      CU_ASSERT_EQUAL(plan->stage[s].device, device[s]);
    }
    ee_plan_destroy(&plan);
  }
}

static void uniform_refuses_what_does_not_fit_by_name(void) {
  random_chain r;
  ee_plan     *plan = NULL;
  random_chain_draw(0, true, &r);
  for (int l = 0; l < r.chain.n_layers; l++) r.weight_bytes[l] = 1000;
  for (int d = 0; d < r.chain.n_devices; d++) r.memory[d] = 999;
  r.chain.weight_bytes = r.weight_bytes;
  r.chain.memory       = r.memory;
  CU_ASSERT_EQUAL(ee_planner_by_name("uniform")->find(&r.chain, &plan), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(plan);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "has 999 byte"));
}

/* Blind to exits: the best of all plans if nobody left. */
static void flops_is_the_best_of_all_plans_when_everybody_goes_to_the_end(void) {
  for (uint64_t k = 0; k < 2000; k++) {
    random_chain r;
    ee_plan     *plan = NULL;
    random_chain_draw(k, true, &r);
    ee_status status = ee_planner_by_name("flops")->find(&r.chain, &plan);
    for (int l = 0; l < r.chain.n_layers; l++) r.reach[l] = 1.0;
    best_plan best = best_of_all_plans(&r.chain);
    CU_ASSERT_EQUAL_FATAL(status, best.found ? EE_OK : EE_ERR_ARG);
    if (!best.found) continue;
    CU_ASSERT_EQUAL_FATAL(plan->n_stages, best.n_stages);
    CU_ASSERT_EQUAL(memcmp(plan->stage, best.stage, (size_t)best.n_stages * sizeof *best.stage), 0);
    ee_plan_destroy(&plan);
  }
}

/* ---- ResNet-50 at residual-block granularity (He, Zhang, Ren and Sun, 2016) ---- */

enum { BLOCKS = 16 };

/* Multiply-adds of a convolution with a square kernel and a square output. */
static double convolution(int side, int kernel, int in, int out) {
  return (double)side * side * kernel * kernel * in * out;
}

/* Blocks of 1x1, 3x3, 1x1 convolutions for 224 x 224 images, stride in the first of them as in
 * the paper; the stem counts with the first block, the classifier with the last. */
static void resnet50_work(double *work) {
  const int blocks[] = {3, 4, 6, 3};
  int       l = 0, in = 64;
  for (int group = 0; group < 4; group++) {
    int side = 56 >> group, width = 64 << group, out = 4 * width;
    for (int b = 0; b < blocks[group]; b++, l++) {
      work[l] = convolution(side, 1, in, width) + convolution(side, 3, width, width) +
                convolution(side, 1, width, out);
      if (b == 0) work[l] += convolution(side, 1, in, out);  // the shortcut
      in = out;
    }
  }
  work[0] += convolution(112, 7, 3, 64);
  work[BLOCKS - 1] += 2048.0 * 1000.0;
}

/* Throughput of a planner's plan on @p n equal devices, times that of one device without exits. */
static double resnet50_speedup(const char *planner, int n, double first, double second) {
  const int   attach[] = {3, 7, BLOCKS - 1};
  double      work[BLOCKS], reach[BLOCKS], cut[BLOCKS + 1] = {0}, speed[8], all = 0.0;
  double      share[] = {first, second, 1 - first - second};
  ee_plan    *plan    = NULL;
  ee_chain    chain   = {.n_layers        = BLOCKS,
                         .n_devices       = n,
                         .work            = work,
                         .reach           = reach,
                         .cut_bytes       = cut,
                         .speed           = speed,
                         .message_samples = 1,
                         .source          = -1};
  ee_forecast forecast;
  resnet50_work(work);
  for (int l = 0; l < BLOCKS; l++) all += work[l];
  for (int d = 0; d < n; d++) speed[d] = 1e9;
  ee_reach_from_shares(BLOCKS, 3, attach, share, reach);
  CU_ASSERT_EQUAL_FATAL(ee_planner_by_name(planner)->find(&chain, &plan), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_partition_forecast(&chain, plan, &forecast), EE_OK);
  ee_plan_destroy(&plan);
  return all / 1e9 / forecast.period;
}

/* The paper says 3.8 G multiply-adds, convolutions and classifier, for one image. */
static void resnet50_has_its_published_work(void) {
  double work[BLOCKS], all = 0.0;
  resnet50_work(work);
  for (int l = 0; l < BLOCKS; l++) all += work[l];
  CU_ASSERT_DOUBLE_EQUAL(all, 3.8e9, 0.1e9);
}

/* Exits do nothing for a pipeline balanced for the full depth: its first stage sees everyone.
 * Reference values: the same blocks planned outside this project. */
static void a_plan_that_knows_the_exits_gains_what_they_save(void) {
  const struct {
    int    devices;
    double first, second, blind, aware;
  } wanted[] = {{4, 0.3, 0.3, 3.57, 5.79}, {8, 0.3, 0.3, 6.80, 10.13}};
  for (int k = 0; k < 2; k++) {
    double blind = resnet50_speedup("flops", wanted[k].devices, wanted[k].first, wanted[k].second);
    double aware = resnet50_speedup("exact", wanted[k].devices, wanted[k].first, wanted[k].second);
    CU_ASSERT_DOUBLE_EQUAL(blind, wanted[k].blind, 0.005 * wanted[k].blind);
    CU_ASSERT_DOUBLE_EQUAL(aware, wanted[k].aware, 0.005 * wanted[k].aware);
  }
  double gain[] = {resnet50_speedup("exact", 4, 0.5, 0.2) / resnet50_speedup("flops", 4, 0.5, 0.2),
                   resnet50_speedup("exact", 8, 0.5, 0.2) / resnet50_speedup("flops", 8, 0.5, 0.2)};
  CU_ASSERT_DOUBLE_EQUAL(gain[0], 1.90, 0.005 * 1.90);
  CU_ASSERT_DOUBLE_EQUAL(gain[1], 1.63, 0.005 * 1.63);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_planner_is_found_by_its_name),
    EE_FACT(a_list_of_all_names_is_cut_to_the_room_it_has),
    EE_FACT(uniform_gives_each_present_device_as_many_layers_as_any_other),
    EE_FACT(uniform_refuses_what_does_not_fit_by_name),
    EE_FACT(flops_is_the_best_of_all_plans_when_everybody_goes_to_the_end),
    EE_FACT(resnet50_has_its_published_work),
    EE_FACT(a_plan_that_knows_the_exits_gains_what_they_save),
    {NULL, NULL},
};
