/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file graph.h
 * What the parts of ee_model_finish() share.  In the order in which they run: check what the
 * importer or a file filled in, find layers and heads, find live values, count costs.
 */

#define EE_MAX_ELEMENTS ((int64_t)1 << 40)  // of one array of one sample

/** Indices, names, wiring and shapes, node by node; EE_ERR_FORMAT names what is wrong. */
ee_status ee_graph_check(const ee_model *model);

/** Whether @p node makes shape @p out of shapes @p in; in[i] is NULL for an input left out. */
bool ee_node_shapes_fit(const ee_node *node, const ee_shape *const in[EE_MAX_NODE_INPUTS],
                        const ee_shape *out);

/** Write node[].layer, node[].exit and exit[].attach; sort exits and nodes; make layer[]. */
ee_status ee_graph_layers(ee_model *model);

/** Make cut_start and cut_value.  A value that no node makes is alive from the first cut on, if it
 * is read.  @p kept: shape [n_values], values that others read behind the last layer; NULL: none.
 */
ee_status ee_graph_cuts(ee_model *model, const bool *kept);

/** Fill in layer[].flops, layer[].weight_bytes and head_flops. */
ee_status ee_graph_costs(ee_model *model);

/** The layer with which @p node is held and run: its own, or the one its head is attached to. */
int ee_node_owner(const ee_model *model, const ee_node *node);

/** Whether input @p i of @p node is there and is a constant, or is there and is none. */
bool ee_node_reads_constant(const ee_model *model, const ee_node *node, int i);
bool ee_node_reads_activation(const ee_model *model, const ee_node *node, int i);

/** Whether @p node has constants that are weights, as ee_model_finish() says. */
bool ee_node_has_weights(const ee_model *model, const ee_node *node);

/** Index of the first node of each layer; its heads' nodes come before the next layer's.
 *  @param[out] start  shape [n_layers + 1]; the last is n_nodes */
void ee_graph_layer_starts(const ee_model *model, int *start);
