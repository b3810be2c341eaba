/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/bands.h"

/**
 * @file band_rows.h
 * Which rows of its inputs a node needs, operator by operator.
 */

#define EE_ROW_AXIS 2  // of [1, C, H, W]

/** Why rows of the result of @p node need more than some rows of its inputs; NULL if they do not,
 *  and ee_node_rows() can be asked. */
const char *ee_node_mixes_rows(const ee_model *model, const ee_node *node);

/** Whether the operator is a window that slides over rows. */
bool ee_node_has_window(const ee_node *node);

/** Rows of input @p i, an activation, that @p node needs to make rows @p out. */
ee_rows ee_node_rows(const ee_model *model, const ee_node *node, int i, ee_rows out);

/** Rows of value @p v, a picture. */
int64_t ee_value_rows(const ee_model *model, int v);
