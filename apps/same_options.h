/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <mpi.h>

#include "ee/options.h"

/** @file same_options.h  Whether all ranks were given the same command line. */

/**
 * Compare what stands in the variables of a table of options.  Collective over @p comm; the number
 * of messages and their length depend on no option.
 * @param prefix  of the rows' names in the sentence: "--", or "" for arguments that are no options
 * @param row     shape [n], the same on every rank; targets as after parsing
 * @return EE_OK; EE_ERR_USAGE on every rank with the same sentence: the first row that differs,
 *         with its value on rank 0 and on the lowest rank that has another; EE_ERR_ARG if there are
 *         more rows than a table may have
 */
ee_status ee_same_options(MPI_Comm comm, const char *prefix, const ee_option *row, int n);
