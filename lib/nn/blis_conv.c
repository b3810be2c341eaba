/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution over one or two dimensions without an im2col array.
 *
 * Output pixels of the whole batch, one after the other, are lanes; output channels are rows.  A
 * block of pixel panels is gathered from the input (or, if windows reach into the padding, from a
 * copy of the rows concerned with the padding around them); then every panel of weights is
 * multiplied with all of them, so that weights are read once per block. */
#include "blis_conv.h"

#include <string.h>

#include "blis_kernel.h"
#include "blis_loops.h"
#include "blis_stripe.h"
#include "meter.h"

static int64_t panels_of(int64_t n, int width) {
  return (n + width - 1) / width;
}

/* Everything that follows from the node and the shapes. */
typedef struct convolution {
  ee_blis_image image;
  int64_t       groups, outputs;  // output channels of a group
  int64_t       taps, depth;      // depth = channels * taps
  ee_blis_shape tile;
  int64_t       panels;  // pixel panels of a block
} convolution;

/* Where the parts of the scratch begin. */
typedef struct workspace {
  float       *panels;     // pixel panels of a block
  float       *tile;       // shape [rows, lanes]
  float       *stripe;     // input rows with their padding
  int64_t     *tap;        // shape [taps]
  ee_blis_run *from, *to;  // shape [lanes]
  size_t       bytes;
} workspace;

static convolution convolution_of(const ee_node *node, const ee_shape *x, const ee_shape *w,
                                  const ee_shape *y) {
  convolution c = {.groups = node->attr.window.groups, .tile = ee_blis_tile_shape()};
  c.image       = ee_blis_image_of(&node->attr.window, x, y, w->dim[1]);
  c.outputs     = w->dim[0] / c.groups;
  c.taps        = ee_shape_product(w, 2, w->rank);
  c.depth       = w->dim[1] * c.taps;

  int64_t most = panels_of(c.image.samples * c.image.pixels, c.tile.lanes);
  c.panels     = EE_BLIS_BLOCK_BYTES / (ee_blis_panel_stride(c.depth, c.tile.lanes) * 4);
  c.panels     = c.panels < 1 ? 1 : c.panels > most ? most : c.panels;
  return c;
}

static convolution convolution_in_model(const ee_model *model, const ee_node *node, int64_t n) {
  ee_shape x = model->value[node->in[0]].shape, y = model->value[node->out].shape;
  if (model->batched) {
    x.dim[0] *= n;
    y.dim[0] *= n;
  }
  return convolution_of(node, &x, &model->value[node->in[1]].shape, &y);
}

/* Next `bytes` of the scratch, in whole cache lines. */
static void *take(char *scratch, size_t *used, size_t bytes) {
  void *part = scratch == NULL ? NULL : scratch + *used;
  *used += (bytes + 63) / 64 * 64;
  return part;
}

static workspace workspace_of(const convolution *c, void *scratch) {
  workspace w      = {.bytes = 0};
  size_t    lanes  = (size_t)c->tile.lanes;
  int64_t   floats = ee_blis_panels_floats(c->panels, c->depth, c->tile.lanes);
  int64_t   stripe = ee_blis_stripe_floats(&c->image, c->panels * c->tile.lanes);
  w.panels         = take(scratch, &w.bytes, (size_t)floats * sizeof *w.panels);
  w.tile           = take(scratch, &w.bytes, (size_t)c->tile.rows * lanes * sizeof *w.tile);
  w.stripe         = take(scratch, &w.bytes, (size_t)stripe * sizeof *w.stripe);
  w.tap            = take(scratch, &w.bytes, (size_t)c->taps * sizeof *w.tap);
  w.from           = take(scratch, &w.bytes, lanes * sizeof *w.from);
  w.to             = take(scratch, &w.bytes, lanes * sizeof *w.to);
  return w;
}

/* With fewer output channels in a group, most rows of a tile would be empty, and ref is as fast. */
#define LEAST_GROUP_OUTPUTS 4

bool ee_blis_conv_can(const ee_model *model, const ee_node *node) {
  const ee_window *window = &node->attr.window;
  const ee_value  *w      = &model->value[node->in[1]];
  if (window->n_spatial > 2 || w->kind != EE_VALUE_CONSTANT) return false;
  if (window->groups > 1 && w->shape.dim[0] / window->groups < LEAST_GROUP_OUTPUTS) return false;
  int width = window->n_spatial - 1;
  return window->pad_before[width] >= 0 && window->pad_after[width] >= 0;
}

size_t ee_blis_conv_prepared_bytes(const ee_model *model, const ee_node *node) {
  convolution c      = convolution_in_model(model, node, 1);
  int64_t     panels = c.groups * panels_of(c.outputs, c.tile.rows);
  return (size_t)ee_blis_panels_floats(panels, c.depth, c.tile.rows) * sizeof(float);
}

/* Floats of the packed weights of one group. */
static int64_t group_floats(const convolution *c) {
  return panels_of(c->outputs, c->tile.rows) * ee_blis_panel_stride(c->depth, c->tile.rows);
}

void ee_blis_conv_prepare(const ee_model *model, const ee_node *node,
                          const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  convolution c = convolution_in_model(model, node, 1);
  for (int64_t g = 0; g < c.groups; g++) {
    ee_blis_pack_rows(constant[1] + g * c.outputs * c.depth, c.depth, 1, c.outputs, c.depth,
                      c.tile.rows, packed + g * group_floats(&c));
  }
}

size_t ee_blis_conv_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  convolution c = convolution_in_model(model, node, n);
  return workspace_of(&c, NULL).bytes;
}

/* One run of the node: what the loops below share. */
typedef struct conv_job {
  const ee_kernel_call *call;
  const ee_blis_loops  *loops;
  convolution           c;
  workspace             w;
  int64_t               group, begin, end;  // pixels of the block
  int64_t               sample_step;        // elements of one sample of the result
  ee_meter              meter;
} conv_job;

static void gather_panels(conv_job *job, const ee_blis_stripe *stripe) {
  const convolution *c      = &job->c;
  int64_t            stride = ee_blis_panel_stride(c->depth, c->tile.lanes);
  ee_blis_gather     g      = {.source       = stripe->source,
                               .channels     = c->image.channels,
                               .channel_step = stripe->channel_step,
                               .taps         = c->taps,
                               .tap          = job->w.tap,
                               .run          = job->w.from,
                               .step         = c->image.stride_w,
                               .lanes        = c->tile.lanes,
                               .panel        = job->w.panels};
  ee_blis_stripe_taps(&c->image, stripe, job->w.tap);
  for (int64_t p = job->begin; p < job->end; p += c->tile.lanes, g.panel += stride) {
    int64_t end = p + c->tile.lanes < job->end ? p + c->tile.lanes : job->end;
    if (end - p < c->tile.lanes) memset(g.panel, 0, (size_t)stride * sizeof *g.panel);
    g.n_runs = ee_blis_stripe_runs(&c->image, stripe, p, end, job->w.from);
    job->loops->gather(&g);
  }
}

/* Multiply one panel of weights with all pixel panels of the block, and store. */
static void multiply_panel(conv_job *job, int64_t panel) {
  const convolution *c     = &job->c;
  int64_t            first = panel * c->tile.rows, left = c->outputs - first;
  int64_t            channel = job->group * c->outputs + first;
  const float       *weights = job->call->prepared, *pixels = job->w.panels;
  ee_blis_scatter    s = {.tile       = job->w.tile,
                          .lanes      = c->tile.lanes,
                          .rows       = (int)(left < c->tile.rows ? left : c->tile.rows),
                          .alpha      = 1.0F,
                          .beta       = 1.0F,
                          .c_row_step = 1,
                          .act        = job->call->act,
                          .out        = job->call->out + channel * c->image.pixels,
                          .row_step   = c->image.pixels,
                          .run        = job->w.to};
  if (job->call->in[2] != NULL) s.c = job->call->in[2] + channel;
  weights += job->group * group_floats(c) + panel * ee_blis_panel_stride(c->depth, c->tile.rows);

  for (int64_t p = job->begin; p < job->end; p += c->tile.lanes) {
    int64_t end = p + c->tile.lanes < job->end ? p + c->tile.lanes : job->end;
    ee_blis_tile(c->depth, weights, pixels, job->w.tile);
    pixels += ee_blis_panel_stride(c->depth, c->tile.lanes);
    s.n_runs = ee_blis_result_runs(&c->image, job->sample_step, p, end, job->w.to);
    job->loops->scatter(&s);
    ee_meter_add(&job->meter, 2 * c->depth * c->tile.rows * c->tile.lanes);
  }
}

static void run_block(conv_job *job) {
  const convolution *c = &job->c;
  const float       *x =
      job->call->in[0] + job->group * c->image.channels * c->image.in_h * c->image.in_w;
  ee_blis_stripe stripe = ee_blis_stripe_make(&c->image, job->begin, job->end, x, job->w.stripe);
  gather_panels(job, &stripe);
  for (int64_t panel = 0; panel < panels_of(c->outputs, c->tile.rows); panel++) {
    multiply_panel(job, panel);
  }
}

void ee_blis_conv_run(const ee_kernel_call *call) {
  conv_job job = {
      .call  = call,
      .loops = ee_blis_loops_get(),
      .c     = convolution_of(call->node, &call->in_shape[0], &call->in_shape[1], &call->out_shape),
      .meter = {.call = call, .step = EE_BLIS_STEP}};
  job.w           = workspace_of(&job.c, call->scratch);
  job.sample_step = ee_shape_product(&call->out_shape, 1, call->out_shape.rank);

  int64_t pixels = job.c.image.samples * job.c.image.pixels;
  int64_t most   = job.c.panels * job.c.tile.lanes;
  for (job.group = 0; job.group < job.c.groups; job.group++) {
    for (job.begin = 0; job.begin < pixels; job.begin += most) {
      job.end = job.begin + most < pixels ? job.begin + most : pixels;
      run_block(&job);
    }
  }
}
