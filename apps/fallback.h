/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/** @file fallback.h  Nodes that the wanted backend cannot run. */

/**
 * Say, once for a backend, how many nodes of which operators fall from @p backend, which is open,
 * to another one, as the log's information.  Operators that only move or rename numbers, those that
 * no model has in 8 bits if that is wanted, and the names of nodes, are told only to who wants to
 * debug.  For int8 also that a model has no scales.
 */
void ee_say_fallback(const ee_model *model, const ee_backend *backend);
