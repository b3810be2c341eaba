/* SPDX-License-Identifier: Apache-2.0 */
/* Exit tables from text, both forms; their files without logits; and calibrated tables. */
#include <math.h>

#include "ee/exits_file.h"
#include "ee/import.h"
#include "ee_test.h"
#include "zoo.h"

static const char *text_file(const char *text) {
  const char *path = ee_test_path("table.csv");
  write_bytes(path, text, strlen(text));
  return path;
}

static const ee_exits_columns wide = {.prediction = "p0,p1", .confidence = "c0,c1", .label = "y"};
static const ee_exits_columns long_form = {
    .sample = "s", .exit = "e", .prediction = "p", .confidence = "c", .label = "y"};

static const ee_exits_columns of_classes = {
    .probability = "a,b,c,d,e,f", .label = "y", .n_classes = 3};
static const ee_exits_columns long_classes = {
    .probability = "a,b,c", .sample = "s", .exit = "x", .label = "y", .n_classes = 3};

static ee_exit_table *import(const char *text, const ee_exits_columns *columns) {
  ee_exit_table *table  = NULL;
  ee_status      status = ee_import_exits(text_file(text), columns, &table);
  if (status != EE_OK) printf("  %s\n", ee_status_message());
  CU_ASSERT_EQUAL_FATAL(status, EE_OK);
  return table;
}

/* Two samples, two exits: (1 at .5, 0 at .75), label 0; (2 at .25, 2 at 1), no label. */
static void check_two(ee_exit_table *t) {
  static const float   confidence[] = {0.5f, 0.75f, 0.25f, 1.0f};
  static const int32_t prediction[] = {1, 0, 2, 2};
  CU_ASSERT_FATAL(t->n == 2 && t->n_exits == 2);
  CU_ASSERT(t->n_classes == 3 && t->label[0] == 0 && t->label[1] == -1);
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(t->confidence[i], confidence[i]);
    CU_ASSERT_EQUAL(t->prediction[i], prediction[i]);
  }
  CU_ASSERT_EQUAL(ee_exit_table_check(t), EE_OK);
  ee_exit_table_destroy(&t);
}

static void a_wide_table_has_a_row_per_sample(void) {
  check_two(import("y,p0,c0,p1,c1\n0,1,0.5,0,0.75\n-1,2,.25,2,1\n", &wide));
  check_two(
      import("id\ty\tp0\tc0\tp1\tc1\r\n7\t0\t1.0\t5e-1\t0\t0.75\r\n\r\n8\t\t2\t.25\t2\t1", &wide));
}

static void fields_in_quotes_may_hold_commas_quotes_and_line_ends(void) {
  ee_exits_columns quoted = {.prediction = "p \"0\",p1", .confidence = "c0,c1", .label = "y"};
  check_two(
      import("\"a,b\",y,\"p \"\"0\"\"\",c0,p1,c1\n"
             "\"x\n,\"\"y\",0,1,\"0.5\",0,0.75\n,,2,.25,2,1\n",
             &quoted));
}

static void what_editors_and_roundings_leave_does_no_harm(void) {
  check_two(import("\xef\xbb\xbfy,p0,c0,p1,c1\n0,1,0.5,0,0.75\n-1,2,.25,2,1.000001\n", &wide));
}

static void a_long_table_is_sorted_by_sample_and_exit(void) {
  check_two(import("s,e,c,p,y\n9,2,1,2,-1\n4,2,.75,0,0\n9,1,.25,2,\n4,1,.5,1,0\n", &long_form));
}

static void predictions_alone_make_a_table(void) {
  ee_exits_columns columns = {.prediction = "a,b", .layers = "2,5", .n_classes = 4};
  ee_exit_table   *t       = import("a,b\n0,1\n1,1\n", &columns);
  CU_ASSERT_PTR_NULL(t->confidence);
  CU_ASSERT(t->n == 2 && t->n_classes == 4 && t->label[0] == -1);
  CU_ASSERT(t->layers[0] == 2 && t->layers[1] == 5 && t->flops[1] == 5.0);
  ee_exit_table_destroy(&t);
}

/* Scores .5, none; .25, 1: as fields of both forms, or without a column of the last exit. */
static void scores_may_be_missing_at_exits_that_have_none(void) {
  ee_exits_columns all = wide, early = wide, rows = long_form;
  ee_exit_table   *t = NULL;
  all.score = "h0,h1", early.score = "h0", rows.score = "h";
  t = import("y,p0,c0,h0,p1,c1,h1\n0,1,.5,.5,0,.75,\n-1,2,.25,.25,2,1,1.000001\n", &all);
  CU_ASSERT(t->score[0] == 0.5f && isnan(t->score[1]));
  CU_ASSERT(t->score[2] == 0.25f && t->score[3] == 1.0f);
  check_two(t);
  t = import("y,p0,c0,h0,p1,c1\n0,1,.5,.5,0,.75\n-1,2,.25,,2,1\n", &early);
  CU_ASSERT(t->score[0] == 0.5f && isnan(t->score[1]));
  CU_ASSERT(isnan(t->score[2]) && isnan(t->score[3]));
  check_two(t);
  t = import("s,e,c,p,y,h\n9,2,1,2,-1,\n4,2,.75,0,0,\n9,1,.25,2,,0.25\n4,1,.5,1,0,1\n", &rows);
  CU_ASSERT(t->score[0] == 1.0f && isnan(t->score[1]) && t->score[2] == 0.25f);
  check_two(t);
}

static void refuse(const char *text, const ee_exits_columns *columns, const char *words) {
  ee_exit_table *t      = NULL;
  const char    *path   = text_file(text);
  ee_status      status = ee_import_exits(path, columns, &t);
  CU_ASSERT(status == EE_ERR_FORMAT || status == EE_ERR_ARG);
  CU_ASSERT_PTR_NULL(t);
  CU_ASSERT_TRUE(message_says(path, words));
  ee_exit_table_destroy(&t);
}

static void what_is_wrong_in_a_wide_table_is_named_by_line_and_column(void) {
  refuse("", &wide, "is empty");
  refuse("y,p0,c0,p1,c1\n", &wide, "no rows");
  refuse("y,p0,c0,p1\n0,1,0.5,0\n", &wide, ":1: no column 'c1'; there are: 'y', 'p0', 'c0', 'p1'");
  refuse("y,p0,c0,p1,c1,c1\n0,1,0.5,0,1,1\n", &wide, ":1: more than one column 'c1'");
  refuse("y,p0,c0,p1,c1\n0,1,0.5,0,nan\n", &wide, ":2: column 'c1' is 'nan', expected a number");
  refuse("y,p0,c0,p1,c1\n\n0,1,0.5,0,1\n0,1,,0,1\n", &wide, ":4: column 'c0' is ''");
  refuse("y,p0,c0,p1,c1\n0,1,1.5,0,1\n", &wide, ":2: column 'c0' is 1.5, expected a confidence");
  refuse("y,p0,c0,p1,c1\n0,1.5,1,0,1\n", &wide, ":2: column 'p0' is 1.5, expected a whole number");
  refuse("y,p0,c0,p1,c1\n0,-1,1,0,1\n", &wide, ":2: column 'p0' is -1");
  refuse("y,p0,c0,p1,c1\n0,1, 1,0,1\n", &wide, ":2: column 'c0' is ' 1', expected a number");
  refuse("y,p0,c0,p1,c1\n0,1,1,0\n", &wide, ":2: the row has fewer than the 5 fields");
  refuse("y,p0,c0,p1,c1\n0,1,1,0,1,1\n", &wide, ":2: the row has more than the 5 fields");
  refuse("y,p0,c0,p1,c1\n0,1,\"1,0,1\n", &wide, ":2: a field in quotes does not end");
  refuse("y,p0,c0,p1,c1\n0,1,\"1\"x,0,1\n", &wide, ":2: a field in quotes does not end");
  ee_exits_columns uneven = {.prediction = "p0", .confidence = "c0,c1"};
  refuse("y,p0,c0,p1,c1\n0,1,1,0,1\n", &uneven, "2 columns of confidences and 1 of predictions");
  ee_exits_columns many = wide, scored = wide;
  many.score = "c0,c1,y", scored.score = "y";
  refuse("y,p0,c0,p1,c1\n0,1,1,0,1\n", &many, "3 columns of scores and 2 of predictions");
  refuse("y,p0,c0,p1,c1\n0,1,1,0,1\n2,1,1,0,1\n", &scored,
         ":3: column 'y' is 2, expected a score from 0 to 1");
  ee_exits_columns two = {.prediction = "p0", .label = "y", .n_classes = 2};
  refuse("y,p0\n0,1\n2,1\n", &two, ":3: column 'y' is 2, expected a whole number from -1 to 1");
  ee_exits_columns flat = {.prediction = "y,p0", .layers = "3,3"};
  refuse("y,p0\n0,1\n", &flat, "layers are '3,3', expected 2 rising numbers");
}

static void probabilities_that_are_none_are_named_by_line_and_columns(void) {
  const char       *head = "y,a,b,c,d,e,f\n0,.25,.625,.125,.75,0,.25\n0,%s\n";
  char              text[128];
  const char *const wrong[][2] = {
      {".25,.625,.125,.75,0,.5", ":3: the probabilities in columns 'd' to 'f' add up to 1.25"},
      {".25,.625,.125,.5,0,.25", ":3: the probabilities in columns 'd' to 'f' add up to 0.75"},
      {"0,0,0,.5,0,.5", ":3: the probabilities in columns 'a' to 'c' add up to 0, expected 1"},
      {"1,0,0,1.5,-.25,-.25", ":3: column 'd' is 1.5, expected a probability from 0 to 1"},
      {"1,0,0,1,-.25,.25", ":3: column 'e' is -.25, expected a probability from 0 to 1"},
      {"1,0,0,1,nan,0", ":3: column 'e' is 'nan', expected a number"},
      {"1,0,0,1,,0", ":3: column 'e' is '', expected a number"}};
  for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
    snprintf(text, sizeof text, head, wrong[k][0]);
    refuse(text, &of_classes, wrong[k][1]);
  }
  ee_exits_columns odd = of_classes, both = of_classes, unknown = of_classes, none = of_classes;
  odd.probability = "a,b,c,d", both.prediction = "y", unknown.n_classes = 0;
  none.probability = "a,b,c,d,e,g";
  snprintf(text, sizeof text, head, "1,0,0,1,0,0");
  refuse(text, &odd, "4 columns of probabilities are named, expected 3 for every exit");
  refuse(text, &both, "predictions and confidences follow from probabilities");
  refuse(text, &unknown, "the number of classes is needed");
  refuse(text, &none, ":1: no column 'g'");
  ee_exits_columns rows = long_classes;
  rows.probability      = "a,b";
  refuse("s,x,y,a,b,c\n1,0,0,1,0,0\n", &rows, "2 columns of probabilities are named, expected 3");
  refuse("s,x,y,a,b,c\n1,0,0,1,0,1\n", &long_classes,
         ":2: the probabilities in columns 'a' to 'c'");
}

static void what_is_wrong_in_a_long_table_is_named_by_line(void) {
  refuse("s,e,c,p,y\n4,0,1,0,0\n4,1,1,0,0\n5,1,1,0,0\n", &long_form,
         ":4: sample 5, which begins here, has no exit 0");
  refuse("s,e,c,p,y\n4,0,1,0,0\n4,1,1,0,0\n5,0,1,0,0\n", &long_form,
         ":4: sample 5, which begins here, has no exit 1");
  refuse("s,e,c,p,y\n4,0,1,0,0\n4,1,1,0,0\n4,1,1,0,0\n", &long_form,
         ":4: sample 4 has exit 1 for the second time, after line 3");
  refuse("s,e,c,p,y\n4,0,1,0,0\n4,1,1,0,1\n", &long_form, ":3: sample 4 has label 1");
  refuse("s,e,c,p,y\n4.5,0,1,0,0\n", &long_form, ":2: column 's' is 4.5");
}

/* An exit that no sample has would not be missed if exits were counted anew. */
static void exits_are_counted_from_zero_or_one_without_gaps(void) {
  refuse("s,e,c,p,y\n4,7,1,0,0\n4,-3,1,0,0\n", &long_form,
         ":3: sample 4 has exit -3; expected exits 0, 1, 2, ... or 1, 2, 3, ...");
  refuse("s,e,c,p,y\n5,2,1,0,0\n4,2,1,0,0\n", &long_form, ":3: sample 4 has exit 2; expected");
  refuse("s,e,c,p,y\n4,0,1,0,0\n4,2,1,0,0\n4,3,1,0,0\n", &long_form,
         ":3: sample 4 has exit 2, and no row has exit 1; expected");
  refuse("s,e,c,p,y\n4,1,1,0,0\n4,2,1,0,0\n4,4,1,0,0\n", &long_form,
         ":4: sample 4 has exit 4, and no row has exit 3; expected");
}

static void a_column_that_is_named_twice_is_refused(void) {
  ee_exits_columns twice = wide, sure = wide, scored = wide, classes = of_classes;
  const char      *text = "y,p0,c0,p1,c1\n0,1,1,0,1\n";
  twice.prediction = "p0,p0", sure.confidence = "c0,c0", scored.score = "c1,c1";
  classes.probability = "a,b,c,d,e,a";
  refuse(text, &twice, ": column 'p0' is named twice among the predictions");
  refuse(text, &sure, ": column 'c0' is named twice among the confidences");
  refuse(text, &scored, ": column 'c1' is named twice among the scores");
  refuse("y,a,b,c,d,e,f\n0,1,0,0,1,0,0\n", &classes,
         ": column 'a' is named twice among the probabilities");
  ee_exits_columns own = {.prediction = "p0,y", .label = "y"};  // the last exit's word is the truth
  ee_exit_table   *t   = import(text, &own);
  CU_ASSERT(t->prediction[1] == 0 && t->label[0] == 0);
  ee_exit_table_destroy(&t);
}

static void a_zero_byte_is_no_text(void) {
  const char    *path = ee_test_path("zero.csv");
  ee_exit_table *t;
  write_bytes(path, "y,p0\n0,\0", 8);
  CU_ASSERT_EQUAL(ee_import_exits(path, &wide, &t), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "is no text"));
}

static void same(const ee_exit_table *a, const ee_exit_table *b) {
  int64_t cells = a->n * a->n_exits;
  CU_ASSERT_FATAL(a->n == b->n && a->n_exits == b->n_exits && a->n_classes == b->n_classes);
  CU_ASSERT_EQUAL(a->confidence != NULL, b->confidence != NULL);
  if (a->confidence != NULL)
    CU_ASSERT_EQUAL(memcmp(a->confidence, b->confidence, (size_t)cells * sizeof(float)), 0);
  CU_ASSERT_EQUAL(a->score != NULL, b->score != NULL);
  for (int64_t k = 0; a->score != NULL && k < cells; k++)
    CU_ASSERT(a->score[k] == b->score[k] || (isnan(a->score[k]) && isnan(b->score[k])));
  CU_ASSERT_EQUAL(memcmp(a->prediction, b->prediction, (size_t)cells * sizeof(int32_t)), 0);
  CU_ASSERT_EQUAL(memcmp(a->label, b->label, (size_t)a->n * sizeof(int32_t)), 0);
  for (int e = 0; e < a->n_exits; e++) {
    CU_ASSERT_EQUAL(a->layers[e], b->layers[e]);
    CU_ASSERT_DOUBLE_EQUAL(a->flops[e], b->flops[e], 1e-12);
  }
}

static void round_trip(ee_exit_table *t) {
  const char    *path = ee_test_path("answers.h5");
  ee_exit_table *back = NULL;
  CU_ASSERT_EQUAL_FATAL(ee_exits_save(path, t, "from a test"), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_load(path, &back), EE_OK);
  CU_ASSERT_PTR_NULL(back->probability);
  same(t, back);
  ee_exit_table_destroy(&back);
  ee_exit_table_destroy(&t);
}

static void tables_without_logits_come_back_as_they_were_written(void) {
  ee_exits_columns columns = {.prediction = "a,b,c", .layers = "1,3,7"};
  round_trip(import("y,p0,c0,p1,c1\n0,1,0.5,0,0.75\n-1,2,.25,2,1\n", &wide));
  round_trip(import("a,b,c\n0,1,0\n1,1,1\n", &columns));
  columns.score = "h,i";
  round_trip(import("a,b,c,h,i\n0,1,0,.5,0\n1,1,1,,1\n", &columns));
}

/* Two samples, two exits, three classes: all of them eighths. */
static const float eighths[] = {.25f, .625f, .125f, .75f, 0, .25f, .375f, 0, .625f, 0, 0, 1};

static void check_eighths(ee_exit_table *t, double tolerance) {
  static const int32_t prediction[] = {1, 0, 2, 2};
  CU_ASSERT_FATAL(t->n == 2 && t->n_exits == 2 && t->n_classes == 3 && t->probability != NULL);
  for (int j = 0; j < 12; j++) CU_ASSERT_DOUBLE_EQUAL(t->probability[j], eighths[j], tolerance);
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(t->prediction[i], prediction[i]);
    CU_ASSERT_DOUBLE_EQUAL(t->confidence[i], eighths[3 * i + prediction[i]], tolerance);
  }
  CU_ASSERT(t->label[0] == 0 && t->label[1] == -1);
}

static void probabilities_make_answers_in_both_forms_and_come_back_from_a_file(void) {
  const char    *path = ee_test_path("probable.h5");
  ee_exit_table *t =
      import("y,a,b,c,d,e,f\n0,.25,.625,.125,.75,0,.25\n-1,.375,0,.625,0,0,1\n", &of_classes);
  check_eighths(t, 0.0);
  CU_ASSERT_EQUAL_FATAL(ee_exits_save(path, t, NULL), EE_OK);
  ee_exit_table_destroy(&t);
  CU_ASSERT_EQUAL_FATAL(ee_exits_load(path, &t), EE_OK);
  check_eighths(t, 1e-7);
  ee_exit_table_destroy(&t);
  t = import("s,x,y,c,b,a\n9,2,,1,0,0\n4,2,0,.25,0,.75\n9,1,,.625,0,.375\n4,1,0,.125,.625,.25\n",
             &long_classes);
  check_eighths(t, 0.0);
  ee_exit_table_destroy(&t);
}

/* More cells than are taken at once: sample i says class i mod 3 with (i mod 50 + 50) / 100. */
static void many_probabilities_stay_with_their_samples(void) {
  enum { MANY = 5000 };
  char *text = malloc(MANY * 64), *at = text;
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  at += sprintf(at, "s,x,y,a,b,c\n");
  for (int i = MANY - 1; i >= 0; i--) {
    int sure = i % 50 + 50;
    at += sprintf(at, "%d,0,0", i);
    for (int k = 0; k < 3; k++)
      at += sprintf(at, ",%.3f", k == i % 3 ? sure / 100.0 : (100 - sure) / 200.0);
    at += sprintf(at, "\n");
  }
  ee_exit_table *t = import(text, &long_classes);
  free(text);
  CU_ASSERT_EQUAL_FATAL(t->n, MANY);
  for (int i = 0; i < MANY; i++) {
    CU_ASSERT_EQUAL(t->prediction[i], i % 3);
    CU_ASSERT_DOUBLE_EQUAL(t->probability[3 * i + i % 3], (i % 50 + 50) / 100.0, 1e-6);
  }
  ee_exit_table_destroy(&t);
}

static void a_file_without_logits_says_so(void) {
  const char    *path = ee_test_path("answers.h5");
  ee_exit_table *t    = import("y,p0,c0,p1,c1\n0,1,0.5,0,0.75\n", &wide);
  ee_exits_file *file = NULL;
  float          x[8];
  CU_ASSERT_EQUAL_FATAL(ee_exits_save(path, t, NULL), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_open(path, &file), EE_OK);
  CU_ASSERT_FALSE(ee_exits_file_info(file)->has_logits);
  CU_ASSERT_TRUE(ee_exits_file_info(file)->has_confidence);
  CU_ASSERT_EQUAL(ee_exits_read(file, 0, 1, x, NULL), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "has no logits"));
  CU_ASSERT_EQUAL(ee_exits_read_scores(file, 0, 1, x), EE_ERR_ARG);
  CU_ASSERT_TRUE(message_says(path, "has no scores"));
  ee_exits_close(&file);
  t->confidence[1] = NAN;
  CU_ASSERT_EQUAL(ee_exits_save(path, t, NULL), EE_ERR_ARG);
  ee_exit_table_destroy(&t);
}

/* The dimensions [3, 2] stand in the file first for the predictions, then for the confidences. */
static void confidences_of_another_shape_are_refused(void) {
  const char          *path     = ee_test_path("lie.h5");
  static const int64_t three[2] = {3, 2}, two[2] = {2, 2};
  ee_exit_table       *t = import("y,p0,c0,p1,c1\n0,1,.5,0,.7\n0,2,.2,2,1\n1,0,.6,0,.8\n", &wide);
  CU_ASSERT_EQUAL_FATAL(ee_exits_save(path, t, NULL), EE_OK);
  ee_exit_table_destroy(&t);
  bytes  b     = read_bytes(path);
  size_t first = find_bytes(b, three, sizeof three);
  bytes  rest  = {b.at + first, b.n - first};  // find_bytes() passes over what would be the seal
  memcpy(rest.at + find_bytes(rest, three, sizeof three), two, sizeof two);
  reseal(b);
  write_bytes(path, b.at, b.n);
  free(b.at);
  CU_ASSERT_EQUAL(ee_exits_load(path, &t), EE_ERR_FORMAT);
  CU_ASSERT_TRUE(message_says(path, "has shape [2, 2], /prediction [3, 2]"));
}

/* A file scored by the program: softmax(z / T) of what was written, exit for exit. */
static void a_file_with_logits_is_loaded_calibrated(void) {
  const char      *path  = ee_test_path("scored.h5");
  ee_model        *model = make_model();
  ee_exits_writer *writer;
  ee_exit_table   *t = NULL;
  float            logits[2][2 * CLASSES];
  int32_t          label[2] = {1, -1};
  for (int j = 0; j < 4 * CLASSES; j++)
    logits[j / (2 * CLASSES)][j % (2 * CLASSES)] = 0.3f * (float)(j % 7);
  model->exit[0].temperature = 2.0f;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append(writer, 2, logits[0], label), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_exits_load(path, &t), EE_OK);
  for (int i = 0; i < 4; i++) {
    const float *z = logits[i / 2] + i % 2 * CLASSES;
    double       T = (double)model->exit[i % 2].temperature, sum = 0.0;
    for (int k = 0; k < CLASSES; k++) sum += exp((double)z[k] / T);
    for (int k = 0; k < CLASSES; k++)
      CU_ASSERT_DOUBLE_EQUAL(t->probability[i * CLASSES + k], exp((double)z[k] / T) / sum, 1e-6);
    CU_ASSERT_EQUAL(t->confidence[i], t->probability[i * CLASSES + t->prediction[i]]);
  }
  CU_ASSERT(t->label[0] == 1 && t->label[1] == -1);
  CU_ASSERT_EQUAL(t->layers[1], model->n_layers);
  double flops = model->head_flops[0] + model->head_flops[1];
  for (int l = 0; l < model->n_layers; l++) flops += model->layer[l].flops;
  CU_ASSERT_DOUBLE_EQUAL(t->flops[1], flops, 1e-9 * flops);
  ee_exit_table_destroy(&t);
  ee_model_destroy(&model);
}

static void logits_that_are_no_numbers_are_named_by_path_row_and_exit(void) {
  const char      *path  = ee_test_path("nan.h5");
  ee_model        *model = make_model();
  ee_exits_writer *writer;
  ee_exit_table   *t;
  float            logits[3][2 * CLASSES] = {0};
  logits[2][CLASSES + 1]                  = NAN;
  CU_ASSERT_EQUAL_FATAL(ee_exits_create(path, model, NULL, &writer), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_append(writer, 3, logits[0], NULL), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_finish(&writer, 1), EE_OK);
  CU_ASSERT_EQUAL(ee_exits_load(path, &t), EE_ERR_FORMAT);
  CU_ASSERT_PTR_NULL(t);
  CU_ASSERT_TRUE(message_says(path, "row 2, exit 1"));
  ee_model_destroy(&model);
}

static void real_tables_have_their_known_accuracies(void) {
  static const double right[12] = {.5092, .7913, .8177, .8567, .8704, .8727,
                                   .8796, .8865, .8911, .8979, .9060, .9025};
  const char         *path      = ee_test_data("exit-tables/bert12_exits_df.csv");
  ee_exits_columns    columns   = {.sample     = "Sample_ID",
                                   .exit       = "Exit",
                                   .prediction = "Prediction",
                                   .confidence = "Confidence",
                                   .label      = "Label"};
  ee_exit_table      *t         = NULL;
  if (path == NULL) return;
  CU_ASSERT_EQUAL_FATAL(ee_import_exits(path, &columns, &t), EE_OK);
  CU_ASSERT_FATAL(t->n == 872 && t->n_exits == 12 && t->n_classes == 2);
  for (int e = 0; e < 12; e++) {
    int n = 0;
    for (int i = 0; i < 872; i++) n += t->prediction[i * 12 + e] == t->label[i];
    CU_ASSERT_DOUBLE_EQUAL(n / 872.0, right[e], 5e-5);
  }
  round_trip(t);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_wide_table_has_a_row_per_sample),
    EE_FACT(fields_in_quotes_may_hold_commas_quotes_and_line_ends),
    EE_FACT(what_editors_and_roundings_leave_does_no_harm),
    EE_FACT(a_long_table_is_sorted_by_sample_and_exit),
    EE_FACT(predictions_alone_make_a_table),
    EE_FACT(scores_may_be_missing_at_exits_that_have_none),
    EE_FACT(what_is_wrong_in_a_wide_table_is_named_by_line_and_column),
    EE_FACT(probabilities_that_are_none_are_named_by_line_and_columns),
    EE_FACT(probabilities_make_answers_in_both_forms_and_come_back_from_a_file),
    EE_FACT(many_probabilities_stay_with_their_samples),
    EE_FACT(what_is_wrong_in_a_long_table_is_named_by_line),
    EE_FACT(exits_are_counted_from_zero_or_one_without_gaps),
    EE_FACT(a_column_that_is_named_twice_is_refused),
    EE_FACT(a_zero_byte_is_no_text),
    EE_FACT(tables_without_logits_come_back_as_they_were_written),
    EE_FACT(a_file_without_logits_says_so),
    EE_FACT(confidences_of_another_shape_are_refused),
    EE_FACT(a_file_with_logits_is_loaded_calibrated),
    EE_FACT(logits_that_are_no_numbers_are_named_by_path_row_and_exit),
    EE_FACT(real_tables_have_their_known_accuracies),
    {NULL, NULL},
};
