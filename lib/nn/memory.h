/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/**
 * @file memory.h
 * Large blocks of floats for weights and activations.
 */

/** @p bytes on a 64-byte boundary, on large pages where the system grants them on request; end it
 *  with free().  @return NULL if there is no memory */
void *ee_memory_take(size_t bytes);
