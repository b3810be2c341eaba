/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes of transformers need beside their inputs comes back from a file. */
#include "ee/model_file.h"
#include "ee_test.h"
#include "zoo.h"

enum { IDS = 5, WIDTH = 8 };

/* Embedding, every second position, normalisation, attention with a mask, the last position. */
static void add_transformer(ee_model *m) {
  int      table = add_constant(m, "table", SHAPE(30, WIDTH));
  ee_node *words = add_node(m, "words", EE_OP_GATHER, IN(table, m->input), SHAPE(1, IDS, WIDTH));
  ee_node *slice = add_node(m, "slice", EE_OP_SLICE, IN(words->out), SHAPE(1, 3, WIDTH));
  slice->attr.slice.start[1] = 4;
  slice->attr.slice.step[0] = slice->attr.slice.step[2] = 1;
  slice->attr.slice.step[1]                             = -2;

  int scale = add_constant(m, "scale", SHAPE(WIDTH)), bias = add_constant(m, "bias", SHAPE(WIDTH));
  ee_node *norm =
      add_node(m, "norm", EE_OP_LAYER_NORM, IN(slice->out, scale, bias), SHAPE(1, 3, WIDTH));
  norm->attr.layer_norm.axis    = 2;
  norm->attr.layer_norm.epsilon = 1e-12f;
  norm->act.kind                = EE_ACT_GELU;

  int      x = norm->out, mask = add_constant(m, "mask", SHAPE(3));
  ee_node *attention =
      add_node(m, "attention", EE_OP_ATTENTION, IN(x, x, x, mask), SHAPE(1, 3, WIDTH));
  attention->attr.attention.n_heads = 4;
  attention->attr.attention.scale   = 1.0f / 3.0f;

  int w         = add_constant(m, "last.w", SHAPE(WIDTH, CLASSES)),
      b         = add_constant(m, "last.b", SHAPE(CLASSES));
  ee_node *last = add_node(m, "last", EE_OP_MATMUL, IN(attention->out, w, b), SHAPE(1, 3, CLASSES));
  ee_shape one  = {.rank = 0};
  int      first = add_constant(m, "first", one);
  ee_node *class = add_node(m, "class", EE_OP_GATHER, IN(last->out, first), SHAPE(1, CLASSES));
  class->attr.gather.axis = 1;
  m->exit[0].logits       = class->out;
}

static ee_model *make_transformer(void) {
  ee_model *m  = calloc(1, sizeof *m);
  m->value     = calloc(MAX_VALUES, sizeof *m->value);
  m->node      = calloc(MAX_NODES, sizeof *m->node);
  m->exit      = calloc(1, sizeof *m->exit);
  m->batched   = true;
  m->n_exits   = 1;
  m->n_classes = CLASSES;
  m->input     = add_value(m, EE_VALUE_INPUT, "ids", SHAPE(1, IDS));
  add_transformer(m);
  if (ee_model_finish(m) != EE_OK) CU_FAIL_FATAL(ee_status_message());
  return m;
}

/* The attributes were zeroed before they were set, so all bytes must agree. */
static void the_attributes_of_every_node_come_back_bit_by_bit(void) {
  const char *path = ee_test_path("transformer.h5");
  ee_model   *made = make_transformer(), *loaded;
  CU_ASSERT_EQUAL_FATAL(ee_model_save(made, path), EE_OK);
  CU_ASSERT_EQUAL_FATAL(ee_model_load(path, &loaded), EE_OK);
  CU_ASSERT_EQUAL_FATAL(loaded->n_nodes, made->n_nodes);
  for (int i = 0; i < made->n_nodes; i++) {
    const ee_node *a = &made->node[i], *b = &loaded->node[i];
    CU_ASSERT_EQUAL(a->op, b->op);
    CU_ASSERT_EQUAL(a->n_in, b->n_in);
    CU_ASSERT_EQUAL(a->act.kind, b->act.kind);
    CU_ASSERT_EQUAL(memcmp(&a->attr, &b->attr, sizeof a->attr), 0);
  }
  ee_model_destroy(&made);
  ee_model_destroy(&loaded);
}

const ee_fact ee_facts[] = {
    EE_FACT(the_attributes_of_every_node_come_back_bit_by_bit),
    {NULL, NULL},
};
