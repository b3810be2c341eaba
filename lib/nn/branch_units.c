/* SPDX-License-Identifier: Apache-2.0 */
/* Units of a network of branches: what leads to them; then, stage by stage, each branch and what
 * joins them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "branches.h"
#include "ee/units.h"
#include "graph.h"

/* What is being taken apart. */
typedef struct job {
  const ee_model *whole;
  int             n_lanes;
  int            *lane;        // shape [n_nodes], of ee_find_branches()
  int            *least;       // shape [n_values], first exit that needs it
  int            *maker;       // shape [n_values], unit; -1: none
  int            *maker_lane;  // shape [n_values], lane of its maker; below 0: none
  int            *unit;        // shape [n_nodes], unit of each node
  int            *number;      // shape [slots], unit of each slot; -1: it is empty
  bool           *keep;        // shape [n_nodes], scratch
  uint64_t       *lanes;       // shape [n_values], scratch
} job;

/* Slot 0 is in front of the branches, then come those of each stage: branches and what joins them.
 */
static int slot_of(const job *j, int lane, int stage) {
  if (lane == EE_BEFORE_BRANCHES) return 0;
  int place = lane == EE_BEHIND_BRANCHES ? j->n_lanes : lane;
  return 1 + stage * (j->n_lanes + 1) + place;
}

static int n_slots(const job *j) {
  return 1 + j->whole->n_exits * (j->n_lanes + 1);
}

/* One sweep against the order of the nodes. */
static void find_least(job *j) {
  const ee_model *m = j->whole;
  for (int v = 0; v < m->n_values; v++) j->least[v] = INT_MAX;
  for (int e = m->n_exits - 1; e >= 0; e--) {
    j->least[m->exit[e].logits] = e;
    if (m->exit[e].has_score) j->least[m->exit[e].score] = e;
  }
  for (int k = m->n_nodes - 1; k >= 0; k--) {
    const ee_node *node = &m->node[k];
    for (int i = 0; i < node->n_in; i++) {
      int v = node->in[i];
      if (v >= 0 && j->least[v] > j->least[node->out]) j->least[v] = j->least[node->out];
    }
  }
}

/* Number the slots that have nodes.  Returns how many there are. */
static int number_slots(job *j) {
  int n = 0;
  for (int s = 0; s < n_slots(j); s++) j->number[s] = -1;
  for (int k = 0; k < j->whole->n_nodes; k++) {
    int s        = slot_of(j, j->lane[k], j->least[j->whole->node[k].out]);
    j->unit[k]   = s;
    j->number[s] = 0;
  }
  for (int s = 0; s < n_slots(j); s++) {
    if (j->number[s] == 0) j->number[s] = n++;
  }
  for (int v = 0; v < j->whole->n_values; v++) j->maker[v] = j->maker_lane[v] = -1;
  for (int k = 0; k < j->whole->n_nodes; k++) {
    j->unit[k]                           = j->number[j->unit[k]];
    j->maker[j->whole->node[k].out]      = j->unit[k];
    j->maker_lane[j->whole->node[k].out] = j->lane[k];
  }
  return n;
}

static void add_input(ee_unit *unit, int v, int from) {
  for (int i = 0; i < unit->n_inputs; i++) {
    if (unit->input[i].value == v) return;
  }
  unit->input[unit->n_inputs++] = (ee_unit_input){.value = v, .from = from};
}

static ee_status find_inputs(const job *j, int u, ee_unit *unit) {
  size_t most = 1;
  for (int k = 0; k < j->whole->n_nodes; k++) {
    if (j->unit[k] == u) most += (size_t)j->whole->node[k].n_in;
  }
  unit->input = calloc(most, sizeof *unit->input);
  if (unit->input == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu inputs of a unit", most);
  for (int k = 0; k < j->whole->n_nodes; k++) {
    const ee_node *node = &j->whole->node[k];
    for (int i = 0; i < node->n_in && j->unit[k] == u; i++) {
      if (!ee_node_reads_activation(j->whole, node, i)) continue;
      int from = j->maker[node->in[i]];
      if (from != u) add_input(unit, node->in[i], from);
    }
  }
  return EE_OK;
}

/* Layers that the unit runs: those of its nodes, and those that its head is attached to. */
static void find_range(const job *j, int u, ee_unit *unit) {
  unit->begin = INT_MAX;
  for (int k = 0; k < j->whole->n_nodes; k++) {
    if (j->unit[k] != u) continue;
    int layer = ee_node_owner(j->whole, &j->whole->node[k]);
    if (unit->begin > layer) unit->begin = layer;
    if (unit->end <= layer) unit->end = layer + 1;
    unit->flops += ee_node_flops(j->whole, &j->whole->node[k]);
  }
  if (unit->exit >= 0 && unit->end <= j->whole->exit[unit->exit].attach) {
    unit->end = j->whole->exit[unit->exit].attach + 1;
  }
}

/* Whether zeros in place of an input make zeros of the result that scale with the others. */
static bool is_linear(const ee_model *m, const ee_node *node) {
  int n = 0;
  for (int i = 0; i < node->n_in; i++) n += ee_node_reads_activation(m, node, i);
  if (node->act.kind != EE_ACT_NONE) return false;
  switch (node->op) {
    case EE_OP_ADD:
    case EE_OP_SUB:
      return n == node->n_in;
    case EE_OP_MUL:
      return n == 1;
    case EE_OP_CONCAT:
    case EE_OP_RESHAPE:
    case EE_OP_TRANSPOSE:
    case EE_OP_SLICE:
      return true;
    default:
      return false;
  }
}

/* Lanes, as a set, whose results of this stage value @p v depends on; given for what is read. */
static void mark_inputs(const job *j, const ee_unit *unit, uint64_t *lanes) {
  for (int i = 0; i < unit->n_inputs; i++) {
    int lane = j->maker_lane[unit->input[i].value];
    if (lane >= 0) lanes[unit->input[i].value] = (uint64_t)1 << lane;
  }
}

/* Whether the unit joins what all lanes made, and nothing but linear nodes see a part of it.
 * @p lanes: shape [n_values], zeroed. */
static bool joins_linearly(const job *j, int u, const ee_unit *unit, uint64_t *lanes) {
  uint64_t all = j->n_lanes == 64 ? ~(uint64_t)0 : ((uint64_t)1 << j->n_lanes) - 1, met = 0;
  mark_inputs(j, unit, lanes);
  for (int k = 0; k < j->whole->n_nodes; k++) {
    const ee_node *node   = &j->whole->node[k];
    uint64_t       of     = 0;
    bool           joined = false;
    for (int i = 0; i < node->n_in && j->unit[k] == u; i++) {
      uint64_t in = node->in[i] >= 0 ? lanes[node->in[i]] : 0;
      joined |= in == all;
      of |= in;
    }
    if (of != 0 && !joined && !is_linear(j->whole, node)) return false;
    if (j->unit[k] == u) lanes[node->out] = of;
    met |= of;
  }
  return met == all;
}

static void name(int lane, int stage, ee_unit *unit) {
  if (lane == EE_BEFORE_BRANCHES) {
    snprintf(unit->name, sizeof unit->name, "trunk");
  } else if (lane == EE_BEHIND_BRANCHES) {
    snprintf(unit->name, sizeof unit->name, "fusion %d", stage + 1);
  } else {
    snprintf(unit->name, sizeof unit->name, "branch %d stage %d", lane + 1, stage + 1);
  }
  unit->lane  = lane >= 0 ? lane : -1;
  unit->stage = stage;
  unit->exit  = lane == EE_BEHIND_BRANCHES ? stage : -1;
}

static ee_status fill_unit(const job *j, int lane, int stage, ee_units *units) {
  int u = j->number[slot_of(j, lane, stage)];
  if (u < 0) return EE_OK;
  ee_unit *unit = &units->unit[u];
  name(lane, stage, unit);
  find_range(j, u, unit);
  EE_TRY(find_inputs(j, u, unit));
  for (int k = 0; k < j->whole->n_nodes; k++) j->keep[k] = j->unit[k] == u;
  memset(j->lanes, 0, (size_t)j->whole->n_values * sizeof *j->lanes);
  unit->joins = unit->exit >= 0 && joins_linearly(j, u, unit, j->lanes);
  return ee_part_model(j->whole, j->keep, unit->exit, &unit->model);
}

static ee_status fill(const job *j, ee_units *units) {
  EE_TRY(fill_unit(j, EE_BEFORE_BRANCHES, 0, units));
  for (int stage = 0; stage < j->whole->n_exits; stage++) {
    for (int lane = 0; lane < j->n_lanes; lane++) EE_TRY(fill_unit(j, lane, stage, units));
    EE_TRY(fill_unit(j, EE_BEHIND_BRANCHES, stage, units));
  }
  return EE_OK;
}

static ee_status take_apart(job *j, ee_units **units) {
  EE_TRY(ee_find_branches(j->whole, j->lane, &j->n_lanes));
  if (j->n_lanes == 0) {
    return EE_FAIL(
        EE_ERR_ARG,
        "model '%s' has no branches: no value begins 2 to 64 parts side by side that have half "
        "of the model's operations and that every exit joins",
        j->whole->name);
  }
  j->number = calloc((size_t)n_slots(j), sizeof *j->number);
  if (j->number == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units", n_slots(j));
  find_least(j);
  EE_TRY(ee_units_create(j->whole, number_slots(j), j->n_lanes, units));
  return fill(j, *units);
}

ee_status ee_units_of_branches(const ee_model *whole, ee_units **units) {
  size_t n_nodes = (size_t)whole->n_nodes + 1, n_values = (size_t)whole->n_values;
  job    j   = {.whole      = whole,
                .lane       = calloc(n_nodes, sizeof *j.lane),
                .least      = calloc(n_values, sizeof *j.least),
                .maker      = calloc(n_values, sizeof *j.maker),
                .maker_lane = calloc(n_values, sizeof *j.maker_lane),
                .lanes      = calloc(n_values, sizeof *j.lanes),
                .unit       = calloc(n_nodes, sizeof *j.unit),
                .keep       = calloc(n_nodes, sizeof *j.keep)};
  *units     = NULL;
  bool there = j.lane != NULL && j.least != NULL && j.maker != NULL && j.maker_lane != NULL &&
               j.unit != NULL && j.keep != NULL && j.lanes != NULL;
  ee_status status =
      there ? take_apart(&j, units) : EE_FAIL(EE_ERR_NOMEM, "for %d nodes", whole->n_nodes);
  free(j.lane);
  free(j.least);
  free(j.maker);
  free(j.maker_lane);
  free(j.lanes);
  free(j.unit);
  free(j.number);
  free(j.keep);
  if (status != EE_OK) ee_units_destroy(units);
  return status;
}
