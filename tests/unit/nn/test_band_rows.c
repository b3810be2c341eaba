/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows a band needs: against what changes when a row of the input does. */
#include "ee/bands.h"
#include "ee/exec.h"
#include "ee_test.h"
#include "picture_maker.h"

enum { HEIGHT = 15, NETWORKS = 40, MOST_ROWS = 64, MOST_FLOATS = 1 << 16 };

static float before[MOST_FLOATS], after[MOST_FLOATS];

/* The first value at cut @p end of @p exec, whose input has 1 added to row @p row; -1: to none. */
static void run_changed(ee_exec *exec, const ee_model *m, int end, int64_t row, float *to) {
  const ee_shape *x  = &m->value[m->input].shape;
  float          *in = ee_exec_input(exec, m->input);
  for (int64_t i = 0; i < ee_shape_elements(x); i++) {
    in[i] = (float)(i % 17) / 8.0F + (i / x->dim[3] % x->dim[2] == row ? 1.0F : 0.0F);
  }
  int n;
  int v = ee_model_cut_values(m, end, &n)[0];
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(exec, 0, end, 1), EE_OK);
  memcpy(to, ee_exec_value(exec, v), (size_t)ee_model_value_elements(m, v) * sizeof *to);
}

static bool row_differs(const ee_shape *y, int64_t row) {
  bool differs = false;
  for (int64_t c = 0; c < y->dim[1] && !differs; c++) {
    int64_t at = (c * y->dim[2] + row) * y->dim[3];
    differs    = memcmp(before + at, after + at, (size_t)y->dim[3] * sizeof *after) != 0;
  }
  return differs;
}

/* touched[r]: the input's rows that row r of the first value at cut @p end depends on. */
static void find_touched(const ee_model *m, int end, ee_rows *touched) {
  ee_resident *res  = NULL;
  ee_exec     *exec = NULL;
  int          n;
  ee_shape     y = m->value[ee_model_cut_values(m, end, &n)[0]].shape;
  CU_ASSERT_FATAL(ee_shape_elements(&y) <= MOST_FLOATS);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &ee_backend_ref, &res), EE_OK);
  for (int l = 0; l < end; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, end, 1, &exec), EE_OK);
  run_changed(exec, m, end, -1, before);
  for (int64_t r = 0; r < y.dim[2]; r++) touched[r] = (ee_rows){HEIGHT, 0};
  for (int64_t row = 0; row < HEIGHT; row++) {
    run_changed(exec, m, end, row, after);
    for (int64_t r = 0; r < y.dim[2]; r++) {
      if (!row_differs(&y, r)) continue;
      if (touched[r].begin > row) touched[r].begin = row;
      touched[r].end = row + 1;
    }
  }
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
}

static ee_rows union_of(const ee_rows *touched, ee_rows rows) {
  ee_rows all = {HEIGHT, 0};
  for (int64_t r = rows.begin; r < rows.end; r++) {
    if (all.begin > touched[r].begin) all.begin = touched[r].begin;
    if (all.end < touched[r].end) all.end = touched[r].end;
  }
  return all;
}

/* All bands of @p m, up to its longest cut with one value; needs are `touched` or contain it.  What
 * is made of padding alone depends on nothing, but its maker must have some row. */
static void check_needs(const ee_model *m, bool exactly) {
  ee_rows touched[MOST_ROWS];
  int     end = ee_bands_longest(m, 0), n;
  ee_model_cut_values(m, end, &n);
  CU_ASSERT_EQUAL_FATAL(end, m->n_layers - 2);
  CU_ASSERT_EQUAL_FATAL(n, 1);
  find_touched(m, end, touched);
  for (int64_t from = 0; from < ee_bands_height(m, end); from++) {
    for (int64_t to = from + 1; to <= ee_bands_height(m, end); to++) {
      ee_band band;
      ee_rows want = union_of(touched, (ee_rows){from, to});
      CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_ref, 0, end, (ee_rows){from, to}, &band),
                            EE_OK);
      ee_rows need = band.held[m->input];
      CU_ASSERT_TRUE(want.begin >= want.end || need.begin <= want.begin);
      CU_ASSERT_TRUE(need.end >= want.end);
      if (exactly && want.begin < want.end)
        CU_ASSERT_TRUE(need.begin == want.begin && need.end == want.end);
      ee_band_free(&band);
    }
  }
}

static void needed_rows_are_those_that_a_change_of_the_input_reaches(void) {
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    ee_model *m = picture_random(seed, HEIGHT, PICTURE_LINEAR);
    check_needs(m, true);
    ee_model_destroy(&m);
  }
}

static void no_change_reaches_a_band_from_outside_of_its_rows(void) {
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    ee_model *m = picture_random(1000 + seed, HEIGHT, PICTURE_ANY);
    check_needs(m, false);
    ee_model_destroy(&m);
  }
}

/* Three convolutions of 3 x 3 on 12 rows, then a tail. */
static ee_model *three_convolutions(void) {
  ee_model *m = maker_begin(2, SHAPE(1, 2, 12, 5));
  int       x = m->input;
  for (int i = 0; i < 3; i++) {
    x = picture_conv(m, (const char *[]){"a", "b", "c"}[i], x, 2, picture_window(3, 1, 1, 1, 1));
  }
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static void fused_layers_want_a_row_more_on_either_side_each(void) {
  ee_model *m = three_convolutions();
  for (int begin = 0; begin < 3; begin++) {
    ee_band band;
    ee_rows own = {4, 8};
    CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_ref, begin, 3, own, &band), EE_OK);
    int     n;
    ee_rows need  = band.held[ee_model_cut_values(m, begin, &n)[0]];
    ee_rows above = ee_rows_above(need, own), below = ee_rows_below(need, own);
    CU_ASSERT_TRUE(above.begin == 4 - (3 - begin) && above.end == 4);
    CU_ASSERT_TRUE(below.begin == 8 && below.end == 8 + (3 - begin));
    ee_band_free(&band);
  }
  ee_rows apart = ee_rows_above((ee_rows){0, 2}, (ee_rows){4, 8});
  CU_ASSERT_TRUE(apart.begin == 0 && apart.end == 2);
  apart = ee_rows_below((ee_rows){0, 2}, (ee_rows){4, 8});
  CU_ASSERT_EQUAL(apart.begin, apart.end);
  ee_model_destroy(&m);
}

/* Rows 0 to 6 and 6 to 12 of three layers: 8 + 7 + 6 rows each, of 12 + 12 + 12. */
static void operations_of_a_band_are_those_of_its_rows(void) {
  ee_model *m       = three_convolutions();
  double    rows[3] = {8, 7, 6};
  for (int half = 0; half < 2; half++) {
    ee_band band;
    CU_ASSERT_EQUAL_FATAL(
        ee_band_find(m, &ee_backend_ref, 0, 3, (ee_rows){6 * half, 6 * half + 6}, &band), EE_OK);
    for (int l = 0; l < 3; l++) {
      CU_ASSERT_DOUBLE_EQUAL(ee_band_flops(m, &band, l), m->layer[l].flops * rows[l] / 12.0, 1e-9);
    }
    ee_band_free(&band);
  }
  ee_model_destroy(&m);
}

static void winograd_s_way_takes_whole_tiles(void) {
  ee_model *m = maker_begin(2, SHAPE(1, 16, 40, 12));
  int       x = picture_conv(m, "a", m->input, 16, picture_window(3, 1, 1, 1, 1));
  x           = picture_conv(m, "b", x, 16, picture_window(3, 1, 1, 1, 1));
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  ee_band band;
  CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_simd, 0, 2, (ee_rows){17, 19}, &band), EE_OK);
  ee_rows b = band.held[maker_find(m, "b")->out], a = band.held[maker_find(m, "a")->out];
  ee_rows in = band.held[m->input];
  CU_ASSERT_TRUE(b.begin == 16 && b.end == 20);
  CU_ASSERT_TRUE(a.begin == 12 && a.end == 24);
  CU_ASSERT_TRUE(in.begin == 11 && in.end == 25);
  ee_band_free(&band);
  ee_model_destroy(&m);
}

static void what_mixes_all_rows_is_named(void) {
  ee_model *m = three_convolutions();
  ee_band   band;
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 3), EE_OK);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 4), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "node 'final.flat' (Reshape) of layer 3 mix"));
  CU_ASSERT_EQUAL(ee_bands_check(m, 2, 2), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_bands_longest(m, 0), 3);
  CU_ASSERT_EQUAL(ee_bands_longest(m, 4), 4);
  CU_ASSERT_EQUAL(ee_band_find(m, &ee_backend_ref, 0, 3, (ee_rows){4, 13}, &band), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rows [4, 13) are none of the 12 rows"));
  ee_band_free(&band);
  CU_ASSERT_EQUAL(ee_band_find(m, &ee_backend_ref, 0, 3, (ee_rows){4, 4}, &band), EE_ERR_ARG);
  ee_band_free(&band);
  ee_model_destroy(&m);
}

/* An exit in the middle wants all rows there; at the end of the range it does not matter. */
static void an_exit_ends_the_range(void) {
  ee_model *m = maker_begin(2, SHAPE(1, 2, 12, 5));
  int       x = picture_conv(m, "a", m->input, 2, picture_window(3, 1, 1, 1, 1));
  maker_head(m, "early", x);
  x = picture_conv(m, "b", x, 2, picture_window(3, 1, 1, 1, 1));
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 2), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "exit 'early' behind layer 0"));
  CU_ASSERT_EQUAL(ee_bands_longest(m, 1), 2);
  ee_model_destroy(&m);
}

/* The exit reads the convolution, and what goes on is the convolution's half in rows. */
static void an_exit_reads_what_bands_hand_on(void) {
  ee_model *m = maker_begin(2, SHAPE(1, 2, 12, 5));
  int       x = picture_conv(m, "a", m->input, 2, picture_window(3, 1, 1, 1, 1));
  maker_head(m, "early", x);
  x = picture_pool(m, "pool", x, EE_OP_MAX_POOL, picture_window(2, 2, 1, 0, 0));
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 1), EE_ERR_ARG);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "exit 'early' behind layer 0"));
  ee_model_destroy(&m);
}

/* Two values of different heights are alive between the stride and the layer before it. */
static void values_of_a_cut_have_equal_heights(void) {
  ee_model *m = maker_begin(2, SHAPE(1, 2, 12, 6));
  int       x = picture_conv(m, "a", m->input, 2, picture_window(3, 2, 1, 1, 1));
  int       y = picture_conv(m, "b", m->input, 2, picture_window(1, 2, 1, 0, 0));
  maker_head(m, "final",
             picture_conv(m, "tail", maker_add(m, "sum", x, y), 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(ee_bands_height(m, 0), 12);
  CU_ASSERT_EQUAL(ee_bands_height(m, 1), 0);
  CU_ASSERT_EQUAL(ee_bands_height(m, 2), 6);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_bands_check(m, 0, 2), EE_OK);
  ee_model_destroy(&m);
}

/* Pictures of 2 channels, 6 rows of 3: row 3 and 4 from an array with rows 2 to 6 to one with 3 to
 * 5; every number tells its sample, channel, row and column. */
static void rows_are_copied_to_where_they_belong(void) {
  ee_shape shape = SHAPE(1, 2, 6, 3);
  float    from[2 * 2 * 4 * 3], to[2 * 2 * 3 * 3];
  for (int i = 0; i < 48; i++) from[i] = (float)(i / 12 * 100 + (2 + i / 3 % 4) * 10 + i % 3);
  for (int i = 0; i < 36; i++) to[i] = -1.0F;
  ee_rows_copy(&shape, 2, (ee_rows){3, 5}, from, (ee_rows){2, 6}, to, (ee_rows){3, 6});
  for (int i = 0; i < 36; i++) {
    int   row  = 3 + i / 3 % 3;
    float want = row == 5 ? -1.0F : (float)(i / 9 * 100 + row * 10 + i % 3);
    CU_ASSERT_EQUAL(to[i], want);
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(rows_are_copied_to_where_they_belong),
    EE_FACT(needed_rows_are_those_that_a_change_of_the_input_reaches),
    EE_FACT(no_change_reaches_a_band_from_outside_of_its_rows),
    EE_FACT(fused_layers_want_a_row_more_on_either_side_each),
    EE_FACT(operations_of_a_band_are_those_of_its_rows),
    EE_FACT(winograd_s_way_takes_whole_tiles),
    EE_FACT(what_mixes_all_rows_is_named),
    EE_FACT(an_exit_ends_the_range),
    EE_FACT(an_exit_reads_what_bands_hand_on),
    EE_FACT(values_of_a_cut_have_equal_heights),
    {NULL, NULL},
};
