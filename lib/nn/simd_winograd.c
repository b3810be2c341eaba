/* SPDX-License-Identifier: Apache-2.0 */
/* Winograd convolution F(m x m, 3 x 3): a block of tiles is spread into factors, multiplied
 * position by position, and the products are gathered into pixels.
 *
 * The tiles of all samples are one list, so a batch shares the weights.  Blocks are as large as
 * factors and products stay in the second-level cache.  The bias is where the sums of position
 * (1, 1) start: each pixel of the result contains them once, and with the factor 1. */
#include "simd_winograd.h"

#include <string.h>

#include "ee/log.h"
#include "ee/tuning.h"
#include "meter.h"
#include "simd_act.h"
#include "simd_conv.h"
#include "simd_winograd_error.h"
#include "simd_winograd_weights.h"

#define STEP 8000000  // floating-point operations between two progress calls
#define LARGEST_ERROR 1e-3
#define MAX_POSITIONS 36
#define LINE 16                    // floats of a cache line
#define BLOCK_FLOATS (256 * 1024)  // factors and products of a block, or tiles of it at least:
#define BLOCK 32
#define FAR_BLOCK 64              // where the weights come from memory for every block
#define FAR_FLOATS (4096 * 1024)  // weights that other layers will have pushed out of every cache

/* In front of the packed weights: what they are packed for. */
typedef union head {
  ee_simd_conv_way way;
  char             aligned[64];
} head;

#define HEAD_FLOATS ((int64_t)(sizeof(head) / sizeof(float)))

static ee_simd_conv_way packed_way(const void *packed) {
  head h;
  memcpy(&h, packed, sizeof h);
  return h.way;
}

static ee_winograd winograd_in_model(const ee_model *model, const ee_node *node) {
  const ee_shape *w = &model->value[node->in[1]].shape;
  return ee_winograd_of(ee_simd_conv_way_of(model, node), w->dim[1], w->dim[0]);
}

bool ee_simd_winograd_can(const ee_model *model, const ee_node *node) {
  return ee_simd_conv_can(model, node) && ee_simd_conv_way_of(model, node) != EE_SIMD_DIRECT;
}

const char *ee_simd_winograd_kernel(const ee_model *model, const ee_node *node,
                                    const float *packed) {
  ee_simd_conv_way way = packed != NULL ? packed_way(packed) : ee_simd_conv_way_of(model, node);
  if (way == EE_SIMD_DIRECT) return ee_simd_conv_kernel(model, node, packed);
  return ee_method_name(way == EE_SIMD_WINOGRAD_2 ? EE_METHOD_WINOGRAD_2 : EE_METHOD_WINOGRAD_4);
}

size_t ee_simd_winograd_prepared_bytes(const ee_model *model, const ee_node *node) {
  ee_winograd w      = winograd_in_model(model, node);
  size_t      own    = (size_t)ee_winograd_floats(&w) * sizeof(float);
  size_t      direct = ee_simd_conv_prepared_bytes(model, node);
  return sizeof(head) + (own > direct ? own : direct);
}

void ee_simd_winograd_prepare(const ee_model *model, const ee_node *node,
                              const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  ee_winograd w = winograd_in_model(model, node);
  head        h = {.way = (ee_simd_conv_way)w.m};
  memcpy(packed, &h, sizeof h);
  ee_winograd_pack(&w, constant[1], constant[2], packed + HEAD_FLOATS);
}

ee_status ee_simd_winograd_check(const ee_model *model, const ee_node *node,
                                 const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  double error;
  EE_TRY(ee_simd_winograd_error(model, node, constant, packed, &error));
  if (error <= LARGEST_ERROR) return EE_OK;
  ee_log(EE_LOG_INFO,
         "convolution '%s' is computed directly: Winograd's way would be off by %.1e of a "
         "channel's largest element, more than %.0e",
         node->name, error, LARGEST_ERROR);
  head h = {.way = EE_SIMD_DIRECT};
  memcpy(packed, &h, sizeof h);
  ee_simd_conv_prepare(model, node, constant, packed + HEAD_FLOATS);
  return EE_OK;
}

/* Where factors and products of a block of tiles stand. */
typedef struct layout {
  int64_t block;            // tiles
  int64_t v_step, v_plane;  // factors: floats from a tile, a position to the next
  int64_t m_step, m_plane;  // products
} layout;

/* Tiles of a block, as a rule. */
static int64_t usual_block(const ee_winograd *w, int64_t floats_of_tile) {
  int64_t least =
      w->positions * ee_simd_weights_floats(&w->panels) > FAR_FLOATS ? FAR_BLOCK : BLOCK;
  int64_t most = BLOCK_FLOATS / floats_of_tile;
  return most > least ? most : least;
}

/* Blocks are about equal, and at most half as large again as the usual one.  Planes are a line
 * apart in the cache, not all on the same lines. */
static layout layout_of(const ee_winograd *w, int64_t tiles) {
  layout  l      = {.v_step = ee_simd_round_up(w->panels.depth, EE_SIMD_BLOCK),
                    .m_step = ee_simd_round_up(w->panels.outputs, EE_SIMD_BLOCK)};
  int64_t usual  = usual_block(w, w->positions * (l.v_step + l.m_step));
  int64_t blocks = (tiles + usual / 2) / usual, room = usual + usual / 2;
  if (room > tiles) room = tiles;
  l.block   = blocks > 1 ? (tiles + blocks - 1) / blocks : tiles;
  l.v_plane = room * l.v_step + LINE;
  l.m_plane = room * l.m_step + LINE;
  return l;
}

static int64_t tiles_along(const ee_winograd *w, int64_t pixels) {
  return (pixels + w->m - 1) / w->m;
}

size_t ee_simd_winograd_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  ee_winograd     w = winograd_in_model(model, node);
  const ee_shape *y = &model->value[node->out].shape;
  layout          l = layout_of(&w, n * tiles_along(&w, y->dim[2]) * tiles_along(&w, y->dim[3]));
  return (size_t)(w.positions * (l.v_plane + l.m_plane) + l.v_step) * sizeof(float);
}

/* One run. */
typedef struct job {
  const ee_kernel_call  *call;
  const ee_simd_kernels *kernels;
  ee_winograd            w;
  const float           *packed;
  layout                 l;
  int64_t                rows, columns;  // tiles of a sample
  float                 *v, *products;
  const float           *zeros;  // a pixel outside of the input
  ee_simd_limits         limits;
  ee_meter               meter;
} job;

static job job_of(const ee_kernel_call *call) {
  const ee_shape *weights = &call->in_shape[1];
  job             j       = {.call    = call,
                             .kernels = ee_simd_kernels_get(),
                             .w = ee_winograd_of(packed_way(call->prepared), weights->dim[1], weights->dim[0]),
                             .packed = (const float *)call->prepared + HEAD_FLOATS,
                             .limits = ee_simd_limits_of(&call->act),
                             .meter  = {.call = call, .step = STEP}};
  j.rows                  = tiles_along(&j.w, call->out_pixels->height);
  j.columns               = tiles_along(&j.w, call->out_pixels->width);
  j.l                     = layout_of(&j.w, call->n * j.rows * j.columns);
  j.v                     = call->scratch;
  j.products              = j.v + j.w.positions * j.l.v_plane;
  float *zeros            = j.products + j.w.positions * j.l.m_plane;
  memset(zeros, 0, (size_t)j.l.v_step * sizeof *zeros);
  j.zeros = zeros;
  return j;
}

/* Tile @p t: its sample, and its first pixel of the result. */
typedef struct place {
  int64_t sample, y, x;
} place;

static place place_of(const job *j, int64_t t) {
  int64_t of_sample = j->rows * j->columns, in_sample = t % of_sample;
  return (place){t / of_sample, in_sample / j->columns * j->w.m, in_sample % j->columns * j->w.m};
}

static int64_t at(const ee_pixels *p, place to) {
  return to.sample * p->sample + p->lead + to.y * p->row + to.x * p->pixel;
}

/* The pixels of an input tile, zeros outside of the input. */
static void find_pixels(const job *j, place to, const float *pixel[MAX_POSITIONS]) {
  const ee_pixels *in     = j->call->in_pixels[0];
  const ee_window *window = &j->call->node->attr.window;
  int64_t          top = to.y - window->pad_before[0], left = to.x - window->pad_before[1];
  for (int i = 0; i < j->w.side; i++) {
    for (int k = 0; k < j->w.side; k++, pixel++) {
      place from   = {to.sample, top + i, left + k};
      bool  inside = from.y >= 0 && from.y < in->height && from.x >= 0 && from.x < in->width;
      *pixel       = inside ? j->call->in[0] + at(in, from) : j->zeros;
    }
  }
}

static void spread_block(const job *j, int64_t first, int64_t n) {
  for (int64_t t = 0; t < n; t++) {
    const float *pixel[MAX_POSITIONS];
    find_pixels(j, place_of(j, first + t), pixel);
    j->kernels->spread[j->w.m](pixel, j->l.v_step, j->v + t * j->l.v_step, j->l.v_plane);
  }
}

static int64_t panel_floats(const ee_winograd *w, ee_simd_panel panel) {
  return w->panels.depth * panel.vectors * w->panels.lanes;
}

/* One panel of one position, in groups of about the same number of tiles. */
static void multiply_panel(job *j, int k, ee_simd_panel panel, int64_t n) {
  const ee_winograd *w      = &j->w;
  const float       *bias   = j->packed + ee_winograd_bias_place(w) + panel.first;
  const float       *zeros  = j->packed + ee_winograd_zeros_place(w);
  int64_t            most   = j->kernels->max_pixels[panel.vectors];
  int64_t            groups = (n + most - 1) / most;
  ee_simd_tile       t      = {.in       = j->v + k * j->l.v_plane,
                               .in_step  = j->l.v_step,
                               .rows     = 1,
                               .runs     = 1,
                               .length   = w->panels.depth,
                               .weights  = j->packed + ee_winograd_place(w, k) + panel.place,
                               .bias     = k == w->side + 1 ? bias : zeros,
                               .out      = j->products + k * j->l.m_plane + panel.first,
                               .out_step = j->l.m_step,
                               .low      = -INFINITY,
                               .high     = INFINITY};
  const float *next = t.weights + panel_floats(w, panel), *end = next + panel_floats(w, panel);
  for (int64_t i = 0, done = 0; i < groups; i++) {
    int64_t tiles = (n - done + groups - i - 1) / (groups - i);
    t.ahead       = next < end ? next : t.weights;
    next += EE_SIMD_LINES_AHEAD(panel.vectors, tiles) * LINE * w->panels.depth;
    j->kernels->tile[panel.vectors][tiles](&t);
    t.in += tiles * t.in_step;
    t.out += tiles * t.out_step;
    done += tiles;
  }
  ee_meter_add(&j->meter, 2 * n * panel_floats(w, panel));
}

static void multiply_block(job *j, int64_t n) {
  for (int k = 0; k < j->w.positions; k++) {
    for (int64_t p = 0; p < ee_simd_panel_count(&j->w.panels); p++) {
      multiply_panel(j, k, ee_simd_panel_at(&j->w.panels, p), n);
    }
  }
}

static int most(int64_t left, int m) {
  return left < m ? (int)left : m;
}

static void gather_block(const job *j, int64_t first, int64_t n) {
  const ee_kernel_call *call = j->call;
  const ee_pixels      *out = call->out_pixels, *residual = call->residual_pixels;
  for (int64_t t = 0; t < n; t++) {
    place          to = place_of(j, first + t);
    ee_simd_gather g  = {.from     = j->products + t * j->l.m_step,
                         .plane    = j->l.m_plane,
                         .channels = j->l.m_step,
                         .rows     = most(out->height - to.y, j->w.m),
                         .columns  = most(out->width - to.x, j->w.m),
                         .out      = call->out + at(out, to),
                         .out_row  = out->row,
                         .out_step = out->pixel,
                         .low      = j->limits.low,
                         .high     = j->limits.high};
    if (call->residual != NULL) {
      g.residual      = call->residual + at(residual, to);
      g.residual_row  = residual->row;
      g.residual_step = residual->pixel;
    }
    j->kernels->gather[j->w.m](&g);
  }
}

/* What limits alone do not express. */
static void finish(const ee_kernel_call *call) {
  const ee_pixels *out = call->out_pixels;
  for (int64_t i = 0; i < call->n * out->height; i++) {
    float *row = call->out + at(out, (place){i / out->height, i % out->height, 0});
    ee_simd_act(&call->act, row, row, out->width * out->pixel);
  }
}

void ee_simd_winograd_run(const ee_kernel_call *call) {
  if (packed_way(call->prepared) == EE_SIMD_DIRECT) {
    ee_kernel_call direct = *call;
    direct.prepared       = (const float *)call->prepared + HEAD_FLOATS;
    ee_simd_conv_run(&direct);
    return;
  }
  job     j     = job_of(call);
  int64_t tiles = call->n * j.rows * j.columns;
  for (int64_t first = 0; first < tiles; first += j.l.block) {
    int64_t n = tiles - first < j.l.block ? tiles - first : j.l.block;
    spread_block(&j, first, n);
    multiply_block(&j, n);
    gather_block(&j, first, n);
  }
  if (!j.limits.whole) finish(call);
}
