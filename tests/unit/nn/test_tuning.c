/* SPDX-License-Identifier: Apache-2.0 */
/* Measured methods of nodes: what runs, where they count, and what their bits are. */
#include "ee/tuning.h"

#include "ee/exec.h"
#include "ee/winograd.h"
#include "ee_test.h"
#include "graph_maker.h"
#include "simd_kernels.h"

enum { CHANNELS = 64, SIDE = 12, CLASSES = 70, CONV = 0, GEMM = 2 };

#define ELEMENTS (CHANNELS * SIDE * SIDE)

/* A convolution, and a product as the head. */
static ee_model *make_network(void) {
  ee_model *m = maker_begin(CLASSES, SHAPE(1, CHANNELS, SIDE, SIDE));
  maker_head(m, "final", maker_conv(m, "conv", m->input));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(m->node[CONV].op, EE_OP_CONV);
  CU_ASSERT_EQUAL(m->node[GEMM].op, EE_OP_GEMM);
  return m;
}

static ee_model *make_tuned(ee_method conv, ee_method gemm) {
  ee_model *m = make_network();
  ee_tuning_begin(m, 1);
  m->node[CONV].method = conv;
  m->node[GEMM].method = gemm;
  return m;
}

static ee_resident *hold(const ee_model *m, const ee_backend *backend) {
  ee_resident *res;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, backend, &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  return res;
}

/* Name of the kernel that runs node @p k when the model is held. */
static const char *kernel_of(const ee_model *m, int k) {
  ee_resident *res = hold(m, &ee_backend_simd);
  const char  *kernel;
  CU_ASSERT_PTR_EQUAL(ee_resident_runner(res, k, 1, &kernel), &ee_backend_simd);
  ee_resident_destroy(&res);
  return kernel;
}

/* Logits of one sample. */
static void run(const ee_model *m, const ee_backend *backend, float logits[CLASSES]) {
  ee_resident *res = hold(m, backend);
  ee_exec     *exec;
  const float *z;
  ee_rng       rng = ee_rng_at(3, 0);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, m->n_layers, 1, &exec), EE_OK);
  float *x = ee_exec_input(exec, m->input);
  for (int i = 0; i < ELEMENTS; i++) x[i] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, m->n_layers, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_exec_run_head(exec, m->n_exits - 1, 1, &z), EE_OK);
  memcpy(logits, z, CLASSES * sizeof *z);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
}

static void the_method_that_is_stored_runs(void) {
  for (int way = EE_METHOD_DIRECT_2; way < EE_METHOD_COUNT; way++) {
    ee_method conv = (ee_method)way;
    ee_method gemm = conv <= EE_METHOD_DIRECT_4 ? conv : EE_METHOD_BY_RULE;
    ee_model *m    = make_tuned(conv, gemm);
    CU_ASSERT_EQUAL(ee_tuning_check(m), EE_OK);
    CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), ee_method_name(conv));
    if (gemm != EE_METHOD_BY_RULE) {
      CU_ASSERT_STRING_EQUAL(kernel_of(m, GEMM), ee_method_name(gemm));
    }
    CU_ASSERT_EQUAL(ee_tuning_count(m), gemm != EE_METHOD_BY_RULE ? 2 : 1);
    ee_model_destroy(&m);
  }
}

/* The oracle: plain loops. */
static void every_method_agrees_with_ref(void) {
  float     expected[CLASSES], ours[CLASSES];
  ee_model *m = make_network();
  run(m, &ee_backend_ref, expected);
  ee_model_destroy(&m);
  for (int way = EE_METHOD_BY_RULE; way < EE_METHOD_COUNT; way++) {
    float largest = 0.0F, error = 0.0F;
    m = make_tuned((ee_method)way, EE_METHOD_BY_RULE);
    run(m, &ee_backend_simd, ours);
    for (int i = 0; i < CLASSES; i++) {
      largest = fmaxf(largest, fabsf(expected[i]));
      error   = fmaxf(error, fabsf(ours[i] - expected[i]));
    }
    CU_ASSERT_TRUE(error <= 1e-4F * largest);
    ee_model_destroy(&m);
  }
}

static bool same_bits(const float a[CLASSES], const float b[CLASSES]) {
  return memcmp(a, b, CLASSES * sizeof *a) == 0;
}

static void all_direct_methods_have_the_same_bits(void) {
  float     bits[3][CLASSES];
  ee_method direct[] = {EE_METHOD_DIRECT_2, EE_METHOD_DIRECT_3, EE_METHOD_DIRECT_4};
  for (int i = 0; i < 3; i++) {
    ee_model *m = make_tuned(direct[i], direct[2 - i]);
    run(m, &ee_backend_simd, bits[i]);
    ee_model_destroy(&m);
  }
  CU_ASSERT_TRUE(same_bits(bits[0], bits[1]) && same_bits(bits[1], bits[2]));
}

static void switched_off_it_has_the_bits_of_a_model_never_tuned(void) {
  float     plain[CLASSES], tuned[CLASSES], off[CLASSES];
  ee_model *m = make_network();
  run(m, &ee_backend_simd, plain);
  ee_model_destroy(&m);
  m = make_tuned(EE_METHOD_DIRECT_2, EE_METHOD_DIRECT_2);
  run(m, &ee_backend_simd, tuned);
  ee_tuning_set(false);
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_OFF);
  run(m, &ee_backend_simd, off);
  ee_tuning_set(true);
  CU_ASSERT_FALSE(same_bits(plain, tuned));  // the rule is Winograd's
  CU_ASSERT_TRUE(same_bits(plain, off));
  ee_model_destroy(&m);
}

static void what_was_measured_elsewhere_does_not_count(void) {
  ee_model *m = make_network();
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_NEVER);
  m->node[CONV].method = EE_METHOD_WINOGRAD_2;
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 4x4");
  ee_model_destroy(&m);

  m = make_tuned(EE_METHOD_WINOGRAD_2, EE_METHOD_BY_RULE);
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_HERE);
  const ee_tuning good = m->tuning;
  snprintf(m->tuning.cpu, sizeof m->tuning.cpu, "%.90s II", good.cpu);
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_ELSEWHERE);
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 4x4");
  m->tuning = good;
  snprintf(m->tuning.vectors, sizeof m->tuning.vectors, "others");
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_ELSEWHERE);
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 4x4");
  m->tuning         = good;
  m->tuning.version = EE_TUNING_VERSION + 1;
  CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_OTHERWISE);
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 4x4");
  m->tuning = good;
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 2x2");
  ee_model_destroy(&m);
}

/* Tuned with wide vectors, run with others: the same file on the same processor. */
static void lesser_vectors_are_another_processor(void) {
  ee_model *m = make_tuned(EE_METHOD_WINOGRAD_2, EE_METHOD_BY_RULE);
  if (strcmp(ee_simd_kernels_get()->name, "base") == 0) {
    ee_test_skip("this processor has no vectors beside base");
  } else {
    CU_ASSERT_EQUAL_FATAL(ee_simd_kernels_use("base"), EE_OK);
    CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_ELSEWHERE);
    CU_ASSERT_EQUAL_FATAL(ee_simd_kernels_use(NULL), EE_OK);
    CU_ASSERT_EQUAL(ee_tuning_state(m), EE_TUNED_HERE);
  }
  ee_model_destroy(&m);
}

static void the_switch_of_winograd_stands_above(void) {
  ee_model *m    = make_tuned(EE_METHOD_WINOGRAD_4, EE_METHOD_BY_RULE);
  m->no_winograd = true;
  CU_ASSERT_PTR_NOT_NULL(strstr(kernel_of(m, CONV), "direct"));
  ee_winograd_set(EE_WINOGRAD_ON);
  CU_ASSERT_STRING_EQUAL(kernel_of(m, CONV), "Winograd 4x4");
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  ee_model_destroy(&m);
}

/* Weights that Winograd's factors would round to nothing: the kernel has the name of what runs. */
static void the_check_of_accuracy_stands_above(void) {
  ee_model *m = make_tuned(EE_METHOD_WINOGRAD_4, EE_METHOD_BY_RULE);
  float    *w = m->value[m->node[CONV].in[1]].data;
  for (int i = 0; i < CHANNELS * 9; i++) w[i] *= 1e-44F;
  CU_ASSERT_STRING_EQUAL(ee_backend_simd.kernel(m, &m->node[CONV], 1, NULL), "Winograd 4x4");
  CU_ASSERT_PTR_NOT_NULL(strstr(kernel_of(m, CONV), "direct"));
  ee_model_destroy(&m);
}

static void a_method_that_does_not_fit_is_named(void) {
  ee_model *m = make_tuned(EE_METHOD_BY_RULE, EE_METHOD_WINOGRAD_2);
  CU_ASSERT_EQUAL(ee_tuning_check(m), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "node 'final' cannot"));
  m->node[GEMM].method     = EE_METHOD_BY_RULE;
  m->node[GEMM - 1].method = EE_METHOD_DIRECT_2;
  CU_ASSERT_EQUAL(ee_tuning_check(m), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "node 'final.flat' cannot"));
  ee_model_destroy(&m);
}

static void names_lead_back_to_methods(void) {
  for (int i = 0; i < EE_METHOD_COUNT; i++) {
    CU_ASSERT_EQUAL(ee_method_by_name(ee_method_name((ee_method)i)), i);
  }
  CU_ASSERT_EQUAL(ee_method_by_name("direct"), EE_METHOD_COUNT);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_method_that_is_stored_runs),
    EE_FACT(every_method_agrees_with_ref),
    EE_FACT(all_direct_methods_have_the_same_bits),
    EE_FACT(switched_off_it_has_the_bits_of_a_model_never_tuned),
    EE_FACT(what_was_measured_elsewhere_does_not_count),
    EE_FACT(lesser_vectors_are_another_processor),
    EE_FACT(the_switch_of_winograd_stands_above),
    EE_FACT(the_check_of_accuracy_stands_above),
    EE_FACT(a_method_that_does_not_fit_is_named),
    EE_FACT(names_lead_back_to_methods),
    {NULL, NULL},
};
