/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file profiled.h
 * With what a model's seconds were measured, and whether that is what computes here.
 */

/** Whether the model has seconds. */
bool ee_is_profiled(const ee_model *model);

/** What @p backend, which is open, computes with here. */
ee_profile ee_profile_here(const ee_backend *backend);

/** Whether the model was profiled with what @p backend, which is open, computes with here. */
bool ee_profiled_alike(const ee_model *model, const ee_backend *backend);

/** "backend simd on <processor>, AVX-512", or "not recorded".  @return @p text */
const char *ee_profile_text(const ee_profile *profile, char *text, size_t size);

/** Say, as a warning, that the seconds of a model that was profiled, from @p path, are those of
 *  another backend, processor or vectors than @p backend, which is open, has here; or, as
 *  information, that nobody recorded of which.  For whoever is about to count them. */
void ee_say_profile(const char *path, const ee_model *model, const ee_backend *backend);
