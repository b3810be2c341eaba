/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "groups.h"

/**
 * @file arena.h
 * Where each activation of a range of layers stands in one block of memory.
 */

#define EE_ARENA_ALIGN 64           // bytes: a cache line and the widest vector
#define EE_ARENA_NONE ((size_t)-1)  // offset of a value or form that the range does not touch

typedef struct ee_arena {
  ee_groups groups;   // how the range is run
  size_t   *offset;   // shape [n_values, EE_FORM_COUNT] [byte]
  int      *room;     // shape [n_values], samples: of a group where no other node sees the value
  size_t    scratch;  // offset of the memory that the node at hand may use freely [byte]
  size_t    bytes;    // of the whole
} ee_arena;

/**
 * Plan layers [@p begin, @p end) of @p program's model and the heads attached in them, for up to
 * @p max_batch samples.  Values that are never needed at the same time may share memory, and what
 * only the nodes of one group see has room for the samples that they take at once.  A value
 * has a place for each form in which a node of the range reads or writes it, and a dense one if it
 * is alive at the range's ends or behind an exit.
 * @param[out] arena  the caller ends it with ee_arena_free()
 * @return EE_OK; EE_ERR_ARG if the range or the batch is impossible; EE_ERR_NOMEM
 */
ee_status ee_arena_plan(const ee_program *program, int begin, int end, int max_batch,
                        ee_arena *arena);

/** Offset of value @p v in @p form [byte], or EE_ARENA_NONE. */
static inline size_t ee_arena_offset(const ee_arena *arena, int v, ee_form form) {
  return arena->offset[(size_t)v * EE_FORM_COUNT + form];
}

void ee_arena_free(ee_arena *arena);
