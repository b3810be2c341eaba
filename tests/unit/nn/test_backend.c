/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs a node, and what that will take. */
#include "ee/backend.h"

#include "ee/cpu.h"
#include "ee/exec.h"
#include "ee/winograd.h"
#include "ee_test.h"
#include "graph_maker.h"
#include "simd_kernels.h"

static ee_model *finished(uint64_t seed) {
  ee_model *m = maker_random(seed);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  return m;
}

static void open_backends(void) {
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
    const ee_backend *b = ee_backend_by_name(*name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    if (b->open != NULL) CU_ASSERT_EQUAL_FATAL(b->open(), EE_OK);
  }
}

/* Backends from name @p from on are asked one after the other; behind int8, the last, the first. */
static void a_node_is_run_by_the_first_backend_that_can_from_the_wanted_one_on(void) {
  const char *const *names = ee_backend_names();
  ee_model          *m     = finished(5);
  open_backends();
  for (int from = 0; names[from] != NULL; from++) {
    for (int k = 0; k < m->n_nodes; k++) {
      int i = from;
      while (!ee_backend_by_name(names[i])->can(m, &m->node[k])) i = names[i + 1] ? i + 1 : 0;
      CU_ASSERT_PTR_EQUAL(ee_backend_for(ee_backend_by_name(names[from]), m, &m->node[k]),
                          ee_backend_by_name(names[i]));
    }
  }
  ee_model_destroy(&m);
}

static bool can_nothing(const ee_model *model, const ee_node *node) {
  (void)model;
  (void)node;
  return false;
}

static void what_a_backend_of_somebody_else_cannot_run_is_run_by_ref(void) {
  const ee_backend foreign = {.name = "foreign", .can = can_nothing};
  ee_model        *m       = finished(6);
  CU_ASSERT_PTR_EQUAL(ee_backend_for(&foreign, m, &m->node[0]), &ee_backend_ref);
  ee_model_destroy(&m);
}

/* Every range of layers of random networks: the need is what is then held. */
static void what_layers_need_is_what_they_take(void) {
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
    const ee_backend *b = ee_backend_by_name(*name);
    for (uint64_t seed = 0; seed < 10; seed++) {
      ee_model      *m     = finished(seed);
      int            begin = m->n_layers / 3, end = m->n_layers;
      size_t         arena;
      ee_resident   *res;
      ee_memory_need need;
      CU_ASSERT_EQUAL_FATAL(ee_exec_memory(m, b, begin, end, 4, &need), EE_OK);
      CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, b, &res), EE_OK);
      for (int l = begin; l < end; l++) CU_ASSERT_EQUAL(ee_resident_add(res, l, NULL), EE_OK);
      CU_ASSERT_EQUAL(need.weights + need.packed, ee_resident_bytes(res));
      CU_ASSERT_EQUAL(ee_exec_arena_bytes(m, b, begin, end, 4, &arena), EE_OK);
      CU_ASSERT_EQUAL(need.arena, arena);
      ee_resident_destroy(&res);
      ee_model_destroy(&m);
    }
  }
}

static void a_range_that_is_none_needs_nothing_and_is_refused(void) {
  ee_memory_need need = {1, 1, 1};
  ee_model      *m    = finished(1);
  CU_ASSERT_EQUAL(ee_exec_memory(m, &ee_backend_ref, 0, m->n_layers + 1, 1, &need), EE_ERR_ARG);
  CU_ASSERT_EQUAL(need.weights + need.packed + need.arena, 0);
  ee_model_destroy(&m);
}

static void backends_and_processor_say_what_they_are(void) {
  char text[160] = "";
  open_backends();
  ee_backend_blis.describe(text, sizeof text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "BLIS "));
  ee_backend_blis.describe(text, 8);
  CU_ASSERT_EQUAL(strlen(text), 7);
  CU_ASSERT_TRUE(strlen(ee_cpu_name()) > 0);
  CU_ASSERT_PTR_EQUAL(ee_cpu_name(), ee_cpu_name());
  CU_ASSERT_STRING_EQUAL(ee_cpu_level_name(EE_CPU_AVX512), "AVX-512");
}

enum { CHANNELS = 16, SIDE = 8, CLASSES = 3 };

/* A convolution by 2^-20, a sum, a limit, and a head that takes one element for each class. */
static ee_model *model_of_small_numbers(void) {
  ee_model *m = maker_begin(CLASSES, SHAPE(1, CHANNELS, SIDE, SIDE));
  int       x = maker_conv(m, "conv", m->input);
  maker_head(m, "final", maker_relu(m, "relu", maker_add(m, "sum", x, x)));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(m), EE_OK);
  const ee_node *conv = maker_find(m, "conv"), *head = maker_find(m, "final");
  float         *w = m->value[conv->in[1]].data, *taken = m->value[head->in[1]].data;
  for (int i = 0; i < CHANNELS * CHANNELS * 9; i++) {
    w[i] = i % (CHANNELS * 9 + 9) == 4 ? 0x1p-20F : 0.0F;  // the middle of a channel's own window
  }
  for (int i = 0; i < CHANNELS * SIDE * SIDE * CLASSES; i++) {
    taken[i] = i / CLASSES == 100 * (i % CLASSES + 1) ? 1.0F : 0.0F;
  }
  for (int c = 0; c < CLASSES; c++) m->value[head->in[2]].data[c] = 0.0F;
  return m;
}

static void run_whole(const ee_model *m, const ee_backend *backend, const float *x, float *logits) {
  ee_resident *res;
  ee_exec     *exec;
  const float *z;
  CU_ASSERT_EQUAL_FATAL(ee_resident_create(m, backend, &res), EE_OK);
  for (int l = 0; l < m->n_layers; l++) CU_ASSERT_EQUAL(ee_resident_add(res, l, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_create(res, 0, m->n_layers, 1, &exec), EE_OK);
  memcpy(ee_exec_input(exec, m->input), x, CHANNELS * SIDE * SIDE * sizeof *x);
  CU_ASSERT_EQUAL(ee_exec_run_layers(exec, 0, m->n_layers, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exec_run_head(exec, 0, 1, &z), EE_OK);
  memcpy(logits, z, CLASSES * sizeof *logits);
  ee_exec_destroy(&exec);
  ee_resident_destroy(&res);
}

/* From 2^-120 on they become numbers of fewer than 24 bits: 2 x 2^-20, exact here, and nothing else
 * in any sum. */
static void check_small_numbers(const ee_model *m, const ee_backend *backend) {
  float x[CHANNELS * SIDE * SIDE], logits[CLASSES];
  for (int i = 0; i < CHANNELS * SIDE * SIDE; i++) x[i] = (float)(i + 1) * 0x1p-128F;
  run_whole(m, backend, x, logits);
  for (int c = 0; c < CLASSES; c++) {
    CU_ASSERT_EQUAL(logits[c], (float)(100 * (c + 1) + 1) * 0x1p-147F);
    CU_ASSERT_NOT_EQUAL(logits[c], 0.0F);
  }
}

static void numbers_below_the_normal_ones_are_not_flushed_by_any_backend(void) {
  static const char *const vectors[] = {"base", "avx2", "avx512"};
  ee_model                *m         = model_of_small_numbers();
  open_backends();
  ee_winograd_set(EE_WINOGRAD_OFF);
  for (const char *const *name = ee_backend_names(); *name != NULL; name++) {
    for (int i = 0; i < 3; i++) {
      if (ee_simd_kernels_use(vectors[i]) == EE_OK) {
        check_small_numbers(m, ee_backend_by_name(*name));
      }
    }
  }
  ee_simd_kernels_use(NULL);
  ee_winograd_set(EE_WINOGRAD_BY_MODEL);
  ee_model_destroy(&m);
}

/* A number that the first processor of /proc/cpuinfo has; -1 if there is none. */
static int told_of_cpu(const char *key) {
  char  line[4096];
  int   told = -1;
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file != NULL && told < 0 && fgets(line, sizeof line, file) != NULL) {
    size_t n = strlen(key);
    if (strncmp(line, key, n) == 0 && line[n] == '\t') told = atoi(strchr(line, ':') + 1);
  }
  if (file != NULL) fclose(file);
  return told;
}

static void processors_of_one_name_are_told_apart(void) {
  char text[96];
  int  family = told_of_cpu("cpu family");
  if (family < 0) {
    ee_test_skip("the system does not tell the processor's family");
    return;
  }
  snprintf(text, sizeof text, ", family %d, model %d, stepping %d", family, told_of_cpu("model"),
           told_of_cpu("stepping"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_cpu_name(), text));
}

const ee_fact ee_facts[] = {
    EE_FACT(processors_of_one_name_are_told_apart),
    EE_FACT(a_node_is_run_by_the_first_backend_that_can_from_the_wanted_one_on),
    EE_FACT(what_a_backend_of_somebody_else_cannot_run_is_run_by_ref),
    EE_FACT(what_layers_need_is_what_they_take),
    EE_FACT(a_range_that_is_none_needs_nothing_and_is_refused),
    EE_FACT(backends_and_processor_say_what_they_are),
    EE_FACT(numbers_below_the_normal_ones_are_not_flushed_by_any_backend),
    {NULL, NULL},
};
