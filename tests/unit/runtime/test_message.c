/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: where everything stands, and what is refused. */
#include "message.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../nn/graph_maker.h"
#include "ee_test.h"

static ee_model *model;

/* Two layers; the cut between them carries two values of 2 x 4 x 4, since x is added later. */
static void make_model(void) {
  model = maker_begin(3, SHAPE(1, 2, 4, 4));
  int a = maker_relu(model, "a.relu", maker_conv(model, "a", model->input));
  int b = maker_add(model, "b.sum", maker_conv(model, "b", a), a);
  maker_head(model, "final", b);
  if (ee_model_finish(model) != EE_OK) abort();
}

static void a_message_is_header_records_and_values_without_gaps(void) {
  make_model();
  for (int cut = 0; cut < 2; cut++) {
    ee_message_layout layout = ee_message_layout_of(model, EE_LINK_F32, 7, cut, 5);
    CU_ASSERT_EQUAL(layout.state_bytes, 8);
    size_t values = 2 * 4 * 4 * sizeof(float);
    for (int n = 0; n < 4; n++) {
      size_t         expected = 40 + (size_t)n * (8 + 8 + 8 + values);
      unsigned char *buffer   = calloc(1, expected);
      ee_message     m        = ee_message_view(&layout, buffer, n);
      CU_ASSERT_EQUAL(ee_message_bytes(&layout, n), expected);
      CU_ASSERT_PTR_EQUAL(m.header, buffer);
      CU_ASSERT_PTR_EQUAL(m.id, buffer + 40);
      CU_ASSERT_PTR_EQUAL(m.admitted, buffer + 40 + 8 * n);
      CU_ASSERT_PTR_EQUAL(m.state, buffer + 40 + 16 * n);
      CU_ASSERT_PTR_EQUAL(m.values, buffer + 40 + 24 * n);
      free(buffer);
    }
  }
  ee_model_destroy(&model);
}

static void every_kind_of_values_has_its_length_but_from_the_source(void) {
  make_model();
  const size_t whole = 2 * 4 * 4 * sizeof(float), channels = 2 * (sizeof(float) + 4 * 4);
  const size_t bytes[] = {whole, whole / 2, channels};
  for (int kind = EE_LINK_F32; kind <= EE_LINK_I8; kind++) {
    ee_message_layout first = ee_message_layout_of(model, (ee_link_values)kind, 7, 0, 0);
    ee_message_layout next  = ee_message_layout_of(model, (ee_link_values)kind, 7, 1, 0);
    CU_ASSERT_EQUAL(first.values, EE_LINK_F32);
    CU_ASSERT_EQUAL(next.values, kind);
    CU_ASSERT_EQUAL(ee_message_bytes(&first, 3), 40 + 3 * (16 + whole));
    CU_ASSERT_EQUAL(ee_message_bytes(&next, 3), 40 + 3 * (16 + bytes[kind]));
  }
  ee_model_destroy(&model);
}

/* Cut 1 has 8 bits, the others what all are asked for. */
static void a_setup_may_ask_for_bytes_at_some_cuts(void) {
  make_model();
  const bool   int8_at[] = {true, true, false};
  ee_run_setup setup     = {.model = model, .link_values = EE_LINK_F16, .int8_at = int8_at};
  CU_ASSERT_EQUAL(ee_message_layout_for(&setup, 0, 0, 0).values, EE_LINK_F32);
  CU_ASSERT_EQUAL(ee_message_layout_for(&setup, 0, 1, 0).values, EE_LINK_I8);
  CU_ASSERT_EQUAL(ee_message_layout_for(&setup, 0, 2, 0).values, EE_LINK_F16);
  setup.int8_at = NULL;
  CU_ASSERT_EQUAL(ee_message_layout_for(&setup, 0, 1, 0).values, EE_LINK_F16);
  ee_model_destroy(&model);
}

/* A second table is looked up behind the cut, so that ids cross it. */
static void ids_are_never_rounded(void) {
  model     = maker_begin(8, SHAPE(1, 2));
  int first = maker_constant(model, "words", SHAPE(4000, 4));
  int other = maker_constant(model, "kinds", SHAPE(4000, 4));
  int words = maker_node(model, EE_OP_GATHER, "a", first, model->input, -1, SHAPE(1, 2, 4))->out;
  int kinds = maker_node(model, EE_OP_GATHER, "b", other, model->input, -1, SHAPE(1, 2, 4))->out;
  maker_exit(model, "final", maker_add(model, "sum", words, kinds));
  CU_ASSERT_EQUAL_FATAL(ee_model_finish(model), EE_OK);
  for (int kind = EE_LINK_F16; kind <= EE_LINK_I8; kind++) {
    ee_message_layout layout = ee_message_layout_of(model, (ee_link_values)kind, 0, 1, 0);
    CU_ASSERT_EQUAL(layout.n_values, 2);
    CU_ASSERT_EQUAL(layout.values, EE_LINK_F32);
    CU_ASSERT_EQUAL(layout.sample_bytes, ee_model_cut_bytes(model, 1));
  }
  ee_model_destroy(&model);
}

static void the_most_samples_are_those_whose_bytes_fit_an_int(void) {
  make_model();
  ee_message_layout layout = ee_message_layout_of(model, EE_LINK_F32, 0, 0, 32);
  int               most   = ee_message_most(&layout);
  CU_ASSERT_TRUE(ee_message_bytes(&layout, most) <= INT_MAX);
  CU_ASSERT_TRUE(ee_message_bytes(&layout, most + 1) > INT_MAX);
  ee_model_destroy(&model);
}

/* What is said of a message of two samples for plan 3, cut 1, after `change` to its header. */
static ee_status check_changed(void (*change)(ee_message_header *), size_t bytes_more) {
  ee_message_layout layout = ee_message_layout_of(model, EE_LINK_F32, 3, 1, 16);
  size_t            bytes  = ee_message_bytes(&layout, 2);
  unsigned char    *buffer = calloc(1, bytes + 64);
  ee_message_begin(&layout, buffer, 2, 10, EE_FOLLOWS_BATCH);
  if (change != NULL) change((ee_message_header *)(void *)buffer);
  ee_status status = ee_message_check(&layout, buffer, bytes + bytes_more, 2, 41);
  free(buffer);
  return status;
}

static void wrong_magic(ee_message_header *h) {
  h->magic++;
}
static void wrong_epoch(ee_message_header *h) {
  h->plan_epoch = 2;
}
static void wrong_cut(ee_message_header *h) {
  h->cut = 0;
}
static void wrong_state(ee_message_header *h) {
  h->state_bytes = 8;
}
static void too_many(ee_message_header *h) {
  h->n = 3;
}
static void too_few(ee_message_header *h) {
  h->n = 1;
}
static void negative(ee_message_header *h) {
  h->n = -1;
}

static void a_stray_message_is_refused_by_name(void) {
  void (*const changes[])(ee_message_header *) = {wrong_magic, wrong_epoch, wrong_cut, wrong_state,
                                                  too_many,    too_few,     negative};
  make_model();
  CU_ASSERT_EQUAL(check_changed(NULL, 0), EE_OK);
  for (int i = 0; i < 7; i++) {
    CU_ASSERT_EQUAL(check_changed(changes[i], 0), EE_ERR_PEER);
    CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rank 41"));
  }
  CU_ASSERT_EQUAL(check_changed(wrong_epoch, 0), EE_ERR_PEER);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "plan 2"));
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "expected plan 3"));
  CU_ASSERT_EQUAL(check_changed(NULL, 1), EE_ERR_PEER);
  CU_ASSERT_EQUAL(check_changed(NULL, (size_t)-1), EE_ERR_PEER);
  ee_model_destroy(&model);
}

static void more_samples_than_a_batch_are_refused(void) {
  make_model();
  ee_message_layout layout = ee_message_layout_of(model, EE_LINK_F32, 3, 1, 16);
  size_t            bytes  = ee_message_bytes(&layout, 3);
  unsigned char    *buffer = calloc(1, bytes);
  ee_message_begin(&layout, buffer, 3, 10, EE_FOLLOWS_BATCH);
  CU_ASSERT_EQUAL(ee_message_check(&layout, buffer, bytes, 3, 5), EE_OK);
  CU_ASSERT_EQUAL(ee_message_check(&layout, buffer, bytes, 2, 5), EE_ERR_PEER);
  free(buffer);
  ee_model_destroy(&model);
}

static void less_than_a_header_is_refused(void) {
  make_model();
  ee_message_layout layout = ee_message_layout_of(model, EE_LINK_F32, 3, 1, 0);
  char              few[4] = {0};
  CU_ASSERT_EQUAL(ee_message_check(&layout, few, sizeof few, 2, 5), EE_ERR_PEER);
  CU_ASSERT_PTR_NOT_NULL(strstr(ee_status_message(), "rank 5"));
  ee_model_destroy(&model);
}

const ee_fact ee_facts[] = {
    EE_FACT(a_message_is_header_records_and_values_without_gaps),
    EE_FACT(every_kind_of_values_has_its_length_but_from_the_source),
    EE_FACT(a_setup_may_ask_for_bytes_at_some_cuts),
    EE_FACT(ids_are_never_rounded),
    EE_FACT(the_most_samples_are_those_whose_bytes_fit_an_int),
    EE_FACT(a_stray_message_is_refused_by_name),
    EE_FACT(more_samples_than_a_batch_are_refused),
    EE_FACT(less_than_a_header_is_refused),
    {NULL, NULL},
};
