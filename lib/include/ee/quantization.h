/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file quantization.h
 * Scales of a model's nodes for the backend `int8`.
 *
 * A node that has a scale gets its first input rounded to whole numbers in [0, 255] and its
 * weights, one scale for each output channel, to [-127, 127]; it adds up products exactly in 32
 * bits and gives float32.  The model keeps its float32 weights: they are rounded where the node is
 * held, the same everywhere, so files, moves between devices and other backends know nothing of it.
 */

/** Whether the backend `int8` can run @p node once it has a scale. */
bool ee_quantization_fits(const ee_model *model, const ee_node *node);

/** The finest scale with which every number of [@p low, @p high] and 0 can be told: 0 is exact. */
ee_quant ee_quant_of_range(float low, float high);

/** Nodes that have a scale, and nodes that could. */
int ee_quantization_count(const ee_model *model);
int ee_quantization_possible(const ee_model *model);

/** Take the scales of all nodes away. */
void ee_quantization_clear(ee_model *model);

/** Whether every scale is one, and at a node that can have it.
 *  @return EE_OK; EE_ERR_FORMAT with the node and what is wrong */
ee_status ee_quantization_check(const ee_model *model);

/** How the range of an input is chosen among what was seen. */
typedef enum ee_range_method {
  EE_RANGE_MINMAX,      // all of it
  EE_RANGE_PERCENTILE,  // all but a share at either end
  EE_RANGE_MSE,         // what gives the least squares of the errors of rounding and cutting
  EE_RANGE_METHODS
} ee_range_method;

/** "minmax", "percentile" or "mse"; static storage. */
const char *ee_range_method_name(ee_range_method method);

/** EE_RANGE_METHODS if there is none of that name. */
ee_range_method ee_range_method_by_name(const char *name);

/**
 * What the first inputs of all nodes that can have a scale were: first the least and the largest,
 * then, once counting began, how often which.  To be watched with all samples, and for a method
 * that is not minmax with the same ones once more.
 */
typedef struct ee_ranges ee_ranges;

/** Begin with nothing seen.  Borrows @p model. */
ee_status ee_ranges_create(const ee_model *model, ee_ranges **ranges);

/** An ee_node_fn, to be called with the ranges as context. */
void ee_ranges_watch(void *ranges, const ee_kernel_call *call);

/** From here on count between least and largest.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_ranges_count(ee_ranges *ranges);

/**
 * The scale of node @p k of the model, which can have one.
 * @param percentile  of the numbers that are inside the upper end, and of those inside the lower
 * @param[out] quant  scale 0 if the node was never run
 * @return EE_OK; EE_ERR_ARG with the node if an input was no finite number
 */
ee_status ee_ranges_quant(const ee_ranges *ranges, int k, ee_range_method method, double percentile,
                          ee_quant *quant);

void ee_ranges_destroy(ee_ranges **ranges);
