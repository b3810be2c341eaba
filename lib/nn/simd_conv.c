/* SPDX-License-Identifier: Apache-2.0 */
/* Direct convolution: every row of the output is cut into tiles of a few pixels by a panel of
 * output channels.
 *
 * Rows of the window that lie above or below the input are left out; beside the input stand zeros.
 * Rows are worked on in blocks that stay in the second-level cache, and each panel of weights is
 * used for a whole block; a panel too large for that cache is used piece by piece, some rows of the
 * window at a time, while the next piece is fetched.  Where a window is one pixel and neither input
 * nor result has zeros between its rows, all pixels of the batch are one long row. */
#include "simd_conv.h"

#include "meter.h"
#include "simd_act.h"
#include "simd_choice.h"
#include "simd_panels.h"
#include "simd_sweep.h"

#define BLOCK_FLOATS (128 * 1024)  // input and result of a block of rows
#define WHOLE_FLOATS (256 * 1024)  // input that may be one block
#define MOST_ROWS 128              // of a block
#define LONG_ROW 8                 // tiles of a piece of the long row
#define PIECE_FLOATS (96 * 1024)   // weights of a panel that are used at once
#define MOST_TOGETHER 16           // groups that are computed as one
#define SHORT_SUM 32               // products, below which panels are wide
#define STEP 8000000               // floating-point operations between two progress calls

/* One spatial dimension of the window. */
typedef struct axis {
  int64_t kernel, stride, dilation, pad;
} axis;

/* Everything that follows from the node and the weights' shape. */
typedef struct convolution {
  axis           y, x;
  int64_t        together;          // groups of the node that are one here
  int64_t        groups, channels;  // what is one here, and its input channels
  ee_simd_panels panels;            // of one group
} convolution;

static axis axis_of(const ee_window *w, int i) {
  if (i < 0) return (axis){1, 1, 1, 0};
  return (axis){w->kernel[i], w->stride[i], w->dilation[i], w->pad_before[i]};
}

/* How many groups are computed as one, with weights of zero between them, so that both ends of it
 * are whole blocks of channels. */
static int64_t groups_together(const ee_window *window, const ee_shape *w) {
  int64_t groups = window->groups, outputs = w->dim[0] / groups;
  for (int64_t n = 1; n < groups; n++) {
    if (groups % n == 0 && n * w->dim[1] % EE_SIMD_BLOCK == 0 && n * outputs % EE_SIMD_BLOCK == 0)
      return n;
  }
  return groups;
}

/* Whether tiles of @p vectors hold about as many sums as those of two. */
static bool is_full(const ee_simd_kernels *k, int vectors) {
  return vectors * k->max_pixels[vectors] + 1 >= 2 * k->max_pixels[2];
}

/* Wide panels for short rows, where few pixels share a weight, and for short sums over neighbouring
 * pixels, where reading them again for every panel takes a good part of the time.  Panels of three
 * rather than a last one of a single vector. */
static int usual_vectors(const ee_simd_kernels *k, const convolution *c, int64_t width) {
  int64_t all        = (c->panels.outputs + k->lanes - 1) / k->lanes;
  bool    short_sums = c->panels.depth <= SHORT_SUM && c->x.stride == 1;
  if (width <= k->max_pixels[4]) return 4;
  for (int vectors = 4; vectors > 2 && short_sums; vectors--) {
    if (all % vectors == 0 && is_full(k, vectors)) return vectors;
  }
  return all % 2 == 1 && all % 3 != 1 && is_full(k, 3) ? 3 : 2;
}

static convolution convolution_of(const ee_model *model, const ee_node *node, const ee_shape *w,
                                  const ee_shape *y) {
  const ee_simd_kernels *k      = ee_simd_kernels_get();
  const ee_window       *window = &node->attr.window;
  convolution            c      = {.y        = axis_of(window, window->n_spatial - 2),
                                   .x        = axis_of(window, window->n_spatial - 1),
                                   .together = groups_together(window, w)};
  c.groups                      = window->groups / c.together;
  c.channels                    = w->dim[1] * c.together;
  c.panels                      = (ee_simd_panels){.lanes   = k->lanes,
                                                   .outputs = w->dim[0] / c.groups,
                                                   .depth   = c.channels * c.y.kernel * c.x.kernel};
  int usual                     = usual_vectors(k, &c, y->dim[y->rank - 1]);
  c.panels.vectors              = ee_simd_vectors_of(model, node, c.panels.outputs, usual);
  return c;
}

static convolution convolution_in_model(const ee_model *model, const ee_node *node) {
  return convolution_of(model, node, &model->value[node->in[1]].shape,
                        &model->value[node->out].shape);
}

bool ee_simd_conv_can(const ee_model *model, const ee_node *node) {
  const ee_window *window = &node->attr.window;
  const ee_value  *w      = &model->value[node->in[1]];
  if (window->n_spatial < 1 || window->n_spatial > 2 || w->kind != EE_VALUE_CONSTANT) return false;
  if (node->n_in > 2 && node->in[2] >= 0 && model->value[node->in[2]].kind != EE_VALUE_CONSTANT) {
    return false;
  }
  if (window->groups > 1 && w->shape.dim[1] == 1 && w->shape.dim[0] == window->groups) {
    return false;  // a channel each is work of another kind
  }
  if (groups_together(window, &w->shape) > MOST_TOGETHER) return false;
  int width = window->n_spatial - 1;
  return window->pad_before[width] >= 0 && window->pad_after[width] >= 0;
}

size_t ee_simd_conv_prepared_bytes(const ee_model *model, const ee_node *node) {
  convolution c = convolution_in_model(model, node);
  return (size_t)(c.groups * ee_simd_panels_floats(&c.panels)) * sizeof(float);
}

const char *ee_simd_conv_kernel(const ee_model *model, const ee_node *node, const float *packed) {
  (void)packed;
  return ee_simd_direct_name(convolution_in_model(model, node).panels.vectors);
}

/* w: shape [outputs, channels of one of the groups together, taps]. */
static void pack_group(const convolution *c, const float *w, const float *bias, float *packed) {
  int64_t taps = c->y.kernel * c->x.kernel, floats = ee_simd_panels_floats(&c->panels);
  int64_t own = c->channels / c->together, outputs = c->panels.outputs / c->together;
  for (int64_t i = 0; i < floats; i++) packed[i] = 0.0F;
  for (int64_t o = 0; o < c->panels.outputs; o++) {
    int64_t first = o / outputs * own;
    for (int64_t i = 0; i < own; i++) {
      for (int64_t t = 0; t < taps; t++, w++) {
        packed[ee_simd_weight_place(&c->panels, o, t * c->channels + first + i)] = *w;
      }
    }
    if (bias != NULL) packed[ee_simd_weights_floats(&c->panels) + o] = bias[o];
  }
}

void ee_simd_conv_prepare(const ee_model *model, const ee_node *node,
                          const float *const constant[EE_MAX_NODE_INPUTS], float *packed) {
  convolution c = convolution_in_model(model, node);
  for (int64_t g = 0; g < c.groups; g++) {
    const float *bias = constant[2] != NULL ? constant[2] + g * c.panels.outputs : NULL;
    pack_group(&c, constant[1] + g * c.panels.outputs * c.panels.depth / c.together, bias,
               packed + g * ee_simd_panels_floats(&c.panels));
  }
}

/* Weights of one row of the window. */
static int64_t row_floats(const convolution *c, ee_simd_panel panel) {
  return c->x.kernel * c->channels * panel.vectors * c->panels.lanes;
}

/* Rows of the window that a panel of that many vectors goes through at once. */
static int64_t rows_at_once(const convolution *c, ee_simd_panel panel) {
  int64_t rows = PIECE_FLOATS / row_floats(c, panel);
  return rows < 1 ? 1 : rows;
}

/* Sums of several pieces wait in the result, before the residual is read.  Panels are at most as
 * wide as that, whichever way is chosen. */
bool ee_simd_conv_over(const ee_model *model, const ee_node *node, int i) {
  convolution   c      = convolution_in_model(model, node);
  ee_simd_panel widest = {.vectors = EE_SIMD_MAX_VECTORS};
  return i == EE_RESIDUAL && rows_at_once(&c, widest) >= c.y.kernel;
}

/* One run: rows of the result, over all samples. */
typedef struct job {
  const ee_kernel_call  *call;
  const ee_simd_kernels *kernels;
  convolution            c;
  bool                   flat;         // one long row
  int64_t                rows, width;  // of the result; the long row in pieces of `width`
  int64_t                pixels;       // of the long row
  ee_simd_limits         limits;
  ee_meter               meter;
} job;

static bool has_no_gaps(const ee_pixels *p) {
  return p == NULL || (p->lead == 0 && p->row == p->width * p->pixel);
}

static bool is_flat(const convolution *c, const ee_kernel_call *call) {
  return c->y.kernel == 1 && c->x.kernel == 1 && c->y.stride == 1 && c->x.stride == 1 &&
         c->y.pad == 0 && c->x.pad == 0 && call->out_pixels->width == call->in_pixels[0]->width &&
         call->out_pixels->height == call->in_pixels[0]->height &&
         has_no_gaps(call->in_pixels[0]) && has_no_gaps(call->out_pixels) &&
         has_no_gaps(call->residual_pixels);
}

static job job_of(const ee_kernel_call *call) {
  const ee_pixels *out = call->out_pixels;
  job              j   = {.call    = call,
                          .kernels = ee_simd_kernels_get(),
                          .c = convolution_of(call->model, call->node, &call->in_shape[1], &call->out_shape),
                          .limits = ee_simd_limits_of(&call->act),
                          .meter  = {.call = call, .step = STEP}};
  j.flat               = is_flat(&j.c, call);
  j.pixels             = call->n * out->height * out->width;
  j.width              = j.flat ? LONG_ROW * j.kernels->max_pixels[j.c.panels.vectors] : out->width;
  j.rows               = j.flat ? (j.pixels + j.width - 1) / j.width : call->n * out->height;
  return j;
}

/* A row of the result, and the tile that would begin with its first pixel, without channels. */
typedef struct output_row {
  ee_simd_tile tile;
  int64_t      skipped;  // rows of the window above the input
  int64_t      width;
} output_row;

static output_row flat_row(const job *j, int64_t r) {
  const ee_kernel_call *call = j->call;
  int64_t               at = r * j->width, left = j->pixels - at;
  output_row            row = {.width = left < j->width ? left : j->width};
  row.tile.rows             = 1;
  row.tile.in               = call->in[0] + at * call->in_pixels[0]->pixel;
  row.tile.out              = call->out + at * call->out_pixels->pixel;
  if (call->residual != NULL) {
    row.tile.residual = call->residual + at * call->residual_pixels->pixel;
  }
  return row;
}

static int64_t at_row(const ee_pixels *p, int64_t sample, int64_t y) {
  return sample * p->sample + p->lead + y * p->row;
}

/* Rows [skipped, skipped + rows) of the window meet the input. */
static void clip_window(const axis *a, int64_t y, int64_t height, output_row *row) {
  int64_t top  = y * a->stride - a->pad;
  int64_t end  = top >= height ? 0 : (height - top + a->dilation - 1) / a->dilation;
  row->skipped = top < 0 ? (-top + a->dilation - 1) / a->dilation : 0;
  if (end > a->kernel) end = a->kernel;
  row->tile.rows = end > row->skipped ? end - row->skipped : 0;
}

static output_row image_row(const job *j, int64_t r) {
  const ee_kernel_call *call = j->call;
  const ee_pixels      *in = call->in_pixels[0], *out = call->out_pixels;
  const axis           *a      = &j->c.y;
  uint32_t              height = (uint32_t)out->height, at = (uint32_t)r;  // short divisions
  int64_t               sample = at / height, y = at % height;
  output_row            row = {.width = out->width};
  clip_window(a, y, in->height, &row);
  row.tile.out = call->out + at_row(out, sample, y);
  if (row.tile.rows > 0) {
    int64_t top = y * a->stride - a->pad + row.skipped * a->dilation;
    row.tile.in = call->in[0] + at_row(in, sample, top) - j->c.x.pad * in->pixel;
  }
  if (call->residual != NULL) {
    row.tile.residual = call->residual + at_row(call->residual_pixels, sample, y);
  }
  return row;
}

static output_row row_of(const job *j, int64_t r) {
  output_row       row = j->flat ? flat_row(j, r) : image_row(j, r);
  const ee_pixels *in  = j->call->in_pixels[0];
  ee_simd_tile    *t   = &row.tile;
  t->in_step           = j->c.x.stride * in->pixel;
  t->row_step          = j->c.y.dilation * in->row;
  t->runs              = j->c.x.kernel;
  t->run_step          = j->c.x.dilation * in->pixel;
  t->length            = j->c.channels;
  if (t->run_step == t->length) {  // the pieces of a row stand side by side
    t->length *= t->runs;
    t->runs = 1;
  }
  t->out_step      = j->call->out_pixels->pixel;
  t->residual_step = j->call->residual != NULL ? j->call->residual_pixels->pixel : 0;
  t->low           = j->limits.low;
  t->high          = j->limits.high;
  return row;
}

/* Rows that every panel goes through, one panel after the other. */
typedef struct block {
  int        n;
  output_row row[MOST_ROWS];
} block;

/* Rows [first, end) of the window, of one panel, on their way through a block. */
typedef struct piece {
  int64_t       group;
  ee_simd_panel panel;
  int64_t       first, end;
  ee_simd_fetch fetch;
} piece;

/* The rows of the window that piece and input share; false if there are none to be done. */
static bool cut_window(const piece *p, output_row *row) {
  ee_simd_tile *t    = &row->tile;
  int64_t       last = row->skipped + t->rows, begin = row->skipped, end = last;
  if (begin < p->first) begin = p->first;
  if (end > p->end) end = p->end;
  if (begin >= end) return t->rows == 0 && p->first == 0;  // no input at all: the bias
  t->go_on = begin > row->skipped;
  t->open  = end < last;
  t->in += (begin - row->skipped) * t->row_step;
  t->rows      = end - begin;
  row->skipped = begin;
  return true;
}

/* One panel of output channels of a row. */
static void multiply_row(const job *j, const output_row *row, piece *p) {
  const convolution *c       = &j->c;
  const float       *packed  = j->call->prepared;
  int64_t            channel = p->group * c->panels.outputs + p->panel.first;
  ee_simd_tile       t       = row->tile;
  packed += p->group * ee_simd_panels_floats(&c->panels);
  t.in += p->group * c->channels;
  t.weights = packed + p->panel.place + row->skipped * row_floats(c, p->panel);
  t.bias    = packed + ee_simd_weights_floats(&c->panels) + p->panel.first;
  t.out += channel;
  if (t.residual != NULL) t.residual += channel;
  ee_simd_sweep(t, p->panel.vectors, row->width, &p->fetch);
}

static void multiply_piece(job *j, piece *p, const block *b) {
  const float *packed = j->call->prepared;
  packed += p->group * ee_simd_panels_floats(&j->c.panels) + p->panel.place;
  p->fetch = (ee_simd_fetch){packed + p->end * row_floats(&j->c, p->panel),
                             (p->end - p->first) * row_floats(&j->c, p->panel)};
  for (int r = 0; r < b->n; r++) {
    output_row row = b->row[r];
    if (!cut_window(p, &row)) continue;
    multiply_row(j, &row, p);
    ee_meter_add(&j->meter, 2 * row.tile.rows * row_floats(&j->c, p->panel) * row.width);
  }
}

/* One panel for a block of rows. */
static void multiply_panel(job *j, int64_t group, ee_simd_panel panel, const block *b) {
  int64_t kernel = j->c.y.kernel, rows = rows_at_once(&j->c, panel);
  for (int64_t r = 0; r < kernel; r += rows) {
    piece p = {
        .group = group, .panel = panel, .first = r, .end = kernel - r < rows ? kernel : r + rows};
    multiply_piece(j, &p, b);
  }
}

static void multiply_block(job *j, const block *b) {
  int64_t panels = ee_simd_panel_count(&j->c.panels);
  for (int64_t p = 0; p < j->c.groups * panels; p++) {
    multiply_panel(j, p / panels, ee_simd_panel_at(&j->c.panels, p % panels), b);
  }
}

static void finish_block(const job *j, const block *b) {
  for (int r = 0; r < b->n && !j->limits.whole; r++) {
    float *out = b->row[r].tile.out;
    ee_simd_act(&j->call->act, out, out, b->row[r].width * j->call->out_pixels->pixel);
  }
}

/* Rows of a block: all where the input is small beside the weights, which are then read once. */
static int64_t block_rows(const job *j) {
  const ee_pixels *in      = j->call->in_pixels[0];
  int64_t          weights = j->c.groups * ee_simd_weights_floats(&j->c.panels);
  int64_t          input   = j->call->n * in->sample;
  int64_t          row     = j->flat ? j->width * in->pixel : j->c.y.stride * in->row;
  row += (j->call->residual != NULL ? 2 : 1) * j->width * j->call->out_pixels->pixel;
  int64_t rows = weights > input && input < WHOLE_FLOATS ? j->rows : BLOCK_FLOATS / row;
  return rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
}

void ee_simd_conv_run(const ee_kernel_call *call) {
  job     j = job_of(call);
  block   b;
  int64_t most = block_rows(&j);
  b.n          = 0;
  for (int64_t r = 0; r < j.rows; r++) {
    b.row[b.n++] = row_of(&j, r);
    if (b.n < most && r + 1 < j.rows) continue;
    multiply_block(&j, &b);
    finish_block(&j, &b);
    b.n = 0;
  }
}
