/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * @file result_format.h
 * What writer and reader of results agree on.
 */

#define EE_RESULT_FORMAT "edgeexit-result"
#define EE_RESULT_EXITS "/exits"
#define EE_RESULT_POLICY "/policy"
#define EE_RESULT_SWEEP "/sweep"
