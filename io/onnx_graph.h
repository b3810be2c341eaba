/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <onnx.pb-c.h>

#include "ee/import.h"
#include "ee/model.h"
#include "onnx_names.h"

/**
 * @file onnx_graph.h
 * The graph while it is imported: what the importer's parts work on.
 *
 * Operators are converted in file order into ee_node.  Shapes are inferred twice, with a first
 * dimension of 1 and of 2, so that it shows which arrays follow the batch.  A node whose inputs
 * are all constant is evaluated at once and never becomes a node.
 */

/** Most elements of an array that the importer makes itself, and of any array. */
#define ONNX_MAX_MADE ((int64_t)1 << 28)
#define ONNX_MAX_ELEMENTS ((int64_t)1 << 40)

typedef enum {
  ONNX_KNOWN,
  ONNX_UNKNOWN,  // its producer is not supported, which was recorded
  ONNX_ABSENT,   // an output that is never computed, such as the mask of Dropout
} onnx_state;

/** An array while the graph is read. */
typedef struct onnx_value {
  char                     name[EE_NAME_BYTES];
  onnx_state               state;
  ee_value_kind            kind;
  int                      type;    // of ONNX; a constant of any integer type becomes INT64
  ee_shape                 at[2];   // at a batch of 1 and of 2; constants: equal
  const Onnx__TensorProto *tensor;  // constants that are not decoded yet; borrowed
  float                   *data;    // decoded constants of float32; owned
  int64_t                 *ints;    // decoded constants of integers; owned
  bool                     is_output;
} onnx_value;

typedef struct onnx_graph {
  const Onnx__GraphProto *proto;
  int64_t                 opset;  // of the default domain
  onnx_names              names;  // name of an array to index of value
  onnx_value             *value;
  int                     n_values, value_space;
  ee_node                *node;  // node[].in and out are indices of value
  int                     n_nodes, node_space;
  int                     input;        // value; -1 before it is found
  int                    *output;       // shape [n_outputs], values
  int                    *score_of;     // shape [n_outputs], output whose score it is; -1: none's
  int                     n_outputs;    // of the graph
  bool                    batched;      // dim[0] is a batch as far as is known
  char                    reason[256];  // why not
  char                    complaints[EE_MESSAGE_BYTES - 160];  // what is not supported
  int                     n_complaints, n_unsaid;
  Onnx__TensorProto     **bound;  // shape [n_bound], of the bindings; owned
  int                     n_bound;
} onnx_graph;

struct onnx_operator;

/** One node of the file and its inputs. */
typedef struct onnx_call {
  const Onnx__NodeProto      *proto;
  const struct onnx_operator *op;
  char                        name[EE_NAME_BYTES];       // of the node, or of its output
  char                        label[2 * EE_NAME_BYTES];  // "Conv 'name'"
  int64_t                     opset;
  int                         n_in;
  int                        *in;  // shape [n_in], values; -1: left out
} onnx_call;

/** Set up from the message: initializers, bindings, the input. */
ee_status ee_onnx_graph_open(onnx_graph *g, const Onnx__ModelProto *proto,
                             const ee_onnx_binding *binding, int n_bindings);
void      ee_onnx_graph_close(onnx_graph *g);

/** Convert every node of the file and find the outputs.  EE_ERR_UNSUPPORTED names everything. */
ee_status ee_onnx_walk(onnx_graph *g);

/** Record one thing that is not supported; the walk goes on. */
void ee_onnx_complain(onnx_graph *g, const char *what);

/** A new value without data, index in *v; @p name is copied, and cut if it is long. */
ee_status ee_onnx_value_add(onnx_graph *g, const char *name, ee_value_kind kind, int type,
                            const ee_shape at[2], int *v);

/** Let @p name, which must live as long as the message, mean value @p v. */
ee_status ee_onnx_name(onnx_graph *g, const char *name, int v);

/** A new constant of @p shape; takes @p data, also on error. */
ee_status ee_onnx_constant(onnx_graph *g, const char *name, const ee_shape *shape, float *data,
                           int *v);

/**
 * Append @p node, or evaluate it if all its inputs are constant.
 * @param at   its result's shapes at a batch of 1 and of 2; NULL: inferred
 * @param[out] v  value of the result, which gets the name of the node
 */
ee_status ee_onnx_emit(onnx_graph *g, const onnx_call *call, ee_node *node, const ee_shape *at,
                       int *v);

/** The same, for the only node of the call: its result is the first output of the call. */
ee_status ee_onnx_emit_result(onnx_graph *g, const onnx_call *call, ee_node *node,
                              const ee_shape *at);

/** A node with the call's name and its first @p n_in inputs. */
ee_node ee_onnx_node(const onnx_call *call, ee_op op, int n_in);

/** Make sure that input @p k is an array of float32; a constant is decoded and checked. */
ee_status ee_onnx_need_float(onnx_graph *g, const onnx_call *call, int k);

/** The data of value @p v, decoded on demand; it must be a constant of float32, and finite. */
ee_status ee_onnx_floats(onnx_graph *g, int v);

/** The integers of value @p v, decoded on demand; it must be a constant of integers. */
ee_status ee_onnx_ints(onnx_graph *g, int v);

/** Shape of the result of @p node, whose inputs have shapes @p in. */
ee_status ee_onnx_infer(const ee_node *node, const ee_shape *in, ee_shape *out);

/** Result of @p node, whose inputs are all constant; *data is the caller's. */
ee_status ee_onnx_evaluate(const onnx_graph *g, const ee_node *node, const ee_shape *shape,
                           float **data);

/** Fold per-channel scales and shifts into convolutions and Gemm; fuse activations. */
ee_status ee_onnx_fuse(onnx_graph *g);

/** Remove nodes from which no output is reached. */
ee_status ee_onnx_prune(onnx_graph *g);

/** Fill in score_of from the outputs' names and @p list, "EXIT=OUTPUT,...", NULL: none given.
 *  EE_ERR_ARG if the list names what cannot be. */
ee_status ee_onnx_find_scores(onnx_graph *g, const char *list);

/** Infer anew the shapes at a batch of 2 of a graph in which attention became nodes: what only
 * moved the first dimension may be gone.  Sets g->batched; ee_onnx_check_batch() has the last word.
 */
void ee_onnx_find_batch(onnx_graph *g);

/** Decide whether the first dimension is a batch: clears g->batched and says why if not. */
void ee_onnx_check_batch(onnx_graph *g);

/** Make the model of the graph, not finished; constants' data moves to it.
 *  @param[out] model  owned by the caller; may be set on error too */
ee_status ee_onnx_make_model(onnx_graph *g, ee_model **model);

/** Fill in preprocessing, class names and provenance. */
ee_status ee_onnx_apply_metadata(const Onnx__ModelProto *proto, const ee_onnx_options *options,
                                 ee_model *model);

/** Unpack a message; nothing of @p bytes is borrowed. */
ee_status ee_onnx_unpack_model(const void *bytes, size_t n, Onnx__ModelProto **proto);
ee_status ee_onnx_unpack_tensor(const void *bytes, size_t n, Onnx__TensorProto **tensor);
