/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the error of a Winograd convolution on one picture, the same for every layer. */
#include "simd_winograd_error.h"

#include <math.h>
#include <stdlib.h>

#include "ee/rng.h"
#include "simd_panels.h"
#include "simd_winograd.h"

#define SIDE 4   // of the picture and, with a pad of 1, of the result
#define TILES 4  // of the smallest kind in it

/* The node, on a small picture. */
typedef struct picture {
  ee_node        node;
  ee_shape       weights;
  ee_pixels      in, out;
  ee_kernel_call call;
} picture;

static int64_t floats_of(const picture *p) {
  return p->in.sample + p->out.sample;
}

static picture picture_of(const ee_model *model, const ee_node *node) {
  picture p = {.node = *node, .weights = model->value[node->in[1]].shape};
  for (int i = 0; i < 2; i++) {
    p.node.attr.window.pad_before[i] = 1;
    p.node.attr.window.pad_after[i]  = 1;
  }
  ee_shape x = {4, {1, p.weights.dim[1], SIDE, SIDE}}, y = {4, {1, p.weights.dim[0], SIDE, SIDE}};
  p.in   = ee_pixels_of(&x, ee_simd_round_up(x.dim[1], EE_SIMD_BLOCK), 0);
  p.out  = ee_pixels_of(&y, ee_simd_round_up(y.dim[1], EE_SIMD_BLOCK), 0);
  p.call = (ee_kernel_call){.model = model, .n = 1, .in_shape = {x, p.weights}, .out_shape = y};
  return p;
}

static void run(picture *p, const float *packed, void *scratch, float *x, float *y) {
  ee_rng rng = ee_rng_at(0, 0);
  for (int64_t i = 0; i < p->in.sample; i++) x[i] = (float)(2.0 * ee_rng_uniform(&rng) - 1.0);
  p->call.node         = &p->node;
  p->call.in[0]        = x;
  p->call.in_pixels[0] = &p->in;
  p->call.out          = y;
  p->call.out_pixels   = &p->out;
  p->call.prepared     = packed;
  p->call.scratch      = scratch;
  ee_simd_winograd_run(&p->call);
}

/* Pixel (i, i) of a channel whose weights are w, without bias. */
static double exact(const picture *p, const float *w, int i) {
  double sum = 0.0;
  for (int64_t c = 0; c < p->in.channels; c++, w += 9) {
    for (int y = 0; y < 3; y++) {
      for (int x = 0; x < 3; x++) {
        int down = i + y - 1, right = i + x - 1;
        if (down < 0 || down >= SIDE || right < 0 || right >= SIDE) continue;
        sum += (double)w[y * 3 + x] *
               (double)p->call.in[0][down * p->in.row + right * p->in.pixel + c];
      }
    }
  }
  return sum;
}

/* The pixels on the diagonal stand for all. */
static double channel_error(const picture *p, const float *w, double bias, int64_t o) {
  double error = 0.0, largest = 0.0;
  for (int i = 0; i < SIDE; i++) {
    double y   = bias + exact(p, w, i);
    double off = fabs((double)p->call.out[i * (p->out.row + p->out.pixel) + o] - y);
    if (!isfinite(off)) return INFINITY;
    error   = fmax(error, off);
    largest = fmax(largest, fabs(y));
  }
  return error > 0.0 ? error / largest : 0.0;
}

ee_status ee_simd_winograd_error(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS],
                                 const float *packed, double *error) {
  picture p       = picture_of(model, node);
  size_t  scratch = ee_simd_winograd_scratch_bytes(model, node, TILES);
  size_t  bytes   = scratch + (size_t)floats_of(&p) * sizeof(float);
  char   *memory  = aligned_alloc(64, bytes);
  *error          = 0.0;
  if (memory == NULL)
    return EE_FAIL(EE_ERR_NOMEM, "for %zu bytes to check '%s'", bytes, node->name);

  float *x = (float *)(void *)(memory + scratch);
  run(&p, packed, memory, x, x + p.in.sample);
  for (int64_t o = 0; o < p.out.channels; o++) {
    double bias = constant[2] != NULL ? (double)constant[2][o] : 0.0;
    *error      = fmax(*error, channel_error(&p, constant[1] + o * 9 * p.in.channels, bias, o));
  }
  free(memory);
  return EE_OK;
}
