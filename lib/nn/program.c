/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of all values, runners of all nodes, and residual additions that a convolution takes in. */
#include "program.h"

#include <stdlib.h>

#include "graph.h"

#define CHANNEL_BLOCK 16        // channels of a pixel are stored in whole blocks
#define PAGE_FLOATS (2048 / 4)  // pixels so far apart, or every second, meet on the same lines

static ee_form form_of(ee_form (*fn)(const ee_model *, const ee_node *), const ee_model *model,
                       const ee_node *node) {
  return fn != NULL ? fn(model, node) : EE_DENSE;
}

static int maker_of(const ee_model *model, int v) {
  for (int k = 0; k < model->n_nodes; k++) {
    if (model->node[k].out == v) return k;
  }
  return -1;
}

/* The form in which the first activation that @p node reads is made. */
static ee_form form_found(const ee_program *p, const ee_node *node) {
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_node_reads_activation(p->model, node, i)) continue;
    int k = maker_of(p->model, node->in[i]);
    return k < 0 || p->model->value[node->in[i]].shape.rank < 3 ? EE_DENSE : p->gives[k];
  }
  return EE_DENSE;
}

static void choose_runners(ee_program *p, const ee_backend *backend) {
  for (int k = 0; k < p->model->n_nodes; k++) {
    const ee_node *node = &p->model->node[k];
    p->runner[k]        = ee_backend_for(backend, p->model, node);
    p->takes[k]         = form_of(p->runner[k]->takes, p->model, node);
    p->gives[k]         = form_of(p->runner[k]->gives, p->model, node);
    p->adds[k]          = -1;
    if (p->takes[k] == EE_EITHER) p->takes[k] = form_found(p, node);
    if (p->gives[k] == EE_EITHER) p->gives[k] = p->takes[k];
  }
}

/* What decides how a value lies as pixels. */
typedef struct wish {
  bool    pixels;   // somebody takes or gives it so
  bool    scalars;  // only read channel by channel, and never written by a node
  int64_t zeros;    // pixels beside a row
} wish;

static int64_t zeros_beside(const ee_node *node) {
  const ee_window *w = &node->attr.window;
  if (node->op != EE_OP_CONV || w->n_spatial == 0) return 0;
  int before = w->pad_before[w->n_spatial - 1], after = w->pad_after[w->n_spatial - 1];
  int most = before > after ? before : after;
  return most > 0 ? most : 0;
}

/* @p of: shape [n_values]. */
static void collect_wishes(const ee_program *p, wish *of) {
  for (int v = 0; v < p->model->n_values; v++) of[v].scalars = true;
  for (int k = 0; k < p->model->n_nodes; k++) {
    const ee_node *node   = &p->model->node[k];
    of[node->out].scalars = false;
    of[node->out].pixels |= p->gives[k] == EE_PIXELS;
    for (int i = 0; i < node->n_in; i++) {
      if (!ee_node_reads_activation(p->model, node, i) || p->takes[k] != EE_PIXELS) continue;
      wish *w   = &of[node->in[i]];
      w->pixels = true;
      w->scalars &= node->op == EE_OP_CONV && node->attr.window.groups == 1;
      if (w->zeros < zeros_beside(node)) w->zeros = zeros_beside(node);
    }
  }
}

/* Floats from a pixel to the next. */
static int64_t pixel_of(const wish *w, int64_t channels) {
  if (w->scalars && channels < CHANNEL_BLOCK) return channels;
  int64_t pixel = (channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK * CHANNEL_BLOCK;
  return pixel % PAGE_FLOATS == 0 ? pixel + CHANNEL_BLOCK : pixel;
}

static void lay_out(ee_program *p, const wish *of) {
  for (int v = 0; v < p->model->n_values; v++) {
    const ee_value *value = &p->model->value[v];
    if (!of[v].pixels || value->kind == EE_VALUE_CONSTANT || value->shape.rank < 3) continue;
    p->pixels[v] = ee_pixels_of(&value->shape, pixel_of(&of[v], value->shape.dim[1]), of[v].zeros);
  }
}

/* @p reads: shape [n_values]: how often a value is read, by exits and behind the last cut too. */
static void count_reads(const ee_model *model, int *reads) {
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node = &model->node[k];
    for (int i = 0; i < node->n_in; i++) {
      if (node->in[i] >= 0) reads[node->in[i]]++;
    }
  }
  for (int e = 0; e < model->n_exits; e++) {
    reads[model->exit[e].logits]++;
    if (model->exit[e].has_score) reads[model->exit[e].score]++;
  }
  int        n_left;
  const int *left = ee_model_cut_values(model, model->n_layers, &n_left);
  for (int i = 0; i < n_left; i++) reads[left[i]]++;
}

/* Node @p k can take in Add @p a if nobody else reads its result, both belong to the same layer or
 * head, and what is added was made before. */
static bool can_take_in(const ee_program *p, int k, int a, int other, const int *reads) {
  const ee_model *model = p->model;
  const ee_node  *node = &model->node[k], *add = &model->node[a];
  const ee_value *x = &model->value[node->out], *y = &model->value[other];
  return k >= 0 && p->adds[k] < 0 && !p->merged[k] && node->act.kind == EE_ACT_NONE &&
         node->layer == add->layer && node->exit == add->exit && reads[node->out] == 1 &&
         p->runner[k]->can_add != NULL && p->runner[k]->can_add(model, node) &&
         p->gives[k] == p->takes[a] && y->kind != EE_VALUE_CONSTANT &&
         ee_shape_equal(&x->shape, &y->shape) && maker_of(model, other) < k;
}

static void merge_adds(ee_program *p, const int *reads) {
  for (int a = 0; a < p->model->n_nodes; a++) {
    const ee_node *add = &p->model->node[a];
    if (add->op != EE_OP_ADD || add->n_in != 2 || add->in[0] == add->in[1]) continue;
    int x = maker_of(p->model, add->in[0]), y = maker_of(p->model, add->in[1]);
    int later = x > y ? 0 : 1, k = later == 0 ? x : y;
    if (k < 0 || !can_take_in(p, k, a, add->in[1 - later], reads)) continue;
    p->adds[k]   = a;
    p->merged[a] = true;
  }
}

static ee_status fill_in(ee_program *p, const ee_backend *backend) {
  size_t n_values = (size_t)p->model->n_values;
  wish  *wishes   = calloc(n_values, sizeof *wishes);
  int   *reads    = calloc(n_values, sizeof *reads);
  bool   there    = wishes != NULL && reads != NULL;
  if (there) {
    choose_runners(p, backend);
    count_reads(p->model, reads);
    merge_adds(p, reads);
    collect_wishes(p, wishes);
    lay_out(p, wishes);
  }
  free(wishes);
  free(reads);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for %zu values", n_values);
}

ee_status ee_program_make(const ee_model *model, const ee_backend *backend, ee_program *program) {
  size_t n_nodes = (size_t)model->n_nodes + 1;
  *program       = (ee_program){.model  = model,
                                .runner = calloc(n_nodes, sizeof *program->runner),
                                .takes  = calloc(n_nodes, sizeof *program->takes),
                                .gives  = calloc(n_nodes, sizeof *program->gives),
                                .pixels = calloc((size_t)model->n_values, sizeof *program->pixels),
                                .adds   = calloc(n_nodes, sizeof *program->adds),
                                .merged = calloc(n_nodes, sizeof *program->merged)};
  if (program->runner == NULL || program->takes == NULL || program->gives == NULL ||
      program->pixels == NULL || program->adds == NULL || program->merged == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a program of %d nodes", model->n_nodes);
  }
  return fill_in(program, backend);
}

void ee_program_free(ee_program *program) {
  free(program->runner);
  free(program->takes);
  free(program->gives);
  free(program->pixels);
  free(program->adds);
  free(program->merged);
  *program = (ee_program){0};
}

bool ee_program_takes_pixels(const ee_program *program, int k, int i) {
  const ee_node *node = &program->model->node[k];
  return program->takes[k] == EE_PIXELS && ee_node_reads_activation(program->model, node, i) &&
         program->pixels[node->in[i]].sample > 0;
}

bool ee_program_gives_pixels(const ee_program *program, int k) {
  return program->gives[k] == EE_PIXELS &&
         program->pixels[ee_program_result(program, k)].sample > 0;
}

ee_form ee_program_form_taken(const ee_program *program, int k, int i) {
  return ee_program_takes_pixels(program, k, i) ? EE_PIXELS : EE_DENSE;
}

ee_form ee_program_form_given(const ee_program *program, int k) {
  return ee_program_gives_pixels(program, k) ? EE_PIXELS : EE_DENSE;
}

int64_t ee_program_sample_floats(const ee_program *program, int v, ee_form form) {
  return form == EE_PIXELS ? program->pixels[v].sample : ee_model_value_elements(program->model, v);
}

int ee_program_result(const ee_program *program, int k) {
  return program->model->node[program->adds[k] >= 0 ? program->adds[k] : k].out;
}

int ee_program_residual(const ee_program *program, int k) {
  if (program->adds[k] < 0) return -1;
  const ee_node *add = &program->model->node[program->adds[k]];
  return add->in[0] == program->model->node[k].out ? add->in[1] : add->in[0];
}
