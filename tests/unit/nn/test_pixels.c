/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/pixels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"
#include "ee_test.h"

#define SAMPLES 3

/* A random form, and arrays of their exact size. */
typedef struct form_case {
  ee_shape  shape;
  ee_pixels form;
  int64_t   elements;  // of a sample
  float    *dense, *pixels;
} form_case;

static void draw(form_case *c, uint64_t i) {
  ee_rng rng = ee_rng_at(1, i);
  c->shape   = (ee_shape){3 + (int)ee_rng_below(&rng, 2), {1, 1 + (int)ee_rng_below(&rng, 40)}};
  for (int d = 2; d < c->shape.rank; d++) c->shape.dim[d] = 1 + (int)ee_rng_below(&rng, 40);
  int64_t unused = ee_rng_below(&rng, 2) == 0 ? 0 : (int64_t)ee_rng_below(&rng, 20);
  if (i % 4 == 0) c->shape.dim[1] = 3;
  c->form     = ee_pixels_of(&c->shape, c->shape.dim[1] + unused, (int64_t)ee_rng_below(&rng, 4));
  c->elements = ee_shape_elements(&c->shape);
  c->dense    = malloc((size_t)(SAMPLES * c->elements) * sizeof(float));
  c->pixels   = malloc((size_t)(SAMPLES * c->form.sample) * sizeof(float));
  for (int64_t k = 0; k < SAMPLES * c->elements; k++) c->dense[k] = (float)(k + 1);
  for (int64_t k = 0; k < SAMPLES * c->form.sample; k++) c->pixels[k] = NAN;
}

static void end(form_case *c) {
  free(c->dense);
  free(c->pixels);
}

/* Element (c, y, x) of sample i by the formula of ee/pixels.h. */
static float at(const form_case *f, int64_t i, int64_t c, int64_t y, int64_t x) {
  const ee_pixels *p = &f->form;
  return f->pixels[i * p->sample + p->lead + y * p->row + x * p->pixel + c];
}

static bool all_stand_where_they_should(const form_case *f) {
  const ee_pixels *p    = &f->form;
  int64_t          k    = 0;
  bool             same = true;
  for (int64_t i = 0; i < SAMPLES; i++) {
    for (int64_t c = 0; c < p->channels; c++) {
      for (int64_t y = 0; y < p->height; y++) {
        for (int64_t x = 0; x < p->width; x++) same = same && at(f, i, c, y, x) == f->dense[k++];
      }
    }
  }
  return same;
}

static void every_element_has_its_place_and_all_else_is_zero(void) {
  for (uint64_t i = 0; i < 200; i++) {
    form_case c;
    draw(&c, i);
    ee_pixels_from_dense(&c.form, c.dense, SAMPLES, c.pixels);
    CU_ASSERT_TRUE(all_stand_where_they_should(&c));
    int64_t others = 0;
    for (int64_t k = 0; k < SAMPLES * c.form.sample; k++) others += c.pixels[k] != 0.0F;
    CU_ASSERT_EQUAL(others, SAMPLES * c.elements);  // a NaN left over counts, too
    end(&c);
  }
}

static void there_and_back_is_the_same_array(void) {
  for (uint64_t i = 0; i < 200; i++) {
    form_case c;
    draw(&c, i);
    size_t bytes = (size_t)(SAMPLES * c.elements) * sizeof(float);
    float *back  = malloc(bytes);
    ee_pixels_from_dense(&c.form, c.dense, SAMPLES, c.pixels);
    ee_pixels_to_dense(&c.form, c.pixels, SAMPLES, back);
    CU_ASSERT_EQUAL(memcmp(back, c.dense, bytes), 0);
    free(back);
    end(&c);
  }
}

static void arrays_of_other_ranks_have_no_pixels(void) {
  const ee_shape row = {2, {1, 7}}, volume = {5, {1, 2, 3, 4, 5}};
  CU_ASSERT_EQUAL(ee_pixels_of(&row, 16, 0).sample, 0);
  CU_ASSERT_EQUAL(ee_pixels_of(&volume, 16, 0).sample, 0);
}

const ee_fact ee_facts[] = {
    EE_FACT(every_element_has_its_place_and_all_else_is_zero),
    EE_FACT(there_and_back_is_the_same_array),
    EE_FACT(arrays_of_other_ranks_have_no_pixels),
    {NULL, NULL},
};
