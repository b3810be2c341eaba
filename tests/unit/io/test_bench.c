/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic and the loops of `edgeexit bench`, compiled in: they belong to the program, not to
 * a library. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../apps/fallback.c"
#include "../../../apps/peak_kernels.c"
#include "../../../apps/timing.c"
#include "../../../apps/tune_verdict.c"
#include "../nn/graph_maker.h"
#include "ee/rng.h"
#include "ee_test.h"

/* The oracle: no more than half lie on either side; @p x is a multiple of 1/2. */
static bool is_median(const int64_t *ns, int n, double x) {
  int below = 0, above = 0;
  for (int i = 0; i < n; i++) {
    below += (double)ns[i] < x;
    above += (double)ns[i] > x;
  }
  return 2 * below <= n && 2 * above <= n;
}

static void half_of_the_measurements_are_on_either_side_of_the_median(void) {
  ee_rng rng = ee_rng_at(4, 0);
  for (int n = 1; n < 200; n++) {
    int64_t ns[200], least = INT64_MAX;
    for (int i = 0; i < n; i++) {
      ns[i] = (int64_t)ee_rng_below(&rng, n % 2 == 0 ? 1000000 : 7);
      if (ns[i] < least) least = ns[i];
    }
    ee_timing t = ee_timing_of(ns, n);
    CU_ASSERT_TRUE(is_median(ns, n, round(t.median * 2e9) / 2));
    CU_ASSERT_DOUBLE_EQUAL(t.least * 1e9, (double)least, 1e-3);
  }
}

static void the_median_of_two_is_between_them(void) {
  int64_t   odd[] = {5, 1000, 1}, even[] = {40, 10, 1000, 20};
  ee_timing a = ee_timing_of(odd, 3), b = ee_timing_of(even, 4);
  CU_ASSERT_DOUBLE_EQUAL(a.median, 5e-9, 1e-18);
  CU_ASSERT_DOUBLE_EQUAL(b.median, 30e-9, 1e-18);
  CU_ASSERT_DOUBLE_EQUAL(b.least, 10e-9, 1e-18);
}

static void passes_fill_the_budget_within_their_bounds(void) {
  CU_ASSERT_EQUAL(ee_repeats_for(0.01, 1.0, 7, 3000), 100);
  CU_ASSERT_EQUAL(ee_repeats_for(0.5, 1.0, 7, 3000), 7);
  CU_ASSERT_EQUAL(ee_repeats_for(1e-6, 1.0, 7, 3000), 3000);
  CU_ASSERT_EQUAL(ee_repeats_for(0.0, 1.0, 7, 3000), 3000);
  CU_ASSERT_EQUAL(ee_repeats_for(1e9, 1e-3, 7, 3000), 7);
}

static void the_verdict_of_tuning_has_its_reason(void) {
  static const struct {
    double      whole, upper;
    bool        kept;
    const char *text;
  } of[] = {
      {0.9, 0.95, true, "the whole takes 0.900 of its time by rule: stored"},
      {0.998, 0.999, false,
       "the whole takes 0.998 of its time by rule: not worth it, all layers stay with the rule"},
      {1.2, 1.3, false,
       "the whole takes 1.200 of its time by rule: not worth it, all layers stay with the rule"},
      {0.963, 1.0124, false,
       "the whole takes 0.963 of its time by rule, but in a quarter of the rounds 1.012 or more: "
       "they do not agree, all layers stay with the rule"},
  };
  for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
    char    text[EE_TUNE_VERDICT_BYTES];
    ee_tune t = {.whole = of[i].whole, .whole_upper = of[i].upper, .kept = of[i].kept};
    ee_tune_verdict(&t, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, of[i].text);
  }
}

/* From any start x = x / 2 + 1 / 2 comes to 1; lanes of the level times two operations times the
 * sums are done in each step. */
static void multiply_adds_are_done_and_counted(void) {
  static const double lanes[] = {[EE_CPU_BASE] = 4, [EE_CPU_AVX2] = 8, [EE_CPU_AVX512] = 16};
  for (int level = EE_CPU_BASE; level <= (int)ee_cpu_vectors(); level++) {
    float  result = 0.0F;
    double flop   = ee_peak_multiply_add((ee_cpu_level)level)(100, &result);
    CU_ASSERT_EQUAL(result, 1.0F);
    CU_ASSERT_EQUAL(flop, 100 * 2 * 12 * lanes[level]);
    ee_peak_multiply_add((ee_cpu_level)level)(0, &result);
    CU_ASSERT_NOT_EQUAL(result, 1.0F);
  }
}

/* Every step counts on by one; it has two operations for each number of 8 bits, or of 16 where
 * there is no VNNI, of twelve vectors. */
static void products_of_8_bits_are_done_and_counted(void) {
  static const double words[] = {[EE_CPU_BASE] = 4, [EE_CPU_AVX2] = 8, [EE_CPU_AVX512] = 16};
  for (int i = EE_CPU_BASE; i <= (int)ee_cpu_vectors(); i++) {
    const ee_cpu_level level = (ee_cpu_level)i;
    for (int vnni = 0; vnni <= (int)ee_cpu_has_vnni(level); vnni++) {
      float  result = 0.0F;
      double done   = ee_peak_dot_product(level, vnni)(EE_PEAK_MOST_STEPS, &result);
      CU_ASSERT_EQUAL(result, EE_PEAK_MOST_STEPS);
      CU_ASSERT_EQUAL(done, 2 * (vnni ? 4 : 2) * words[level] * 12 * EE_PEAK_MOST_STEPS);
      ee_peak_dot_product(level, vnni)(3, &result);
      CU_ASSERT_EQUAL(result, 3.0F);
    }
  }
}

/* One bit in a word of its own at a time: none is left out, and nothing behind the end is read. */
static void every_word_is_read_and_none_behind(void) {
  enum { BYTES = 4 * EE_PEAK_READ_STEP, WORDS = BYTES / 8 };
  uint64_t *x = aligned_alloc(64, BYTES + 64);
  CU_ASSERT_PTR_NOT_NULL_FATAL(x);
  memset(x, 0, BYTES);
  memset(x + WORDS, 0xff, 64);
  for (int level = EE_CPU_BASE; level <= (int)ee_cpu_vectors(); level++) {
    CU_ASSERT_EQUAL(ee_peak_read((ee_cpu_level)level, x, BYTES), 0);
    for (int i = 0; i < WORDS; i++) {
      x[i] = (uint64_t)1 << (i % 64);
      CU_ASSERT_EQUAL(ee_peak_read((ee_cpu_level)level, x, BYTES), x[i]);
      x[i] = 0;
    }
  }
  free(x);
}

/* What is said on stderr of this model and backend; static storage. */
static const char *said_of(const ee_model *model, const ee_backend *backend) {
  static char text[1024];
  const char *path = ee_test_path("stderr");
  fflush(stderr);
  int kept = dup(STDERR_FILENO);
  CU_ASSERT_PTR_NOT_NULL_FATAL(freopen(path, "w", stderr));
  ee_say_fallback(model, backend);
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  FILE *file = fopen(path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static bool convolutions_only(const ee_model *model, const ee_node *node) {
  (void)model;
  return node->op == EE_OP_CONV;
}

/* A sum, and two heads with a product each; reshaping falls too, but is not worth a word. */
static void operators_that_fall_to_another_backend_are_told_once(void) {
  const ee_backend partial = {.name = "partial", .can = convolutions_only};
  ee_model        *m       = maker_begin(3, SHAPE(1, 2, 4, 4));
  int              a       = maker_conv(m, "a", m->input);
  maker_head(m, "early", a);
  maker_head(m, "final", maker_add(m, "sum", maker_conv(m, "b", a), a));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  ee_log_set_level(EE_LOG_INFO);
  const char *said = said_of(m, &partial);
  CU_ASSERT_PTR_NOT_NULL(strstr(
      said, "backend partial cannot run all nodes; others run 2 Gemm on ref, 1 Add on ref\n"));
  CU_ASSERT_PTR_EQUAL(strchr(said, '\n'), strrchr(said, '\n'));
  CU_ASSERT_STRING_EQUAL(said_of(m, &partial), "");
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(half_of_the_measurements_are_on_either_side_of_the_median),
    EE_FACT(the_median_of_two_is_between_them),
    EE_FACT(passes_fill_the_budget_within_their_bounds),
    EE_FACT(the_verdict_of_tuning_has_its_reason),
    EE_FACT(multiply_adds_are_done_and_counted),
    EE_FACT(products_of_8_bits_are_done_and_counted),
    EE_FACT(every_word_is_read_and_none_behind),
    EE_FACT(operators_that_fall_to_another_backend_are_told_once),
    {NULL, NULL},
};
