/* SPDX-License-Identifier: Apache-2.0 */
/* The backend `int8` node by node: bits are those of plain loops, with every kind of kernel. */
#include "ee/quantization.h"
#include "ee_test.h"
#include "int8_oracle.h"
#include "product_case.h"
#include "window_case.h"

/* A scale that takes in nearly all inputs, which are in [-1, 1), or those above 0. */
static ee_quant draw_quant(ee_rng *rng) {
  float low = case_draw(rng, 0, 1) == 1 ? -0.9F : 0.0F;
  return ee_quant_of_range(low, 0.95F);
}

static ee_activation draw_limits(ee_rng *rng) {
  const ee_act kinds[] = {EE_ACT_NONE, EE_ACT_RELU, EE_ACT_CLIP};
  return (ee_activation){kinds[case_draw(rng, 0, 2)], -0.5F, 0.5F};
}

static float *draw_residual(const kernel_case *c, ee_rng *rng) {
  int64_t n = case_elements(c, CASE_BATCH);
  float  *x = malloc((size_t)n * sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = case_random(rng);
  return x;
}

/* Whether it has the bits of @p expected, activation applied, and in a batch those of samples. */
static bool has_bits(kernel_case *c, float *expected) {
  int64_t n    = case_elements(c, CASE_BATCH);
  float  *ours = case_run(c, &ee_backend_int8, 0, CASE_BATCH);
  ee_act_apply(&c->node.act, expected, expected, n);
  bool same = memcmp(ours, expected, (size_t)n * sizeof *ours) == 0;
  free(ours);
  free(expected);
  return same && case_batch_keeps_bits(c, &ee_backend_int8);
}

static void draw_conv(kernel_case *c, ee_rng *rng) {
  const window_limits limits = {1, 2, 20, 3, 3, 2, 3};
  ee_shape            x, y;
  ee_window           w = window_draw(rng, &limits, false, &x, &y);
  conv_case(c, rng, w, x, y, case_draw(rng, 1, 40), case_draw(rng, 1, 70), case_draw(rng, 0, 1));
  c->node.act   = draw_limits(rng);
  c->node.quant = draw_quant(rng);
}

static void check_convolutions(void) {
  for (uint64_t draw = 0; draw < 120; draw++) {
    ee_rng      rng = ee_rng_at(1, draw);
    kernel_case c;
    draw_conv(&c, &rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_int8.can(&c.model, &c.node));
    if (draw % 3 == 0) c.residual = draw_residual(&c, &rng);
    CU_ASSERT_TRUE(has_bits(&c, oracle_conv(&c)));
    if (c.residual != NULL) CU_ASSERT_EQUAL(case_places(&c, &ee_backend_int8), 1);
    free(c.residual);
    case_end(&c);
  }
}

static void convolutions_have_the_bits_of_plain_loops(void) {
  with_all_int8_kernels(check_convolutions);
}

/* Neither stride nor zeros: one long row, over several samples, and panels of several kinds. */
static void check_long_rows(void) {
  for (int outputs = 16; outputs <= 112; outputs += 16) {
    ee_rng    rng = ee_rng_at(2, (uint64_t)outputs);
    ee_window w   = {
          .n_spatial = 2, .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    ee_shape    x = {4, {1, 0, 13, 17}}, y = x;
    kernel_case c;
    conv_case(&c, &rng, w, x, y, 24, outputs, true);
    c.node.quant = draw_quant(&rng);
    CU_ASSERT_TRUE(has_bits(&c, oracle_conv(&c)));
    case_end(&c);
  }
}

static void windows_of_one_pixel_have_them(void) {
  with_all_int8_kernels(check_long_rows);
}

/* Of a band: the input begins above the first row that is read, and ends below the last. */
static void check_bands(void) {
  ee_rng      rng = ee_rng_at(10, 0);
  ee_window   w   = {.n_spatial  = 2,
                     .kernel     = {3, 3},
                     .stride     = {2, 1},
                     .dilation   = {1, 1},
                     .pad_before = {-2, 1},
                     .pad_after  = {-1, 1},
                     .groups     = 1};
  ee_shape    x = {4, {1, 0, 14, 9}}, y = {4, {1, 0, 5, 9}};
  kernel_case c;
  conv_case(&c, &rng, w, x, y, 7, 18, true);
  c.node.quant = draw_quant(&rng);
  CU_ASSERT_TRUE(has_bits(&c, oracle_conv(&c)));
  case_end(&c);
}

static void parts_of_a_picture_have_them(void) {
  with_all_int8_kernels(check_bands);
}

static void check_products(void) {
  for (uint64_t draw = 0; draw < 120; draw++) {
    ee_rng      rng = ee_rng_at(3, draw);
    kernel_case c;
    product_case(&c, &rng, case_draw(&rng, 1, 40), case_draw(&rng, 1, 200),
                 case_draw(&rng, 1, 150));
    c.node.act   = draw_limits(&rng);
    c.node.quant = draw_quant(&rng);
    CU_ASSERT_TRUE_FATAL(ee_backend_int8.can(&c.model, &c.node));
    if (draw % 3 == 0) c.residual = draw_residual(&c, &rng);
    CU_ASSERT_TRUE(has_bits(&c, oracle_product(&c)));
    free(c.residual);
    case_end(&c);
  }
}

static void products_have_them(void) {
  with_all_int8_kernels(check_products);
}

/* The largest inputs and weights of one sign: as many products as a sum may have. */
static void check_largest_sums(void) {
  ee_rng      rng = ee_rng_at(4, 0);
  kernel_case c;
  ee_shape    x = {2, {1, EE_INT8_MOST_SUM}}, w = {2, {EE_INT8_MOST_SUM, 3}};
  case_begin(&c, EE_OP_MATMUL);
  case_input(&c, &rng, EE_VALUE_ACTIVATION, x);
  case_input(&c, &rng, EE_VALUE_CONSTANT, w);
  case_output(&c, (ee_shape){2, {1, 3}});
  c.node.quant = (ee_quant){0.5F, 255};
  for (int i = 0; i < CASE_BATCH * EE_INT8_MOST_SUM; i++) c.data[0][i] = i % 2 ? -1e6F : -127.5F;
  for (int i = 0; i < 3 * EE_INT8_MOST_SUM; i++) c.data[1][i] = 1.0F;
  CU_ASSERT_TRUE(has_bits(&c, oracle_product(&c)));
  c.node.quant.zero = 0;
  for (int i = 0; i < CASE_BATCH * EE_INT8_MOST_SUM; i++) c.data[0][i] = 1e6F;
  CU_ASSERT_TRUE(has_bits(&c, oracle_product(&c)));
  case_end(&c);
}

static void the_largest_sums_fit(void) {
  with_all_int8_kernels(check_largest_sums);
}

/* Numbers half-way between two, beyond both ends, and none. */
static void check_rounding(void) {
  static const float in[]  = {0.0F,   0.5F,  1.5F,     2.5F,      -0.5F,      -1.5F,
                              -2.5F,  -3.0F, 251.6F,   252.4F,    252.6F,     1e30F,
                              -1e30F, NAN,   INFINITY, -INFINITY, 0.49999997F};
  static const int   out[] = {3, 3, 5, 5, 3, 1, 1, 0, 255, 255, 255, 255, 0, 0, 255, 0, 3};
  enum { N = sizeof in / sizeof in[0] };
  const ee_int8_kernels *k = ee_int8_kernels_get();
  float                  x[3 * N];
  uint8_t                bytes[3 * N];
  int16_t                halves[3 * N];
  for (int i = 0; i < 3 * N; i++) x[i] = in[i % N];
  k->quantise(x, 3 * N, 1.0F, 3, k->group == 4 ? (void *)bytes : (void *)halves);
  for (int i = 0; i < 3 * N; i++) {
    CU_ASSERT_EQUAL(k->group == 4 ? bytes[i] : halves[i], out[i % N]);
  }
}

static void inputs_are_rounded_to_even_and_stay_in_range(void) {
  with_all_int8_kernels(check_rounding);
}

/* A channel of zeros, and one whose weights are too small for a scale of their own. */
static void channels_without_weights_are_their_bias(void) {
  ee_rng      rng = ee_rng_at(5, 0);
  kernel_case c;
  product_case(&c, &rng, 3, 20, 4);
  for (int i = 0; i < 80; i++) c.data[1][i] = i % 2 ? 0.0F : 1e-45F;
  c.node.quant = draw_quant(&rng);
  CU_ASSERT_TRUE(has_bits(&c, oracle_product(&c)));
  case_end(&c);
}

static void what_it_cannot_run_it_leaves_to_others(void) {
  ee_rng      rng = ee_rng_at(6, 0);
  kernel_case c;
  draw_conv(&c, &rng);
  CU_ASSERT_TRUE(ee_quantization_fits(&c.model, &c.node));
  c.node.quant.scale = 0.0F;  // nobody calibrated it
  CU_ASSERT_FALSE(ee_backend_int8.can(&c.model, &c.node));
  CU_ASSERT_PTR_EQUAL(ee_backend_for(&ee_backend_int8, &c.model, &c.node), &ee_backend_simd);
  c.node.quant.scale        = 1.0F;
  c.node.attr.window.groups = 2;
  CU_ASSERT_FALSE(ee_backend_int8.can(&c.model, &c.node));
  c.node.attr.window.groups = 1;
  c.value[1].shape.dim[1]   = EE_INT8_MOST_SUM + 1;  // sums that may not fit
  CU_ASSERT_FALSE(ee_backend_int8.can(&c.model, &c.node));
  c.value[1].kind = EE_VALUE_ACTIVATION;
  CU_ASSERT_FALSE(ee_backend_int8.can(&c.model, &c.node));
  c.node.op = EE_OP_ADD;
  CU_ASSERT_FALSE(ee_quantization_fits(&c.model, &c.node));
  case_end(&c);
}

static void others_never_fall_to_it(void) {
  ee_rng      rng = ee_rng_at(7, 0);
  kernel_case c;
  draw_conv(&c, &rng);
  CU_ASSERT_PTR_EQUAL(ee_backend_for(&ee_backend_simd, &c.model, &c.node), &ee_backend_simd);
  CU_ASSERT_PTR_EQUAL(ee_backend_for(&ee_backend_ref, &c.model, &c.node), &ee_backend_ref);
  CU_ASSERT_PTR_EQUAL(ee_backend_for(&ee_backend_int8, &c.model, &c.node), &ee_backend_int8);
  CU_ASSERT_STRING_EQUAL(ee_backend_names()[0], "simd");
  CU_ASSERT_PTR_EQUAL(ee_backend_by_name("int8"), &ee_backend_int8);
  case_end(&c);
}

static void a_long_node_lets_messages_move(void) {
  ee_rng      rng = ee_rng_at(8, 0);
  kernel_case c;
  product_case(&c, &rng, 64, 2000, 600);
  c.node.quant = draw_quant(&rng);
  free(case_run(&c, &ee_backend_int8, 0, 1));  // up to 150 million operations
  bool rows = c.node.op == EE_OP_MATMUL;
  CU_ASSERT_TRUE(c.progress_calls >= (rows ? 4 : 0));
  case_end(&c);
}

static void packed_weights_are_a_quarter_or_a_half(void) {
  ee_rng      rng = ee_rng_at(9, 0);
  kernel_case c;
  product_case(&c, &rng, 1, 1024, 512);
  c.node.quant  = draw_quant(&rng);
  double packed = (double)ee_backend_int8.prepared_bytes(&c.model, &c.node);
  double share  = packed / (1024.0 * 512.0 * sizeof(float));
  CU_ASSERT_DOUBLE_EQUAL(share, 1.0 / ee_int8_kernels_get()->group, 0.01);
  case_end(&c);
}

const ee_fact ee_facts[] = {EE_FACT(convolutions_have_the_bits_of_plain_loops),
                            EE_FACT(windows_of_one_pixel_have_them),
                            EE_FACT(parts_of_a_picture_have_them),
                            EE_FACT(products_have_them),
                            EE_FACT(the_largest_sums_fit),
                            EE_FACT(inputs_are_rounded_to_even_and_stay_in_range),
                            EE_FACT(channels_without_weights_are_their_bias),
                            EE_FACT(what_it_cannot_run_it_leaves_to_others),
                            EE_FACT(others_never_fall_to_it),
                            EE_FACT(a_long_node_lets_messages_move),
                            EE_FACT(packed_weights_are_a_quarter_or_a_half),
                            {NULL, NULL}};
