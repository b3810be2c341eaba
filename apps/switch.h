/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/status.h"

/** @file switch.h  A switch that the command line or the environment may set. */

/**
 * Read @p text of option @p option, or, if that is NULL, the environment's @p variable.
 * @param[out] on     unchanged unless one of them is there
 * @param[out] given  whether one is
 * @return EE_OK; EE_ERR_USAGE if it is neither on nor off
 */
ee_status ee_read_switch(const char *option, const char *text, const char *variable, bool *on,
                         bool *given);
