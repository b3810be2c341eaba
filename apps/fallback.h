/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/** @file fallback.h  Nodes that the wanted backend cannot run. */

/**
 * Say, once per process, which convolutions and products fall from @p backend, which is open, to
 * another one, as the log's information; all other nodes are told only to who wants to debug.
 */
void ee_say_fallback(const ee_model *model, const ee_backend *backend);
