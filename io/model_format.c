/* SPDX-License-Identifier: Apache-2.0 */
/* What writer and reader of model files agree on: the rows of the tables, the names of weights. */
#include "model_format.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>

#define TEXT(row, member) \
  { #member, EE_H5_TEXT, offsetof(row, member), sizeof(((row *)0)->member) }
#define ONE(row, member, kind) \
  { #member, kind, offsetof(row, member), 1 }
#define MANY(row, member, kind, n) \
  { #member, kind, offsetof(row, member), n }
#define LAYOUT(columns, row) \
  { columns, (int)(sizeof(columns) / sizeof(columns)[0]), sizeof(row) }

static const ee_h5_column value_column[] = {
    TEXT(ee_value_row, name),
    TEXT(ee_value_row, kind),
    ONE(ee_value_row, rank, EE_H5_I32),
    MANY(ee_value_row, dim, EE_H5_I64, EE_MAX_RANK),
};

static const ee_h5_column node_column[] = {
    TEXT(ee_node_row, name),
    TEXT(ee_node_row, op),
    ONE(ee_node_row, n_inputs, EE_H5_I32),
    MANY(ee_node_row, inputs, EE_H5_I32, EE_MAX_NODE_INPUTS),
    ONE(ee_node_row, output, EE_H5_I32),
    TEXT(ee_node_row, activation),
    ONE(ee_node_row, alpha, EE_H5_F32),
    ONE(ee_node_row, beta, EE_H5_F32),
    TEXT(ee_node_row, attributes),
};

static const ee_h5_column layer_column[] = {
    TEXT(ee_layer_row, name),
    ONE(ee_layer_row, flops, EE_H5_F64),
    ONE(ee_layer_row, weight_bytes, EE_H5_I64),
    ONE(ee_layer_row, seconds, EE_H5_F64),
};

static const ee_h5_column exit_column[] = {
    TEXT(ee_exit_row, name),
    ONE(ee_exit_row, logits, EE_H5_I32),
    ONE(ee_exit_row, attach, EE_H5_I32),
    ONE(ee_exit_row, temperature, EE_H5_F32),
    ONE(ee_exit_row, head_flops, EE_H5_F64),
    ONE(ee_exit_row, head_seconds, EE_H5_F64),
};

const ee_h5_layout ee_value_layout = LAYOUT(value_column, ee_value_row);
const ee_h5_layout ee_node_layout  = LAYOUT(node_column, ee_node_row);
const ee_h5_layout ee_layer_layout = LAYOUT(layer_column, ee_layer_row);
const ee_h5_layout ee_exit_layout  = LAYOUT(exit_column, ee_exit_row);

const char *const ee_value_kind_name[3] = {
    [EE_VALUE_INPUT]      = "input",
    [EE_VALUE_CONSTANT]   = "constant",
    [EE_VALUE_ACTIVATION] = "activation",
};

void ee_weights_set(const ee_model *model, int v, char *set) {
  int n = snprintf(set, EE_WEIGHTS_BYTES, "/weights/%d_", v);
  for (const char *c = model->value[v].name; *c != '\0' && n < EE_WEIGHTS_BYTES - 1; c++) {
    bool plain = isalnum((unsigned char)*c) || *c == '_' || *c == '-' || *c == '.';
    set[n++]   = plain ? *c : '_';
  }
  set[n] = '\0';
}

void ee_weights_dim(const ee_value *value, hsize_t *dim) {
  for (int i = 0; i < value->shape.rank; i++) dim[i] = (hsize_t)value->shape.dim[i];
}
