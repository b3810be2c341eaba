/* SPDX-License-Identifier: Apache-2.0 */
/* Random graphs against the definitions, taken word by word: no sweep, no counting. */
#include "ee/model.h"
#include "ee_test.h"
#include "graph_maker.h"

enum { GRAPHS = 300 };

/* What the definitions say about the graph as the maker left it, by the value a node makes. */
typedef struct truth {
  int  n_layers;
  int  layer[MAKER_ROOM];      // of the node that makes the value; -1 in a head or if none
  int  attach[MAKER_ROOM];     // of the exit whose logits or score are the value; -1 if none
  int  head[MAKER_ROOM];       // logits of the exit whose head makes the value; -1
  bool alive[40][MAKER_ROOM];  // across cut c
} truth;

static bool reads(const ee_node *node, int v) {
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] == v) return true;
  }
  return false;
}

/* Whether @p logits depends on @p v, by following every reader. */
static bool depends(const ee_model *m, int logits, int v) {
  if (logits == v) return true;
  for (int i = 0; i < m->n_nodes; i++) {
    if (reads(&m->node[i], v) && depends(m, logits, m->node[i].out)) return true;
  }
  return false;
}

static bool leads_to(const ee_model *m, const ee_exit *e, int v) {
  return depends(m, e->logits, v) || (e->has_score && depends(m, e->score, v));
}

static bool is_trunk(const ee_model *m, const ee_node *node) {
  int n = 0;
  for (int e = 0; e < m->n_exits; e++) n += leads_to(m, &m->exit[e], node->out);
  return n > 1 || depends(m, m->exit[m->n_exits - 1].logits, node->out);
}

static bool is_weighted(const ee_node *node) {
  return node->op == EE_OP_CONV || node->op == EE_OP_GEMM;  // all those of the maker have weights
}

static void find_layers(const ee_model *m, truth *t) {
  int opened = 0;
  for (int i = 0; i < m->n_nodes; i++) {
    const ee_node *node  = &m->node[i];
    bool           trunk = is_trunk(m, node);
    opened += trunk && is_weighted(node);
    t->layer[node->out] = !trunk ? -1 : opened > 0 ? opened - 1 : 0;
    for (int e = 0; !trunk && e < m->n_exits; e++) {
      if (leads_to(m, &m->exit[e], node->out)) t->head[node->out] = m->exit[e].logits;
    }
  }
  t->n_layers = opened > 0 ? opened : 1;
}

static void find_attach(const ee_model *m, truth *t) {
  for (int e = 0; e < m->n_exits; e++) {
    int logits = m->exit[e].logits, attach = t->layer[logits] > 0 ? t->layer[logits] : 0;
    for (int i = 0; i < m->n_nodes; i++) {
      const ee_node *node = &m->node[i];
      for (int v = 0; v < m->n_values; v++) {
        bool feeds = t->head[node->out] == logits && reads(node, v);
        if (feeds && t->layer[v] > attach) attach = t->layer[v];
      }
    }
    t->attach[logits] = e == m->n_exits - 1 ? t->n_layers - 1 : attach;
    if (m->exit[e].has_score) t->attach[m->exit[e].score] = attach;
  }
}

/* Made in front of the cut, and read behind it or by a head that is attached behind it. */
static bool is_alive(const ee_model *m, const truth *t, int cut, int v) {
  bool made = v == m->input || (t->layer[v] >= 0 && t->layer[v] < cut);
  bool read = t->attach[v] >= cut;
  for (int i = 0; i < m->n_nodes; i++) {
    const ee_node *node  = &m->node[i];
    int            head  = t->head[node->out];
    int            where = head >= 0 ? t->attach[head] : t->layer[node->out];
    read |= reads(node, v) && where >= cut;
  }
  return made && read;
}

static void find_truth(const ee_model *m, truth *t) {
  for (int v = 0; v < MAKER_ROOM; v++) t->layer[v] = t->attach[v] = t->head[v] = -1;
  find_layers(m, t);
  find_attach(m, t);
  for (int cut = 0; cut <= t->n_layers; cut++) {
    for (int v = 0; v < m->n_values; v++) t->alive[cut][v] = is_alive(m, t, cut, v);
  }
}

/* Run @p check on random graphs, each with its truth. */
static void on_random_graphs(void (*check)(const ee_model *m, const truth *t)) {
  static truth t;
  for (uint64_t seed = 0; seed < GRAPHS; seed++) {
    ee_model *m = maker_random(seed);
    find_truth(m, &t);
    CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
    check(m, &t);
    ee_model_destroy(&m);
  }
}

static void check_layers(const ee_model *m, const truth *t) {
  CU_ASSERT_EQUAL(m->n_layers, t->n_layers);
  for (int i = 0; i < m->n_nodes; i++) {
    const ee_node *node = &m->node[i];
    CU_ASSERT_EQUAL(node->layer, t->layer[node->out]);
    int head = t->head[node->out];
    CU_ASSERT_EQUAL(node->exit >= 0, head >= 0);
    if (node->exit >= 0) CU_ASSERT_EQUAL(m->exit[node->exit].logits, head);
  }
}

static void layers_and_heads_are_those_of_the_definition(void) {
  on_random_graphs(check_layers);
}

static void check_exits(const ee_model *m, const truth *t) {
  for (int e = 0; e < m->n_exits; e++) {
    CU_ASSERT_EQUAL(m->exit[e].attach, t->attach[m->exit[e].logits]);
    if (e > 0) CU_ASSERT_TRUE(m->exit[e - 1].attach <= m->exit[e].attach);
  }
  CU_ASSERT_STRING_EQUAL(m->exit[m->n_exits - 1].name, "final");
}

static void exits_stand_after_the_last_layer_they_read_and_in_order(void) {
  on_random_graphs(check_exits);
}

static void check_cuts(const ee_model *m, const truth *t) {
  for (int cut = 0; cut <= m->n_layers; cut++) {
    int        n, i = 0;
    const int *list  = ee_model_cut_values(m, cut, &n);
    size_t     bytes = 0;
    for (int v = 0; v < m->n_values; v++) {
      if (!t->alive[cut][v]) continue;
      CU_ASSERT_TRUE(i < n && list[i] == v);
      bytes += (size_t)ee_shape_elements(&m->value[v].shape) * 4;
      i++;
    }
    CU_ASSERT_EQUAL(i, n);
    CU_ASSERT_EQUAL(ee_model_cut_bytes(m, cut), bytes);
  }
}

static void live_values_are_those_made_before_and_read_behind_a_cut(void) {
  on_random_graphs(check_cuts);
}

/* Layers ascend, the heads of a layer follow it one by one, and everything is made before it is
 * read. */
static void check_order(const ee_model *m, const truth *t) {
  bool made[MAKER_ROOM] = {false};
  int  place            = 0;
  (void)t;
  for (int i = 0; i < m->n_nodes; i++) {
    const ee_node *node  = &m->node[i];
    int            layer = node->layer >= 0 ? node->layer : m->exit[node->exit].attach;
    int            next  = layer * MAKER_ROOM + node->exit + 1;
    CU_ASSERT_TRUE(place <= next);
    place = next;
    for (int k = 0; k < node->n_in; k++) {
      CU_ASSERT_TRUE(m->value[node->in[k]].kind != EE_VALUE_ACTIVATION || made[node->in[k]]);
    }
    made[node->out] = true;
  }
}

static void nodes_are_sorted_by_layer_and_head(void) {
  on_random_graphs(check_order);
}

/* Every constant that a node of the layer or of a head after it reads, each once. */
static void check_blobs(const ee_model *m, const truth *t) {
  for (int layer = 0; layer < m->n_layers; layer++) {
    int *list, n, count = 0;
    CU_ASSERT_EQUAL_FATAL(ee_model_layer_constants(m, layer, &list, &n), EE_OK);
    size_t bytes = 0;
    for (int v = 0; v < m->n_values; v++) {
      bool here = false, listed = false;
      for (int i = 0; i < m->n_nodes && m->value[v].kind == EE_VALUE_CONSTANT; i++) {
        int head = t->head[m->node[i].out], own = t->layer[m->node[i].out];
        here |= reads(&m->node[i], v) && (head >= 0 ? t->attach[head] : own) == layer;
      }
      for (int i = 0; i < n; i++) listed |= list[i] == v;
      CU_ASSERT_EQUAL(here, listed);
      count += here;
      if (here) bytes += (size_t)ee_shape_elements(&m->value[v].shape) * 4;
    }
    CU_ASSERT_EQUAL(count, n);
    CU_ASSERT_EQUAL(m->layer[layer].weight_bytes, bytes);
    free(list);
  }
}

static void blobs_hold_the_constants_of_a_layer_and_its_heads(void) {
  on_random_graphs(check_blobs);
}

const ee_fact ee_facts[] = {
    EE_FACT(layers_and_heads_are_those_of_the_definition),
    EE_FACT(exits_stand_after_the_last_layer_they_read_and_in_order),
    EE_FACT(live_values_are_those_made_before_and_read_behind_a_cut),
    EE_FACT(nodes_are_sorted_by_layer_and_head),
    EE_FACT(blobs_hold_the_constants_of_a_layer_and_its_heads),
    {NULL, NULL},
};
