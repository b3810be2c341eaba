/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "graph_maker.h"

/**
 * @file picture_maker.h
 * Random networks on pictures whose layers can be cut into bands of rows: windows of all sorts,
 * residual additions, gates, concatenations, and at the end a classifier that mixes all rows.
 */

/** What a random network may have beside convolutions, additions and means. */
typedef enum picture_kind {
  PICTURE_LINEAR,  // nothing that hides a change of its input
  PICTURE_ANY,
} picture_kind;

static inline int64_t picture_window_rows(const ee_window *w, int d, int64_t in) {
  return (in + w->pad_before[d] + w->pad_after[d] - w->dilation[d] * (w->kernel[d] - 1) - 1) /
             w->stride[d] +
         1;
}

static inline ee_shape picture_shape(const ee_window *w, ee_shape in, int64_t channels) {
  return SHAPE(1, channels, picture_window_rows(w, 0, in.dim[2]),
               picture_window_rows(w, 1, in.dim[3]));
}

/* Square in kernel, stride and dilation; padded as given above and below, evenly beside. */
static inline ee_window picture_window(int kernel, int stride, int dilation, int above, int below) {
  int beside = dilation * (kernel - 1) / 2;
  return (ee_window){.n_spatial  = 2,
                     .kernel     = {kernel, kernel},
                     .stride     = {stride, stride},
                     .dilation   = {dilation, dilation},
                     .pad_before = {above, beside},
                     .pad_after  = {below, beside},
                     .groups     = 1};
}

static inline int picture_conv(ee_model *m, const char *name, int x, int64_t channels,
                               ee_window w) {
  char     weight[EE_NAME_BYTES], bias[EE_NAME_BYTES];
  ee_shape in = m->value[x].shape;
  snprintf(weight, sizeof weight, "%s.w", name);
  snprintf(bias, sizeof bias, "%s.b", name);
  int v =
      maker_constant(m, weight, SHAPE(channels, in.dim[1] / w.groups, w.kernel[0], w.kernel[1]));
  int      b        = maker_constant(m, bias, SHAPE(channels));
  ee_node *node     = maker_node(m, EE_OP_CONV, name, x, v, b, picture_shape(&w, in, channels));
  node->attr.window = w;
  return node->out;
}

static inline int picture_pool(ee_model *m, const char *name, int x, ee_op op, ee_window w) {
  ee_shape in       = m->value[x].shape;
  ee_node *node     = maker_node(m, op, name, x, -1, -1, picture_shape(&w, in, in.dim[1]));
  node->attr.window = w;
  return node->out;
}

static inline int picture_batch_norm(ee_model *m, const char *name, int x) {
  int64_t  c    = m->value[x].shape.dim[1];
  ee_node *node = maker_node(m, EE_OP_BATCH_NORM, name, x, -1, -1, m->value[x].shape);
  node->n_in    = 5;
  for (int i = 1; i < 5; i++) {
    char part[EE_NAME_BYTES];
    snprintf(part, sizeof part, "%.60s.%d", name, i);
    node->in[i] = maker_constant(m, part, SHAPE(c));
    for (int64_t k = 0; k < c; k++) m->value[node->in[i]].data[k] += 1.0F;
  }
  node->attr.batch_norm.epsilon = 1e-5F;
  return node->out;
}

static inline int picture_concat(ee_model *m, const char *name, int a, int b) {
  ee_shape shape = m->value[a].shape;
  shape.dim[1] += m->value[b].shape.dim[1];
  ee_node *node         = maker_node(m, EE_OP_CONCAT, name, a, b, -1, shape);
  node->attr.along.axis = 1;
  return node->out;
}

/* Every second row and column. */
static inline int picture_thin(ee_model *m, const char *name, int x) {
  ee_shape in   = m->value[x].shape;
  ee_node *node = maker_node(m, EE_OP_SLICE, name, x, -1, -1,
                             SHAPE(1, in.dim[1], (in.dim[2] + 1) / 2, (in.dim[3] + 1) / 2));
  for (int i = 0; i < EE_MAX_RANK; i++) node->attr.slice.step[i] = i == 2 || i == 3 ? 2 : 1;
  return node->out;
}

static inline int picture_random_conv(ee_model *m, const char *name, int x, picture_kind kind,
                                      ee_rng *rng) {
  static const int kernels[] = {3, 3, 3, 1, 5};
  int64_t          channels  = m->value[x].shape.dim[1];
  int              kernel    = kernels[ee_rng_below(rng, 5)];
  bool             small     = m->value[x].shape.dim[2] < 14;
  int              stride    = small || ee_rng_below(rng, 4) > 0 ? 1 : 2;
  int       dilation = kind == PICTURE_ANY && stride == 1 && ee_rng_below(rng, 5) == 0 ? 2 : 1;
  int       same     = dilation * (kernel - 1) / 2;
  bool      odd      = ee_rng_below(rng, 4) == 0;
  ee_window w = picture_window(kernel, stride, dilation, odd ? (int)ee_rng_below(rng, 3) : same,
                               odd ? (int)ee_rng_below(rng, 3) : same);
  if (ee_rng_below(rng, 5) == 0) w.groups = (int)channels;
  int y = picture_conv(m, name, x, channels, w);
  if (kind == PICTURE_ANY && ee_rng_below(rng, 2) == 0) {
    m->node[m->n_nodes - 1].act.kind = ee_rng_below(rng, 2) == 0 ? EE_ACT_RELU : EE_ACT_SIGMOID;
  }
  return y;
}

static inline int picture_random_pool(ee_model *m, const char *name, int x, picture_kind kind,
                                      ee_rng *rng) {
  bool      most      = kind == PICTURE_ANY && ee_rng_below(rng, 2) == 0;
  int       size      = 2 + (int)ee_rng_below(rng, 2);
  ee_window w         = picture_window(size, 1 + (int)ee_rng_below(rng, 2), 1, size / 2, size / 2);
  w.count_include_pad = ee_rng_below(rng, 2) == 0;
  return picture_pool(m, name, x, most ? EE_OP_MAX_POOL : EE_OP_AVERAGE_POOL, w);
}

/* The newest value, or its sum, product or concatenation with an older one of its shape. */
static inline int picture_random_join(ee_model *m, const char *name, int x, const int *seen, int n,
                                      picture_kind kind, ee_rng *rng) {
  int other = seen[ee_rng_below(rng, (uint64_t)n)];
  if (other == x || !ee_shape_equal(&m->value[x].shape, &m->value[other].shape)) return x;
  bool first = ee_rng_below(rng, 2) == 0;
  int  a = first ? x : other, b = first ? other : x;
  switch (ee_rng_below(rng, kind == PICTURE_ANY ? 4 : 3)) {
    case 0:
      return m->value[x].shape.dim[1] > 32 ? x : picture_concat(m, name, a, b);
    case 3:
      return maker_node(m, EE_OP_MUL, name, a, b, -1, m->value[x].shape)->out;
    default:
      return maker_add(m, name, a, b);
  }
}

/** A finished network on [1, 16, @p height, 9]; the last two layers mix all rows. */
static inline ee_model *picture_random(uint64_t seed, int64_t height, picture_kind kind) {
  ee_rng    rng      = ee_rng_at(seed, 2);
  ee_model *m        = maker_begin(3, SHAPE(1, 16, height, 9));
  int       seen[64] = {m->input}, n = 1;
  for (int i = 0, steps = 3 + (int)ee_rng_below(&rng, 5); i < steps; i++) {
    char name[32];
    int  x = seen[n - 1];
    snprintf(name, sizeof name, "conv%d", i);
    x = seen[n++] = picture_random_conv(m, name, x, kind, &rng);
    snprintf(name, sizeof name, "join%d", i);
    x = picture_random_join(m, name, x, seen, n - 1, kind, &rng);
    snprintf(name, sizeof name, "more%d", i);
    bool large = m->value[x].shape.dim[2] >= 10;
    switch (ee_rng_below(&rng, 6)) {
      case 0:
        x = large ? picture_random_pool(m, name, x, kind, &rng) : x;
        break;
      case 1:
        x = picture_batch_norm(m, name, x);
        break;
      case 2:
        x = large ? picture_thin(m, name, x) : x;
        break;
      default:
        break;
    }
    seen[n++] = x;
  }
  maker_head(m, "final", picture_conv(m, "tail", seen[n - 1], 2, picture_window(1, 1, 1, 0, 0)));
  if (ee_model_finish(m) != EE_OK) abort();
  return m;
}

/* The first stages of VGG-16: 64, 64, pool, 128, 128, pool, 256; side 40 in place of 224. */
static inline ee_model *picture_vgg(void) {
  static const int channels[] = {64, 64, 0, 128, 128, 0, 256};
  ee_model        *m          = maker_begin(2, SHAPE(1, 3, 40, 40));
  int              x          = m->input;
  for (int i = 0; i < 7; i++) {
    char name[16];
    snprintf(name, sizeof name, "vgg%d", i);
    if (channels[i] == 0) {
      ee_window w     = picture_window(2, 2, 1, 0, 0);
      w.pad_before[1] = w.pad_after[1] = 0;
      x                                = picture_pool(m, name, x, EE_OP_MAX_POOL, w);
    } else {
      x = picture_conv(m, name, x, channels[i], picture_window(3, 1, 1, 1, 1));
      m->node[m->n_nodes - 1].act.kind = EE_ACT_RELU;
    }
  }
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  if (ee_model_finish(m) != EE_OK) abort();
  return m;
}

/* A block of ResNet-18; with a stride its skip is a convolution of 1 x 1. */
static inline int picture_basic_block(ee_model *m, const char *name, int x, int64_t channels,
                                      int stride) {
  char a[32], b[32], skip[32], sum[32];
  snprintf(a, sizeof a, "%s.a", name);
  snprintf(b, sizeof b, "%s.b", name);
  snprintf(skip, sizeof skip, "%s.skip", name);
  snprintf(sum, sizeof sum, "%s.sum", name);
  int y = picture_conv(m, a, x, channels, picture_window(3, stride, 1, 1, 1));
  m->node[m->n_nodes - 1].act.kind = EE_ACT_RELU;
  y                                = picture_conv(m, b, y, channels, picture_window(3, 1, 1, 1, 1));
  if (stride > 1) x = picture_conv(m, skip, x, channels, picture_window(1, stride, 1, 0, 0));
  y                                = maker_add(m, sum, y, x);
  m->node[m->n_nodes - 1].act.kind = EE_ACT_RELU;
  return y;
}

/* The first stages of ResNet-18. */
static inline ee_model *picture_resnet(int64_t side) {
  ee_model *m = maker_begin(2, SHAPE(1, 3, side, side));
  int       x = picture_conv(m, "stem", m->input, 64, picture_window(7, 2, 1, 3, 3));
  m->node[m->n_nodes - 1].act.kind = EE_ACT_RELU;
  x = picture_pool(m, "pool", x, EE_OP_MAX_POOL, picture_window(3, 2, 1, 1, 1));
  x = picture_basic_block(m, "one", x, 64, 1);
  x = picture_basic_block(m, "two", x, 64, 1);
  x = picture_basic_block(m, "three", x, 128, 2);
  maker_head(m, "final", picture_conv(m, "tail", x, 1, picture_window(1, 1, 1, 0, 0)));
  if (ee_model_finish(m) != EE_OK) abort();
  return m;
}

/* Room for more nodes and exits, of which finishing leaves none. */
static inline void picture_make_room(ee_model *m) {
  ee_node *node = calloc(MAKER_ROOM, sizeof *node);
  ee_exit *exit = calloc(MAKER_ROOM, sizeof *exit);
  if (node == NULL || exit == NULL) abort();
  memcpy(node, m->node, (size_t)m->n_nodes * sizeof *node);
  memcpy(exit, m->exit, (size_t)m->n_exits * sizeof *exit);
  free(m->node);
  free(m->exit);
  free(m->head_seconds);
  m->node         = node;
  m->exit         = exit;
  m->head_seconds = NULL;
}

/* An early exit behind node @p k of a finished model: the mean of each channel, or all pixels. */
static inline void picture_exit(ee_model *m, const char *name, int k) {
  int      x = m->node[k].out;
  ee_shape s = m->value[x].shape;
  char     mean[EE_NAME_BYTES];
  snprintf(mean, sizeof mean, "%s.mean", name);
  picture_make_room(m);
  if (k % 2 == 0) {
    x = maker_node(m, EE_OP_GLOBAL_AVERAGE_POOL, mean, x, -1, -1, SHAPE(1, s.dim[1], 1, 1))->out;
  }
  maker_head(m, name, x);
  ee_exit early           = m->exit[m->n_exits - 1];
  m->exit[m->n_exits - 1] = m->exit[m->n_exits - 2];
  m->exit[m->n_exits - 2] = early;
  if (ee_model_finish(m) != EE_OK) abort();
}
