/* SPDX-License-Identifier: Apache-2.0 */
/* What bench found out, as text. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define MB 1e6

/* Append @p word and a plus to @p text unless it is there. */
static void add_word(char *text, size_t size, const char *word) {
  size_t at = strlen(text), n = strlen(word);
  for (const char *c = text; *c != '\0'; c = strchr(c, '+') + 1) {
    if (strncmp(c, word, n) == 0 && c[n] == '+') return;
  }
  if (at + n + 2 <= size) snprintf(text + at, size - at, "%s+", word);
}

static void end_words(char *text) {
  size_t n = strlen(text);
  if (n > 0) text[n - 1] = '\0';
}

/* The end of a name, which tells more than its beginning. */
static const char *end_of(const char *name, size_t most) {
  size_t n = strlen(name);
  return n > most ? name + n - most : name;
}

static void print_part(const ee_bench *b, int layer, int exit, const char *name, const ee_timing *t,
                       double flop) {
  const ee_model *m             = b->whole.model;
  char            operators[32] = "", runners[32] = "", which[16];
  double          rate = ee_bench_rate(b, flop, t->median);
  for (int k = 0; k < m->n_nodes; k++) {
    const char *kernel;
    if (!ee_bench_is_of(m, k, layer, exit)) continue;
    const ee_backend *runner = ee_bench_runner(b, &m->node[k], &kernel);
    add_word(operators, sizeof operators, ee_op_name(m->node[k].op));
    add_word(runners, sizeof runners, kernel != NULL ? kernel : runner->name);
  }
  end_words(operators);
  end_words(runners);
  snprintf(which, sizeof which, layer >= 0 ? "%d" : "exit %d", layer >= 0 ? layer : exit);
  printf("%-7s %-24s %-22.22s %-14.14s %9.4f %6.1f%% %9.1f %6.1f%%", which, end_of(name, 24),
         operators, runners, ee_bench_ms(b, t->median), 100.0 * t->median / b->times.whole.median,
         rate * 1e-9, 100.0 * ee_bench_share(b, layer, exit, t->median));
  if (layer >= 0) {
    printf(" %11.1f %12.1f", (double)m->layer[layer].weight_bytes * 1e-3,
           (double)ee_model_cut_bytes(m, layer + 1) * 1e-3);
    if (b->limits != NULL) printf(" %9.4f", ee_bench_ms(b, ee_bench_limit(b, layer)));
  }
  printf("\n");
}

static void print_parts(const ee_bench *b) {
  const ee_model *m = b->whole.model;
  printf(
      "\nlayer   name                     operators              run by         ms/sample   share "
      "  GFLOP/s of peak  weights kB  sends on kB%s\n",
      b->limits != NULL ? "  limit ms" : "");
  for (int l = 0; l < m->n_layers; l++) {
    print_part(b, l, -1, m->layer[l].name, &b->times.layer[l], m->layer[l].flops);
    for (int e = 0; e < m->n_exits; e++) {
      if (m->exit[e].attach != l || !ee_bench_has_head(b, e)) continue;
      print_part(b, -1, e, m->exit[e].name, &b->times.head[e], m->head_flops[e]);
    }
  }
}

static void print_model(const ee_bench *b) {
  char              text[160] = "";
  const ee_timing  *t         = &b->times.whole;
  double            rate      = ee_bench_rate(b, b->flop, t->median);
  const ee_backend *backend   = b->whole.backend;
  if (backend->describe != NULL) backend->describe(text, sizeof text);
  printf("model   %s, batch %d, %s, %d passes\n", b->whole.model->name, b->whole.batch_limit,
         b->options->passes.early_heads ? "all exits" : "last exit only", b->times.n_passes);
  printf("runs    %s on %s, %s%s%s\n", backend->name, ee_cpu_name(), ee_cpu_level_name(b->level),
         text[0] != '\0' ? "; " : "", text);
  printf("time    %.4f ms per sample, least %.4f, of the CPU %.4f; had a core for %.1f%% of it\n",
         ee_bench_ms(b, t->median), ee_bench_ms(b, t->least), ee_bench_ms(b, b->times.cpu.median),
         100.0 * b->times.cpu_share);
  printf("rate    %.1f GFLOP/s with %.4f GFLOP per sample: %.1f%% of the core's peak of %.1f",
         rate * 1e-9, b->flop * 1e-9, 100.0 * ee_bench_whole_share(b), b->peak * 1e-9);
  if (b->peak8 > 0.0) printf(" in float32 and %.1f in 8 bits", b->peak8 * 1e-9);
  printf("\n");
  printf("memory  %.2f MB: weights %.2f, packed %.2f, activations %.2f\n",
         (double)(b->need.weights + b->need.packed + b->need.arena) / MB,
         (double)b->need.weights / MB, (double)b->need.packed / MB, (double)b->need.arena / MB);
  if (b->options->per_layer) print_parts(b);
}

void ee_bench_print_text(const ee_bench *bench) {
  if (bench->limits != NULL) ee_limits_print(bench->limits);
  if (bench->limits != NULL && bench->options->model != NULL) printf("\n");
  if (bench->options->model != NULL) print_model(bench);
}
