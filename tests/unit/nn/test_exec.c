/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/exec.h"

#include <limits.h>

#include "ee_test.h"
#include "probe.h"

enum { NETS = 60, BATCH = 3, ROW = 2 * 4 * 4, CLASSES = 3 };

/* A random network, what it makes of BATCH random samples, and its layers held. */
typedef struct bench {
  ee_model    *m;
  float        input[BATCH * ROW];
  float      **truth;  // shape [n_values][BATCH, elements]
  ee_resident *res;
} bench;

static void hold_all(ee_resident *res, int n_layers) {
  for (int l = 0; l < n_layers; l++) CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, NULL), EE_OK);
}

static void open_model(bench *b, ee_model *m) {
  ee_rng rng = ee_rng_at(3, 3);
  b->m       = m;
  for (int i = 0; i < BATCH * ROW; i++) b->input[i] = (float)(ee_rng_uniform(&rng) - 0.5);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  b->truth = naive_run(m, b->input, BATCH);
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, &probe, &b->res), EE_OK);
  hold_all(b->res, m->n_layers);
}

static void close_bench(bench *b) {
  naive_free(b->m, b->truth);
  ee_resident_destroy(&b->res);
  ee_model_destroy(&b->m);
  CU_ASSERT_EQUAL(probe_prepared, 0);
}

static size_t row_bytes(const ee_model *m, int v) {
  return (size_t)ee_model_value_elements(m, v) * sizeof(float);
}

static ee_exec *make_exec(bench *b, int begin, int end) {
  ee_exec *x;
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(b->res, begin, end, BATCH, &x), EE_OK);
  return x;
}

static ee_exec *make_fed_exec(bench *b, int end) {
  ee_exec *x = make_exec(b, 0, end);
  memcpy(ee_exec_input(x, b->m->input), b->input, sizeof b->input);
  return x;
}

/* Row i of value v must be what the oracle has for sample sample[i]. */
static void check_rows(const bench *b, const float *rows, int v, const int *sample, int n) {
  size_t bytes = row_bytes(b->m, v);
  for (int i = 0; i < n; i++) {
    const float *want = b->truth[v] + (size_t)sample[i] * bytes / sizeof(float);
    CU_ASSERT_EQUAL(memcmp(rows + (size_t)i * bytes / sizeof(float), want, bytes), 0);
  }
}

static void check_cut(const bench *b, ee_exec *x, int cut, const int *sample, int n) {
  int        n_live;
  const int *live = ee_model_cut_values(b->m, cut, &n_live);
  for (int i = 0; i < n_live; i++) check_rows(b, ee_exec_value(x, live[i]), live[i], sample, n);
}

static void run_and_check_head(const bench *b, ee_exec *x, int e, const int *sample, int n) {
  const float *logits;
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(x, e, n, &logits), EE_OK);
  check_rows(b, logits, b->m->exit[e].logits, sample, n);
  const float *score = ee_exec_score(x, e);
  CU_ASSERT_EQUAL(score != NULL, b->m->exit[e].has_score);
  if (score != NULL) check_rows(b, score, b->m->exit[e].score, sample, n);
}

static const int everyone[] = {0, 1, 2};

/* Layers [from, to) one by one, each with its heads: of even exits only if @p step is 2. */
static void run_and_check(const bench *b, ee_exec *x, int from, int to, int step) {
  for (int l = from; l < to; l++) {
    CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(x, l, l + 1, BATCH), EE_OK);
    for (int e = 0; e < b->m->n_exits; e += step) {
      if (b->m->exit[e].attach == l) run_and_check_head(b, x, e, everyone, BATCH);
    }
    check_cut(b, x, l + 1, everyone, BATCH);
  }
}

static void a_range_of_all_layers_computes_the_whole_graph(void) {
  for (uint64_t seed = 0; seed < NETS; seed++) {
    bench b;
    open_model(&b, maker_random(seed));
    ee_exec *x = make_fed_exec(&b, b.m->n_layers);
    run_and_check(&b, x, 0, b.m->n_layers, 1);
    ee_exec_destroy(&x);
    CU_ASSERT_PTR_NULL(x);
    close_bench(&b);
  }
}

static void heads_that_are_left_out_change_nothing(void) {
  for (uint64_t seed = 0; seed < NETS; seed++) {
    bench b;
    open_model(&b, maker_random(seed));
    ee_exec *x = make_fed_exec(&b, b.m->n_layers);
    run_and_check(&b, x, 0, b.m->n_layers, 2);
    ee_exec_destroy(&x);
    close_bench(&b);
  }
}

static void split(bench *b, int cut) {
  ee_exec   *front = make_fed_exec(b, cut), *back = make_exec(b, cut, b->m->n_layers);
  int        n;
  const int *live = ee_model_cut_values(b->m, cut, &n);
  run_and_check(b, front, 0, cut, 1);
  for (int i = 0; i < n; i++) {
    memcpy(ee_exec_input(back, live[i]), ee_exec_value(front, live[i]),
           BATCH * row_bytes(b->m, live[i]));
  }
  ee_exec_destroy(&front);
  run_and_check(b, back, cut, b->m->n_layers, 1);
  ee_exec_destroy(&back);
}

static void a_split_at_any_cut_gives_the_same_bits(void) {
  for (uint64_t seed = 0; seed < NETS / 2; seed++) {
    bench b;
    open_model(&b, maker_random(seed));
    for (int cut = 1; cut < b.m->n_layers; cut++) split(&b, cut);
    close_bench(&b);
  }
}

static void samples_kept_go_on_as_if_they_had_been_alone(void) {
  static const int keeps[][3] = {{0, 1, 2}, {0, 2}, {1, 2}, {2}, {1}, {0}};
  static const int sizes[]    = {3, 2, 2, 1, 1, 1};
  for (uint64_t seed = 0; seed < NETS; seed++) {
    bench b;
    open_model(&b, maker_random(seed));
    ee_exec   *x    = make_fed_exec(&b, b.m->n_layers);
    int        pick = (int)(seed % 6), cut = 1 + (int)(seed % (uint64_t)(b.m->n_layers - 1));
    const int *who = everyone;
    int        n   = BATCH;
    for (int l = 0; l < b.m->n_layers; l++) {
      if (l == cut) {
        ee_exec_keep(x, cut, keeps[pick], sizes[pick]);
        who = keeps[pick];
        n   = sizes[pick];
        check_cut(&b, x, cut, who, n);
      }
      CU_ASSERT_EQUAL_FATAL(ee_exec_run_layers(x, l, l + 1, n), EE_OK);
      for (int e = 0; e < b.m->n_exits; e++) {
        if (b.m->exit[e].attach == l) run_and_check_head(&b, x, e, who, n);
      }
    }
    ee_exec_destroy(&x);
    close_bench(&b);
  }
}

/* Three exits after layer 1.  "one" reads r, which no later layer needs; the sums that "two" and
 * "three" make would find room in its place. */
static ee_model *three_exits_in_one_place(void) {
  ee_model *m = maker_begin(CLASSES, SHAPE(1, 2, 4, 4));
  int       a = maker_conv(m, "a", m->input), b = maker_conv(m, "b", a);
  int       r = maker_relu(m, "r", b), s = maker_add(m, "s", r, a);
  maker_head(m, "one", r);
  maker_score(m, r);
  maker_head(m, "two", maker_add(m, "t", s, s));
  maker_score(m, m->exit[1].logits);
  maker_head(m, "three", maker_relu(m, "v", maker_add(m, "u", s, s)));
  maker_exit(m, "final", maker_gemm(m, "last", maker_flatten(m, "flat", s), CLASSES));
  return m;
}

static int count_head_nodes(const ee_model *m, int e) {
  int n = 0;
  for (int i = 0; i < m->n_nodes; i++) n += m->node[i].exit == e;
  return n;
}

static void heads_of_one_layer_may_run_in_any_order(void) {
  static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  bench            b;
  open_model(&b, three_exits_in_one_place());
  CU_ASSERT_TRUE_FATAL(b.m->exit[0].attach == 1 && b.m->exit[2].attach == 1);
  for (int o = 0; o < 6; o++) {
    ee_exec *x = make_fed_exec(&b, b.m->n_layers);
    CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, 2, BATCH), EE_OK);
    for (int i = 0; i < 3; i++) {
      probe_runs = 0;
      run_and_check_head(&b, x, orders[o][i], everyone, BATCH);
      CU_ASSERT_EQUAL(probe_runs, count_head_nodes(b.m, orders[o][i]));
    }
    check_cut(&b, x, 2, everyone, BATCH);
    ee_exec_destroy(&x);
  }
  close_bench(&b);
}

/* The last logits are ready before the head of "early", whose values must not take their place. */
static void a_head_after_the_last_layer_leaves_the_last_logits_alone(void) {
  bench     b;
  ee_model *m = maker_begin(ROW, SHAPE(1, ROW));
  int       y = maker_gemm(m, "y", m->input, ROW), last = maker_relu(m, "last", y);
  maker_exit(m, "early", maker_add(m, "e2", maker_add(m, "e1", y, y), y));
  maker_exit(m, "final", last);
  open_model(&b, m);
  ee_exec *x = make_fed_exec(&b, 1);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, 1, BATCH), EE_OK);
  run_and_check_head(&b, x, 0, everyone, BATCH);
  run_and_check_head(&b, x, 1, everyone, BATCH);
  ee_exec_destroy(&x);
  close_bench(&b);
}

static void samples_may_leave_between_heads_of_one_layer(void) {
  static const int kept[] = {1, 2}, last[] = {2}, second[] = {1};
  bench            b;
  const float     *logits;
  open_model(&b, three_exits_in_one_place());
  ee_exec *x = make_fed_exec(&b, b.m->n_layers);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, 2, BATCH), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(x, 1, 3, &logits), EE_OK);
  ee_exec_keep(x, 2, kept, 2);
  check_rows(&b, logits, b.m->exit[1].logits, everyone, 3);  // what a head made stays
  run_and_check_head(&b, x, 0, kept, 2);
  ee_exec_keep(x, 2, second, 1);
  run_and_check_head(&b, x, 2, last, 1);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 2, 3, 1), EE_OK);
  run_and_check_head(&b, x, 3, last, 1);
  ee_exec_destroy(&x);
  close_bench(&b);
}

/* The score of "one" is made by its layer, and nothing behind the layer reads it; "two" stands in
 * the same place. */
static void a_score_that_a_layer_makes_goes_with_the_samples_kept(void) {
  static const int kept[] = {1, 2};
  bench            b;
  ee_model        *m = maker_begin(CLASSES, SHAPE(1, ROW));
  int              x = maker_gemm(m, "x", m->input, 4), g = maker_gemm(m, "g", x, 1);
  int              r = maker_relu(m, "r", g);
  maker_head(m, "one", x);
  m->exit[0].has_score = true;
  m->exit[0].score     = g;
  maker_head(m, "two", r);
  maker_head(m, "final", maker_gemm(m, "h", r, 5));
  open_model(&b, m);
  CU_ASSERT_TRUE_FATAL(m->exit[0].attach == 1 && m->exit[1].attach == 1);
  ee_exec *exec = make_fed_exec(&b, m->n_layers);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, 2, BATCH), EE_OK);
  run_and_check_head(&b, exec, 1, everyone, BATCH);
  ee_exec_keep(exec, 2, kept, 2);
  run_and_check_head(&b, exec, 0, kept, 2);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 2, m->n_layers, 2), EE_OK);
  run_and_check_head(&b, exec, 2, kept, 2);
  CU_ASSERT_PTR_NULL(ee_exec_score(exec, 3));
  CU_ASSERT_PTR_NULL(ee_exec_score(exec, -1));
  ee_exec_destroy(&exec);
  close_bench(&b);
}

static void layers_may_come_and_go_after_the_exec_is_made(void) {
  bench b;
  open_model(&b, maker_random(5));
  int      last = b.m->n_layers - 1;
  ee_exec *x    = make_fed_exec(&b, b.m->n_layers);
  ee_resident_drop(b.res, last);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, last + 1, BATCH), EE_ERR_STATE);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), b.m->layer[last].name));
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, last, BATCH), EE_OK);
  const float *logits;
  CU_ASSERT_EQUAL(ee_exec_run_head(x, b.m->n_exits - 1, BATCH, &logits), EE_ERR_STATE);
  CU_ASSERT_PTR_NULL(logits);
  CU_ASSERT_EQUAL(ee_resident_add(b.res, last, NULL), EE_OK);
  run_and_check(&b, x, last, last + 1, 1);
  ee_exec_destroy(&x);
  close_bench(&b);
}

static void the_blob_of_another_device_gives_the_same_bits(void) {
  bench     b;
  ee_model *bare = maker_random(9);
  open_model(&b, maker_random(9));
  for (int v = 0; v < bare->n_values; v++) {
    free(bare->value[v].data);
    bare->value[v].data = NULL;
  }
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(bare), EE_OK);
  ee_resident *res;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(bare, &probe, &res), EE_OK);
  for (int l = 0; l < bare->n_layers; l++) {
    float *blob = malloc(bare->layer[l].weight_bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(blob);
    memcpy(blob, ee_resident_blob(b.res, l), bare->layer[l].weight_bytes);
    CU_ASSERT_EQUAL_FATAL(ee_resident_add(res, l, blob), EE_OK);
  }
  ee_resident_destroy(&b.res);
  b.res      = res;
  ee_exec *x = make_fed_exec(&b, bare->n_layers);
  run_and_check(&b, x, 0, bare->n_layers, 1);
  ee_exec_destroy(&x);
  close_bench(&b);
  ee_model_destroy(&bare);
}

static void count(void *context) {
  ++*(int *)context;
}

static void progress_is_made_between_nodes(void) {
  bench b;
  open_model(&b, maker_random(4));
  ee_exec *x     = make_fed_exec(&b, b.m->n_layers);
  int      calls = 0;
  probe_runs     = 0;
  ee_exec_set_progress(x, count, &calls);
  run_and_check(&b, x, 0, b.m->n_layers, 1);
  CU_ASSERT_EQUAL(probe_runs, b.m->n_nodes);
  CU_ASSERT_EQUAL(calls, b.m->n_nodes);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, b.m->n_layers, 0), EE_OK);
  CU_ASSERT_EQUAL(probe_runs, b.m->n_nodes);  // no samples, no work
  ee_exec_destroy(&x);
  close_bench(&b);
}

static void ranges_and_batches_that_are_not_the_execs_are_refused(void) {
  bench        b;
  const float *logits;
  open_model(&b, maker_random(6));
  int      n = b.m->n_layers;
  ee_exec *x = make_exec(&b, 1, n - 1), *none;
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, 2, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 1, n, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 2, 1, 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 1, 2, BATCH + 1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_layers(x, 1, 2, -1), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_head(x, b.m->n_exits - 1, 1, &logits), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_head(x, b.m->n_exits, 1, &logits), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_run_head(x, -1, 1, &logits), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(ee_exec_value(x, -1));
  CU_ASSERT_PTR_NULL(ee_exec_value(x, b.m->n_values));
  CU_ASSERT_PTR_NULL(ee_exec_value(x, b.m->exit[b.m->n_exits - 1].logits));  // of layer n - 1
  CU_ASSERT_EQUAL(ee_exec_create(b.res, 1, 1, 1, &none), EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(none);
  CU_ASSERT_EQUAL(ee_exec_create(b.res, -1, 1, 1, &none), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_create(b.res, 0, n + 1, 1, &none), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exec_create(b.res, 0, n, 0, &none), EE_ERR_ARG);
  b.m->batched = false;
  CU_ASSERT_EQUAL(ee_exec_create(b.res, 0, n, 2, &none), EE_ERR_ARG);
  ee_exec_destroy(&x);
  close_bench(&b);
}

/* A chain of linear layers from width @p from on, each @p step wider or narrower. */
static ee_model *chain(int length, int from, int step) {
  ee_model *m = maker_begin(from + length * step, SHAPE(1, from));
  int       x = m->input;
  for (int i = 1; i <= length; i++) x = maker_gemm(m, "gemm", x, from + i * step);
  maker_exit(m, "final", x);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

/* Two neighbours are needed at a time; all others share their room. */
static void a_chain_needs_room_for_its_two_largest_neighbours(void) {
  static const int step[] = {0, 16, -16};
  for (int length = 2; length < 10; length++) {
    for (int k = 0; k < 3; k++) {
      ee_model *m     = chain(length, 160, step[k]);
      size_t    width = 160 + (step[k] > 0 ? (size_t)length * 16 : 0);
      size_t    both  = (2 * width - (step[k] != 0 ? 16 : 0)) * sizeof(float);
      for (int batch = 1; batch < 70; batch += 17) {
        size_t bytes, scratch = ((size_t)batch * 10 + 63) / 64 * 64;
        CU_ASSERT_EQUAL(ee_exec_arena_bytes(m, &probe, 0, length, batch, &bytes), EE_OK);
        CU_ASSERT_EQUAL(bytes, (size_t)batch * both + scratch);
      }
      ee_model_destroy(&m);
    }
  }
}

static void an_arena_that_no_address_reaches_is_refused(void) {
  ee_model *m            = maker_begin(1, SHAPE(1, INT64_C(1) << 39));
  int       r            = maker_relu(m, "r", m->input);
  ee_node  *n            = maker_node(m, EE_OP_REDUCE_MEAN, "mean", r, -1, -1, SHAPE(1, 1));
  n->attr.reduce.axis[1] = true;
  maker_exit(m, "final", n->out);
  size_t bytes = 1;
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  CU_ASSERT_EQUAL(ee_exec_arena_bytes(m, &probe, 0, 1, INT_MAX, &bytes), EE_ERR_NOMEM);
  CU_ASSERT_EQUAL(ee_exec_arena_bytes(m, &probe, 0, 1, 1 << 23, &bytes), EE_ERR_NOMEM);  // 2^64
  CU_ASSERT_EQUAL(bytes, 0);
  ee_model_destroy(&m);
}

/* The backends of the library give the oracle's logits, up to rounding. */
static void the_backends_of_the_library_run_the_same_graphs(void) {
  for (uint64_t seed = 0; seed < 20; seed++) {
    for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
      bench        b;
      const float *logits = NULL;
      open_model(&b, maker_random(seed));
      ee_resident_destroy(&b.res);
      CU_ASSERT_EQUAL_FATAL(ee_resident_create(b.m, ee_backend_by_name(*name), &b.res), EE_OK);
      hold_all(b.res, b.m->n_layers);
      ee_exec *x = make_fed_exec(&b, b.m->n_layers);
      CU_ASSERT_EQUAL(ee_exec_run_layers(x, 0, b.m->n_layers, BATCH), EE_OK);
      int last = b.m->n_exits - 1;
      CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(x, last, BATCH, &logits), EE_OK);
      const float *want = b.truth[b.m->exit[last].logits];
      for (int i = 0; i < BATCH * CLASSES; i++) CU_ASSERT_DOUBLE_EQUAL(logits[i], want[i], 1e-3);
      ee_exec_destroy(&x);
      close_bench(&b);
    }
  }
}

const ee_fact ee_facts[] = {
    EE_FACT(a_range_of_all_layers_computes_the_whole_graph),
    EE_FACT(heads_that_are_left_out_change_nothing),
    EE_FACT(a_split_at_any_cut_gives_the_same_bits),
    EE_FACT(samples_kept_go_on_as_if_they_had_been_alone),
    EE_FACT(heads_of_one_layer_may_run_in_any_order),
    EE_FACT(a_head_after_the_last_layer_leaves_the_last_logits_alone),
    EE_FACT(samples_may_leave_between_heads_of_one_layer),
    EE_FACT(a_score_that_a_layer_makes_goes_with_the_samples_kept),
    EE_FACT(layers_may_come_and_go_after_the_exec_is_made),
    EE_FACT(the_blob_of_another_device_gives_the_same_bits),
    EE_FACT(progress_is_made_between_nodes),
    EE_FACT(ranges_and_batches_that_are_not_the_execs_are_refused),
    EE_FACT(a_chain_needs_room_for_its_two_largest_neighbours),
    EE_FACT(an_arena_that_no_address_reaches_is_refused),
    EE_FACT(the_backends_of_the_library_run_the_same_graphs),
    {NULL, NULL},
};
