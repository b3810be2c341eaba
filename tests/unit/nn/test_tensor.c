/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/tensor.h"

#include <string.h>

#include "ee_test.h"

static void elements_are_the_product_of_the_dimensions(void) {
  ee_shape shape = {.rank = 4, .dim = {2, 3, 5, 7}};
  CU_ASSERT_EQUAL(ee_shape_elements(&shape), 210);
  CU_ASSERT_EQUAL(ee_shape_product(&shape, 1, 3), 15);
  CU_ASSERT_EQUAL(ee_shape_product(&shape, 2, 2), 1);
  shape.dim[2] = 0;
  CU_ASSERT_EQUAL(ee_shape_elements(&shape), 0);
}

static void a_scalar_has_one_element(void) {
  ee_shape scalar = {.rank = 0, .dim = {9}};
  CU_ASSERT_EQUAL(ee_shape_elements(&scalar), 1);
}

static void a_product_that_does_not_fit_is_the_largest_number(void) {
  ee_shape shape = {.rank = 3, .dim = {INT64_C(1) << 31, INT64_C(1) << 31, 2}};
  CU_ASSERT_EQUAL(ee_shape_elements(&shape), INT64_MAX);
  CU_ASSERT_EQUAL(ee_shape_product(&shape, 0, 2), INT64_C(1) << 62);
}

static void shapes_are_equal_if_ranks_and_dimensions_are(void) {
  ee_shape a = {.rank = 2, .dim = {2, 3}}, b = {.rank = 2, .dim = {2, 3, 8}};
  CU_ASSERT_TRUE(ee_shape_equal(&a, &b));
  b.rank = 3;
  CU_ASSERT_FALSE(ee_shape_equal(&a, &b));
  b.rank   = 2;
  b.dim[1] = 4;
  CU_ASSERT_FALSE(ee_shape_equal(&a, &b));
}

static void a_shape_is_written_in_brackets_and_cut_short_if_need_be(void) {
  ee_shape shape = {.rank = 3, .dim = {2, 3, 4}}, scalar = {.rank = 0};
  char     text[32];
  CU_ASSERT_STRING_EQUAL(ee_shape_text(&shape, text, sizeof text), "[2, 3, 4]");
  CU_ASSERT_STRING_EQUAL(ee_shape_text(&scalar, text, sizeof text), "[]");
  for (size_t size = 1; size <= 10; size++) {
    memset(text, 'x', sizeof text);
    CU_ASSERT_EQUAL(strlen(ee_shape_text(&shape, text, size)), size - 1);
    CU_ASSERT_EQUAL(strncmp(text, "[2, 3, 4]", size - 1), 0);
    CU_ASSERT_EQUAL(text[size], 'x');
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(elements_are_the_product_of_the_dimensions),
    EE_FACT(a_scalar_has_one_element),
    EE_FACT(a_product_that_does_not_fit_is_the_largest_number),
    EE_FACT(shapes_are_equal_if_ranks_and_dimensions_are),
    EE_FACT(a_shape_is_written_in_brackets_and_cut_short_if_need_be),
    {NULL, NULL},
};
