/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/options.h"
#include "team_options.h"

/** @file team_refusals.h  Options that would do nothing, for a team or for want of one. */

/**
 * Refuse them, once @p line was parsed into @p wish.
 * @param rebalance  what --rebalance says
 * @return EE_OK; EE_ERR_USAGE with the first such option that was given
 */
ee_status ee_team_refuse_idle(const ee_command_line *line, int argc, char **argv,
                              const ee_team_wish *wish, bool rebalance);
