/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file program.h
 * Who runs each node of a model, in which form its arrays stand, and which nodes are run as part
 * of another.  Follows from model and backend alone, so it is the same for every range of layers.
 */
typedef struct ee_program {
  const ee_model    *model;
  const ee_backend **runner;         // shape [n_nodes]: the backend, or ref where it cannot
  ee_form           *takes, *gives;  // shape [n_nodes]: form of activations, of the result
  ee_pixels         *pixels;         // shape [n_values]; sample is 0 where no node wants pixels
  int               *adds;           // shape [n_nodes]: the Add that is run with this node, or -1
  bool              *merged;         // shape [n_nodes]: run with a node before it
} ee_program;

/** @return EE_OK; EE_ERR_NOMEM.  The caller ends it with ee_program_free() in any case. */
ee_status ee_program_make(const ee_model *model, const ee_backend *backend, ee_program *program);

void ee_program_free(ee_program *program);

/** Whether node @p k reads input @p i, an activation, as pixels; whether it gives pixels. */
bool ee_program_takes_pixels(const ee_program *program, int k, int i);
bool ee_program_gives_pixels(const ee_program *program, int k);

/** The forms in which node @p k reads input @p i, an activation, and gives its result. */
ee_form ee_program_form_taken(const ee_program *program, int k, int i);
ee_form ee_program_form_given(const ee_program *program, int k);

/** Floats of a sample of value @p v in @p form. */
int64_t ee_program_sample_floats(const ee_program *program, int v, ee_form form);

/** The value that node @p k writes: its own, or that of the Add that is run with it. */
int ee_program_result(const ee_program *program, int k);

/** The array that node @p k adds to its result, or -1. */
int ee_program_residual(const ee_program *program, int k);
