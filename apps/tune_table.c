/* SPDX-License-Identifier: Apache-2.0 */
/* All methods that tune tried, beside the shapes on which they were. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ee/tuning.h"
#include "tune.h"

#define NAME_COLUMNS 24

/* The end of a name tells more than its beginning. */
static const char *short_name(const char *name) {
  size_t n = strlen(name);
  return n > NAME_COLUMNS ? name + n - NAME_COLUMNS : name;
}

static void print_head(void) {
  printf("%-*s %-20s %-20s", NAME_COLUMNS, "layer", "weights", "result");
  for (int w = EE_METHOD_BY_RULE + 1; w < EE_METHOD_COUNT; w++) {
    printf(" %12s", ee_method_name((ee_method)w));
  }
  printf("\n");
}

/* In units of the rule's time, which has an asterisk. */
static void print_ratio(const ee_tune *t, int p, int w) {
  double      ratio = t->ratio[p * EE_METHOD_COUNT + w];
  const char *name  = ee_method_name((ee_method)w);
  if (strcmp(name, t->part[p].by_rule) == 0) {
    printf(" %11.2f*", 1.0);
  } else if (isnan(ratio)) {
    printf(" %12s", "-");
  } else {
    printf(" %11.2f ", ratio);
  }
}

void ee_tune_print_table(const ee_tune *t) {
  const ee_model *m = t->model;
  print_head();
  for (int p = 0; p < m->n_layers + m->n_exits; p++) {
    char weights[64], result[64];
    if (t->part[p].node < 0) continue;
    const ee_node *node = &m->node[t->part[p].node];
    printf("%-*s %-20s %-20s", NAME_COLUMNS, short_name(ee_tune_part_name(t, p)),
           ee_shape_text(&m->value[node->in[1]].shape, weights, sizeof weights),
           ee_shape_text(&m->value[node->out].shape, result, sizeof result));
    for (int w = EE_METHOD_BY_RULE + 1; w < EE_METHOD_COUNT; w++) print_ratio(t, p, w);
    printf("\n");
  }
}
