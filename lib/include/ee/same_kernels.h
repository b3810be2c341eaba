/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/backend.h"

/**
 * @file same_kernels.h
 * Answers do not depend on which rank computes a layer as long as all compute it alike.
 */

/**
 * See whether all ranks compute @p model alike on @p backend, which is open, and make them where
 * it can be done.  Collective over @p comm; before any layer is held.
 *
 * Backend and rule of Winograd convolutions are settings, and must be the same, as must the scales
 * of backend int8.  Processors may differ: rank 0 says so if they have other vectors, since last
 * bits then follow the plan, which they do not where all that could differ is in 8 bits; and
 * measured methods (ee/tuning.h) count on all ranks, or, as rank 0 says then, on none.
 * @return EE_OK; EE_ERR_MISMATCH with the first rank that differs from rank 0, on every rank;
 *         EE_ERR_NOMEM
 */
ee_status ee_same_kernels(MPI_Comm comm, const ee_model *model, const ee_backend *backend);
