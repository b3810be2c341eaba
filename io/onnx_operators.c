/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operators that can be imported; a new one is one row and one converter. */
#include <string.h>

#include "onnx_operator.h"

#define WINDOW "auto_pad:s dilations:I kernel_shape:I pads:I strides:I "
#define POOL WINDOW "ceil_mode:i "

static const onnx_operator operators[] = {
    {"Add", 2, 2, "", ee_onnx_elementwise, NULL, EE_OP_ADD},
    {"AveragePool", 1, 1, POOL "count_include_pad:i", ee_onnx_pool, ee_onnx_check_window,
     EE_OP_AVERAGE_POOL},
    {"BatchNormalization", 5, 5, "epsilon:f momentum:f spatial:i training_mode:i",
     ee_onnx_batch_norm, ee_onnx_check_batch_norm, 0},
    {"Cast", 1, 1, "saturate:i to:i", ee_onnx_cast, NULL, 0},
    {"Clip", 1, 3, "min:f max:f", ee_onnx_clip, NULL, EE_ACT_CLIP},
    {"Concat", 1, 0, "axis:i", ee_onnx_concat, NULL, 0},
    {"Constant", 0, 0, "value:t value_float:f value_floats:F value_int:i value_ints:I",
     ee_onnx_constant_node, NULL, 0},
    {"ConstantOfShape", 1, 1, "value:t", ee_onnx_constant_of_shape, NULL, 0},
    {"Conv", 2, 3, WINDOW "group:i", ee_onnx_conv, ee_onnx_check_window, 0},
    {"Div", 2, 2, "", ee_onnx_elementwise, NULL, EE_OP_DIV},
    {"Dropout", 1, 3, "ratio:f seed:i", ee_onnx_dropout, NULL, 0},
    {"Equal", 2, 2, "", ee_onnx_compare, NULL, ONNX_EQUAL},
    {"Erf", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_ERF},
    {"Expand", 2, 2, "", ee_onnx_expand, NULL, 0},
    {"Flatten", 1, 1, "axis:i", ee_onnx_flatten, NULL, 0},
    {"Gather", 2, 2, "axis:i", ee_onnx_gather, NULL, 0},
    {"Gelu", 1, 1, "approximate:s", ee_onnx_gelu, ee_onnx_check_gelu, 0},
    {"Gemm", 2, 3, "alpha:f beta:f transA:i transB:i", ee_onnx_gemm, NULL, 0},
    {"GlobalAveragePool", 1, 1, "", ee_onnx_global_pool, NULL, 0},
    {"Greater", 2, 2, "", ee_onnx_compare, NULL, ONNX_GREATER},
    {"HardSigmoid", 1, 1, "alpha:f beta:f", ee_onnx_activation, NULL, EE_ACT_HARD_SIGMOID},
    {"HardSwish", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_HARD_SWISH},
    {"Identity", 1, 1, "", ee_onnx_identity, NULL, 0},
    {"LayerNormalization", 2, 3, "axis:i epsilon:f stash_type:i", ee_onnx_layer_norm, NULL, 0},
    {"LeakyRelu", 1, 1, "alpha:f", ee_onnx_activation, NULL, EE_ACT_LEAKY_RELU},
    {"Less", 2, 2, "", ee_onnx_compare, NULL, ONNX_LESS},
    {"LogSoftmax", 1, 1, "axis:i", ee_onnx_softmax, NULL, EE_OP_LOG_SOFTMAX},
    {"MatMul", 2, 2, "", ee_onnx_matmul, NULL, 0},
    {"MaxPool", 1, 1, POOL "storage_order:i", ee_onnx_pool, ee_onnx_check_window, EE_OP_MAX_POOL},
    {"Mul", 2, 2, "", ee_onnx_elementwise, NULL, EE_OP_MUL},
    {"Neg", 1, 1, "", ee_onnx_neg, NULL, 0},
    {"Not", 1, 1, "", ee_onnx_not, NULL, 0},
    {"Pad", 1, 4, "mode:s pads:I value:f", ee_onnx_pad, ee_onnx_check_pad, 0},
    {"Pow", 2, 2, "", ee_onnx_pow, NULL, 0},
    {"Range", 3, 3, "", ee_onnx_range, NULL, 0},
    {"Reciprocal", 1, 1, "", ee_onnx_reciprocal, NULL, 0},
    {"ReduceMean", 1, 2, "axes:I keepdims:i noop_with_empty_axes:i", ee_onnx_reduce_mean, NULL, 0},
    {"Relu", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_RELU},
    {"Reshape", 2, 2, "allowzero:i", ee_onnx_reshape, NULL, 0},
    {"Shape", 1, 1, "end:i start:i", ee_onnx_shape, NULL, 0},
    {"Sigmoid", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_SIGMOID},
    {"Size", 1, 1, "", ee_onnx_size, NULL, 0},
    {"Slice", 1, 5, "axes:I ends:I starts:I", ee_onnx_slice, NULL, 0},
    {"Softmax", 1, 1, "axis:i", ee_onnx_softmax, NULL, EE_OP_SOFTMAX},
    {"Split", 1, 2, "axis:i num_outputs:i split:I", ee_onnx_split, NULL, 0},
    {"Sqrt", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_SQRT},
    {"Squeeze", 1, 2, "axes:I", ee_onnx_squeeze, NULL, 0},
    {"Sub", 2, 2, "", ee_onnx_elementwise, NULL, EE_OP_SUB},
    {"Sum", 1, 0, "", ee_onnx_sum, NULL, 0},
    {"Tanh", 1, 1, "", ee_onnx_activation, NULL, EE_ACT_TANH},
    {"Transpose", 1, 1, "perm:I", ee_onnx_transpose, NULL, 0},
    {"Unsqueeze", 1, 2, "axes:I", ee_onnx_unsqueeze, NULL, 0},
    {"Where", 3, 3, "", ee_onnx_where, NULL, 0},
};

const onnx_operator *ee_onnx_operator(const char *name) {
  for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
    if (strcmp(operators[i].name, name) == 0) return &operators[i];
  }
  return NULL;
}
