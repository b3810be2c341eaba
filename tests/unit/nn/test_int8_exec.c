/* SPDX-License-Identifier: Apache-2.0 */
/* A network of 8 bits: a sample's bits depend neither on batch, cut nor kind of kernel, and what it
 * takes in memory is known before. */
#include "arena.h"
#include "ee/exec.h"
#include "ee/quantization.h"
#include "ee_test.h"
#include "graph_maker.h"
#include "int8_oracle.h"

enum {
  CHANNELS = 20,
  SIDE     = 9,
  SAMPLES  = 7,
  PIXELS   = CHANNELS * SIDE * SIDE,
  CLASSES  = 5,
  EXITS    = 2
};

static float input[SAMPLES * PIXELS];

/* Three convolutions, a sum, a head in the middle and one at the end. */
static ee_model *make_network(void) {
  ee_model *m = maker_begin(CLASSES, SHAPE(1, CHANNELS, SIDE, SIDE));
  int       a = maker_relu(m, "relu", maker_conv(m, "a", m->input));
  maker_head(m, "early", a);
  int b = maker_conv(m, "b", a);
  maker_head(m, "final", maker_conv(m, "c", maker_add(m, "sum", b, a)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  ee_rng rng = ee_rng_at(1, 1);
  for (int i = 0; i < SAMPLES * PIXELS; i++) input[i] = (float)(ee_rng_uniform(&rng) - 0.3);
  return m;
}

static ee_resident *hold(const ee_model *m, const char *backend) {
  ee_resident *res = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, ee_backend_by_name(backend), &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) {
    CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  }
  return res;
}

/* Layers [from, to) and the heads in them, each right behind its layer.
 * @p logits: shape [EXITS, n, CLASSES]. */
static void run_range(ee_exec *exec, const ee_model *m, int from, int to, int n, float *logits) {
  for (int e = 0; e <= EXITS; e++) {
    int          behind = e < EXITS ? m->exit[e].attach + 1 : to;
    const float *z;
    if (behind <= from && e < EXITS) continue;
    if (behind > to) behind = to;
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, from, behind, n), EE_OK);
    from = behind;
    if (e == EXITS || m->exit[e].attach >= to) return;
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, e, n, &z), EE_OK);
    memcpy(logits + e * n * CLASSES, z, (size_t)(n * CLASSES) * sizeof *z);
  }
}

/* What is alive behind the first exec's layers, to the second. */
static void hand_over(const ee_model *m, int cut, int n, ee_exec *from, ee_exec *to) {
  int        n_live;
  const int *live = ee_model_cut_values(m, cut, &n_live);
  for (int v = 0; v < n_live; v++) {
    size_t bytes = (size_t)(n * ee_model_value_elements(m, live[v])) * sizeof(float);
    memcpy(ee_exec_input(to, live[v]), ee_exec_value(from, live[v]), bytes);
  }
}

/* @p n samples from @p first on through layers [0, cut) by one exec and the others by another. */
static void run(ee_resident *res, const ee_model *m, int cut, int first, int n, ee_ranges *ranges,
                float *logits) {
  int      at[] = {0, cut, m->n_layers};
  ee_exec *exec[2];
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, at[i], at[i + 1], n, &exec[i]), EE_OK);
    if (ranges != NULL) ee_exec_set_watch(exec[i], ee_ranges_watch, ranges);
  }
  memcpy(ee_exec_input(exec[0], m->input), input + first * PIXELS,
         (size_t)(n * PIXELS) * sizeof *input);
  run_range(exec[0], m, at[0], at[1], n, logits);
  hand_over(m, cut, n, exec[0], exec[1]);
  run_range(exec[1], m, at[1], at[2], n, logits);
  for (int i = 0; i < 2; i++) ee_exec_destroy(&exec[i]);
}

/* Scales from all samples, through all nodes, heads included. */
static void calibrate(ee_model *m) {
  float        logits[EXITS * SAMPLES * CLASSES];
  ee_resident *res = hold(m, "simd");
  ee_ranges   *ranges;
  CU_ASSERT_EQUAL_FATAL(ee_ranges_create(m, &ranges), EE_OK);
  run(res, m, 1, 0, SAMPLES, ranges, logits);
  for (int k = 0; k < m->n_nodes; k++) {
    ee_quant q;
    CU_ASSERT_EQUAL_FATAL(ee_ranges_quant(ranges, k, EE_RANGE_MINMAX, 0.0, &q), EE_OK);
    m->node[k].quant = q;
  }
  CU_ASSERT_EQUAL(ee_quantization_count(m), 5);  // three convolutions and two products
  ee_ranges_destroy(&ranges);
  ee_resident_destroy(&res);
}

static void bits_depend_on_neither_batch_nor_cut_nor_kernel(void) {
  static const char *const kernels[] = {"avx512vnni", "avx512", "avxvnni", "avx2", "base"};
  static float             whole[EXITS * SAMPLES * CLASSES], other[EXITS * SAMPLES * CLASSES];
  ee_model                *m = make_network();
  calibrate(m);
  bool first = true;
  for (int i = 0; i < 5; i++) {
    if (ee_int8_kernels_use(kernels[i]) != EE_OK) continue;
    ee_resident *res = hold(m, "int8");
    run(res, m, 1, 0, SAMPLES, NULL, first ? whole : other);
    if (!first) CU_ASSERT_EQUAL(memcmp(whole, other, sizeof whole), 0);
    first = false;
    run(res, m, 2, 0, SAMPLES, NULL, other);
    CU_ASSERT_EQUAL(memcmp(whole, other, sizeof whole), 0);
    for (int s = 0; s < SAMPLES; s++) {
      run(res, m, 1 + s % 2, s, 1, NULL, other);
      for (int e = 0; e < EXITS; e++) {
        CU_ASSERT_EQUAL(memcmp(whole + (e * SAMPLES + s) * CLASSES, other + e * CLASSES,
                               CLASSES * sizeof *whole),
                        0);
      }
    }
    ee_resident_destroy(&res);
  }
  CU_ASSERT_FALSE(first);
  ee_int8_kernels_use(NULL);
  ee_model_destroy(&m);
}

static void logits_are_close_to_those_of_float32(void) {
  static float ours[EXITS * SAMPLES * CLASSES], exact[EXITS * SAMPLES * CLASSES];
  ee_model    *m = make_network();
  calibrate(m);
  ee_resident *int8 = hold(m, "int8"), *ref = hold(m, "ref");
  run(int8, m, 1, 0, SAMPLES, NULL, ours);
  run(ref, m, 1, 0, SAMPLES, NULL, exact);
  double off = 0.0, all = 0.0;
  for (int i = 0; i < EXITS * SAMPLES * CLASSES; i++) {
    off += ((double)ours[i] - (double)exact[i]) * ((double)ours[i] - (double)exact[i]);
    all += (double)exact[i] * (double)exact[i];
  }
  CU_ASSERT_TRUE(off < 0.02 * 0.02 * all);
  CU_ASSERT_TRUE(off > 1e-5 * 1e-5 * all);  // they are rounded
  ee_resident_destroy(&int8);
  ee_resident_destroy(&ref);
  ee_model_destroy(&m);
}

static void what_is_held_is_what_was_said_before(void) {
  ee_model      *m = make_network();
  ee_memory_need float32, int8, none;
  calibrate(m);
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory(m, &ee_backend_int8, 0, m->n_layers, 1, &int8), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory(m, &ee_backend_simd, 0, m->n_layers, 1, &float32), EE_OK);
  ee_resident *res = hold(m, "int8");
  CU_ASSERT_EQUAL(ee_resident_bytes(res), int8.weights + int8.packed);
  CU_ASSERT_EQUAL(int8.weights, float32.weights);
  CU_ASSERT_TRUE(int8.packed < float32.packed);
  ee_resident_destroy(&res);
  ee_quantization_clear(m);  // all falls to simd
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory(m, &ee_backend_int8, 0, m->n_layers, 1, &none), EE_OK);
  CU_ASSERT_EQUAL(none.packed, float32.packed);
  CU_ASSERT_EQUAL(none.arena, float32.arena);
  ee_model_destroy(&m);
}

/* What planners count. */
static void memory_of_all_ranges_is_that_of_each(void) {
  ee_model *m = make_network();
  double    packed[8], arena[64];
  int       n = m->n_layers + 1;
  calibrate(m);
  CU_ASSERT_TRUE_FATAL(n <= 8);
  CU_ASSERT_EQUAL_FATAL(ee_exec_memory_of_ranges(m, &ee_backend_int8, SAMPLES, packed, arena),
                        EE_OK);
  for (int l = 0; l < m->n_layers; l++) {
    ee_memory_need need;
    CU_ASSERT_EQUAL_FATAL(ee_exec_memory(m, &ee_backend_int8, l, l + 1, SAMPLES, &need), EE_OK);
    CU_ASSERT_EQUAL(packed[l], (double)need.packed);
    CU_ASSERT_EQUAL(arena[l * n + l + 1], (double)need.arena);
    CU_ASSERT_TRUE(need.packed > 0);
  }
  ee_model_destroy(&m);
}

/* Only the last layer has a scale: the early exit gives the bits that it has without any. */
static void nodes_without_scales_compute_in_float32(void) {
  static float plain[EXITS * SAMPLES * CLASSES], mixed[EXITS * SAMPLES * CLASSES];
  ee_model    *m   = make_network();
  ee_resident *res = hold(m, "simd");
  run(res, m, 1, 0, SAMPLES, NULL, plain);
  ee_resident_destroy(&res);
  calibrate(m);
  for (int k = 0; k < m->n_nodes; k++) {
    if (m->node[k].layer < m->n_layers - 1) m->node[k].quant = (ee_quant){0.0F, 0};
  }
  res = hold(m, "int8");
  run(res, m, 1, 0, SAMPLES, NULL, mixed);
  size_t early = SAMPLES * CLASSES * sizeof *plain;
  CU_ASSERT_EQUAL(memcmp(plain, mixed, early), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(plain, mixed, sizeof plain), 0);
  ee_resident_destroy(&res);
  ee_model_destroy(&m);
}

/* A head of its own convolution between nodes that go sample by sample: it gets the whole batch. */
static void scratch_has_room_for_heads_between_slices(void) {
  enum { BATCH = 8, LARGE = 96 };
  ee_model *m = maker_begin(CLASSES, SHAPE(1, 32, LARGE, LARGE));
  int       a = maker_conv(m, "a", m->input);
  maker_head(m, "early", maker_conv(m, "h", a));
  maker_head(m, "final", maker_conv(m, "c", maker_conv(m, "b", a)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  for (int k = 0; k < m->n_nodes; k++) {
    if (m->node[k].op == EE_OP_CONV) m->node[k].quant = (ee_quant){0.1F, 0};
  }
  ee_program program;
  ee_arena   arena;
  CU_ASSERT_EQUAL_FATAL(ee_program_make(m, &ee_backend_int8, &program), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_arena_plan(&program, 0, m->n_layers, BATCH, &arena), EE_OK);
  CU_ASSERT_TRUE(arena.groups.group[0].at_once < BATCH);
  for (int k = 0; k < m->n_nodes; k++) {
    if (m->node[k].exit < 0 || m->node[k].op != EE_OP_CONV) continue;
    size_t need = ee_backend_int8.scratch_bytes(m, &m->node[k], BATCH);
    CU_ASSERT_TRUE(arena.bytes - arena.scratch >= need);
  }
  ee_arena_free(&arena);
  ee_program_free(&program);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {EE_FACT(bits_depend_on_neither_batch_nor_cut_nor_kernel),
                            EE_FACT(logits_are_close_to_those_of_float32),
                            EE_FACT(what_is_held_is_what_was_said_before),
                            EE_FACT(memory_of_all_ranges_is_that_of_each),
                            EE_FACT(nodes_without_scales_compute_in_float32),
                            EE_FACT(scratch_has_room_for_heads_between_slices),
                            {NULL, NULL}};
