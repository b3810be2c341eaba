/* SPDX-License-Identifier: Apache-2.0 */
/* What links make of values: bytes with scales against loops over channels in double. */
#include "ee/link_values.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../nn/graph_maker.h"
#include "ee/rng.h"
#include "ee_test.h"
#include "int8.h"

/* Values of 3 channels of 5 x 5, of 40 of 3 x 3, and of 150 features. */
enum { PLANES, DOTS, FEATURES_ONLY, KINDS };

typedef struct shapes {
  ee_model *model;
  int       value[KINDS];
  size_t    elements[KINDS], group[KINDS];
} shapes;

static shapes make_shapes(void) {
  shapes s               = {.model    = maker_begin(3, SHAPE(1, 3, 5, 5)),
                            .elements = {75, 360, 150},
                            .group    = {25, 64, 64}};
  s.value[PLANES]        = s.model->input;
  s.value[DOTS]          = maker_constant(s.model, "dots", SHAPE(1, 40, 3, 3));
  s.value[FEATURES_ONLY] = maker_constant(s.model, "features", SHAPE(1, 150));
  return s;
}

/* The largest size in x. */
static double largest(const float *x, size_t n) {
  double most = 0.0;
  for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
  return most;
}

/* What x is read as, group by group; the quotient of floats is that of doubles, rounded to one. */
static void round_slowly(const float *x, size_t n, size_t group, float *to) {
  for (size_t i = 0; i < n; i++) {
    size_t at = i / group * group, here = n - at < group ? n - at : group;
    float  s = (float)(largest(x + at, here) / 127.0);
    double q = s > 0.0f ? nearbyint((double)(float)((double)x[i] / (double)s)) : 0.0;
    to[i]    = (float)(q * (double)s + 0.0);  // no zero has a sign
  }
}

/* Through a link and back. */
static void send(const shapes *s, int kind, ee_link_values values, const float *x, size_t n,
                 float *to) {
  size_t         bytes  = n * ee_link_value_bytes(s->model, s->value[kind], values);
  unsigned char *buffer = malloc(bytes + 1);
  if (buffer == NULL) abort();
  buffer[bytes] = 0xa5;
  CU_ASSERT_EQUAL(ee_link_put(s->model, s->value[kind], values, x, n, buffer), bytes);
  CU_ASSERT_EQUAL(ee_link_take(s->model, s->value[kind], values, buffer, n, to), bytes);
  CU_ASSERT_EQUAL(buffer[bytes], 0xa5);
  free(buffer);
}

static void draw(ee_rng *rng, float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double u = 2.0 * ee_rng_uniform(rng) - 1.0;
    x[i]     = (float)(u * pow(10.0, 6.0 * ee_rng_uniform(rng) - 3.0));
  }
}

static void bytes_are_a_scale_for_each_group_and_one_for_each_number(void) {
  shapes s = make_shapes();
  CU_ASSERT_EQUAL(ee_link_value_bytes(s.model, s.value[PLANES], EE_LINK_I8), 3 * 4 + 76);
  CU_ASSERT_EQUAL(ee_link_value_bytes(s.model, s.value[DOTS], EE_LINK_I8), 6 * 4 + 360);
  CU_ASSERT_EQUAL(ee_link_value_bytes(s.model, s.value[FEATURES_ONLY], EE_LINK_I8), 3 * 4 + 152);
  for (int kind = 0; kind < KINDS; kind++) {
    size_t n = s.elements[kind];
    CU_ASSERT_EQUAL(ee_link_value_bytes(s.model, s.value[kind], EE_LINK_F32), 4 * n);
    CU_ASSERT_EQUAL(ee_link_value_bytes(s.model, s.value[kind], EE_LINK_F16), 2 * n);
  }
  ee_model_destroy(&s.model);
}

static void numbers_are_rounded_as_slow_loops_round_them(void) {
  shapes s   = make_shapes();
  ee_rng rng = ee_rng_at(8, 1);
  for (int round = 0; round < 3 * 400; round++) {
    int    kind = round % KINDS;
    size_t n    = s.elements[kind];
    float  x[360], to[360], expected[360];
    draw(&rng, x, n);
    if (round % 5 == 0) x[round % n] = 0.0f;
    round_slowly(x, n, s.group[kind], expected);
    send(&s, kind, EE_LINK_I8, x, 1, to);
    CU_ASSERT_EQUAL_FATAL(memcmp(to, expected, n * sizeof *to), 0);
  }
  ee_model_destroy(&s.model);
}

/* 127 makes the scale 1: halves are ties. */
static void ties_go_to_the_even_number(void) {
  const float   x[] = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -126.5f, 0.49999997f};
  const float   expected[] = {127.0f, 0.0f, 2.0f, 2.0f, 0.0f, -2.0f, -2.0f, 126.0f, -126.0f, 0.0f};
  unsigned char bytes[16];
  float         to[10];
  CU_ASSERT_EQUAL(ee_int8_bytes(10, 64), 16);
  ee_int8_from_float(x, 10, 64, bytes);
  ee_int8_to_float(bytes, 10, 64, to);
  for (int i = 0; i < 10; i++) CU_ASSERT_EQUAL(to[i], expected[i]);
  CU_ASSERT_EQUAL(bytes[14] | bytes[15], 0);
}

static void the_largest_stays_and_nothing_is_off_by_more_than_half_a_step(void) {
  ee_rng rng = ee_rng_at(8, 2);
  for (int round = 0; round < 2000; round++) {
    float         x[16], to[16];
    unsigned char bytes[20];
    draw(&rng, x, 16);
    ee_int8_from_float(x, 16, 16, bytes);
    ee_int8_to_float(bytes, 16, 16, to);
    double most = largest(x, 16), step = most / 127.0;
    CU_ASSERT_DOUBLE_EQUAL(largest(to, 16), most, most * 1e-6);
    for (int i = 0; i < 16; i++) CU_ASSERT_TRUE(fabs((double)(to[i] - x[i])) <= step * 0.50001);
  }
}

static void zeros_and_what_is_too_small_for_a_scale_become_zeros(void) {
  const float   sizes[] = {0.0f, FLT_TRUE_MIN, FLT_MIN, 126.0f * FLT_MIN};
  float         to[4];
  unsigned char bytes[8];
  for (int i = 0; i < 4; i++) {
    const float x[] = {sizes[i], -sizes[i], 0.0f, sizes[i] / 2};
    ee_int8_from_float(x, 4, 4, bytes);
    ee_int8_to_float(bytes, 4, 4, to);
    for (int k = 0; k < 4; k++) CU_ASSERT_EQUAL(to[k], 0.0f);
  }
  const float x[] = {127.0f * FLT_MIN, -127.0f * FLT_MIN, 0.0f, FLT_MIN};
  ee_int8_from_float(x, 4, 4, bytes);
  ee_int8_to_float(bytes, 4, 4, to);
  CU_ASSERT_EQUAL(memcmp(x, to, sizeof x), 0);
  const float most[] = {FLT_MAX, -FLT_MAX, 0.0f, FLT_MAX / 127.0f};
  ee_int8_from_float(most, 4, 4, bytes);
  ee_int8_to_float(bytes, 4, 4, to);
  for (int k = 0; k < 4; k++) {
    CU_ASSERT_TRUE(fabsf(to[k] - most[k]) <= 1e-6f * FLT_MAX);
  }
}

static void a_group_with_no_finite_number_in_it_shows_it_and_the_others_do_not(void) {
  const float odd[] = {NAN, INFINITY, -INFINITY, -NAN};
  shapes      s     = make_shapes();
  for (int i = 0; i < 4; i++) {
    float x[75], to[75];
    for (int k = 0; k < 75; k++) x[k] = (float)(k % 25) - 10.0f;
    x[25 + i] = odd[i];
    send(&s, PLANES, EE_LINK_I8, x, 1, to);
    for (int k = 0; k < 75; k++) CU_ASSERT_EQUAL(isnan(to[k]) != 0, k >= 25 && k < 50);
  }
  ee_model_destroy(&s.model);
}

/* Seven samples in one message, or each in its own. */
static void a_sample_is_rounded_by_itself(void) {
  enum { N = 7 };
  shapes s   = make_shapes();
  ee_rng rng = ee_rng_at(8, 3);
  for (int values = EE_LINK_F32; values <= EE_LINK_I8; values++) {
    for (int kind = 0; kind < KINDS; kind++) {
      size_t one = s.elements[kind];
      float  x[N * 360], to[N * 360], alone[360];
      draw(&rng, x, N * one);
      send(&s, kind, (ee_link_values)values, x, N, to);
      for (size_t i = 0; i < N; i++) {
        send(&s, kind, (ee_link_values)values, x + i * one, 1, alone);
        CU_ASSERT_EQUAL(memcmp(alone, to + i * one, one * sizeof *to), 0);
      }
      CU_ASSERT_EQUAL(memcmp(x, to, N * one * sizeof *to) == 0, values == EE_LINK_F32);
    }
  }
  ee_model_destroy(&s.model);
}

static void every_kind_is_found_by_its_name(void) {
  for (int i = EE_LINK_F32; i <= EE_LINK_I8; i++) {
    CU_ASSERT_EQUAL(ee_link_values_by_name(ee_link_values_name((ee_link_values)i)), i);
  }
  CU_ASSERT_EQUAL(ee_link_values_by_name("int8"), EE_LINK_I8);
  CU_ASSERT_EQUAL(ee_link_values_by_name("i8"), -1);
  CU_ASSERT_EQUAL(ee_link_values_by_name(""), -1);
}

const ee_fact ee_facts[] = {
    EE_FACT(bytes_are_a_scale_for_each_group_and_one_for_each_number),
    EE_FACT(numbers_are_rounded_as_slow_loops_round_them),
    EE_FACT(ties_go_to_the_even_number),
    EE_FACT(the_largest_stays_and_nothing_is_off_by_more_than_half_a_step),
    EE_FACT(zeros_and_what_is_too_small_for_a_scale_become_zeros),
    EE_FACT(a_group_with_no_finite_number_in_it_shows_it_and_the_others_do_not),
    EE_FACT(a_sample_is_rounded_by_itself),
    EE_FACT(every_kind_is_found_by_its_name),
    {NULL, NULL},
};
