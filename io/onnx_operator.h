/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_graph.h"

/**
 * @file onnx_operator.h
 * How one ONNX operator becomes nodes: a row of a table, and what its converter may ask.
 *
 * A converter that meets something that is not supported returns EE_ERR_UNSUPPORTED; the walk
 * records the sentence and goes on, so that the user learns of everything at once.
 */
typedef struct onnx_operator {
  const char *name;
  int         least_in, most_in;  // inputs; most_in 0: any number
  const char *attributes;         // "name:type ..."; i int, f float, s string, t tensor, I ints,
                                  // F floats; "" none
  ee_status (*convert)(onnx_graph *g, const onnx_call *call);
  ee_status (*check)(const onnx_call *call);  // what needs no shapes; NULL: nothing
  int which;                                  // ee_op or ee_act, where a converter does several
} onnx_operator;

/** Operator by its ONNX name; NULL if it is not supported. */
const onnx_operator *ee_onnx_operator(const char *name);

/** Refuse attributes that the operator does not have; EE_ERR_FORMAT if one has a wrong type. */
ee_status ee_onnx_check_attributes(const onnx_call *call);

/** Attribute by name, NULL if it is left out. */
const Onnx__AttributeProto *ee_onnx_attribute(const onnx_call *call, const char *name);
int64_t                     ee_onnx_int(const onnx_call *call, const char *name, int64_t absent);
float                       ee_onnx_float(const onnx_call *call, const char *name, float absent);

/** Copy a string attribute to @p text of @p size bytes, cut if need be; @p absent if left out. */
void ee_onnx_string(const onnx_call *call, const char *name, const char *absent, char *text,
                    size_t size);

/** Whether input @p k is given. */
bool ee_onnx_has(const onnx_call *call, int k);

/** Integers of input @p k, a constant vector or scalar; borrowed from the graph. */
ee_status ee_onnx_input_ints(onnx_graph *g, const onnx_call *call, int k, const int64_t **list,
                             int *n);

/** The one element of input @p k, a constant of float32; infinite values are let through. */
ee_status ee_onnx_input_scalar(onnx_graph *g, const onnx_call *call, int k, float *scalar);

/** @p axis counted from the end if negative; EE_ERR_FORMAT unless it is in [0, @p rank). */
ee_status ee_onnx_axis(const onnx_call *call, int64_t axis, int rank, int *found);

/** Axes from the attribute `axes`, or else from input @p k; *n is -1 if neither is given. */
ee_status ee_onnx_axes(onnx_graph *g, const onnx_call *call, int k, const int64_t **list, int *n);

/** The same as flags, shape [@p rank]. */
ee_status ee_onnx_axis_flags(onnx_graph *g, const onnx_call *call, int k, int rank, bool *flag,
                             int *n);

/** Let the first output be input 0 itself. */
ee_status ee_onnx_pass(onnx_graph *g, const onnx_call *call);

/** Let the first output be input 0 in shape @p to, which has as many elements. */
ee_status ee_onnx_reshape_to(onnx_graph *g, const onnx_call *call, const ee_shape *to);

/** Whether input @p k is a constant of integers. */
bool ee_onnx_is_integers(const onnx_graph *g, const onnx_call *call, int k);

/** Let the first output be a constant of integers, to be filled in at *ints; owned by the graph. */
ee_status ee_onnx_integers_make(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                int64_t **ints);

/** Let the first output be integers that are all @p fill. */
ee_status ee_onnx_integers_filled(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                  int64_t fill);

/** Let the first output be the integers of input 0 in shape @p to. */
ee_status ee_onnx_integers_reshaped(onnx_graph *g, const onnx_call *call, const ee_shape *to);

/** Let the first output be the integers of input 0; its axis i is axis @p perm [i] there. */
ee_status ee_onnx_integers_transposed(onnx_graph *g, const onnx_call *call, const int *perm);

/** Let the first output be the integers of input 0 from element @p first on, at distance @p step,
 *  shape [rank of @p shape], along each dimension. */
ee_status ee_onnx_integers_selected(onnx_graph *g, const onnx_call *call, const ee_shape *shape,
                                    int64_t first, const int64_t *step);

/** A new constant of float32 with the integers of constant @p v, called the same, index in
 *  *floats. */
ee_status ee_onnx_floats_of_integers(onnx_graph *g, const onnx_call *call, int v, int *floats);

/** Let the first output be the integers of input 0 with the other sign. */
ee_status ee_onnx_integers_negated(onnx_graph *g, const onnx_call *call);

/** A new constant that is the number @p x. */
ee_status ee_onnx_number(onnx_graph *g, const onnx_call *call, float x, int *v);

/** Make sure that input @p k can be moved: float32 as for ee_onnx_need_float(), or ids or truths
 *  that are computed or given. */
ee_status ee_onnx_need_movable(onnx_graph *g, const onnx_call *call, int k);

/** Let the first output be input 0, which is ids or truths, as float32. */
ee_status ee_onnx_truths_to_floats(onnx_graph *g, const onnx_call *call);

/** Let the first output be whether the integers of both inputs are equal, or be those of input 1
 *  where those of input 0 are not 0 and those of input 2 elsewhere. */
ee_status ee_onnx_integers_equal(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_integers_chosen(onnx_graph *g, const onnx_call *call);

/** Let the first output be a op b of the integers of both inputs, an Add, Sub, Mul or Div. */
ee_status ee_onnx_integers_elementwise(onnx_graph *g, const onnx_call *call);

/** Numpy's common shape of two shapes; EE_ERR_FORMAT if they have none. */
ee_status ee_onnx_common_shape(const ee_shape *a, const ee_shape *b, ee_shape *common);

/** Let the first output be the integers of all inputs, behind each other along @p axis. */
ee_status ee_onnx_integers_joined(onnx_graph *g, const onnx_call *call, int axis);

// Converters, by file.
ee_status ee_onnx_conv(onnx_graph *g, const onnx_call *call);  // onnx_windows.c
ee_status ee_onnx_pool(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_global_pool(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_check_window(const onnx_call *call);

ee_status ee_onnx_gemm(onnx_graph *g, const onnx_call *call);  // onnx_arithmetic.c
ee_status ee_onnx_matmul(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_batch_norm(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_layer_norm(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_pow(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_reciprocal(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_neg(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_gelu(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_check_gelu(const onnx_call *call);
ee_status ee_onnx_check_batch_norm(const onnx_call *call);
ee_status ee_onnx_elementwise(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_sum(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_activation(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_clip(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_flatten(onnx_graph *g, const onnx_call *call);  // onnx_shapes.c
ee_status ee_onnx_reshape(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_squeeze(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_unsqueeze(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_transpose(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_concat(onnx_graph *g, const onnx_call *call);  // onnx_axes.c
ee_status ee_onnx_softmax(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_pad(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_check_pad(const onnx_call *call);
ee_status ee_onnx_reduce_mean(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_constant_node(onnx_graph *g, const onnx_call *call);  // onnx_constants.c
ee_status ee_onnx_constant_of_shape(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_identity(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_dropout(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_slice(onnx_graph *g, const onnx_call *call);  // onnx_slice.c
ee_status ee_onnx_split(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_gather(onnx_graph *g, const onnx_call *call);  // onnx_gather.c

ee_status ee_onnx_shape(onnx_graph *g, const onnx_call *call);  // onnx_integer_math.c
ee_status ee_onnx_size(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_range(onnx_graph *g, const onnx_call *call);

enum { ONNX_EQUAL, ONNX_GREATER, ONNX_LESS };
ee_status ee_onnx_compare(onnx_graph *g, const onnx_call *call);  // onnx_truths.c
ee_status ee_onnx_not(onnx_graph *g, const onnx_call *call);
ee_status ee_onnx_where(onnx_graph *g, const onnx_call *call);

ee_status ee_onnx_expand(onnx_graph *g, const onnx_call *call);  // onnx_expand.c

ee_status ee_onnx_cast(onnx_graph *g, const onnx_call *call);  // onnx_cast.c
