/* SPDX-License-Identifier: Apache-2.0 */
/* make_model OUT.h5 CHANNELS HEIGHT WIDTH CLASSES SEED [scored]: saves a small residual network
 * with three exits and random weights, so that tests need no trained one; with "scored" the early
 * exits have learned scores. */
#include "../unit/nn/graph_maker.h"
#include "ee/model_file.h"

/* Weights in [-1/2, 1/2) that depend on seed and position only. */
static int make_weights(ee_model *m, const char *name, ee_shape shape, uint64_t seed) {
  int    v   = maker_constant(m, name, shape);
  ee_rng rng = ee_rng_at(seed, (uint64_t)v);
  for (int64_t i = 0; i < ee_shape_elements(&shape); i++) {
    m->value[v].data[i] = (float)(ee_rng_uniform(&rng) - 0.5);
  }
  return v;
}

/* 3 x 3, padded by 1, with ReLU; a stride of 2 halves the width only. */
static int add_conv(ee_model *m, const char *name, int x, int64_t channels, int stride,
                    uint64_t seed) {
  char     weights[EE_NAME_BYTES];
  ee_shape in = m->value[x].shape;
  snprintf(weights, sizeof weights, "%s.w", name);
  int w = make_weights(m, weights, SHAPE(channels, in.dim[1], 3, 3), seed);

  int64_t  width = (in.dim[3] - 1) / stride + 1;
  ee_node *node  = maker_node(m, EE_OP_CONV, name, x, w, -1, SHAPE(1, channels, in.dim[2], width));
  node->act      = (ee_activation){.kind = EE_ACT_RELU};
  node->attr.window = (ee_window){.n_spatial  = 2,
                                  .kernel     = {3, 3},
                                  .stride     = {1, stride},
                                  .dilation   = {1, 1},
                                  .pad_before = {1, 1},
                                  .pad_after  = {1, 1},
                                  .groups     = 1};
  return node->out;
}

/* A score of the newest exit on @p x, about which no sample is certain. */
static void add_score(ee_model *m, int x) {
  maker_score(m, x);
  ee_node  *gemm = &m->node[m->n_nodes - 1];
  ee_value *w    = &m->value[gemm->in[1]];
  gemm->act      = (ee_activation){.kind = EE_ACT_SIGMOID};
  int64_t n      = ee_shape_elements(&w->shape);
  for (int64_t i = 0; i < n; i++) w->data[i] *= 0.5f;
}

/* stem - a - b - (+) - down - c - d - (+) - e - f - final; exits after both sums and at the end. */
static ee_model *make_network(ee_shape input, int n_classes, uint64_t seed, bool scored) {
  ee_model *m = maker_begin(n_classes, input);
  snprintf(m->name, sizeof m->name, "random%llu", (unsigned long long)seed);
  int stem = add_conv(m, "stem", m->input, 8, 2, seed);
  int a    = add_conv(m, "a", stem, 8, 1, seed);
  int b    = maker_add(m, "b.sum", add_conv(m, "b", a, 8, 1, seed), stem);
  maker_head(m, "first", b);
  if (scored) add_score(m, b);
  int down = add_conv(m, "down", b, 12, 2, seed);
  int c    = add_conv(m, "c", down, 12, 1, seed);
  int d    = maker_add(m, "d.sum", add_conv(m, "d", c, 12, 1, seed), down);
  maker_head(m, "second", d);
  if (scored) add_score(m, d);
  int e = add_conv(m, "e", d, 12, 1, seed);
  int f = add_conv(m, "f", e, 12, 1, seed);
  maker_head(m, "final", f);
  return m;
}

int main(int argc, char **argv) {
  bool scored = argc == 8 && strcmp(argv[7], "scored") == 0;
  if (argc != 7 && !scored) {
    fprintf(stderr, "usage: make_model OUT.h5 CHANNELS HEIGHT WIDTH CLASSES SEED [scored]\n");
    return 2;
  }
  ee_shape  input  = SHAPE(1, atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  ee_model *m      = make_network(input, atoi(argv[5]), strtoull(argv[6], NULL, 10), scored);
  ee_status status = ee_model_finish(m);
  // Logits of random weights are large; at a threshold of 0.5 these let about a third leave at each
  // exit.
  m->exit[0].temperature = 2.5f;
  m->exit[1].temperature = 2.0f;
  m->exit[2].temperature = 2.0f;
  if (status == EE_OK) status = ee_model_save(m, argv[1]);
  if (status != EE_OK) fprintf(stderr, "make_model: %s\n", ee_status_message());
  ee_model_destroy(&m);
  return status != EE_OK;
}
