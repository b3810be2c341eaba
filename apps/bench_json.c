/* SPDX-License-Identifier: Apache-2.0 */
/* What bench found out, as one JSON object. */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "json.h"
#include "memory_json.h"

static void add_backend(const ee_backend *backend, cJSON *to) {
  char text[160] = "";
  if (backend->describe != NULL) backend->describe(text, sizeof text);
  cJSON_AddStringToObject(to, "backend", backend->name);
  cJSON_AddStringToObject(to, "backend_uses", text);
}

/* Nodes of layer @p layer, or of the head of exit @p exit. */
static void add_nodes(const ee_bench *b, int layer, int exit, cJSON *to) {
  const ee_model *m    = b->whole.model;
  cJSON          *list = cJSON_AddArrayToObject(to, "nodes");
  for (int k = 0; k < m->n_nodes; k++) {
    const ee_node *node = &m->node[k];
    const char    *kernel;
    if (!ee_bench_is_of(m, k, layer, exit)) continue;
    cJSON *one = ee_json_item(list);
    cJSON_AddStringToObject(one, "name", node->name);
    cJSON_AddStringToObject(one, "operator", ee_op_name(node->op));
    cJSON_AddStringToObject(one, "backend", ee_bench_runner(b, node, &kernel)->name);
    if (kernel != NULL) cJSON_AddStringToObject(one, "kernel", kernel);
  }
}

/* Whether two nodes are run alike: the same operator by the same kernel. */
static bool alike(const ee_bench *b, const ee_node *x, const ee_node *y) {
  const char *kernel_x, *kernel_y;
  if (x->op != y->op) return false;
  if (ee_bench_runner(b, x, &kernel_x) != ee_bench_runner(b, y, &kernel_y)) return false;
  if (kernel_x == NULL || kernel_y == NULL) return kernel_x == kernel_y;
  return strcmp(kernel_x, kernel_y) == 0;
}

static bool was_run(const ee_bench *b, const ee_node *node) {
  return node->layer >= 0 || ee_bench_has_head(b, node->exit);
}

static int count_alike(const ee_bench *b, int begin, int end, const ee_node *node) {
  int n = 0;
  for (int k = begin; k < end; k++) {
    const ee_node *other = &b->whole.model->node[k];
    n += was_run(b, other) && alike(b, other, node);
  }
  return n;
}

/* Each operator with each kernel that runs it, once. */
static void add_kernels(const ee_bench *b, cJSON *to) {
  const ee_model *m    = b->whole.model;
  cJSON          *list = cJSON_AddArrayToObject(to, "kernels");
  for (int k = 0; k < m->n_nodes; k++) {
    const ee_node *node = &m->node[k];
    const char    *kernel;
    if (!was_run(b, node) || count_alike(b, 0, k, node) > 0) continue;
    cJSON *one = ee_json_item(list);
    cJSON_AddStringToObject(one, "operator", ee_op_name(node->op));
    cJSON_AddStringToObject(one, "backend", ee_bench_runner(b, node, &kernel)->name);
    if (kernel != NULL) cJSON_AddStringToObject(one, "kernel", kernel);
    cJSON_AddNumberToObject(one, "nodes", count_alike(b, k, m->n_nodes, node));
  }
}

static void add_part(const ee_bench *b, const char *name, const ee_timing *t, double flop,
                     double share, cJSON *to) {
  double rate = ee_bench_rate(b, flop, t->median), whole = b->times.whole.median;
  cJSON_AddStringToObject(to, "name", name);
  cJSON_AddNumberToObject(to, "ms", ee_bench_ms(b, t->median));
  cJSON_AddNumberToObject(to, "ms_min", ee_bench_ms(b, t->least));
  cJSON_AddNumberToObject(to, "share", whole > 0.0 ? t->median / whole : 0.0);
  cJSON_AddNumberToObject(to, "gflop", flop * 1e-9);
  cJSON_AddNumberToObject(to, "gflops", rate * 1e-9);
  ee_json_number(to, "peak_share", share);
}

static ee_status add_parts(const ee_bench *b, cJSON *to) {
  const ee_model *m      = b->whole.model;
  cJSON          *layers = cJSON_AddArrayToObject(to, "layers"),
        *heads           = cJSON_AddArrayToObject(to, "heads");
  for (int l = 0; l < m->n_layers; l++) {
    ee_memory_need need;
    cJSON         *one = ee_json_item(layers);
    EE_TRY(ee_exec_memory(m, b->whole.backend, l, l + 1, b->whole.batch_limit, &need));
    add_part(b, m->layer[l].name, &b->times.layer[l], m->layer[l].flops,
             ee_bench_share(b, l, -1, b->times.layer[l].median), one);
    ee_memory_add(&need, one);
    if (b->limits != NULL) {
      cJSON_AddNumberToObject(one, "limit_ms", ee_bench_ms(b, ee_bench_limit(b, l)));
    }
    add_nodes(b, l, -1, one);
  }
  for (int e = 0; e < m->n_exits; e++) {
    if (!ee_bench_has_head(b, e)) continue;
    cJSON *one = ee_json_item(heads);
    cJSON_AddNumberToObject(one, "exit", e);
    add_part(b, m->exit[e].name, &b->times.head[e], m->head_flops[e],
             ee_bench_share(b, -1, e, b->times.head[e].median), one);
    add_nodes(b, -1, e, one);
  }
  return EE_OK;
}

static ee_status add_model(const ee_bench *b, cJSON *to) {
  double rate = ee_bench_rate(b, b->flop, b->times.whole.median);
  cJSON_AddStringToObject(to, "model", b->whole.model->name);
  add_backend(b->whole.backend, to);
  cJSON_AddNumberToObject(to, "batch", b->whole.batch_limit);
  cJSON_AddBoolToObject(to, "early_heads", b->options->passes.early_heads);
  cJSON_AddStringToObject(to, "input", b->options->data != NULL ? b->options->data : "random");
  cJSON_AddNumberToObject(to, "passes", b->times.n_passes);
  cJSON_AddNumberToObject(to, "cpu_share", b->times.cpu_share);
  cJSON_AddNumberToObject(to, "ms_per_sample", ee_bench_ms(b, b->times.whole.median));
  cJSON_AddNumberToObject(to, "ms_min", ee_bench_ms(b, b->times.whole.least));
  cJSON_AddNumberToObject(to, "cpu_ms_per_sample", ee_bench_ms(b, b->times.cpu.median));
  cJSON_AddNumberToObject(to, "gflop", b->flop * 1e-9);
  cJSON_AddNumberToObject(to, "gflops", rate * 1e-9);
  ee_json_number(to, "peak_share", ee_bench_whole_share(b));
  ee_memory_add(&b->need, cJSON_AddObjectToObject(to, "memory"));
  add_kernels(b, to);
  return b->options->per_layer ? add_parts(b, to) : EE_OK;
}

ee_status ee_bench_print_json(const ee_bench *b) {
  cJSON    *all    = cJSON_CreateObject();
  ee_status status = EE_OK;
  cJSON_AddStringToObject(all, "cpu", ee_cpu_name());
  cJSON_AddStringToObject(all, "vectors", ee_cpu_level_name(b->level));
  cJSON_AddNumberToObject(all, "peak_gflops", b->peak * 1e-9);
  if (b->peak8 > 0.0) cJSON_AddNumberToObject(all, "peak_int8_gops", b->peak8 * 1e-9);
  if (b->limits != NULL) ee_limits_add(b->limits, cJSON_AddObjectToObject(all, "limits"));
  if (b->options->model != NULL) status = add_model(b, all);
  if (status == EE_OK) return ee_json_print(all);
  cJSON_Delete(all);
  return status;
}
