/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "ee/backend.h"
#include "ee/rng.h"
#include "program.h"

/**
 * @file kernel_case.h
 * One node with random inputs, to be run by a backend on a batch of any size.
 *
 * Every array is allocated at its exact size, and results and scratch are filled with NaN before a
 * run, so that a sanitizer sees what is read or written beside them and a comparison sees what was
 * left out.
 */

#define CASE_BATCH 5  // samples for which inputs are made

typedef struct kernel_case {
  ee_model model;
  ee_node  node;
  ee_value value[EE_MAX_NODE_INPUTS + 1];  // the last one is the result
  float   *data[EE_MAX_NODE_INPUTS];       // inputs at CASE_BATCH samples
  float   *residual;                       // dense, as the result; NULL: none
  int      progress_calls;                 // of the last run
  bool     as_pixels;                      // to a node that takes either form, give pixels
  bool     is_over;                        // the result is written over `over`:
  int      over;                           // an input, or EE_RESIDUAL
} kernel_case;

static inline float case_random(ee_rng *rng) {
  return (float)(2.0 * ee_rng_uniform(rng) - 1.0);
}

/** Uniform in [@p low, @p high]. */
static inline int case_draw(ee_rng *rng, int low, int high) {
  return low + (int)ee_rng_below(rng, (uint64_t)(high - low + 1));
}

/** Shape of value @p v at @p n samples. */
static inline ee_shape case_shape(const kernel_case *c, int v, int64_t n) {
  ee_shape shape = c->value[v].shape;
  if (c->value[v].kind != EE_VALUE_CONSTANT && c->model.batched) shape.dim[0] *= n;
  return shape;
}

/** Make the model of a copied case that of the copy. */
static inline void case_rebind(kernel_case *c) {
  c->model.value = c->value;
  c->model.node  = &c->node;
}

/** Start a case of one @p op, in a model without layers, of which nothing is left at its end. */
static inline void case_begin(kernel_case *c, ee_op op) {
  static int none[2];
  *c                 = (kernel_case){.node = {.name = "node", .op = op, .out = EE_MAX_NODE_INPUTS}};
  c->node            = (ee_node){.name = "node", .op = op, .out = EE_MAX_NODE_INPUTS};
  c->model.batched   = true;
  c->model.n_values  = EE_MAX_NODE_INPUTS + 1;
  c->model.n_nodes   = 1;
  c->model.cut_start = none;
  c->model.cut_value = none;
  case_rebind(c);
  for (int i = 0; i < EE_MAX_NODE_INPUTS; i++) c->node.in[i] = -1;
}

/** Give the next input: an activation or a constant of @p shape (one sample), in [-1, 1). */
static inline float *case_input(kernel_case *c, ee_rng *rng, ee_value_kind kind, ee_shape shape) {
  int i          = c->node.n_in++;
  c->value[i]    = (ee_value){.kind = kind, .shape = shape};
  c->node.in[i]  = i;
  ee_shape whole = case_shape(c, i, CASE_BATCH);
  size_t   n     = (size_t)ee_shape_elements(&whole);
  c->data[i]     = malloc(n * sizeof(float));
  for (size_t k = 0; k < n; k++) c->data[i][k] = case_random(rng);
  return c->data[i];
}

static inline void case_output(kernel_case *c, ee_shape shape) {
  c->value[EE_MAX_NODE_INPUTS] = (ee_value){.kind = EE_VALUE_ACTIVATION, .shape = shape};
}

static inline int64_t case_elements(const kernel_case *c, int64_t n) {
  ee_shape shape = case_shape(c, EE_MAX_NODE_INPUTS, n);
  return ee_shape_elements(&shape);
}

static inline void case_count(void *calls) {
  ++*(int *)calls;
}

static inline void *case_nan(size_t bytes) {
  float *x = NULL;
  if (posix_memalign((void **)&x, 64, bytes > 0 ? bytes : 1) != 0) return NULL;
  for (size_t i = 0; i < bytes / sizeof *x; i++) x[i] = NAN;
  return x;
}

/** Lay out all activations as pixels, with different zeros beside their rows. */
static inline void case_take_pixels(const kernel_case *c, ee_program *program) {
  program->takes[0] = program->gives[0] = EE_PIXELS;
  for (int v = 0; v <= EE_MAX_NODE_INPUTS; v++) {
    if (c->value[v].kind == EE_VALUE_CONSTANT || c->value[v].shape.rank < 3) continue;
    int64_t pixel      = (c->value[v].shape.dim[1] + 15) / 16 * 16;
    program->pixels[v] = ee_pixels_of(&c->value[v].shape, pixel, v % 3);
  }
}

/** Pixels of value @p v of samples [0, n) in memory of their exact size. */
static inline float *case_pixels(const ee_program *program, int v, int64_t n, const float *dense) {
  const ee_pixels *p = &program->pixels[v];
  float           *x = case_nan((size_t)(n * p->sample) * sizeof *x);
  if (dense != NULL) ee_pixels_from_dense(p, dense, n, x);
  return x;
}

/** Inputs of samples [@p first, @p first + @p n), in the form that the backend takes. */
static inline void case_bind(const kernel_case *c, const ee_program *program, int64_t first,
                             ee_kernel_call *call, const float *constant[EE_MAX_NODE_INPUTS]) {
  for (int i = 0; i < c->node.n_in; i++) {
    if (c->node.in[i] < 0) continue;
    bool     fixed    = c->value[i].kind == EE_VALUE_CONSTANT;
    ee_shape sample   = case_shape(c, i, 1);
    call->in[i]       = c->data[i] + (fixed ? 0 : first * ee_shape_elements(&sample));
    call->in_shape[i] = case_shape(c, i, call->n);
    constant[i]       = fixed ? c->data[i] : NULL;
    if (!ee_program_takes_pixels(program, 0, i)) continue;
    call->in[i]        = case_pixels(program, i, call->n, call->in[i]);
    call->in_pixels[i] = &program->pixels[i];
  }
}

/** What is added to the result of samples from @p first on, in the form of the result. */
static inline void case_bind_residual(const kernel_case *c, const ee_program *program,
                                      int64_t first, ee_kernel_call *call) {
  if (c->residual == NULL) return;
  const float *dense = c->residual + first * case_elements(c, 1);
  if (!ee_program_gives_pixels(program, 0)) {
    size_t bytes   = (size_t)case_elements(c, call->n) * sizeof *dense;
    call->residual = memcpy(malloc(bytes), dense, bytes);
    return;
  }
  call->residual        = case_pixels(program, EE_MAX_NODE_INPUTS, call->n, dense);
  call->residual_pixels = &program->pixels[EE_MAX_NODE_INPUTS];
}

/** Memory for the result; that of what it is written over, which then is the call's no more. */
static inline float *case_out(const kernel_case *c, const ee_program *program,
                              ee_kernel_call *call) {
  ee_shape shape = call->out_shape;
  size_t   bytes = (size_t)ee_shape_elements(&shape) * sizeof(float);
  if (!c->is_over && call->out_pixels != NULL) {
    return case_pixels(program, EE_MAX_NODE_INPUTS, call->n, NULL);
  }
  if (!c->is_over) return case_nan(bytes);
  if (c->over == EE_RESIDUAL) return (float *)call->residual;
  if (call->in_pixels[c->over] != NULL) return (float *)call->in[c->over];
  float *copy = case_nan(bytes);
  memcpy(copy, call->in[c->over], bytes);
  return (float *)(call->in[c->over] = copy);
}

/** The result, dense. */
static inline float *case_result(ee_kernel_call *call) {
  if (call->out_pixels == NULL) return call->out;
  float *dense = malloc((size_t)ee_shape_elements(&call->out_shape) * sizeof *dense);
  ee_pixels_to_dense(call->out_pixels, call->out, call->n, dense);
  free(call->out);
  return dense;
}

/** Run samples [@p first, @p first + @p n) on @p backend; the caller frees the result. */
static inline float *case_run(kernel_case *c, const ee_backend *backend, int64_t first, int64_t n) {
  const float   *constant[EE_MAX_NODE_INPUTS] = {NULL};
  void          *prepared                     = NULL;
  ee_program     program;
  ee_kernel_call call = {
      .model = &c->model, .node = &c->node, .n = n, .act = c->node.act, .progress = case_count};
  CU_ASSERT_EQUAL_FATAL(ee_program_make(&c->model, backend, &program), EE_OK);
  if (c->as_pixels && backend->takes != NULL) case_take_pixels(c, &program);
  case_bind(c, &program, first, &call, constant);
  case_bind_residual(c, &program, first, &call);
  if (backend->prepare != NULL) {
    CU_ASSERT_EQUAL_FATAL(backend->prepare(&c->model, &c->node, constant, &prepared), EE_OK);
  }
  c->progress_calls     = 0;
  call.progress_context = &c->progress_calls;
  call.prepared         = prepared;
  call.scratch          = case_nan(backend->scratch_bytes(&c->model, &c->node, n));
  call.out_shape        = case_shape(c, EE_MAX_NODE_INPUTS, n);
  if (ee_program_gives_pixels(&program, 0)) {
    call.out_pixels = &program.pixels[EE_MAX_NODE_INPUTS];
  }
  call.out = case_out(c, &program, &call);
  backend->run(&call);
  free(call.scratch);
  if (backend->release != NULL) backend->release(prepared);
  for (int i = 0; i < c->node.n_in; i++) {
    if (call.in_pixels[i] != NULL && call.in[i] != call.out) free((float *)call.in[i]);
  }
  if (call.residual != call.out) free((float *)call.residual);
  float *result = case_result(&call);
  ee_program_free(&program);
  return result;
}

static inline void case_end(kernel_case *c) {
  for (int i = 0; i < EE_MAX_NODE_INPUTS; i++) free(c->data[i]);
}

/** Whether |x - y| <= @p tolerance max |y| everywhere; says where not. */
static inline bool case_close(const float *x, const double *y, int64_t n, double tolerance) {
  double largest = 0.0;
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(y[i]));
  for (int64_t i = 0; i < n; i++) {
    if (fabs(x[i] - y[i]) <= tolerance * largest) continue;
    printf("element %lld is %.9g, expected %.9g\n", (long long)i, (double)x[i], y[i]);
    return false;
  }
  return true;
}

/** Whether one batch of CASE_BATCH gives the same bits as CASE_BATCH batches of one. */
static inline bool case_batch_keeps_bits(kernel_case *c, const ee_backend *backend) {
  size_t bytes = (size_t)case_elements(c, 1) * sizeof(float);
  float *whole = case_run(c, backend, 0, CASE_BATCH);
  bool   same  = true;
  for (int s = 0; s < CASE_BATCH; s++) {
    float *one = case_run(c, backend, s, 1);
    same       = same && memcmp(whole + s * case_elements(c, 1), one, bytes) == 0;
    free(one);
  }
  free(whole);
  return same;
}

/** In how many places that @p backend allows the result has the bits that it has elsewhere; -1 if
 *  it has others.  In pixels only the residual stands as the result does. */
static inline int case_places(const kernel_case *apart, const ee_backend *backend) {
  kernel_case c = *apart;
  case_rebind(&c);
  size_t bytes  = (size_t)case_elements(&c, CASE_BATCH) * sizeof(float);
  float *result = case_run(&c, backend, 0, CASE_BATCH);
  int    places = 0;
  c.is_over     = true;
  for (c.over = EE_RESIDUAL; c.over < c.node.n_in && places >= 0; c.over++) {
    bool there = c.over == EE_RESIDUAL ? c.residual != NULL : !c.as_pixels;
    if (!there || !backend->over(&c.model, &c.node, c.over)) continue;
    float *other = case_run(&c, backend, 0, CASE_BATCH);
    places       = memcmp(result, other, bytes) == 0 ? places + 1 : -1;
    free(other);
  }
  free(result);
  return places;
}

/** Whether @p backend, without the node's activation, agrees with ref to @p tolerance of the
 * largest result. */
static inline bool case_agrees_with_ref(const kernel_case *fused, const ee_backend *backend,
                                        double tolerance) {
  kernel_case c   = *fused;
  c.node.act.kind = EE_ACT_NONE;
  case_rebind(&c);
  int64_t n    = case_elements(&c, CASE_BATCH);
  float  *ours = case_run(&c, backend, 0, CASE_BATCH);
  float  *ref  = case_run(&c, &ee_backend_ref, 0, CASE_BATCH);
  double *wide = malloc((size_t)n * sizeof *wide);
  for (int64_t i = 0; i < n; i++) wide[i] = ref[i];
  bool close = case_close(ours, wide, n, tolerance);
  free(wide);
  free(ref);
  free(ours);
  return close;
}

/** Whether the node's activation changes @p backend's result as it changes any array, bit by bit.
 */
static inline bool case_applies_activation(const kernel_case *fused, const ee_backend *backend) {
  kernel_case with = *fused, without = *fused;
  without.node.act.kind = EE_ACT_NONE;
  case_rebind(&with);
  case_rebind(&without);
  int64_t n = case_elements(&with, CASE_BATCH);
  float  *y = case_run(&with, backend, 0, CASE_BATCH);
  float  *x = case_run(&without, backend, 0, CASE_BATCH);
  ee_act_apply(&with.node.act, x, x, n);
  bool same = memcmp(x, y, (size_t)n * sizeof *x) == 0;
  free(x);
  free(y);
  return same;
}
