/* SPDX-License-Identifier: Apache-2.0 */
/* The first stages of ResNet-50, whose activations are larger than the caches: a batch goes through
 * them slice by slice, in pixels, with additions taken in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "ee/exec.h"
#include "ee/random_network.h"
#include "ee/rng.h"
#include "ee_test.h"

enum { BATCH = 3, PIXELS = 3 * 224 * 224, CLASSES = 1000, BLOCK = 4 };

static float     input[BATCH * PIXELS], whole[BATCH * CLASSES], other[BATCH * CLASSES];
static ee_model *model;
static int       end;  // layers in front of the head

static void make_network(void) {
  static const int        after[] = {BLOCK};
  const ee_random_network network = {.name = "resnet50", .after = after, .n_early = 1, .seed = 1};
  CU_ASSERT_EQUAL_FATAL(ee_random_network_make(&network, &model), EE_OK);
  end        = model->exit[0].attach + 1;
  ee_rng rng = ee_rng_at(1, 1);
  for (int i = 0; i < BATCH * PIXELS; i++) input[i] = (float)(ee_rng_uniform(&rng) - 0.5);
}

static ee_resident *hold(const char *backend) {
  ee_resident *res = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(model, ee_backend_by_name(backend), &res), EE_OK);
  for (int l = 0; l < end; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  return res;
}

static ee_exec *make_exec(ee_resident *res, int from, int to) {
  ee_exec *exec = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, from, to, BATCH, &exec), EE_OK);
  return exec;
}

/* Samples [first, first + n) through layers [0, cut) on one device and the rest on another. */
static void run_split(ee_resident *res, int cut, int first, int n, float *logits) {
  ee_exec     *front = make_exec(res, 0, cut), *back = make_exec(res, cut, end);
  const float *z;
  int          n_live;
  const int   *live = ee_model_cut_values(model, cut, &n_live);
  memcpy(ee_exec_input(front, model->input), input + first * PIXELS,
         (size_t)n * PIXELS * sizeof *input);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(front, 0, cut, n), EE_OK);
  for (int i = 0; i < n_live; i++) {
    size_t bytes = (size_t)(n * ee_model_value_elements(model, live[i])) * sizeof(float);
    memcpy(ee_exec_input(back, live[i]), ee_exec_value(front, live[i]), bytes);
  }
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(back, cut, end, n), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(back, 0, n, &z), EE_OK);
  memcpy(logits, z, (size_t)n * CLASSES * sizeof *z);
  ee_exec_destroy(&front);
  ee_exec_destroy(&back);
}

static void run_whole(ee_resident *res, int n, float *logits) {
  ee_exec     *exec = make_exec(res, 0, end);
  const float *z;
  memcpy(ee_exec_input(exec, model->input), input, (size_t)n * PIXELS * sizeof *input);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, end, n), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 0, n, &z), EE_OK);
  memcpy(logits, z, (size_t)n * CLASSES * sizeof *z);
  ee_exec_destroy(&exec);
}

static void slices_of_a_batch_have_the_bits_of_samples_alone_and_split(void) {
  make_network();
  ee_resident *res = hold("simd");
  run_whole(res, BATCH, whole);
  for (int i = 0; i < BATCH; i++) run_split(res, 2 + 4 * i, i, 1, other + i * CLASSES);
  CU_ASSERT_EQUAL(memcmp(whole, other, sizeof whole), 0);
  run_split(res, 5, 0, BATCH, other);
  CU_ASSERT_EQUAL(memcmp(whole, other, sizeof whole), 0);
  ee_resident_destroy(&res);
  ee_model_destroy(&model);
}

static void they_are_those_of_blis_up_to_rounding(void) {
  make_network();
  ee_resident *simd = hold("simd"), *blis = hold("blis");
  float        largest = 0.0F;
  run_whole(simd, 1, whole);
  run_whole(blis, 1, other);
  for (int i = 0; i < CLASSES; i++) largest = fmaxf(largest, fabsf(other[i]));
  for (int i = 0; i < CLASSES; i++) {
    CU_ASSERT_DOUBLE_EQUAL(whole[i], other[i], 1e-3 * (double)largest);
  }
  ee_resident_destroy(&simd);
  ee_resident_destroy(&blis);
  ee_model_destroy(&model);
}

/* Values that only the nodes of a group see have room for its slice; the result, the logits and
 * what the last group reads have room for all. */
static void the_arena_of_a_batch_is_less_than_that_of_its_samples(void) {
  make_network();
  const ee_backend *simd = ee_backend_by_name("simd");
  size_t            one = 0, all = 0;
  CU_ASSERT_EQUAL_FATAL(ee_exec_arena_bytes(model, simd, 0, end, 1, &one), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_arena_bytes(model, simd, 0, end, 8, &all), EE_OK);
  CU_ASSERT_TRUE(all > one);
  CU_ASSERT_TRUE(all < 8 * one * 3 / 4);
  ee_model_destroy(&model);
}

/* Of the ranges of the first stages: what ee_exec_memory() says of each, or of a part of it. */
static void memory_of_all_ranges_is_that_of_each_or_of_a_part(void) {
  make_network();
  const ee_backend *simd   = ee_backend_by_name("simd");
  int               n      = model->n_layers + 1;
  double           *packed = calloc((size_t)n, sizeof *packed);
  double           *arena  = calloc((size_t)n * (size_t)n, sizeof *arena);
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory_of_ranges(model, simd, BATCH, packed, arena), EE_OK);
  for (int i = 0; i < end; i++) {
    for (int j = i + 1; j <= end; j++) {
      ee_memory_need need;
      double         most = 0.0, sum = 0.0;
      for (int l = i; l < j; l++) sum += packed[l];
      if (j > i + 1) most = fmax(arena[i * n + j - 1], arena[(i + 1) * n + j]);
      CU_ASSERT_EQUAL_FATAL(ee_exec_memory(model, simd, i, j, BATCH, &need), EE_OK);
      CU_ASSERT_EQUAL(arena[i * n + j], fmax(most, (double)need.arena));
      CU_ASSERT_EQUAL(sum, (double)need.packed);
    }
  }
  free(packed);
  free(arena);
  ee_model_destroy(&model);
}

/* Each block of ResNet ends with a convolution that takes in a sum; only that in front of the exit
 * is asked for from outside. */
static void results_stand_where_what_they_add_stood(void) {
  make_network();
  ee_program program;
  ee_arena   arena;
  int        n = 0, over = 0;
  CU_ASSERT_EQUAL_FATAL(ee_program_make(model, ee_backend_by_name("simd"), &program), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_arena_plan(&program, 0, end, 1, &arena), EE_OK);
  for (int k = 0; k < model->n_nodes; k++) {
    int added = ee_program_residual(&program, k);
    if (added < 0 || model->node[k].layer >= end) continue;
    n++;
    over += ee_arena_offset(&arena, ee_program_result(&program, k), EE_PIXELS) ==
            ee_arena_offset(&arena, added, EE_PIXELS);
  }
  CU_ASSERT_EQUAL(n, BLOCK);
  CU_ASSERT_EQUAL(over, BLOCK);
  ee_arena_free(&arena);
  ee_program_free(&program);
  ee_model_destroy(&model);
}

static void only_few_samples_stop_between_layers_that_run_together(void) {
  make_network();
  ee_resident *res  = hold("simd");
  ee_exec     *exec = make_exec(res, 0, end);
  memcpy(ee_exec_input(exec, model->input), input, sizeof input);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, 2, BATCH), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "a batch of 3 cannot stop between them"));
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, 2, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 2, end, 1), EE_OK);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
  ee_model_destroy(&model);
}

static void a_batch_stops_behind_an_exit(void) {
  make_network();
  ee_resident *res  = hold("simd");
  ee_exec     *exec = make_exec(res, 0, model->n_layers);
  const float *z;
  run_whole(res, BATCH, whole);
  memcpy(ee_exec_input(exec, model->input), input, sizeof input);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, end, BATCH), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 0, BATCH, &z), EE_OK);
  CU_ASSERT_EQUAL(memcmp(whole, z, sizeof whole), 0);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
  ee_model_destroy(&model);
}

typedef struct told {
  int layers, times;  // bits of the layers, at most 32
} told;

static void note_layer(void *context, int layer) {
  told *t = context;
  t->layers |= 1 << layer;
  t->times++;
}

static void a_timer_is_told_of_every_layer_and_slice(void) {
  make_network();
  ee_resident *res  = hold("simd");
  ee_exec     *exec = make_exec(res, 0, end);
  told         one = {0}, all = {0};
  memcpy(ee_exec_input(exec, model->input), input, sizeof input);
  ee_exec_set_timer(exec, note_layer, &one);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, end, 1), EE_OK);
  memcpy(ee_exec_input(exec, model->input), input, sizeof input);
  ee_exec_set_timer(exec, note_layer, &all);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, end, BATCH), EE_OK);
  CU_ASSERT_EQUAL(one.layers, (1 << end) - 1);
  CU_ASSERT_EQUAL(all.layers, (1 << end) - 1);
  CU_ASSERT_TRUE(all.times > one.times && all.times <= BATCH * one.times);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
  ee_model_destroy(&model);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_arena_of_a_batch_is_less_than_that_of_its_samples),
    EE_FACT(memory_of_all_ranges_is_that_of_each_or_of_a_part),
    EE_FACT(results_stand_where_what_they_add_stood),
    EE_FACT(only_few_samples_stop_between_layers_that_run_together),
    EE_FACT(a_batch_stops_behind_an_exit),
    EE_FACT(a_timer_is_told_of_every_layer_and_slice),
    EE_FACT(slices_of_a_batch_have_the_bits_of_samples_alone_and_split),
    EE_FACT(they_are_those_of_blis_up_to_rounding),
    {NULL, NULL},
};
