/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exec.h"
#include "program.h"

/**
 * @file resident.h
 * What an exec asks of the layers it runs.
 */

/** Who runs what and how values lie; valid as long as @p res. */
const ee_program *ee_resident_program(const ee_resident *res);

/** Set constant inputs and packed weights of node @p n in @p call, and return who runs it.  Its
 *  layer must be held; the pointers are valid until it is dropped. */
const ee_backend *ee_resident_bind(const ee_resident *res, int n, ee_kernel_call *call);
