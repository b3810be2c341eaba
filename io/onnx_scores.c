/* SPDX-License-Identifier: Apache-2.0 */
/* Which outputs are learned scores of exits: by their names, or as the command line says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_graph.h"

static const char *name_of(const onnx_graph *g, int output) {
  return g->proto->output[output]->name;
}

static int64_t numbers_of(const onnx_graph *g, int output) {
  return ee_shape_elements(&g->value[g->output[output]].at[0]);
}

/* The output that has the first @p length characters of @p name as its name; -1: none has. */
static int find_output(const onnx_graph *g, const char *name, size_t length) {
  for (int o = 0; o < g->n_outputs; o++) {
    const char *own = name_of(g, o);
    if (strlen(own) == length && memcmp(own, name, length) == 0) return o;
  }
  return -1;
}

static ee_status give_score(onnx_graph *g, int exit, int output) {
  for (int o = 0; o < g->n_outputs; o++) {
    if (g->score_of[o] != exit || o == output) continue;
    return EE_FAIL(EE_ERR_ARG, "exit '%s' has two scores, '%s' and '%s'", name_of(g, exit),
                   name_of(g, o), name_of(g, output));
  }
  g->score_of[output] = exit;
  return EE_OK;
}

/* "NAME_score" or "NAME.score", of one number, where NAME is an output of more. */
static ee_status find_by_names(onnx_graph *g) {
  static const char ending[] = "score";
  for (int o = 0; o < g->n_outputs; o++) {
    const char *name = name_of(g, o);
    size_t      n = strlen(name), tail = strlen(ending) + 1;
    if (n <= tail || strcmp(name + n - tail + 1, ending) != 0 || numbers_of(g, o) != 1) continue;
    if (name[n - tail] != '_' && name[n - tail] != '.') continue;
    int exit = find_output(g, name, n - tail);
    if (exit >= 0 && numbers_of(g, exit) > 1) EE_TRY(give_score(g, exit, o));
  }
  return EE_OK;
}

static ee_status no_output(const onnx_graph *g, const char *name, size_t length) {
  char   names[512] = "";
  size_t used       = 0;
  for (int o = 0; o < g->n_outputs && used < sizeof names; o++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%.80s", o > 0 ? ", " : "",
                             name_of(g, o));
  return EE_FAIL(EE_ERR_ARG, "a score is given for or as '%.*s', which is no output; there are: %s",
                 (int)(length < 80 ? length : 80), name, names);
}

/* One "EXIT=OUTPUT" of @p length characters. */
static ee_status take_pair(onnx_graph *g, const char *pair, size_t length) {
  const char *equals = memchr(pair, '=', length);
  if (equals == NULL)
    return EE_FAIL(EE_ERR_ARG, "a score is given as '%.*s', expected EXIT=OUTPUT",
                   (int)(length < 80 ? length : 80), pair);
  size_t before = (size_t)(equals - pair), after = length - before - 1;
  int    exit = find_output(g, pair, before), output = find_output(g, equals + 1, after);
  if (exit < 0) return no_output(g, pair, before);
  if (output < 0) return no_output(g, equals + 1, after);
  if (exit == output || numbers_of(g, exit) == 1 || numbers_of(g, output) != 1)
    return EE_FAIL(EE_ERR_ARG,
                   "'%s' has %lld numbers and cannot be the score of '%s', which has %lld; a score "
                   "is one number, an exit has one for each class",
                   name_of(g, output), (long long)numbers_of(g, output), name_of(g, exit),
                   (long long)numbers_of(g, exit));
  if (g->score_of[output] >= 0 && g->score_of[output] != exit)
    return EE_FAIL(EE_ERR_ARG, "'%s' is the score of two exits, '%s' and '%s'", name_of(g, output),
                   name_of(g, g->score_of[output]), name_of(g, exit));
  return give_score(g, exit, output);
}

ee_status ee_onnx_find_scores(onnx_graph *g, const char *list) {
  g->score_of = malloc((size_t)g->n_outputs * sizeof *g->score_of);
  if (g->score_of == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d outputs", g->n_outputs);
  for (int o = 0; o < g->n_outputs; o++) g->score_of[o] = -1;
  EE_TRY(find_by_names(g));
  while (list != NULL) {
    size_t length = strcspn(list, ",");
    EE_TRY(take_pair(g, list, length));
    list = list[length] == ',' ? list + length + 1 : NULL;
  }
  return EE_OK;
}
