/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/device.h"

/** @file run_epoch.h  How long an epoch of control is, where nobody says so. */

#define EE_EPOCH_LEAST 256  // [samples]

/**
 * Samples of an epoch that is twice as long as its sum over all devices takes: the round trips of a
 * tree over the fleet's slowest link, and a sample's way through setup->plan; at least
 * EE_EPOCH_LEAST.  Without a fleet links are thought of as free.  Collective over @p comm, and
 * equal on all ranks.
 * @param share  shape [n_exits], of samples that leave at each exit; NULL: all go to the end
 */
ee_status ee_run_epoch(MPI_Comm comm, const ee_run_setup *setup, const double *share,
                       int *epoch_samples);
