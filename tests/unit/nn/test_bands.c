/* SPDX-License-Identifier: Apache-2.0 */
/* A picture in bands: put together they are, bit by bit, what one device computes. */
#include "ee/bands.h"

#include "ee/exec.h"
#include "ee/quantization.h"
#include "ee/tuning.h"
#include "ee/winograd.h"
#include "ee_test.h"
#include "picture_maker.h"

enum { NETWORKS = 60, HEIGHT = 26, MOST_BANDS = 5, BATCH = 2 };

/* All that is needed to run layers of a model. */
typedef struct runner {
  ee_resident *res;
  ee_exec     *exec;
} runner;

static runner runner_of(const ee_model *m, const ee_backend *backend, int begin, int end) {
  runner r = {NULL, NULL};
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, backend, &r.res), EE_OK);
  for (int l = begin; l < end; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(r.res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(r.res, begin, end, BATCH, &r.exec), EE_OK);
  return r;
}

static void end_runner(runner *r) {
  ee_exec_destroy(&r->exec);
  ee_resident_destroy(&r->res);
}

/* Values by their index; shape [BATCH, elements] each. */
typedef struct pictures {
  float *of[MAKER_ROOM];
} pictures;

static void make_room(const ee_model *m, int cut, pictures *p) {
  int        n;
  const int *live = ee_model_cut_values(m, cut, &n);
  for (int i = 0; i < n; i++) {
    size_t count   = (size_t)(BATCH * ee_model_value_elements(m, live[i]));
    p->of[live[i]] = realloc(p->of[live[i]], count * sizeof(float));
    if (p->of[live[i]] == NULL) abort();
    memset(p->of[live[i]], 0xff, count * sizeof(float));
  }
}

static void free_pictures(pictures *p) {
  for (int v = 0; v < MAKER_ROOM; v++) free(p->of[v]);
  *p = (pictures){0};
}

static void fill_input(const ee_model *m, pictures *p) {
  ee_rng rng = ee_rng_at(5, 5);
  make_room(m, 0, p);
  for (int64_t i = 0; i < BATCH * ee_model_value_elements(m, m->input); i++) {
    p->of[m->input][i] = (float)(ee_rng_uniform(&rng) - 0.5);
  }
}

/* Layers [begin, end) of the whole, from the values at the one cut to those at the other. */
static void run_whole(const ee_model *m, const ee_backend *backend, int begin, int end,
                      const pictures *from, pictures *to) {
  runner     r = runner_of(m, backend, begin, end);
  int        n;
  const int *live = ee_model_cut_values(m, begin, &n);
  for (int i = 0; i < n; i++) {
    memcpy(ee_exec_input(r.exec, live[i]), from->of[live[i]],
           (size_t)(BATCH * ee_model_value_elements(m, live[i])) * sizeof(float));
  }
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(r.exec, begin, end, BATCH), EE_OK);
  make_room(m, end, to);
  live = ee_model_cut_values(m, end, &n);
  for (int i = 0; i < n; i++) {
    memcpy(to->of[live[i]], ee_exec_value(r.exec, live[i]),
           (size_t)(BATCH * ee_model_value_elements(m, live[i])) * sizeof(float));
  }
  end_runner(&r);
}

/* One band: it is given the rows that it holds and no others. */
static void run_band(const ee_model *m, const ee_backend *backend, const ee_band *band,
                     const pictures *from, pictures *to) {
  ee_model *part = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_band_model(m, backend, band, &part), EE_OK);
  runner     r = runner_of(part, backend, band->begin, band->end);
  int        n;
  const int *live = ee_model_cut_values(m, band->begin, &n);
  for (int i = 0; i < n; i++) {
    ee_rows         held  = band->held[live[i]];
    const ee_shape *shape = &m->value[live[i]].shape;
    ee_rows         all   = {0, shape->dim[2]};
    ee_rows_copy(shape, BATCH, held, from->of[live[i]], all, ee_exec_input(r.exec, live[i]), held);
  }
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(r.exec, band->begin, band->end, BATCH), EE_OK);
  live = ee_model_cut_values(m, band->end, &n);
  for (int i = 0; i < n; i++) {
    const ee_shape *shape = &m->value[live[i]].shape;
    ee_rows         all   = {0, shape->dim[2]};
    ee_rows_copy(shape, BATCH, band->rows, ee_exec_value(r.exec, live[i]), band->held[live[i]],
                 to->of[live[i]], all);
  }
  end_runner(&r);
  ee_model_destroy(&part);
}

static bool are_equal(const ee_model *m, int cut, const pictures *a, const pictures *b) {
  int        n;
  const int *live  = ee_model_cut_values(m, cut, &n);
  bool       equal = true;
  for (int i = 0; i < n && equal; i++) {
    size_t bytes = (size_t)(BATCH * ee_model_value_elements(m, live[i])) * sizeof(float);
    equal        = memcmp(a->of[live[i]], b->of[live[i]], bytes) == 0;
  }
  return equal;
}

/* Layers [begin, end) in @p bands bands of random heights. */
static void check_bands(const ee_model *m, const ee_backend *backend, int begin, int end, int bands,
                        ee_rng *rng) {
  pictures from = {0}, whole = {0}, parts = {0};
  fill_input(m, &from);
  if (begin > 0) run_whole(m, backend, 0, begin, &from, &from);
  run_whole(m, backend, begin, end, &from, &whole);
  make_room(m, end, &parts);
  int64_t height = ee_bands_height(m, end), at = 0;
  for (int i = bands; i > 0 && at < height; i--) {
    int64_t rows = height - at;
    if (i > 1) rows = 1 + (int64_t)ee_rng_below(rng, (uint64_t)(2 * rows / i));
    if (rows > height - at) rows = height - at;
    ee_band band;
    CU_ASSERT_EQUAL_FATAL(ee_band_find(m, backend, begin, end, (ee_rows){at, at + rows}, &band),
                          EE_OK);
    run_band(m, backend, &band, &from, &parts);
    ee_band_free(&band);
    at += rows;
  }
  CU_ASSERT_TRUE(are_equal(m, end, &whole, &parts));
  free_pictures(&from);
  free_pictures(&whole);
  free_pictures(&parts);
}

/* The last cut at or before @p end where a range from @p begin may end. */
static int last_end(const ee_model *m, int begin, int end) {
  while (end > begin && ee_bands_check(m, begin, end) != EE_OK) end--;
  return end;
}

/* Scales for all nodes that can have one, coarse enough for whatever comes. */
static void give_scales(ee_model *m) {
  for (int k = 0; k < m->n_nodes; k++) {
    if (ee_quantization_fits(m, &m->node[k])) m->node[k].quant = (ee_quant){0.05F, 100};
  }
}

static void check_random(const char *backend) {
  for (uint64_t seed = 0; seed < NETWORKS; seed++) {
    ee_rng    rng = ee_rng_at(seed, 9);
    ee_model *m   = picture_random(seed, HEIGHT + (int64_t)(seed % 7), PICTURE_ANY);
    give_scales(m);
    int all   = ee_bands_longest(m, 0);
    int begin = (int)ee_rng_below(&rng, (uint64_t)all);
    int bands = 1 + (int)(seed % MOST_BANDS);
    check_bands(m, ee_backend_by_name(backend), 0, all, bands, &rng);
    int end = last_end(m, begin, begin + 1 + (int)ee_rng_below(&rng, (uint64_t)(all - begin)));
    if (end > begin) check_bands(m, ee_backend_by_name(backend), begin, end, bands, &rng);
    ee_model_destroy(&m);
  }
}

static void bands_of_random_networks_make_the_whole_on_ref(void) {
  check_random("ref");
}

static void bands_of_random_networks_make_the_whole_on_blis(void) {
  check_random("blis");
}

static void bands_of_random_networks_make_the_whole_on_simd(void) {
  check_random("simd");
}

static void bands_of_random_networks_make_the_whole_in_8_bits(void) {
  check_random("int8");
}

static void bands_of_random_networks_make_the_whole_without_winograd(void) {
  ee_winograd_set(EE_WINOGRAD_OFF);
  check_random("simd");
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
}

static void check_stages(ee_model *m, int most) {
  static const char *const backends[] = {"simd", "blis", "ref"};
  ee_rng                   rng        = ee_rng_at(1, 1);
  for (int b = 0; b < 3; b++) {
    for (int bands = 1; bands <= most; bands += b < 2 ? 1 : 2) {
      check_bands(m, ee_backend_by_name(backends[b]), 0, ee_bands_longest(m, 0), bands, &rng);
    }
  }
  ee_winograd_set(EE_WINOGRAD_OFF);
  check_bands(m, ee_backend_by_name("simd"), 0, ee_bands_longest(m, 0), 3, &rng);
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  ee_model_destroy(&m);
}

static void stages_of_vgg_make_the_whole(void) {
  check_stages(picture_vgg(), MOST_BANDS);
}

static void stages_of_resnet_make_the_whole(void) {
  check_stages(picture_resnet(56), 4);
}

/* A convolution of many channels on 8 columns, @p height rows. */
static ee_model *wide_convolution(int64_t height) {
  ee_model *m = maker_begin(2, SHAPE(1, 256, height, 8));
  int       x = picture_conv(m, "a", m->input, 256, picture_window(3, 1, 1, 1, 1));
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

/* A band of four rows goes this way, and bands make the whole. */
static void check_way(const ee_model *m, ee_method way) {
  ee_rng       rng  = ee_rng_at(3, 3);
  ee_band      band = {0};
  ee_model    *part = NULL;
  ee_resident *res  = NULL;
  const char  *kernel;
  CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_simd, 0, 1, (ee_rows){2, 6}, &band), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_model(m, &ee_backend_simd, &band, &part), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(part, &ee_backend_simd, &res), EE_OK);
  ee_resident_runner(res, 0, 1, &kernel);
  CU_ASSERT_STRING_EQUAL(kernel, ee_method_name(way));
  ee_resident_destroy(&res);
  ee_model_destroy(&part);
  ee_band_free(&band);
  check_bands(m, &ee_backend_simd, 0, 1, 3, &rng);
}

/* The rule takes tiles of 4 x 4 where the whole has more than four of them. */
static void a_band_goes_the_way_of_the_whole(void) {
  ee_model *high = wide_convolution(16), *low = wide_convolution(8);
  check_way(high, EE_METHOD_WINOGRAD_4);
  check_way(low, EE_METHOD_WINOGRAD_2);
  ee_model_destroy(&high);
  ee_model_destroy(&low);
}

static void tuned_ways_count_in_bands_where_they_do_in_the_whole(void) {
  ee_model *m = wide_convolution(16);
  ee_tuning_begin(m, 1);
  m->node[0].method = EE_METHOD_WINOGRAD_2;
  check_way(m, EE_METHOD_WINOGRAD_2);
  m->node[0].method = EE_METHOD_DIRECT_3;
  check_way(m, EE_METHOD_DIRECT_3);
  ee_tuning_set(false);
  check_way(m, EE_METHOD_WINOGRAD_4);
  ee_tuning_set(true);
  snprintf(m->tuning.cpu, sizeof m->tuning.cpu, "another processor");
  check_way(m, EE_METHOD_WINOGRAD_4);
  ee_model_destroy(&m);
}

/* Only what skips a block has more rows than the sum of both: the sums of convolutions are as tall
 * as they come, so that they stay merged with the convolution in front. */
static void only_skips_are_cropped(void) {
  ee_model *m = picture_resnet(224), *part = NULL;
  ee_band   band;
  int       end = ee_bands_longest(m, 0);
  CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_simd, 0, end, (ee_rows){13, 14}, &band), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_model(m, &ee_backend_simd, &band, &part), EE_OK);
  CU_ASSERT_EQUAL(part->n_nodes, m->n_nodes + 2);
  CU_ASSERT_PTR_NOT_NULL(maker_find(part, "rows for one.sum"));
  CU_ASSERT_PTR_NOT_NULL(maker_find(part, "rows for two.sum"));
  ee_band_free(&band);
  ee_model_destroy(&part);
  ee_model_destroy(&m);
}

/* What a device that reads its weights from a file does: the model has none, blobs are as ever. */
static void blobs_of_a_band_are_those_of_the_whole(void) {
  ee_model    *m = picture_vgg(), *part = NULL;
  ee_resident *whole = NULL, *res = NULL;
  ee_band      band;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &ee_backend_simd, &whole), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_find(m, &ee_backend_simd, 1, 3, (ee_rows){0, 6}, &band), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_band_model(m, &ee_backend_simd, &band, &part), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(part, &ee_backend_simd, &res), EE_OK);
  for (int l = 1; l < 3; l++) {
    CU_ASSERT_EQUAL(part->layer[l].weight_bytes, m->layer[l].weight_bytes);
    CU_ASSERT_EQUAL(part->layer[l].flops, ee_band_flops(m, &band, l));
    CU_ASSERT_TRUE(part->layer[l].flops < m->layer[l].flops);
    CU_ASSERT_EQUAL_FATAL(ee_resident_add(whole, l, NULL), EE_OK);
    CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
    CU_ASSERT_EQUAL(
        memcmp(ee_resident_blob(whole, l), ee_resident_blob(res, l), m->layer[l].weight_bytes), 0);
  }
  CU_ASSERT_EQUAL(ee_resident_add(res, 3, NULL), EE_ERR_ARG);
  ee_resident_destroy(&whole);
  ee_resident_destroy(&res);
  ee_band_free(&band);
  ee_model_destroy(&part);
  ee_model_destroy(&m);
}

const ee_fact ee_facts[] = {
    EE_FACT(bands_of_random_networks_make_the_whole_on_ref),
    EE_FACT(bands_of_random_networks_make_the_whole_on_blis),
    EE_FACT(bands_of_random_networks_make_the_whole_on_simd),
    EE_FACT(bands_of_random_networks_make_the_whole_in_8_bits),
    EE_FACT(bands_of_random_networks_make_the_whole_without_winograd),
    EE_FACT(stages_of_vgg_make_the_whole),
    EE_FACT(stages_of_resnet_make_the_whole),
    EE_FACT(a_band_goes_the_way_of_the_whole),
    EE_FACT(tuned_ways_count_in_bands_where_they_do_in_the_whole),
    EE_FACT(only_skips_are_cropped),
    EE_FACT(blobs_of_a_band_are_those_of_the_whole),
    {NULL, NULL},
};
