/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/random_network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/rng.h"

struct kind;

enum { BRANCHES = 4 };

/* A model being filled in.  The first error stays; what follows it does nothing. */
typedef struct builder {
  const struct kind       *kind;
  ee_model                *model;
  const ee_random_network *network;
  int                      room, done, next_exit;  // values; blocks so far; in network->after
  int                      branch[BRANCHES];       // where the branches are, if it has some
  ee_status                status;
} builder;

static int add_value(builder *b, const char *name, const char *part, ee_value_kind kind,
                     ee_shape shape) {
  ee_model *m = b->model;
  if (b->status == EE_OK && m->n_values == b->room) {
    b->status = EE_FAIL(EE_ERR_ARG, "network %s has too many blocks", b->network->name);
  }
  if (b->status != EE_OK) return 0;
  ee_value *value = &m->value[m->n_values];
  snprintf(value->name, sizeof value->name, "%s%s", name, part);
  value->kind  = kind;
  value->shape = shape;
  return m->n_values++;
}

/* Uniform numbers of deviation sqrt(2 / fan_in); zeros without a fan-in. */
static int add_constant(builder *b, const char *name, const char *part, ee_shape shape,
                        int64_t fan_in) {
  int     v = add_value(b, name, part, EE_VALUE_CONSTANT, shape);
  int64_t n = ee_shape_elements(&shape);
  if (b->status != EE_OK) return 0;
  float *data = calloc((size_t)n, sizeof *data);
  if (data == NULL) {
    b->status = EE_FAIL(EE_ERR_NOMEM, "for %lld weights", (long long)n);
    return 0;
  }
  double width            = fan_in > 0 ? sqrt(6.0 / (double)fan_in) : 0.0;
  ee_rng rng              = ee_rng_at(b->network->seed, (uint64_t)v);
  b->model->value[v].data = data;
  for (int64_t i = 0; i < n && fan_in > 0; i++) {
    data[i] = (float)(width * (2.0 * ee_rng_uniform(&rng) - 1.0));
  }
  return v;
}

static ee_node *add_node(builder *b, ee_op op, const char *name, int x, ee_shape out) {
  static ee_node nowhere;
  int            v    = add_value(b, name, "", EE_VALUE_ACTIVATION, out);
  ee_node       *node = b->status == EE_OK ? &b->model->node[b->model->n_nodes++] : &nowhere;
  *node               = (ee_node){.op = op, .n_in = 1, .in = {x}, .out = v};
  snprintf(node->name, sizeof node->name, "%s", name);
  return node;
}

static ee_shape shape_of(const builder *b, int v) {
  return b->model->value[v].shape;
}

static ee_window window_of(int kernel, int stride) {
  return (ee_window){.n_spatial  = 2,
                     .kernel     = {kernel, kernel},
                     .stride     = {stride, stride},
                     .dilation   = {1, 1},
                     .pad_before = {kernel / 2, kernel / 2},
                     .pad_after  = {kernel / 2, kernel / 2},
                     .groups     = 1};
}

/* What a window of this kernel and stride makes of x. */
static ee_shape slide(const builder *b, int x, int64_t channels, int kernel, int stride) {
  ee_shape in    = shape_of(b, x);
  ee_shape shape = {.rank = 4, .dim = {1, channels}};
  for (int d = 2; d < 4; d++) shape.dim[d] = (in.dim[d] + kernel / 2 * 2 - kernel) / stride + 1;
  return shape;
}

/* Convolution with a bias. */
static int add_conv(builder *b, const char *name, int x, int64_t channels, int kernel, int stride,
                    ee_act act) {
  int64_t  in       = shape_of(b, x).dim[1];
  ee_shape shape    = {.rank = 4, .dim = {channels, in, kernel, kernel}};
  ee_shape one      = {.rank = 1, .dim = {channels}};
  int      w        = add_constant(b, name, ".w", shape, in * kernel * kernel);
  int      bias     = add_constant(b, name, ".b", one, 0);
  ee_node *node     = add_node(b, EE_OP_CONV, name, x, slide(b, x, channels, kernel, stride));
  node->n_in        = 3;
  node->in[1]       = w;
  node->in[2]       = bias;
  node->act.kind    = act;
  node->attr.window = window_of(kernel, stride);
  return node->out;
}

static int add_sum(builder *b, const char *name, int x, int y, ee_act act) {
  ee_node *node  = add_node(b, EE_OP_ADD, name, x, shape_of(b, x));
  node->n_in     = 2;
  node->in[1]    = y;
  node->act.kind = act;
  return node->out;
}

/* Global average pooling and a linear layer; returns the logits. */
static int add_pooled_head(builder *b, const char *name, int x) {
  char      text[64];
  ee_model *m        = b->model;
  int64_t   channels = shape_of(b, x).dim[1];
  snprintf(text, sizeof text, "%s.pool", name);
  ee_shape pooled = {.rank = 4, .dim = {1, channels, 1, 1}};
  int      pool   = add_node(b, EE_OP_GLOBAL_AVERAGE_POOL, text, x, pooled)->out;
  snprintf(text, sizeof text, "%s.flat", name);
  int flat =
      add_node(b, EE_OP_RESHAPE, text, pool, (ee_shape){.rank = 2, .dim = {1, channels}})->out;
  ee_shape wide = {.rank = 2, .dim = {channels, m->n_classes}};
  int      w    = add_constant(b, name, ".w", wide, channels);
  int      bias = add_constant(b, name, ".b", (ee_shape){.rank = 1, .dim = {m->n_classes}}, 0);
  ee_node *node =
      add_node(b, EE_OP_GEMM, name, flat, (ee_shape){.rank = 2, .dim = {1, m->n_classes}});
  node->n_in            = 3;
  node->in[1]           = w;
  node->in[2]           = bias;
  node->attr.gemm.alpha = node->attr.gemm.beta = 1.0f;
  return node->out;
}

/* The last dimension of x times a matrix, plus a bias. */
static int add_linear(builder *b, const char *name, int x, int64_t columns, ee_act act) {
  ee_shape out          = shape_of(b, x);
  int64_t  depth        = out.dim[out.rank - 1];
  out.dim[out.rank - 1] = columns;
  int      w = add_constant(b, name, ".w", (ee_shape){.rank = 2, .dim = {depth, columns}}, depth);
  int      bias  = add_constant(b, name, ".b", (ee_shape){.rank = 1, .dim = {columns}}, 0);
  ee_node *node  = add_node(b, EE_OP_MATMUL, name, x, out);
  node->n_in     = 3;
  node->in[1]    = w;
  node->in[2]    = bias;
  node->act.kind = act;
  return node->out;
}

/* Layer normalisation over the last dimension, with scales of one. */
static int add_norm(builder *b, const char *name, int x) {
  ee_shape shape = shape_of(b, x), row = {.rank = 1, .dim = {shape.dim[2]}};
  int      scale = add_constant(b, name, ".scale", row, 0);
  int      bias  = add_constant(b, name, ".bias", row, 0);
  for (int64_t i = 0; b->status == EE_OK && i < row.dim[0]; i++) {
    b->model->value[scale].data[i] = 1.0f;
  }
  ee_node *node                 = add_node(b, EE_OP_LAYER_NORM, name, x, shape);
  node->n_in                    = 3;
  node->in[1]                   = scale;
  node->in[2]                   = bias;
  node->attr.layer_norm.axis    = 2;
  node->attr.layer_norm.epsilon = 1e-12f;
  return node->out;
}

/* The first token through a pooler and a linear layer; returns the logits. */
static int add_token_head(builder *b, const char *name, int x) {
  char    text[64];
  int64_t width = shape_of(b, x).dim[2];
  snprintf(text, sizeof text, "%s.token", name);
  int      first = add_constant(b, text, ".place", (ee_shape){.rank = 0}, 0);
  ee_node *token = add_node(b, EE_OP_GATHER, text, x, (ee_shape){.rank = 2, .dim = {1, width}});
  token->n_in    = 2;
  token->in[1]   = first;
  token->attr.gather.axis = 1;
  snprintf(text, sizeof text, "%s.pool", name);
  int pooled = add_linear(b, text, token->out, width, EE_ACT_TANH);
  return add_linear(b, name, pooled, b->model->n_classes, EE_ACT_NONE);
}

static void add_exit(builder *b, const char *name, int x);

/* A block is done: an exit may stand here. */
static void end_block(builder *b, int x) {
  char                     name[32];
  const ee_random_network *n = b->network;
  b->done++;
  if (b->next_exit == n->n_early || n->after[b->next_exit] != b->done) return;
  snprintf(name, sizeof name, "exit%d", ++b->next_exit);
  add_exit(b, name, x);
}

/* 1 x 1, 3 x 3, 1 x 1, around which the input goes; through a 1 x 1 of its own if shapes differ. */
static int add_bottleneck(builder *b, int x, int64_t width, int stride) {
  char    name[32];
  int     at = b->done + 1, short_cut = x;
  int64_t out = 4 * width;
  snprintf(name, sizeof name, "block%d.a", at);
  int y = add_conv(b, name, x, width, 1, 1, EE_ACT_RELU);
  snprintf(name, sizeof name, "block%d.b", at);
  y = add_conv(b, name, y, width, 3, stride, EE_ACT_RELU);
  snprintf(name, sizeof name, "block%d.c", at);
  y = add_conv(b, name, y, out, 1, 1, EE_ACT_NONE);
  if (stride > 1 || shape_of(b, x).dim[1] != out) {
    snprintf(name, sizeof name, "block%d.d", at);
    short_cut = add_conv(b, name, x, out, 1, stride, EE_ACT_NONE);
  }
  snprintf(name, sizeof name, "block%d", at);
  y = add_sum(b, name, y, short_cut, EE_ACT_RELU);
  end_block(b, y);
  return y;
}

static int add_resnet50(builder *b) {
  static const int blocks[] = {3, 4, 6, 3};
  int              x        = add_conv(b, "stem", b->model->input, 64, 7, 2, EE_ACT_RELU);
  ee_node         *pool     = add_node(b, EE_OP_MAX_POOL, "stem.pool", x, slide(b, x, 64, 3, 2));
  pool->attr.window         = window_of(3, 2);
  x                         = pool->out;
  for (int stage = 0; stage < 4; stage++) {
    for (int i = 0; i < blocks[stage]; i++) {
      x = add_bottleneck(b, x, 64 << stage, i == 0 && stage > 0 ? 2 : 1);
    }
  }
  return x;
}

/* 3 x 3 convolutions, pooled by 2 behind the last of each width, and two linear layers. */
static int add_vgg16(builder *b) {
  static const int widths[] = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
  static const int pooled[] = {2, 4, 7, 10, 13};
  int              x        = b->model->input;
  char             name[32];
  for (int i = 0, p = 0; i < 13; i++) {
    snprintf(name, sizeof name, "conv%d", i + 1);
    x = add_conv(b, name, x, widths[i], 3, 1, EE_ACT_RELU);
    if (pooled[p] == i + 1) {
      ee_shape half = shape_of(b, x);
      half.dim[2] /= 2;
      half.dim[3] /= 2;
      snprintf(name, sizeof name, "pool%d", ++p);
      ee_node *pool                   = add_node(b, EE_OP_MAX_POOL, name, x, half);
      pool->attr.window               = window_of(2, 2);
      pool->attr.window.pad_before[0] = pool->attr.window.pad_before[1] = 0;
      pool->attr.window.pad_after[0] = pool->attr.window.pad_after[1] = 0;
      x                                                               = pool->out;
    }
    end_block(b, x);
  }
  ee_shape last = shape_of(b, x), flat = {.rank = 2, .dim = {1, ee_shape_elements(&last)}};
  x = add_node(b, EE_OP_RESHAPE, "flat", x, flat)->out;
  x = add_linear(b, "linear1", x, 4096, EE_ACT_RELU);
  return add_linear(b, "linear2", x, 4096, EE_ACT_RELU);
}

/* What is left of pictures is pooled; returns the logits. */
static int add_vgg_head(builder *b, const char *name, int x) {
  if (shape_of(b, x).rank == 4) return add_pooled_head(b, name, x);
  return add_linear(b, name, x, b->model->n_classes, EE_ACT_NONE);
}

static int add_plain(builder *b) {
  int x = b->model->input;
  for (int i = 0; i < b->network->blocks && b->status == EE_OK; i++) {
    char name[32];
    snprintf(name, sizeof name, "conv%d", i + 1);
    x = add_conv(b, name, x, 16, 3, 1, EE_ACT_RELU);
    end_block(b, x);
  }
  return x;
}

/* A block of each branch: 3 x 3 and 3 x 3, the first with a stride behind the first block. */
static int add_branches(builder *b) {
  for (int k = 0; k < BRANCHES; k++) b->branch[k] = b->model->input;
  for (int i = 0; i < b->network->blocks && b->status == EE_OK; i++) {
    for (int k = 0; k < BRANCHES; k++) {
      char name[32];
      int  stride = i > 0 && shape_of(b, b->branch[k]).dim[2] > 4 ? 2 : 1;
      snprintf(name, sizeof name, "branch%d.block%d.a", k + 1, i + 1);
      b->branch[k] = add_conv(b, name, b->branch[k], 8 << (i < 3 ? i : 3), 3, stride, EE_ACT_RELU);
      snprintf(name, sizeof name, "branch%d.block%d.b", k + 1, i + 1);
      b->branch[k] = add_conv(b, name, b->branch[k], 8 << (i < 3 ? i : 3), 3, 1, EE_ACT_RELU);
    }
    end_block(b, b->branch[0]);
  }
  return b->branch[0];
}

/* What the branches say, each for itself, added up; returns the logits. */
static int add_joined_head(builder *b, const char *name, int x) {
  int sum = -1;
  (void)x;  // the heads of all branches are
  for (int k = 0; k < BRANCHES; k++) {
    char text[64];
    snprintf(text, sizeof text, "%s.branch%d", name, k + 1);
    int logits = add_pooled_head(b, text, b->branch[k]);
    snprintf(text, sizeof text, "%s.sum%d", name, k + 1);
    sum = k == 0 ? logits : add_sum(b, text, sum, logits, EE_ACT_NONE);
  }
  return sum;
}

/* The sizes of a BERT: Devlin et al. 2019, and Turc et al. 2019. */
typedef struct bert {
  int     blocks, heads;
  int64_t width, inner;
} bert;

static int add_attention(builder *b, int x, int heads) {
  static const char letter[] = "qkv";
  char              name[32];
  int               in[3], at = b->done + 1;
  ee_shape          shape = shape_of(b, x);
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "block%d.%c", at, letter[i]);
    in[i] = add_linear(b, name, x, shape.dim[2], EE_ACT_NONE);
  }
  snprintf(name, sizeof name, "block%d.attention", at);
  ee_node *node = add_node(b, EE_OP_ATTENTION, name, in[0], shape);
  node->n_in    = 3;
  memcpy(node->in, in, sizeof in);
  node->attr.attention.n_heads = heads;
  node->attr.attention.scale   = 1.0f / sqrtf((float)shape.dim[2] / (float)heads);
  snprintf(name, sizeof name, "block%d.o", at);
  return add_linear(b, name, node->out, shape.dim[2], EE_ACT_NONE);
}

/* Attention and two linear layers, each with the input added and normalised. */
static int add_encoder(builder *b, int x, const bert *s) {
  char name[32];
  int  at = b->done + 1, y = add_attention(b, x, s->heads);
  snprintf(name, sizeof name, "block%d.sum1", at);
  x = add_sum(b, name, y, x, EE_ACT_NONE);
  snprintf(name, sizeof name, "block%d.norm", at);
  x = add_norm(b, name, x);
  snprintf(name, sizeof name, "block%d.inner", at);
  y = add_linear(b, name, x, s->inner, EE_ACT_GELU);
  snprintf(name, sizeof name, "block%d.outer", at);
  y = add_linear(b, name, y, s->width, EE_ACT_NONE);
  snprintf(name, sizeof name, "block%d.sum2", at);
  y = add_sum(b, name, y, x, EE_ACT_NONE);
  snprintf(name, sizeof name, "block%d", at);
  y = add_norm(b, name, y);
  end_block(b, y);
  return y;
}

static int add_bert(builder *b, const bert *s) {
  enum { WORDS = 30522 };
  int64_t  tokens    = shape_of(b, b->model->input).dim[1];
  ee_shape table     = {.rank = 2, .dim = {WORDS, s->width}},
           all       = {.rank = 2, .dim = {tokens, s->width}};
  ee_shape out       = {.rank = 3, .dim = {1, tokens, s->width}};
  int      words     = add_constant(b, "words", ".w", table, s->width);
  int      positions = add_constant(b, "positions", ".w", all, s->width);
  ee_node *look_up   = add_node(b, EE_OP_GATHER, "words", words, out);
  look_up->n_in      = 2;
  look_up->in[1]     = b->model->input;
  int x              = add_sum(b, "positions", look_up->out, positions, EE_ACT_NONE);
  x                  = add_norm(b, "embedding", x);
  for (int i = 0; i < s->blocks && b->status == EE_OK; i++) x = add_encoder(b, x, s);
  return x;
}

static int add_bert_base(builder *b) {
  return add_bert(b, &(bert){12, 12, 768, 3072});
}

static int add_bert_tiny(builder *b) {
  return add_bert(b, &(bert){2, 2, 128, 512});
}

struct kind {
  const char *name;
  int         blocks, classes;  // 0 blocks: as many as wanted
  ee_shape    input;
  int (*add)(builder *b);
  int (*add_head)(builder *b, const char *name, int x);
};

static const struct kind kinds[] = {
    {"resnet50", 16, 1000, {4, {1, 3, 224, 224}}, add_resnet50, add_pooled_head},
    {"vgg16", 13, 1000, {4, {1, 3, 224, 224}}, add_vgg16, add_vgg_head},
    {"plain", 0, 10, {4, {1, 16, 8, 8}}, add_plain, add_pooled_head},
    {"branches", 0, 10, {4, {1, 3, 32, 32}}, add_branches, add_joined_head},
    {"bert", 12, 2, {2, {1, 128}}, add_bert_base, add_token_head},
    {"bert_tiny", 2, 2, {2, {1, 128}}, add_bert_tiny, add_token_head},
};

static void add_exit(builder *b, const char *name, int x) {
  int logits = b->kind->add_head(b, name, x);
  if (b->status != EE_OK) return;
  ee_exit *exit = &b->model->exit[b->model->n_exits++];
  snprintf(exit->name, sizeof exit->name, "%s", name);
  exit->logits = logits;
}

#define MOST_BLOCKS 100000

static ee_status check(const ee_random_network *n, const struct kind *kind, int blocks) {
  if (kind == NULL) {
    return EE_FAIL(EE_ERR_ARG,
                   "there is no network '%s'; there are: resnet50, vgg16, plain, branches, bert, "
                   "bert_tiny",
                   n->name);
  }
  if (blocks < 1 || blocks > MOST_BLOCKS) {
    return EE_FAIL(EE_ERR_ARG, "%d blocks, expected 1 to %d", blocks, MOST_BLOCKS);
  }
  for (int e = 0; e < n->n_early; e++) {
    if (n->after[e] > (e > 0 ? n->after[e - 1] : 0) && n->after[e] < blocks) continue;
    return EE_FAIL(EE_ERR_ARG, "an exit after block %d; expected rising numbers from 1 to %d",
                   n->after[e], blocks - 1);
  }
  return EE_OK;
}

static ee_status begin(builder *b, int blocks) {
  const struct kind *kind = b->kind;
  ee_model          *m    = calloc(1, sizeof *m);
  if (m == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a network");
  b->model = m;
  b->room  = 16 + 32 * blocks + 28 * (b->network->n_early + 1);
  m->value = calloc((size_t)b->room, sizeof *m->value);
  m->node  = calloc((size_t)b->room, sizeof *m->node);
  m->exit  = calloc((size_t)b->network->n_early + 1, sizeof *m->exit);
  if (m->value == NULL || m->node == NULL || m->exit == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a network of %d blocks", blocks);
  }
  m->batched   = true;
  m->n_classes = kind->classes;
  m->input     = add_value(b, "input", "", EE_VALUE_INPUT, kind->input);
  snprintf(m->name, sizeof m->name, "%s", kind->name);
  return EE_OK;
}

ee_status ee_random_network_make(const ee_random_network *network, ee_model **model) {
  const struct kind *kind = NULL;
  builder            b    = {.network = network};
  *model                  = NULL;
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    if (strcmp(kinds[k].name, network->name) == 0) kind = &kinds[k];
  }
  b.kind     = kind;
  int blocks = kind != NULL && kind->blocks > 0 ? kind->blocks : network->blocks;
  EE_TRY(check(network, kind, blocks));
  b.status = begin(&b, blocks);
  if (b.status == EE_OK) add_exit(&b, "final", kind->add(&b));
  if (b.status == EE_OK) b.status = ee_model_finish(b.model);
  if (b.status != EE_OK) ee_model_destroy(&b.model);
  *model = b.model;
  return b.status;
}
