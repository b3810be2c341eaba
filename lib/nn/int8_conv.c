/* SPDX-License-Identifier: Apache-2.0 */
/* Convolution of 8 bits: samples are rounded into images with all that windows reach, and every row
 * of the result is a line.  A window of one pixel leaves out the pixels between its strides; where
 * the result has no gaps either, all pixels are one long row. */
#include "int8_conv.h"

#include <stdlib.h>

#include "int8_image.h"
#include "int8_lines.h"
#include "simd_rows.h"

#define LONG_LINE 8  // tiles in a line of the long row

/* One spatial dimension of the window over the image. */
typedef struct axis {
  int64_t kernel, stride, dilation, pad, apart;  // pixels of the input from one of the image on
} axis;

typedef struct convolution {
  axis          y, x;
  int64_t       channels, depth;  // of a pixel; numbers of a sum, whole words for each pixel
  ee_int8_pack  pack;
  ee_int8_image image;
} convolution;

static axis axis_of(const ee_window *w, int i) {
  axis a = {1, 1, 1, 0, 1};
  if (i >= 0) a = (axis){w->kernel[i], w->stride[i], w->dilation[i], w->pad_before[i], 1};
  if (a.kernel > 1) return a;
  a.apart  = a.stride;
  a.stride = 1;
  return a;
}

static int64_t reach_of(const axis *a, int64_t outputs) {
  return (outputs - 1) * a->stride + a->dilation * (a->kernel - 1) + 1;
}

static convolution convolution_of(const ee_model *model, const ee_node *node) {
  const ee_int8_kernels *k = ee_int8_kernels_get();
  const ee_shape        *w = &model->value[node->in[1]].shape, *y = &model->value[node->out].shape;
  const ee_window       *window = &node->attr.window;
  convolution            c      = {.y        = axis_of(window, window->n_spatial - 2),
                                   .x        = axis_of(window, window->n_spatial - 1),
                                   .channels = w->dim[1]};
  int64_t                height = y->rank == 4 ? y->dim[2] : 1, width = y->dim[y->rank - 1];
  int64_t                numbers = ee_int8_pixel_bytes(k, c.channels) / 4 * k->group;
  c.depth                        = c.y.kernel * c.x.kernel * numbers;
  c.pack                         = ee_int8_pack_of(&node->quant, w->dim[0], c.depth, width);
  c.image                        = (ee_int8_image){.kernels  = k,
                                                   .quant    = node->quant,
                                                   .height   = reach_of(&c.y, height),
                                                   .width    = reach_of(&c.x, width),
                                                   .pad_y    = c.y.pad,
                                                   .pad_x    = c.x.pad,
                                                   .step_y   = c.y.apart,
                                                   .step_x   = c.x.apart,
                                                   .channels = c.channels};
  return c;
}

bool ee_int8_conv_can(const ee_model *model, const ee_node *node) {
  const ee_window *window = &node->attr.window;
  const ee_value  *w      = &model->value[node->in[1]];
  if (window->n_spatial < 1 || window->n_spatial > 2 || window->groups != 1) return false;
  if (w->kind != EE_VALUE_CONSTANT || !ee_simd_has_pixels(model, node->in[0]) ||
      !ee_simd_has_pixels(model, node->out)) {
    return false;
  }
  if (node->n_in > 2 && node->in[2] >= 0 && model->value[node->in[2]].kind != EE_VALUE_CONSTANT) {
    return false;
  }
  return ee_shape_product(&w->shape, 1, w->shape.rank) <= EE_INT8_MOST_SUM;
}

size_t ee_int8_conv_prepared_bytes(const ee_model *model, const ee_node *node) {
  convolution c = convolution_of(model, node);
  return ee_int8_pack_bytes(&c.pack);
}

/* Weights of one output channel, shape [channels, taps], pixel by pixel and whole words. */
static void turn(const convolution *c, const float *w, float *row) {
  int64_t taps = c->y.kernel * c->x.kernel, numbers = c->depth / taps;
  for (int64_t t = 0; t < taps; t++) {
    for (int64_t i = 0; i < numbers; i++) {
      row[t * numbers + i] = i < c->channels ? w[i * taps + t] : 0.0F;
    }
  }
}

ee_status ee_int8_conv_prepare(const ee_model *model, const ee_node *node,
                               const float *const constant[EE_MAX_NODE_INPUTS], void *packed) {
  convolution c    = convolution_of(model, node);
  int64_t     taps = c.y.kernel * c.x.kernel;
  float      *row  = malloc((size_t)c.depth * sizeof *row);
  if (row == NULL) return EE_FAIL(EE_ERR_NOMEM, "to round the weights of node %s", node->name);
  ee_int8_pack_clear(&c.pack, packed);
  for (int64_t o = 0; o < c.pack.panels.outputs; o++) {
    turn(&c, constant[1] + o * c.channels * taps, row);
    ee_int8_pack_output(&c.pack, o, row, constant[2] != NULL ? constant[2][o] : 0.0F, packed);
  }
  free(row);
  return EE_OK;
}

size_t ee_int8_conv_scratch_bytes(const ee_model *model, const ee_node *node, int64_t n) {
  convolution c = convolution_of(model, node);
  return (size_t)(n * ee_int8_image_bytes(&c.image));
}

/* One run: how the lines lie. */
typedef struct job {
  ee_int8_lines lines;  // the first, so that one is the other
  convolution   c;
  int64_t       height, width;  // of the result; of the long row, width pixels in a line
  int64_t       pixels;         // of the long row
} job;

static bool has_no_gaps(const ee_pixels *p) {
  return p == NULL || (p->lead == 0 && p->row == p->width * p->pixel);
}

static bool is_flat(const convolution *c, const ee_kernel_call *call) {
  return c->y.kernel == 1 && c->x.kernel == 1 && has_no_gaps(call->out_pixels) &&
         has_no_gaps(call->residual_pixels);
}

static const char *images_of(const ee_int8_lines *lines) {
  return lines->call->scratch;
}

static ee_int8_line flat_line(const ee_int8_lines *lines, int64_t i) {
  const job            *j    = (const job *)lines;
  const ee_kernel_call *call = lines->call;
  int64_t               at = i * j->width, left = j->pixels - at;
  ee_int8_line          line = {.in    = images_of(lines) + at * lines->tile.in_step,
                                .out   = call->out + at * lines->tile.out_step,
                                .width = left < j->width ? left : j->width};
  if (call->residual != NULL) line.residual = call->residual + at * lines->tile.residual_step;
  return line;
}

static ee_int8_line image_line(const ee_int8_lines *lines, int64_t i) {
  const job            *j      = (const job *)lines;
  const ee_kernel_call *call   = lines->call;
  int64_t               sample = i / j->height, y = i % j->height;
  const ee_int8_image  *image = &j->c.image;
  int64_t               pixel = ee_int8_pixel_bytes(image->kernels, image->channels);
  const char           *in    = images_of(lines) + sample * ee_int8_image_bytes(image);
  ee_int8_line          line  = {.in    = in + y * j->c.y.stride * image->width * pixel,
                                 .out   = call->out + ee_simd_row_at(call->out_pixels, sample, y),
                                 .width = j->width};
  if (call->residual != NULL) {
    line.residual = call->residual + ee_simd_row_at(call->residual_pixels, sample, y);
  }
  return line;
}

static ee_int8_tile tile_of(const convolution *c, const ee_kernel_call *call) {
  int64_t      pixel = ee_int8_pixel_bytes(c->image.kernels, c->channels);
  ee_int8_tile t     = {.in_step       = c->x.stride * pixel,
                        .rows          = c->y.kernel,
                        .row_step      = c->y.dilation * c->image.width * pixel,
                        .runs          = c->x.kernel,
                        .run_step      = c->x.dilation * pixel,
                        .words         = pixel / 4,
                        .out_step      = call->out_pixels->pixel,
                        .residual_step = call->residual != NULL ? call->residual_pixels->pixel : 0};
  if (c->x.dilation == 1) {  // the pieces of a row stand side by side
    t.words *= t.runs;
    t.runs = 1;
  }
  return t;
}

static job job_of(const ee_kernel_call *call) {
  const ee_pixels *out = call->out_pixels;
  job              j   = {
                     .c = convolution_of(call->model, call->node), .height = out->height, .width = out->width};
  bool flat = is_flat(&j.c, call);
  j.pixels  = call->n * out->height * out->width;
  j.lines   = (ee_int8_lines){.call = call,
                              .pack = j.c.pack,
                              .tile = tile_of(&j.c, call),
                              .n    = call->n * out->height,
                              .full = true,
                              .line = flat ? flat_line : image_line};
  if (flat) {
    j.width   = LONG_LINE * j.c.pack.kernels->max_pixels[j.c.pack.panels.vectors];
    j.lines.n = (j.pixels + j.width - 1) / j.width;
  }
  int64_t read =
      j.c.y.stride * j.c.image.width * ee_int8_pixel_bytes(j.c.image.kernels, j.c.channels);
  int64_t written    = j.width * out->pixel * (int64_t)sizeof(float);
  j.lines.line_bytes = read + (call->residual != NULL ? 2 : 1) * written;
  return j;
}

void ee_int8_conv_run(const ee_kernel_call *call) {
  job     j     = job_of(call);
  int64_t bytes = ee_int8_image_bytes(&j.c.image);
  char   *image = call->scratch;
  for (int64_t i = 0; i < call->n; i++) {
    ee_int8_image_make(&j.c.image, call->in_pixels[0], call->in[0] + i * call->in_pixels[0]->sample,
                       image + i * bytes);
  }
  ee_int8_lines_run(&j.lines);
}
