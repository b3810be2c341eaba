/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exec.h"

/**
 * @file resident.h
 * What an exec asks of the layers it runs.
 */

const ee_model   *ee_resident_model(const ee_resident *res);
const ee_backend *ee_resident_backend(const ee_resident *res);

/** Set constant inputs and packed weights of node @p n in @p call, and return who runs it.  Its
 *  layer must be held; the pointers are valid until it is dropped. */
const ee_backend *ee_resident_bind(const ee_resident *res, int n, ee_kernel_call *call);
