/* SPDX-License-Identifier: Apache-2.0 */
#include "blis_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "ee/cpu.h"
#include "ee/rng.h"
#include "ee_test.h"

/* Must run first: BLIS asks the environment once. */
static void an_architecture_that_does_not_work_here_is_refused(void) {
  // 2, 14 and 24 are not built for x86_64; 1 and 12 have instructions that few processors know
  const char *wrong[]  = {"",   "skx", "3x", "-1", "1000", "99999999999999999999",
                          "26", "1",   "2",  "12", "14",   "24"};
  const char *given    = getenv("BLIS_ARCH_TYPE");
  char        kept[64] = "";
  if (given != NULL) strncpy(kept, given, sizeof kept - 1);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    setenv("BLIS_ARCH_TYPE", wrong[i], 1);
    CU_ASSERT_EQUAL(ee_blis_open(), EE_ERR_ARG);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "BLIS_ARCH_TYPE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "25 (generic), or leave it unset"));
  }
  const char *zen3 = strstr(ee_status_message(), "6 (zen3)");
  CU_ASSERT_EQUAL(zen3 != NULL, ee_cpu_vectors() != EE_CPU_BASE);
  unsetenv("BLIS_ARCH_TYPE");
  if (given != NULL) setenv("BLIS_ARCH_TYPE", kept, 1);
}

static void the_processor_decides_the_architecture(void) {
  bool given = getenv("BLIS_ARCH_TYPE") != NULL;
  CU_ASSERT_EQUAL_FATAL(ee_blis_open(), EE_OK);
  ee_blis_shape tile = ee_blis_tile_shape();
  CU_ASSERT_TRUE(tile.lanes > 0 && tile.rows > 0);
  if (given) {
    ee_test_skip("BLIS_ARCH_TYPE is set from outside");
    return;
  }
  const char *chosen = getenv("BLIS_ARCH_TYPE");
  switch (ee_cpu_vectors()) {
    case EE_CPU_AVX512:
      CU_ASSERT_STRING_EQUAL(chosen, "0");
      break;
    case EE_CPU_AVX2:
      CU_ASSERT_STRING_EQUAL(chosen, "3");
      break;
    case EE_CPU_BASE:
      CU_ASSERT_PTR_NULL(chosen);
      break;
  }
}

static void fill(float *x, int64_t n, ee_rng *rng) {
  for (int64_t i = 0; i < n; i++) x[i] = (float)ee_rng_below(rng, 17) - 8.0F;
}

/* Small whole numbers, so that every order of summing gives the same float. */
static void a_tile_is_the_product_of_its_panels(void) {
  ee_blis_shape t   = ee_blis_tile_shape();
  ee_rng        rng = ee_rng_at(1, 0);
  for (int64_t depth = 1; depth < 70; depth++) {
    size_t rows    = (size_t)ee_blis_panels_floats(1, depth, t.rows);
    size_t lanes   = (size_t)ee_blis_panels_floats(1, depth, t.lanes);
    size_t size    = (size_t)(t.rows * t.lanes + 15) / 16 * 16;
    float *by_row  = aligned_alloc(64, rows * sizeof(float));
    float *by_lane = aligned_alloc(64, lanes * sizeof(float));
    float *tile    = aligned_alloc(64, size * sizeof(float));
    fill(by_row, (int64_t)rows, &rng);
    fill(by_lane, (int64_t)lanes, &rng);
    memset(tile, 0xFF, size * sizeof(float));  // NaN must not come through
    ee_blis_tile(depth, by_row, by_lane, tile);
    for (int i = 0; i < t.rows * t.lanes; i++) {
      double sum = 0.0;
      for (int64_t k = 0; k < depth; k++) {
        sum += (double)by_row[k * t.rows + i / t.lanes] * by_lane[k * t.lanes + i % t.lanes];
      }
      CU_ASSERT_EQUAL(tile[i], (float)sum);
    }
    free(tile);
    free(by_lane);
    free(by_row);
  }
}

static void backends_are_found_by_name_and_listed_in_order(void) {
  const char *const *names = ee_backend_names();
  CU_ASSERT_STRING_EQUAL(names[0], "simd");
  CU_ASSERT_STRING_EQUAL(names[1], "blis");
  CU_ASSERT_STRING_EQUAL(names[2], "ref");
  CU_ASSERT_STRING_EQUAL(names[3], "int8");
  CU_ASSERT_PTR_NULL(names[4]);
  CU_ASSERT_PTR_EQUAL(ee_backend_by_name("blis"), &ee_backend_blis);
  CU_ASSERT_PTR_EQUAL(ee_backend_by_name("ref"), &ee_backend_ref);
  CU_ASSERT_PTR_NULL(ee_backend_by_name("re"));
  CU_ASSERT_PTR_NULL(ee_backend_by_name(""));
}

const ee_fact ee_facts[] = {
    EE_FACT(an_architecture_that_does_not_work_here_is_refused),
    EE_FACT(the_processor_decides_the_architecture),
    EE_FACT(a_tile_is_the_product_of_its_panels),
    EE_FACT(backends_are_found_by_name_and_listed_in_order),
    {NULL, NULL},
};
