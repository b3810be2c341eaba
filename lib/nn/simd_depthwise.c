/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution, row by row for as many channels as let a window's rows of the input stay
 * in the first-level cache until the next row of the result reads them again.  Rows of the window
 * that lie above or below the input are left out; beside the input stand zeros. */
#include "simd_depthwise.h"

#include <string.h>

#include "meter.h"
#include "ref_window.h"
#include "simd_kernels.h"
#include "simd_panels.h"
#include "simd_rows.h"

#define STEP 4000000                  // floating-point operations between two progress calls
#define CACHE_FLOATS (24 * 1024 / 4)  // of the first-level cache: half of it, or less

/* How weights and bias are packed: a panel of [taps, lanes] for each vector of channels, zeros
 * behind the last channel, then the bias. */
typedef struct packing {
  int     lanes;
  int64_t channels;  // used
  int64_t taps;      // of the whole window
} packing;

static packing packing_of(const ee_shape *w) {
  return (packing){.lanes    = ee_simd_kernels_get()->lanes,
                   .channels = w->dim[0],
                   .taps     = ee_shape_product(w, 2, w->rank)};
}

static int64_t weights_floats(const packing *p) {
  return ee_simd_round_up(p->channels, EE_SIMD_BLOCK) * p->taps;
}

static bool is_constant(const ee_model *model, const ee_node *node, int i) {
  return i >= node->n_in || node->in[i] < 0 || model->value[node->in[i]].kind == EE_VALUE_CONSTANT;
}

bool ee_simd_depthwise_can(const ee_model *model, const ee_node *node) {
  const ee_window *window = &node->attr.window;
  const ee_shape  *w      = &model->value[node->in[1]].shape;
  if (window->n_spatial < 1 || window->n_spatial > 2) return false;
  if (!is_constant(model, node, 1) || !is_constant(model, node, 2)) return false;
  int width = window->n_spatial - 1;
  if (window->pad_before[width] < 0 || window->pad_after[width] < 0) return false;
  return w->dim[1] == 1 && w->dim[0] == window->groups;
}

size_t ee_simd_depthwise_prepared_bytes(const ee_model *model, const ee_node *node) {
  packing p = packing_of(&model->value[node->in[1]].shape);
  return (size_t)(weights_floats(&p) + ee_simd_round_up(p.channels, EE_SIMD_BLOCK)) * sizeof(float);
}

void ee_simd_depthwise_prepare(const ee_model *model, const ee_node *node,
                               const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  packing      p = packing_of(&model->value[node->in[1]].shape);
  const float *w = constant[1];
  memset(packed, 0, ee_simd_depthwise_prepared_bytes(model, node));
  for (int64_t c = 0; c < p.channels; c++) {
    float *panel = packed + c / p.lanes * p.taps * p.lanes + c % p.lanes;
    for (int64_t t = 0; t < p.taps; t++, w++) panel[t * p.lanes] = *w;
  }
  if (constant[2] == NULL) return;
  memcpy(packed + weights_floats(&p), constant[2], (size_t)p.channels * sizeof *packed);
}

typedef struct job {
  const ee_kernel_call  *call;
  const ee_simd_kernels *kernels;
  packing                packing;
  ee_slide               y, x;
  ee_simd_limits         limits;
  ee_meter               meter;
} job;

static job job_of(const ee_kernel_call *call) {
  ee_slide slide[3];
  ee_slides(&call->node->attr.window, &call->in_shape[0], &call->out_shape, slide);
  return (job){.call    = call,
               .kernels = ee_simd_kernels_get(),
               .packing = packing_of(&call->in_shape[1]),
               .y       = slide[1],
               .x       = slide[2],
               .limits  = ee_simd_limits_of(&call->act),
               .meter   = {.call = call, .step = STEP}};
}

/* What all tiles of a row share; its first channel. */
static ee_simd_depthwise row_of(const job *j, int64_t sample, int64_t y) {
  const ee_kernel_call *call = j->call;
  const ee_pixels      *in = call->in_pixels[0], *out = call->out_pixels;
  const float          *packed = call->prepared;
  const packing        *p      = &j->packing;
  ee_range              taps   = ee_slide_taps(&j->y, y, 0, j->y.in);
  ee_simd_depthwise     t      = {.in         = call->in[0],
                                  .in_step    = j->x.stride * in->pixel,
                                  .rows       = taps.end - taps.begin,
                                  .row_step   = j->y.dilation * in->row,
                                  .taps       = j->x.kernel,
                                  .tap_step   = j->x.dilation * in->pixel,
                                  .weights    = packed + taps.begin * j->x.kernel * p->lanes,
                                  .panel_step = p->taps * p->lanes,
                                  .bias       = packed + weights_floats(p),
                                  .out        = call->out + ee_simd_row_at(out, sample, y),
                                  .out_step   = out->pixel,
                                  .low        = j->limits.low,
                                  .high       = j->limits.high};
  if (t.rows > 0) {
    t.in +=
        ee_simd_row_at(in, sample, ee_slide_position(&j->y, y, taps.begin)) - j->x.pad * in->pixel;
  }
  return t;
}

/* A row in tiles of about the same number of pixels: wider ones first. */
static void compute_row(const job *j, ee_simd_depthwise t) {
  int64_t width = j->call->out_pixels->width, most = j->kernels->depthwise_pixels;
  int64_t tiles = (width + most - 1) / most, pixels = width / tiles, wider = width % tiles;
  if (wider > 0) {
    t.tiles = wider;
    j->kernels->depthwise(&t, (int)pixels + 1);
    t.in += wider * (pixels + 1) * t.in_step;
    t.out += wider * (pixels + 1) * t.out_step;
  }
  t.tiles = tiles - wider;
  j->kernels->depthwise(&t, (int)pixels);
}

/* At least two blocks: one alone would waste what the processor fetches beside it. */
static int64_t channels_at_once(const job *j) {
  int64_t fit = CACHE_FLOATS / (j->y.kernel * j->x.in), least = 2 * EE_SIMD_BLOCK;
  return fit > least ? fit / EE_SIMD_BLOCK * EE_SIMD_BLOCK : least;
}

/* Channels [c, end) of a sample. */
static void compute_channels(job *j, int64_t sample, int64_t c, int64_t end) {
  const ee_kernel_call *call = j->call;
  const packing        *p    = &j->packing;
  for (int64_t y = 0; y < call->out_pixels->height; y++) {
    ee_simd_depthwise t = row_of(j, sample, y);
    t.in += c;
    t.weights += c * p->taps;
    t.bias += c;
    t.out += c;
    t.channels = end - c;
    compute_row(j, t);
    ee_meter_add(&j->meter, 2 * p->taps * (end - c) * call->out_pixels->width);
  }
}

void ee_simd_depthwise_run(const ee_kernel_call *call) {
  job     j        = job_of(call);
  int64_t channels = ee_simd_round_up(j.packing.channels, j.packing.lanes);
  int64_t piece    = channels_at_once(&j);
  for (int64_t i = 0; i < call->n; i++) {
    for (int64_t c = 0; c < channels; c += piece) {
      compute_channels(&j, i, c, c + piece < channels ? c + piece : channels);
    }
    for (int64_t y = 0; y < call->out_pixels->height; y++) ee_simd_finish_row(call, i, y);
  }
}
