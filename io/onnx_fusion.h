/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "onnx_graph.h"

/**
 * @file onnx_fusion.h
 * Finding a few nodes of a graph that can be one, and putting that one in their place.
 *
 * A pattern is looked for from its last node backwards.  ee_onnx_replace() overwrites that node;
 * nodes before it whose results nobody reads any more vanish.
 */
typedef struct onnx_fusion {
  onnx_graph *g;
  int         n;         // values when it began; later ones are constants of one user
  int        *uses;      // shape [n], by nodes and as output of the graph
  int        *producer;  // shape [n], node; -1: none
  ee_node    *inserted;  // shape [n_inserted]
  int        *before;    // shape [n_inserted], node in front of which they come; never falls
  int         n_inserted, space;
} onnx_fusion;

/** Count uses and find producers.  Close also after an error. */
ee_status ee_onnx_fusion_open(onnx_fusion *f, onnx_graph *g);

/** Take removed nodes out of the graph and put inserted ones in, and free. */
ee_status ee_onnx_fusion_close(onnx_fusion *f);

/** Put @p node, whose result of shape @p shape becomes value *v, in front of node @p before.
 *  Nobody is found to have made *v until the fusion is closed. */
ee_status ee_onnx_insert(onnx_fusion *f, const ee_node *before, const ee_node *node,
                         const ee_shape *shape, int *v);

/** Let everybody who reads value @p v read @p instead, which stands before it; the node that makes
 *  @p v vanishes.  Not for outputs of the graph. */
void ee_onnx_read_instead(onnx_fusion *f, int v, int instead);

/** The node that makes @p v without an activation, whatever it is; NULL if there is none. */
ee_node *ee_onnx_maker(const onnx_fusion *f, int v);

/** Whether @p node vanished. */
bool ee_onnx_is_removed(const ee_node *node);

/** Take @p node out of the graph; somebody else makes its result, or nobody reads it. */
void ee_onnx_remove(ee_node *node);

/** The node that makes @p v by @p op, without an activation; NULL if there is none. */
ee_node *ee_onnx_made_by(const onnx_fusion *f, int v, ee_op op);

/** The same, for an elementwise function of its own. */
ee_node *ee_onnx_made_by_function(const onnx_fusion *f, int v, ee_act act);

/** The node that makes @p v for one user only and applies no activation yet; NULL if none does. */
ee_node *ee_onnx_sole_producer(const onnx_fusion *f, int v);

/** Which input of @p node, of two, is one constant number, *number; -1: none, or both. */
int ee_onnx_number_input(const onnx_fusion *f, const ee_node *node, float *number);

/** Whether @p v is one constant number close to @p number. */
bool ee_onnx_is_number(const onnx_fusion *f, int v, double number);

/** Shape of value @p v at a batch of 1. */
const ee_shape *ee_onnx_shape_of(const onnx_fusion *f, int v);

/** Put @p with, which makes the same result, in the place of @p node. */
void ee_onnx_replace(onnx_fusion *f, ee_node *node, const ee_node *with);

// Patterns, by file.  Each is tried at @p node as the last node and replaces it if it is there.
ee_status ee_onnx_fuse_bias(onnx_fusion *f, ee_node *node);        // onnx_fuse_bias.c
ee_status ee_onnx_fuse_layer_norm(onnx_fusion *f, ee_node *node);  // onnx_fuse_norm.c
ee_status ee_onnx_fuse_gelu(onnx_fusion *f, ee_node *node);        // onnx_fuse_gelu.c
ee_status ee_onnx_fuse_attention(onnx_fusion *f, ee_node *node);   // onnx_fuse_attention.c
ee_status ee_onnx_fuse_one_head(onnx_fusion *f, ee_node *node);    // of a single head
ee_status ee_onnx_fuse_bare_head(onnx_fusion *f, ee_node *node);   // that nobody reshapes
ee_status ee_onnx_fuse_moves(onnx_fusion *f, ee_node *node);       // onnx_fuse_moves.c
