/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee_test.h"
#include "kernel_case.h"
#include "simd_kernels.h"

/**
 * @file simd_case.h
 * What the tests of the backend `simd` share.
 */

/** Check a fact with every kind of vector that this processor has. */
static inline void with_all_vectors(void (*check)(void)) {
  static const char *const vectors[] = {"avx512", "avx2", "base"};

  int n = 0;
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
    if (ee_simd_kernels_use(vectors[i]) != EE_OK) continue;
    check();
    n++;
  }
  CU_ASSERT_TRUE(n >= 1);
  CU_ASSERT_EQUAL(ee_simd_kernels_use(NULL), EE_OK);
}

/** One of those that a kernel's limits hold, or one that is applied afterwards. */
static inline ee_activation draw_activation(ee_rng *rng) {
  const ee_act kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_LEAKY_RELU, EE_ACT_CLIP};
  return (ee_activation){kinds[case_draw(rng, 0, 3)], -0.5F, 0.5F};
}

/** Make draws [0, @p n) of a case and check that `simd` runs it as ref does, to @p tolerance of the
 *  largest result, with its activation, and in a batch with the bits of its samples. */
static inline void check_draws(void (*draw)(kernel_case *c, ee_rng *rng), uint64_t n,
                               double tolerance) {
  for (uint64_t i = 0; i < n; i++) {
    ee_rng      rng = ee_rng_at(1, i);
    kernel_case c;
    draw(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_simd.can(&c.model, &c.node));
    bool agrees = case_agrees_with_ref(&c, &ee_backend_simd, tolerance);
    if (!agrees) printf("in draw %d\n", (int)i);
    CU_ASSERT_TRUE(agrees);
    CU_ASSERT_TRUE(case_applies_activation(&c, &ee_backend_simd));
    CU_ASSERT_TRUE(case_batch_keeps_bits(&c, &ee_backend_simd));
    case_end(&c);
  }
}
