/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ee/status.h"
#include "ee/tensor.h"

/**
 * @file model.h
 * The graph of an early-exit network: what is computed, not how and not where.
 *
 * A model is a list of nodes in topological order over values (arrays).  Nodes are grouped into
 * layers, the units that devices own; a cut is a boundary between two layers; an exit is a
 * classifier head attached after a layer.  The last classifier is an exit too.
 *
 *   cut 0 | layer 0 | cut 1 | layer 1 | ... | layer L-1 | cut L
 *
 * Cut c lies in front of layer c.  The values alive across it are what a device sends on.
 * Nodes of a head belong to the exit, not to a layer, and run on the device that owns the layer
 * after which the exit is attached.
 */

/** Every operator once: name here, name in a file and in ONNX. */
#define EE_OP_LIST(X)                         \
  X(CONV, "Conv")                             \
  X(GEMM, "Gemm")                             \
  X(MATMUL, "MatMul")                         \
  X(BATCH_NORM, "BatchNormalization")         \
  X(ACTIVATION, "Activation")                 \
  X(MAX_POOL, "MaxPool")                      \
  X(AVERAGE_POOL, "AveragePool")              \
  X(GLOBAL_AVERAGE_POOL, "GlobalAveragePool") \
  X(ADD, "Add")                               \
  X(MUL, "Mul")                               \
  X(SUB, "Sub")                               \
  X(DIV, "Div")                               \
  X(CONCAT, "Concat")                         \
  X(RESHAPE, "Reshape")                       \
  X(TRANSPOSE, "Transpose")                   \
  X(SOFTMAX, "Softmax")                       \
  X(LOG_SOFTMAX, "LogSoftmax")                \
  X(PAD, "Pad")                               \
  X(REDUCE_MEAN, "ReduceMean")                \
  X(POW, "Pow")                               \
  X(SLICE, "Slice")                           \
  X(GATHER, "Gather")                         \
  X(LAYER_NORM, "LayerNormalization")         \
  X(ATTENTION, "Attention")

typedef enum ee_op {
#define X(name, text) EE_OP_##name,
  EE_OP_LIST(X)
#undef X
      EE_OP_COUNT
} ee_op;

/** Elementwise functions that a node applies to its result; a formula each.
 *  p = alpha, q = beta of the node's ee_activation. */
#define EE_ACT_LIST(X)                                                   \
  X(NONE, "none")                /* x */                                 \
  X(RELU, "Relu")                /* max(x, 0) */                         \
  X(LEAKY_RELU, "LeakyRelu")     /* x >= 0 ? x : p x */                  \
  X(CLIP, "Clip")                /* min(max(x, p), q) */                 \
  X(SIGMOID, "Sigmoid")          /* 1 / (1 + exp(-x)) */                 \
  X(HARD_SIGMOID, "HardSigmoid") /* min(max(p x + q, 0), 1) */           \
  X(HARD_SWISH, "HardSwish")     /* x min(max(x / 6 + 1/2, 0), 1) */     \
  X(TANH, "Tanh")                /* tanh(x) */                           \
  X(ERF, "Erf")                  /* 2 / sqrt(pi) int_0^x exp(-t^2) dt */ \
  X(SQRT, "Sqrt")                /* sqrt(x); not a number below 0 */     \
  X(GELU, "Gelu")                /* x/2 (1 + erf(x / sqrt 2)) */         \
  X(GELU_TANH, "GeluTanh")       /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */

typedef enum ee_act {
#define X(name, text) EE_ACT_##name,
  EE_ACT_LIST(X)
#undef X
      EE_ACT_COUNT
} ee_act;

typedef struct ee_activation {
  ee_act kind;
  float  alpha, beta;
} ee_activation;

#define EE_MAX_SPATIAL 3  // 1-D, 2-D and 3-D windows

/** A sliding window of a convolution or pooling; one entry per spatial dimension.  Padding is below
 * 0 in bands only (ee/bands.h). */
typedef struct ee_window {
  int  n_spatial;
  int  kernel[EE_MAX_SPATIAL], stride[EE_MAX_SPATIAL], dilation[EE_MAX_SPATIAL];
  int  pad_before[EE_MAX_SPATIAL], pad_after[EE_MAX_SPATIAL];  // resolved, never "auto"
  int  groups;                                                 // Conv only
  bool count_include_pad;                                      // AveragePool only
  bool ceil_mode;  // pooling only; output size is already in the value's shape
} ee_window;

/**
 * What an operator needs beside its inputs; the member that belongs to the operator is valid.
 * Operators are those of ONNX, and these are more than or different from what their names say:
 *
 * MatMul: inputs a, b [, bias].  As numpy's matmul; bias, shape [columns of b], is added to every
 * row of the result, for which b needs two dimensions at least.
 *
 * Gather: inputs data, index.  Y[.., i.., ..] = data[.., index[i..], ..] along `axis`; an index is
 * a whole number stored as float32, and one below 0 counts from the end.  Where an index is no
 * number of a place, the result is NaN.  An embedding is a Gather of a constant along axis 0.
 *
 * Slice: Y[i, j, ..] = x[start_0 + step_0 i, start_1 + step_1 j, ..]; how many follows from Y.
 *
 * LayerNormalization: inputs x, scale [, bias], the latter two of the shape of x from `axis` on.
 * Y = (x - mean) / sqrt(variance + epsilon) scale + bias, over all dimensions from `axis` on.
 *
 * Attention: inputs q [.., T, D], k [.., S, D], v [.., S, E] [, mask]; all of the same dimensions
 * in front.  Head h of H reads columns [h D/H, (h+1) D/H) of q and k and columns [h E/H, (h+1) E/H)
 * of v, and writes the latter of Y, shape [.., T, E]:
 *   Y_h = softmax(scale q_h k_h^T + mask_h) v_h, softmax over S.
 * The mask is broadcast to [.., H, T, S].
 */
typedef union ee_attributes {
  ee_window window;  // Conv, MaxPool, AveragePool
  struct {
    float alpha, beta;  // Y = alpha A' B' + beta C
    bool  trans_a, trans_b;
  } gemm;
  struct {
    float epsilon;  // inputs x, scale, bias, mean, var
  } batch_norm;
  struct {
    int  axis;     // Concat, Softmax, LogSoftmax; in [0, rank)
    bool flatten;  // Softmax before opset 13: over all axes from `axis` on
  } along;
  struct {
    int perm[EE_MAX_RANK];  // Transpose
  } transpose;
  struct {
    int   mode;  // Pad: 0 constant, 1 reflect, 2 edge, 3 wrap
    int   before[EE_MAX_RANK], after[EE_MAX_RANK];
    float value;
  } pad;
  struct {
    bool axis[EE_MAX_RANK];  // ReduceMean: which axes are averaged
  } reduce;
  struct {
    int start[EE_MAX_RANK], step[EE_MAX_RANK];  // Slice; a step is not 0 and may be negative
  } slice;
  struct {
    int axis;  // of data, in [0, rank)
  } gather;
  struct {
    int   axis;     // the first that is normalised over, in [0, rank)
    float epsilon;  // >= 0
  } layer_norm;
  struct {
    int   n_heads;  // >= 1, divides D and E
    float scale;    // finite
  } attention;
} ee_attributes;

/** Ways in which the backend `simd` can compute a convolution or a product; names are those of
 * files and of `edgeexit bench`.  All direct ways give the same bits. */
#define EE_METHOD_LIST(X)                                                      \
  X(BY_RULE, "by rule")   /* as follows from the shapes */                     \
  X(DIRECT_2, "direct 2") /* panels of 2, 3 or 4 vectors of output channels */ \
  X(DIRECT_3, "direct 3")                                                      \
  X(DIRECT_4, "direct 4")                                                      \
  X(WINOGRAD_2, "Winograd 2x2") /* F(2 x 2, 3 x 3) */                          \
  X(WINOGRAD_4, "Winograd 4x4") /* F(4 x 4, 3 x 3) */

typedef enum ee_method {
#define X(name, text) EE_METHOD_##name,
  EE_METHOD_LIST(X)
#undef X
      EE_METHOD_COUNT
} ee_method;

#define EE_MAX_NODE_INPUTS 16
#define EE_NAME_BYTES 96

/** How the first input of a node becomes whole numbers of 8 bits; see ee/quantization.h.
 *  q = min(max(round(x / scale) + zero, 0), 255) stands for (q - zero) scale. */
typedef struct ee_quant {
  float scale;  // 0: the node is computed in float32 everywhere
  int   zero;   // in [0, 255], what 0 becomes
} ee_quant;

/** One operation.  `in` and `out` are indices of values. */
typedef struct ee_node {
  char          name[EE_NAME_BYTES];
  ee_op         op;
  int           n_in;
  int           in[EE_MAX_NODE_INPUTS];  // -1: an optional input that is left out
  int           out;
  int           layer;  // index of the layer it belongs to; -1 in a head
  int           exit;   // index of the exit whose head it belongs to; -1 in a layer
  ee_activation act;    // applied to the result; EE_ACT_NONE if none is fused
  ee_attributes attr;
  ee_method     method;  // that was found the fastest; counts where ee_tuning_applies()
  ee_quant      quant;   // of in[0]; counts in the backend `int8`
} ee_node;

typedef enum { EE_VALUE_INPUT, EE_VALUE_CONSTANT, EE_VALUE_ACTIVATION } ee_value_kind;

/** An array.  A constant's data belongs to the model; NULL while it is not in memory. */
typedef struct ee_value {
  char          name[EE_NAME_BYTES];
  ee_value_kind kind;
  ee_shape      shape;  // of one sample: dim[0] is 1 in a batched model
  float        *data;   // constants only
} ee_value;

/** A classifier and where it stands. */
typedef struct ee_exit {
  char  name[EE_NAME_BYTES];
  int   logits;       // value, shape [1, n_classes]
  int   attach;       // runs right after this layer; the last exit's is n_layers - 1
  float temperature;  // probabilities are softmax(logits / temperature); 1 before calibration
  bool  has_score;    // its head has a second output, a learned score; never at the last exit
  int   score;        // value of one element, in [0, 1]: how much to leave; only if has_score
} ee_exit;

/** A layer: nodes in order, and what it costs. */
typedef struct ee_layer {
  char   name[EE_NAME_BYTES];
  double flops;         // of one sample [FLOP]; a multiply-add is two
  size_t weight_bytes;  // constants of its nodes and of the heads attached after it [byte]
  double seconds;       // of one sample on the host that profiled it [s]; 0: never profiled
} ee_layer;

/** (raw * scale - mean[c]) / std[c] makes the network's input of channel c, dimension 1. */
typedef struct ee_preprocess {
  int    n_channels;  // 0: raw * scale goes in
  float  scale;       // 0 means 1
  float *mean, *std;  // shape [n_channels], each malloc()ed; std > 0
} ee_preprocess;

/** Where and how the ways of a model's nodes were measured; see ee/tuning.h. */
typedef struct ee_tuning {
  char cpu[EE_NAME_BYTES];  // the processor's name; "": never
  char vectors[16];         // the kernels of `simd` that it ran
  int  version;             // EE_TUNING_VERSION of then
  int  batch;               // samples
} ee_tuning;

/** With what the seconds of layers, heads and copies were measured. */
typedef struct ee_profile {
  char backend[16];         // its name; "": not recorded
  char cpu[EE_NAME_BYTES];  // the processor's name
  char vectors[16];         // the best that the backend used
} ee_profile;

/** How the scales of a model's nodes were found. */
typedef struct ee_quantization {
  char method[64];  // "": never
  int  samples;     // of the data that were looked at
} ee_quantization;

typedef struct ee_model {
  char            name[EE_NAME_BYTES];
  char           *provenance;   // who made it, how, and what it reached; may be NULL
  bool            no_winograd;  // see ee/winograd.h
  bool            is_band;      // see ee/bands.h; node[].method counts, whatever was tuned
  bool            batched;      // false: one sample is the whole input, the largest batch is 1
  int             input;        // value
  int             n_values, n_nodes, n_layers, n_exits, n_classes;
  ee_value       *value;  // shape [n_values]
  ee_node        *node;   // shape [n_nodes], topological order; a head's nodes follow its layer's
  ee_layer       *layer;  // shape [n_layers]
  ee_exit        *exit;   // shape [n_exits], by attach layer
  char          **class_name;    // shape [n_classes]; NULL if unnamed
  double         *head_flops;    // shape [n_exits], of one sample [FLOP]
  double         *head_seconds;  // shape [n_exits] [s]; 0: never profiled
  double          copy_seconds;  // to pass on, or take, a byte of values [s/byte]; 0: not profiled
  ee_preprocess   preprocess;
  ee_profile      profile;
  ee_tuning       tuning;
  ee_quantization quantization;

  // Derived by ee_model_finish().
  int *cut_start;  // shape [n_layers + 2]; cut c carries cut_value[cut_start[c] .. cut_start[c+1])
  int *cut_value;  // values alive across each cut, in order of value index
} ee_model;

const char *ee_op_name(ee_op op);
const char *ee_act_name(ee_act act);
/** Operator or activation by its name in a file; EE_OP_COUNT or EE_ACT_COUNT if unknown. */
ee_op  ee_op_by_name(const char *name);
ee_act ee_act_by_name(const char *name);

/**
 * Derive everything that follows from values, nodes and exits: layers of nodes and heads, attach
 * layers, live values per cut, floating-point operations and weight bytes; and check the whole.
 *
 * A trunk node is one from which the last exit or more than one exit is reached; a trunk node
 * with constants of its own that are weights (Conv, Gemm, MatMul, BatchNormalization, and Gather
 * from a constant) opens a layer, every other one joins the layer before it.  Call once after the
 * graph is filled in; node[].layer and node[].exit are written, exit[] must have its logits values,
 * and score values where there are any, and the last one must be the deepest.  Constants need no
 * data.
 *
 * Exits are sorted by attach layer, and nodes so that every head follows its layer.  A
 * temperature of 0 becomes 1.  layer[].seconds stay if there are as many layers as before, and so
 * do head_seconds; everything else that is derived is made anew.
 *
 * FLOP of one sample, for n output elements: Conv 2 n C/groups kernel; Gemm, MatMul 2 n K;
 * BatchNormalization 2 n; pooling n kernel; global pooling and ReduceMean one per input element;
 * Softmax, LogSoftmax, LayerNormalization 5 n; Attention 2 n S (1 + D/E) + 5 H T S per stack of
 * matrices; Add, Mul, Sub, Div, Pow and any activation n; moving data 0.
 * @return EE_OK; EE_ERR_FORMAT with the node's or value's name; EE_ERR_NOMEM
 */
ee_status ee_model_finish(ee_model *model);

/** Operations of one sample in @p node, counted as ee_model_finish() says [FLOP]. */
double ee_node_flops(const ee_model *model, const ee_node *node);

/** Bytes of one sample's live values at @p cut in [0, n_layers] [byte]. */
size_t ee_model_cut_bytes(const ee_model *model, int cut);

/** Values alive across @p cut; *n of them; the model owns the list. */
const int *ee_model_cut_values(const ee_model *model, int cut, int *n);

/** Whether any exit has a learned score. */
bool ee_model_has_scores(const ee_model *model);

/**
 * If the model's input is ids, whole numbers that look up rows of tables (Gather): rows of the
 * smallest table; every number must be in [-rows, rows).  0: the input is no ids.
 */
int64_t ee_model_ids(const ee_model *model);

/** Whether such an input is alive across @p cut: its numbers must not be rounded. */
bool ee_model_cut_has_ids(const ee_model *model, int cut);

/** Whether @p n samples of @p input, shape [n, elements], can be looked up, if they are ids.
 *  @return EE_OK; EE_ERR_FORMAT with the place in its sample, and the number, of the
 *  first that cannot */
ee_status ee_model_check_ids(const ee_model *model, const float *input, int64_t n);

/** Elements of one sample of value @p v. */
int64_t ee_model_value_elements(const ee_model *model, int v);

/**
 * Constants of layer @p layer's blob, in order: those of its nodes, then those of the heads
 * attached after it, each once.  A blob is these arrays one after the other: what a device loads
 * from a file, or gets from another device, to own the layer.
 * @param[out] list  shape [n], values; the caller frees it with free()
 */
ee_status ee_model_layer_constants(const ee_model *model, int layer, int **list, int *n);

/** Free everything, also the constants, and set to NULL.  *model may be NULL. */
void ee_model_destroy(ee_model **model);
