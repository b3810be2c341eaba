/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/exits_file.h"
#include "ee/model_identity.h"

#include "ee_test.h"
#include "zoo.h"

enum { EXITS = 2, ROW = EXITS * CLASSES, BLOCK = 64 };

static float logit_at(int64_t i, int j) {
  return (float)i * 0.11f - (float)j * 0.7f;
}

static int32_t label_at(int64_t i) {
  return (int32_t)(i % (CLASSES + 1)) - 1;
}

static ee_status append(ee_exits_writer *writer, int64_t first, int n, bool labelled) {
  float   logits[BLOCK * ROW];
  int32_t label[BLOCK];
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < ROW; j++) logits[i * ROW + j] = logit_at(first + i, j);
    label[i] = label_at(first + i);
  }
  return ee_exits_append(writer, n, logits, labelled ? label : NULL);
}

/* A table of @p n samples, appended in uneven blocks. */
static const char *table(const char *name, int n, bool labelled) {
  const char      *path  = ee_test_path(name);
  ee_model        *model = make_model();
  ee_exits_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, "scored by a test", &writer), EE_OK);
  ee_model_destroy(&model);
  int block = 1;
  for (int i = 0; i < n; i += block, block = block % BLOCK + 1) {
    if (block > n - i) block = n - i;
    CU_ASSERT_EQUAL_FATAL(append(writer, i, block, labelled), EE_OK);
  }
  CU_ASSERT_EQUAL_FATAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_PTR_NULL(writer);
  return path;
}

static ee_status open_and_close(const char *path) {
  ee_exits_file *file;
  ee_status      status = ee_exits_open(path, &file);
  if (status != EE_OK) CU_ASSERT_PTR_NULL(file);
  ee_exits_close(&file);
  return status;
}

static void check_info(const ee_exits_info *info, int n) {
  ee_model *model = make_model();
  CU_ASSERT_EQUAL(info->n, n);
  CU_ASSERT_EQUAL(info->n_exits, EXITS);
  CU_ASSERT_EQUAL(info->n_classes, CLASSES);
  CU_ASSERT_EQUAL(info->n_layers, model->n_layers);
  CU_ASSERT_STRING_EQUAL(info->provenance, "scored by a test");
  for (int e = 0; e < EXITS; e++) {
    CU_ASSERT_EQUAL(info->attach[e], model->exit[e].attach);
    CU_ASSERT_EQUAL(info->temperature[e], model->exit[e].temperature);
    CU_ASSERT_EQUAL(info->head_flops[e], model->head_flops[e]);
  }
  for (int l = 0; l < model->n_layers; l++)
    CU_ASSERT_EQUAL(info->layer_flops[l], model->layer[l].flops);
  for (int c = 0; c <= model->n_layers; c++)
    CU_ASSERT_EQUAL(info->cut_bytes[c], (double)ee_model_cut_bytes(model, c));
  ee_model_destroy(&model);
}

static void check_rows(ee_exits_file *file, int64_t first, int n, bool labelled) {
  float   logits[BLOCK * ROW];
  int32_t label[BLOCK];
  int     bad = 0;
  CU_ASSERT_EQUAL(ee_exits_read(file, first, n, logits, label), EE_OK);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < ROW; j++) bad += logits[i * ROW + j] != logit_at(first + i, j);
    bad += label[i] != (labelled ? label_at(first + i) : -1);
  }
  CU_ASSERT_EQUAL(bad, 0);
}

static void check_round_trip(int n, bool labelled) {
  ee_exits_file *file;
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(table("exits.h5", n, labelled), &file), EE_OK);
  check_info(ee_exits_file_info(file), n);
  for (int i = 0; i < n; i += 37) check_rows(file, i, n - i < 37 ? n - i : 37, labelled);
  check_rows(file, n, 0, labelled);
  ee_exits_close(&file);
  CU_ASSERT_PTR_NULL(file);
}

static void a_table_comes_back_as_it_was_written(void) {
  check_round_trip(5000, true);
}

static void an_unlabelled_table_has_labels_of_minus_one(void) {
  check_round_trip(3000, false);
}

static void many_unlabelled_samples_at_once_are_all_unlabelled(void) {
  enum { MANY = 2500 };
  const char      *path   = ee_test_path("many.h5");
  ee_model        *model  = make_model();
  float           *logits = calloc(MANY * ROW, sizeof *logits);
  int32_t         *label  = calloc(MANY, sizeof *label);
  ee_exits_writer *writer;
  ee_exits_file   *file;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append(writer, MANY, logits, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(path, &file), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_read(file, 0, MANY, NULL, label), EE_OK);
  for (int i = 0; i < MANY; i++) CU_ASSERT_EQUAL(label[i], -1);
  CU_ASSERT_STRING_EQUAL(ee_exits_file_info(file)->provenance, "");
  ee_exits_close(&file);
  ee_model_destroy(&model);
  free(label);
  free(logits);
}

static void a_table_tells_whose_answers_it_has(void) {
  ee_exits_file *file;
  ee_model      *model = make_model();
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(table("whose.h5", 3, true), &file), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_exits_file_info(file)->network, model->name);
  CU_ASSERT_NOT_EQUAL(ee_exits_file_info(file)->identity, 0);
  CU_ASSERT_EQUAL(ee_exits_file_info(file)->identity, ee_model_identity(model));
  ee_exits_close(&file);
  ee_model_destroy(&model);
}

static void a_table_tells_what_computed_it(void) {
  ee_exits_file   *file;
  ee_exits_writer *writer;
  ee_model        *model = make_model();
  const char      *path  = ee_test_path("backend.h5");
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(table("unknown.h5", 3, true), &file), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_exits_file_info(file)->backend, "");
  ee_exits_close(&file);
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_note_backend(writer, "int8"), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(path, &file), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_exits_file_info(file)->backend, "int8");
  ee_exits_close(&file);
  ee_model_destroy(&model);
}

static void an_empty_table_is_legal(void) {
  check_round_trip(0, true);
}

/* Scores k / 1024 at exit 0, none at exit 1. */
static void scores_come_back_as_they_were_written(void) {
  const char      *path                = ee_test_path("scores.h5");
  ee_model        *model               = make_model();
  float            logits[BLOCK * ROW] = {0}, score[BLOCK * EXITS], back[BLOCK * EXITS];
  ee_exits_writer *writer;
  ee_exits_file   *file;
  ee_exit_table   *loaded;
  add_score(model);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(model), EE_OK);
  for (int k = 0; k < BLOCK * EXITS; k++) score[k] = k % 2 == 0 ? (float)k / 1024.0f : NAN;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append_scored(writer, 20, logits, score, NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append_scored(writer, BLOCK - 20, logits, score + 20 * EXITS, NULL),
                  EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(path, &file), EE_OK);
  CU_ASSERT_TRUE(ee_exits_file_info(file)->has_score && ee_exits_file_info(file)->has_logits);
  CU_ASSERT_EQUAL(ee_exits_read_scores(file, 0, BLOCK, back), EE_OK);
  ee_exits_close(&file);
  CU_ASSERT_EQUAL_FATAL(ee_exits_load(path, &loaded), EE_OK);
  for (int k = 0; k < BLOCK * EXITS; k++) {
    CU_ASSERT(back[k] == score[k] || (isnan(back[k]) && k % 2 == 1));
    CU_ASSERT(loaded->score[k] == score[k] || (isnan(loaded->score[k]) && k % 2 == 1));
  }
  ee_exit_table_destroy(&loaded);
  ee_model_destroy(&model);
}

static void scores_that_do_not_fit_the_model_are_refused_when_written(void) {
  const char      *path        = ee_test_path("unfit.h5");
  ee_model        *model       = make_model();
  float            logits[ROW] = {0}, score[EXITS] = {0.5f, NAN};
  ee_exits_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append_scored(writer, 1, logits, score, NULL), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "the model has no scores, but some are given"));
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 0), EE_OK);
  add_score(model);
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(model), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append(writer, 1, logits, NULL), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "has learned scores, but none are given"));
  CU_ASSERT_EQUAL(ee_exits_append_scored(writer, 1, logits, score, NULL), EE_OK);
  score[0] = 1.5f;
  CU_ASSERT_EQUAL(ee_exits_append_scored(writer, 1, logits, score, NULL), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "the score of sample 1 at exit 0 is 1.5"));
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  ee_model_destroy(&model);
}

static void ranges_outside_the_table_are_refused(void) {
  static const int64_t range[][2] = {{-1, 1}, {0, 11}, {11, 0}, {5, -1}, {1, INT64_MAX}};
  ee_exits_file       *file;
  float                logits[11 * ROW];
  int32_t              label[11];
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(table("exits.h5", 10, true), &file), EE_OK);
  for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
    CU_ASSERT_EQUAL(ee_exits_read(file, range[i][0], range[i][1], logits, NULL), EE_ERR_ARG);
    CU_ASSERT_EQUAL(ee_exits_read(file, range[i][0], range[i][1], NULL, label), EE_ERR_ARG);
  }
  ee_exits_close(&file);
}

static void labels_out_of_range_are_refused_when_written(void) {
  const char      *path        = ee_test_path("labels.h5");
  ee_model        *model       = make_model();
  float            logits[ROW] = {0};
  int32_t          label       = CLASSES;
  ee_exits_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(append(writer, 0, 4, true), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append(writer, 1, logits, &label), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "label of sample 4 is 5, outside [-1, 4]"));
  CU_ASSERT_EQUAL(ee_exits_append(writer, -1, logits, NULL), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 0), EE_OK);
  CU_ASSERT_FALSE(left_over(path));
  ee_model_destroy(&model);
}

static void a_damaged_table_is_refused(void) {
  check_damage(table("damaged.h5", 20, true), open_and_close);
}

/* Change @p n bytes where @p what stands, seal again, and expect @p words. */
static void tell(bytes good, const void *what, size_t what_n, size_t offset, const void *lie,
                 size_t n, const char *words) {
  const char *path = ee_test_path("hostile.h5");
  bytes       b    = {malloc(good.n), good.n};
  memcpy(b.at, good.at, good.n);
  memcpy(b.at + find_bytes(good, what, what_n) + offset, lie, n);
  reseal(b);
  write_bytes(path, b.at, b.n);
  CU_ASSERT_EQUAL(open_and_close(path), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, words));
  free(b.at);
}

static void what_was_rounded_where_is_noted(void) {
  const int        cuts[] = {1, 2};
  const char      *path   = ee_test_path("rounded.h5");
  ee_model        *model  = make_model();
  ee_exits_writer *writer;
  ee_exits_file   *file;
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(table("whole.h5", 3, true), &file), EE_OK);
  CU_ASSERT_STRING_EQUAL(ee_exits_file_info(file)->link_values, "");
  CU_ASSERT_EQUAL(ee_exits_file_info(file)->n_link_cuts, 0);
  ee_exits_close(&file);
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_note_links(writer, "int8", cuts, 2), EE_OK);
  CU_ASSERT_EQUAL(append(writer, 0, 3, true), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(path, &file), EE_OK);
  const ee_exits_info *info = ee_exits_file_info(file);
  CU_ASSERT_STRING_EQUAL(info->link_values, "int8");
  CU_ASSERT_EQUAL_FATAL(info->n_link_cuts, 2);
  CU_ASSERT_EQUAL(memcmp(info->link_cuts, cuts, (size_t)info->n_link_cuts * sizeof *cuts), 0);
  ee_exits_close(&file);
  const int falling[] = {2, 1};
  bytes     good      = read_bytes(path);
  size_t    next = find_bytes(good, cuts, sizeof cuts) + 1 - SEAL;  // exits follow 1 and 2, too
  bytes     rest = {good.at + next, good.n - next};
  tell(good, cuts, sizeof cuts, find_bytes(rest, cuts, sizeof cuts) + 1 - SEAL, falling,
       sizeof falling, "in front of layer 1, number 1 of 2");
  free(good.at);
  ee_model_destroy(&model);
}

static void cuts_that_are_none_are_refused(void) {
  ee_model        *model    = make_model();
  const int        layers   = model->n_layers;
  const int        bad[][2] = {{0, 1}, {1, 1}, {2, 1}, {1, layers}};
  const char      *path     = ee_test_path("cuts.h5");
  ee_exits_writer *writer;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(ee_exits_note_links(writer, "int8", bad[i], 2), EE_ERR_ARG);
    CU_ASSERT_TRUE(message_says(path, "expected rising layers from 1 to"));
  }
  CU_ASSERT_EQUAL(ee_exits_note_links(writer, "int8", bad[0], 0), EE_ERR_ARG);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 0), EE_OK);
  ee_model_destroy(&model);
}

#define LIE(what, offset, lie, words) tell(good, what, sizeof what, offset, &lie, sizeof lie, words)

static void lies_under_a_valid_seal_are_told(void) {
  bytes     good  = read_bytes(table("good.h5", 20, true));
  ee_model *model = make_model();
  int32_t   label[20], attach[EXITS];
  float     temperature[EXITS], zero = 0.0f;
  double    flops[EXITS], minus = -1.0, huge = INFINITY;
  int32_t   five = 5, minus_two = -2;
  for (int i = 0; i < 20; i++) label[i] = label_at(i);
  for (int e = 0; e < EXITS; e++) {
    attach[e]      = model->exit[e].attach;
    temperature[e] = model->exit[e].temperature;
    flops[e]       = model->head_flops[e];
  }
  LIE(label, 12, five, "label of sample 3 is 5");
  LIE(label, 76, minus_two, "label of sample 19 is -2");
  LIE(attach, 0, five, "exit 0 follows layer 5, not in [0, 2]");
  LIE(attach, 4, minus_two, "exit 1 follows layer -2, not in [2, 2]");
  LIE(temperature, 4, zero, "exit 1 has temperature 0");
  LIE(flops, 0, minus, "element 0 of /head_flops is -1");
  LIE(flops, 8, huge, "element 1 of /head_flops is inf");
  ee_model_destroy(&model);
  free(good.at);
}

static void an_unfinished_model_has_no_table(void) {
  ee_model         raw = {.name = "raw"};
  ee_exits_writer *writer;
  const char      *path = ee_test_path("raw.h5");
  CU_ASSERT_EQUAL(ee_exits_create(path, &raw, NULL, &writer), EE_ERR_STATE);
  CU_ASSERT_PTR_NULL(writer);
  CU_ASSERT_FALSE(left_over(path));
}

static void h5py_reads_the_same(void) {
  char answer[256], expected[256];
  if (!ask_h5py(table("exits.h5", 100, true),
                "print(f.attrs[\"format\"].decode(), f[\"logits\"].shape, f[\"labels\"][:].sum(),"
                " \"{:.3f}\".format(f[\"logits\"][99, 1, 4]), len(f[\"cut_bytes\"]), "
                "len(f[\"layer_flops\"]))",
                answer, sizeof answer))
    return;
  long labels = 0;
  for (int i = 0; i < 100; i++) labels += label_at(i);
  snprintf(expected, sizeof expected, "edgeexit-exits (100, 2, 5) %ld %.3f 4 3\n", labels,
           (double)logit_at(99, 9));
  CU_ASSERT_STRING_EQUAL(answer, expected);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_table_comes_back_as_it_was_written),
    EE_FACT(an_unlabelled_table_has_labels_of_minus_one),
    EE_FACT(many_unlabelled_samples_at_once_are_all_unlabelled),
    EE_FACT(a_table_tells_whose_answers_it_has),
    EE_FACT(a_table_tells_what_computed_it),
    EE_FACT(an_empty_table_is_legal),
    EE_FACT(scores_come_back_as_they_were_written),
    EE_FACT(scores_that_do_not_fit_the_model_are_refused_when_written),
    EE_FACT(what_was_rounded_where_is_noted),
    EE_FACT(cuts_that_are_none_are_refused),
    EE_FACT(ranges_outside_the_table_are_refused),
    EE_FACT(labels_out_of_range_are_refused_when_written),
    EE_FACT(a_damaged_table_is_refused),
    EE_FACT(lies_under_a_valid_seal_are_told),
    EE_FACT(an_unfinished_model_has_no_table),
    EE_FACT(h5py_reads_the_same),
    {NULL, NULL},
};
