/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file light_cases.h
 * Whole architectures with constant weights.
 */

/** Run every light_*.onnx in @p folder on @p backend; returns the number of failures. */
int run_light_models(const char *folder, const char *backend);
