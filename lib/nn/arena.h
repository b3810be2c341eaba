/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file arena.h
 * Where each activation of a range of layers stands in one block of memory.
 */

#define EE_ARENA_ALIGN 64           // bytes: a cache line and the widest vector
#define EE_ARENA_NONE ((size_t)-1)  // offset of a value that the range does not touch

typedef struct ee_arena {
  size_t *offset;   // shape [n_values] [byte]
  size_t  scratch;  // offset of the memory that the node at hand may use freely [byte]
  size_t  bytes;    // of the whole
} ee_arena;

/**
 * Plan layers [@p begin, @p end) of @p model and the heads attached in them, for up to @p max_batch
 * samples.  Values that are never needed at the same time may share memory.
 * @param[out] arena  the caller ends it with ee_arena_free()
 * @return EE_OK; EE_ERR_ARG if the range or the batch is impossible; EE_ERR_NOMEM
 */
ee_status ee_arena_plan(const ee_model *model, const ee_backend *backend, int begin, int end,
                        int max_batch, ee_arena *arena);

void ee_arena_free(ee_arena *arena);
