/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling of pixels, a row of the result at a time: the pixels whose windows lie inside the input
 * in one piece, the others one by one with the taps that meet the input. */
#include "simd_pool.h"

#include "meter.h"
#include "ref_window.h"
#include "simd_kernels.h"
#include "simd_panels.h"
#include "simd_rows.h"

#define STEP 1000000  // inputs met between two progress calls

typedef struct job {
  const ee_kernel_call *call;
  ee_slide              y, x;
  ee_range              inside;  // outputs of a row whose taps all meet the input's columns
  int64_t               channels;
  bool                  count_padding;
  ee_simd_limits        limits;
  void (*kernel)(const ee_simd_pool *run);
} job;

bool ee_simd_pool_can(const ee_model *model, const ee_node *node) {
  (void)model;
  return node->attr.window.n_spatial == 1 || node->attr.window.n_spatial == 2;
}

static ee_range inside_of(const ee_slide *x) {
  int64_t begin = ee_slide_outputs(x, 0).begin, end = ee_slide_outputs(x, x->kernel - 1).end;
  return (ee_range){begin, end > begin ? end : begin};
}

static job job_of(const ee_kernel_call *call) {
  const ee_simd_kernels *k    = ee_simd_kernels_get();
  bool                   most = call->node->op == EE_OP_MAX_POOL;
  ee_slide               slide[3];
  ee_slides(&call->node->attr.window, &call->in_shape[0], &call->out_shape, slide);
  return (job){.call          = call,
               .y             = slide[1],
               .x             = slide[2],
               .inside        = inside_of(&slide[2]),
               .channels      = ee_simd_round_up(call->out_pixels->channels, k->lanes),
               .count_padding = call->node->attr.window.count_include_pad,
               .limits        = ee_simd_limits_of(&call->act),
               .kernel        = most ? k->max_pool : k->average_pool};
}

static int64_t length(ee_range range) {
  return range.end - range.begin;
}

static int64_t taps_counted(const job *j, const ee_slide *slide, int64_t o) {
  return length(j->count_padding ? ee_slide_taps(slide, o, -slide->pad, slide->padded_end)
                                 : ee_slide_taps(slide, o, 0, slide->in));
}

/* Outputs [at, at + n) of a row, all with the taps of the first; t has what they share. */
static void pool_run(const job *j, const float *row, ee_simd_pool t, int64_t at, int64_t n) {
  const ee_pixels *in = j->call->in_pixels[0], *out = j->call->out_pixels;
  ee_range         taps  = ee_slide_taps(&j->x, at, 0, j->x.in);
  int64_t          count = (int64_t)t.count * taps_counted(j, &j->x, at);
  t.taps                 = length(taps);
  t.pixels               = n;
  t.count                = count > 0 ? (float)count : 1.0F;
  t.out += at * out->pixel;
  if (t.rows > 0 && t.taps > 0) {
    t.in = row + ee_slide_position(&j->x, at, taps.begin) * in->pixel;
  }
  j->kernel(&t);
}

static void pool_row(const job *j, int64_t sample, int64_t y) {
  const ee_kernel_call *call = j->call;
  const ee_pixels      *in = call->in_pixels[0], *out = call->out_pixels;
  ee_range              taps = ee_slide_taps(&j->y, y, 0, j->y.in);
  const float          *row  = call->in[0];
  ee_simd_pool          t    = {.in       = row,
                                .in_step  = j->x.stride * in->pixel,
                                .rows     = length(taps),
                                .row_step = j->y.dilation * in->row,
                                .tap_step = j->x.dilation * in->pixel,
                                .channels = j->channels,
                                .count    = (float)taps_counted(j, &j->y, y),
                                .out      = call->out + ee_simd_row_at(out, sample, y),
                                .out_step = out->pixel,
                                .low      = j->limits.low,
                                .high     = j->limits.high};
  if (t.rows > 0) row += ee_simd_row_at(in, sample, ee_slide_position(&j->y, y, taps.begin));
  for (int64_t x = 0, n = 1; x < out->width; x += n) {
    n = x == j->inside.begin && length(j->inside) > 0 ? length(j->inside) : 1;
    pool_run(j, row, t, x, n);
  }
}

void ee_simd_pool_run(const ee_kernel_call *call) {
  job      j     = job_of(call);
  ee_meter meter = {.call = call, .step = STEP};
  int64_t  work  = j.y.kernel * j.x.kernel * j.x.out * j.channels;
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t y = 0; y < call->out_pixels->height; y++) {
      pool_row(&j, i, y);
      ee_simd_finish_row(call, i, y);
      ee_meter_add(&meter, work);
    }
  }
}
