/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"
#include "h5_table.h"

/**
 * @file model_format.h
 * What writer and reader of model files agree on: names, limits and the rows of the tables.
 */

#define EE_MODEL_FORMAT "edgeexit-model"
#define EE_MODEL_GRAPH "/graph"
#define EE_MODEL_VALUES "/graph/values"
#define EE_MODEL_NODES "/graph/nodes"
#define EE_MODEL_LAYERS "/graph/layers"
#define EE_MODEL_EXITS "/graph/exits"
#define EE_MODEL_COPY "/graph/copy_seconds"
#define EE_MODEL_SCORES "/graph/scores"
#define EE_MODEL_CLASS_NAMES "/class_names"
#define EE_MODEL_PROVENANCE "/provenance"
#define EE_MODEL_WINOGRAD "/winograd"
#define EE_MODEL_TUNING "/tuning"
#define EE_MODEL_METHODS "/tuning/methods"
#define EE_MODEL_QUANTIZATION "/quantization"
#define EE_MODEL_SCALES "/quantization/scales"
#define EE_MODEL_ZEROS "/quantization/zeros"
#define EE_MODEL_SCALE "/preprocess/scale"
#define EE_MODEL_MEAN "/preprocess/mean"
#define EE_MODEL_STD "/preprocess/std"

#define EE_MODEL_MAX_ROWS (1 << 24)  // of any table
#define EE_MODEL_MAX_CHANNELS 65536
#define EE_ATTRIBUTE_BYTES 384  // of a node's attributes as text

typedef struct ee_value_row {
  char    name[EE_NAME_BYTES];
  char    kind[16];
  int32_t rank;
  int64_t dim[EE_MAX_RANK];
} ee_value_row;

typedef struct ee_node_row {
  char    name[EE_NAME_BYTES];
  char    op[32];
  int32_t n_inputs;
  int32_t inputs[EE_MAX_NODE_INPUTS];
  int32_t output;
  char    activation[16];
  float   alpha, beta;  // of the activation
  char    attributes[EE_ATTRIBUTE_BYTES];
} ee_node_row;

typedef struct ee_layer_row {
  char    name[EE_NAME_BYTES];
  double  flops;
  int64_t weight_bytes;
  double  seconds;
} ee_layer_row;

typedef struct ee_exit_row {
  char    name[EE_NAME_BYTES];
  int32_t logits, attach;
  float   temperature;
  double  head_flops, head_seconds;
} ee_exit_row;

extern const ee_h5_layout ee_value_layout, ee_node_layout, ee_layer_layout, ee_exit_layout;

/** "input", "constant", "activation", by ee_value_kind. */
extern const char *const ee_value_kind_name[3];

#define EE_WEIGHTS_BYTES (EE_NAME_BYTES + 32)

/** Write the name of constant @p v's dataset, "/weights/<v>_<name>", to @p set, shape
 *  [EE_WEIGHTS_BYTES]; characters other than letters, digits, '_', '-' and '.' become '_'. */
void ee_weights_set(const ee_model *model, int v, char *set);

/** Shape of @p value for HDF5; @p dim has shape [rank]. */
void ee_weights_dim(const ee_value *value, hsize_t *dim);

/** What the operator of @p node needs beside inputs, as "key=value key=value" in @p text, shape
 *  [EE_ATTRIBUTE_BYTES].  @p rank of the node's result.  False if it is too long. */
bool ee_attributes_print(const ee_node *node, int rank, char *text);

/** Fill in attr of @p node, whose op is known, from such a text.
 *  @return EE_OK; EE_ERR_FORMAT with @p path, node and key */
ee_status ee_attributes_parse(const char *path, const char *text, ee_node *node);
