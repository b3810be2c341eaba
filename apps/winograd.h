/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/options.h"

/**
 * @file winograd.h
 * The option --winograd of all commands that compute, and what the environment says without it.
 */
extern const ee_option ee_winograd_option;

/** Set this process's rule: the option wins over the environment's EE_WINOGRAD, and that over the
 *  model.  @return EE_OK; EE_ERR_USAGE if one of them is neither on nor off */
ee_status ee_choose_winograd(void);
