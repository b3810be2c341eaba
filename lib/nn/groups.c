/* SPDX-License-Identifier: Apache-2.0 */
/* Groups grow node by node, as long as the nodes want about equally many samples at once. */
#include "groups.h"

#include <stdlib.h>

#include "graph.h"

#define SLICE_BYTES (2 * 1024 * 1024)  // a node's activations that the caches should keep
#define ALIKE 4                        // how far apart the wishes in a group may lie

/* The range at hand. */
typedef struct range {
  const ee_program *program;
  const ee_model   *model;
  int               max_batch;
  int              *made_by;  // shape [n_values], node; -1: none
  bool             *stop;     // shape [n_nodes + 1]: a group must not go on with this node
} range;

static int64_t bytes_read(const range *r, int k) {
  const ee_node *node   = &r->model->node[k];
  int64_t        floats = 0;
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_node_reads_activation(r->model, node, i)) continue;
    floats +=
        ee_program_sample_floats(r->program, node->in[i], ee_program_form_taken(r->program, k, i));
  }
  return floats * (int64_t)sizeof(float);
}

static int64_t bytes_written(const range *r, int k) {
  ee_form form = ee_program_form_given(r->program, k);
  return ee_program_sample_floats(r->program, ee_program_result(r->program, k), form) *
         (int64_t)sizeof(float);
}

/* As the backend packs them, or as they came. */
static int64_t bytes_of_weights(const range *r, int k) {
  const ee_node    *node   = &r->model->node[k];
  const ee_backend *runner = r->program->runner[k];
  int64_t           floats = 0;
  for (int i = 0; i < node->n_in; i++) {
    if (!ee_node_reads_constant(r->model, node, i)) continue;
    floats += ee_model_value_elements(r->model, node->in[i]);
  }
  size_t packed = 0;
  if (floats > 0 && runner->prepare != NULL) packed = runner->prepared_bytes(r->model, node);
  return packed > 0 ? (int64_t)packed : floats * (int64_t)sizeof(float);
}

/* How many samples at once are good for a node. */
typedef struct wish {
  int most;   // so that what they read and write stays in cache, or is no more than the weights
  int least;  // so that it is not much less than the weights, which are read for every slice
} wish;

static int at_most(int64_t samples, int max_batch) {
  return samples < 1 ? 1 : samples < max_batch ? (int)samples : max_batch;
}

static wish wish_of(const range *r, int k) {
  int64_t sample = bytes_read(r, k) + bytes_written(r, k);
  if (sample == 0) return (wish){r->max_batch, 1};
  int64_t weights = bytes_of_weights(r, k), room = weights > SLICE_BYTES ? weights : SLICE_BYTES;
  return (wish){at_most(room / sample, r->max_batch),
                at_most(weights / (2 * sample), r->max_batch)};
}

static bool are_alike(int a, int b) {
  return a <= b * ALIKE && b <= a * ALIKE;
}

/* Whether value @p v is made before node @p first or, by one of [@p first, @p k), in @p form. */
static bool flows_on(const range *r, int first, int k, int v, ee_form form) {
  int maker = r->made_by[v];
  return maker < first || maker >= k || ee_program_form_given(r->program, maker) == form;
}

/* Whether node @p k can be in the group that begins with node @p first: it reads what the group
 * makes in the form in which it is made. */
static bool joins(const range *r, int first, int k) {
  const ee_node *node     = &r->model->node[k];
  int            residual = ee_program_residual(r->program, k);
  bool           joined =
      residual < 0 || flows_on(r, first, k, residual, ee_program_form_given(r->program, k));
  for (int i = 0; i < node->n_in && joined; i++) {
    if (!ee_node_reads_activation(r->model, node, i)) continue;
    joined = flows_on(r, first, k, node->in[i], ee_program_form_taken(r->program, k, i));
  }
  return joined;
}

/* A node of a layer that is run by itself; others are heads' or run with a node before them. */
static bool runs(const range *r, int k) {
  return r->model->node[k].layer >= 0 && !r->program->merged[k];
}

/* What suits the nodes of @p all and one more. */
static wish both(wish all, wish one) {
  return (wish){one.most < all.most ? one.most : all.most,
                one.least > all.least ? one.least : all.least};
}

static ee_group group_from(const range *r, int first, int last) {
  wish     all = runs(r, first) ? wish_of(r, first) : (wish){r->max_batch, 1};
  ee_group g   = {.first = first, .end = first + 1};
  for (int k = first + 1; k < last && all.most < r->max_batch && !r->stop[k]; k++) {
    if (runs(r, k)) {
      wish one = wish_of(r, k), now = both(all, one);
      if (!are_alike(one.most, all.most) || now.most < now.least || !joins(r, first, k)) break;
      all = now;
    }
    g.end = k + 1;
  }
  g.at_once = all.most;
  return g;
}

static void follow(const range *r, const int *start) {
  for (int v = 0; v < r->model->n_values; v++) r->made_by[v] = -1;
  for (int k = 0; k < r->model->n_nodes; k++) {
    if (!r->program->merged[k]) r->made_by[ee_program_result(r->program, k)] = k;
  }
  for (int e = 0; e < r->model->n_exits; e++) r->stop[start[r->model->exit[e].attach + 1]] = true;
}

ee_status ee_groups_find(const ee_program *program, const int *start, int begin, int end,
                         int max_batch, ee_groups *groups) {
  size_t n_nodes = (size_t)program->model->n_nodes + 1;
  range  r       = {.program   = program,
                    .model     = program->model,
                    .max_batch = max_batch,
                    .made_by   = calloc((size_t)program->model->n_values, sizeof *r.made_by),
                    .stop      = calloc(n_nodes, sizeof *r.stop)};
  *groups    = (ee_groups){.max_batch = max_batch, .group = calloc(n_nodes, sizeof *groups->group)};
  bool there = r.made_by != NULL && r.stop != NULL && groups->group != NULL;
  if (there) {
    follow(&r, start);
    for (int k = start[begin]; k < start[end]; k = groups->group[groups->n++].end) {
      groups->group[groups->n] = group_from(&r, k, start[end]);
    }
  }
  free(r.made_by);
  free(r.stop);
  return there ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for groups of %zu nodes", n_nodes);
}

const ee_group *ee_groups_sliced(const ee_groups *groups, int k) {
  for (const ee_group *g = groups->group; g < groups->group + groups->n; g++) {
    if (k >= g->first && k < g->end) return g->at_once < groups->max_batch ? g : NULL;
  }
  return NULL;
}

void ee_groups_free(ee_groups *groups) {
  free(groups->group);
  *groups = (ee_groups){0};
}
