/* SPDX-License-Identifier: Apache-2.0 */
#include "team_refusals.h"

/* Of plans that are chains, of batches, and of who controls these. */
static const char *const of_chains[] = {
    "cuts",  "planner",    "max-period", "whole-blocks",      "measure-links", "exits-int8",
    "batch", "merge-wait", "slots",      "max-accuracy-loss", "offload-cost",  "control-delay",
    "rule",  "look-every", "near",       "error-bars",        "weights",       "move",
    NULL};
static const char *const of_teams[] = {"window", "ahead", "late", NULL};
static const char *const of_moves[] = {"epoch", "min-gain", "hold", "cooldown", NULL};

/* The first of @p names that was given; NULL: none was. */
static const char *first_given(const ee_command_line *line, int argc, char **argv,
                               const char *const *names) {
  for (; *names != NULL; names++) {
    if (ee_options_given(line, argc, argv, *names)) return *names;
  }
  return NULL;
}

static ee_status refuse_moves(const char *name, const ee_team_wish *wish) {
  if (wish->branches == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--%s is for units that move; with --bands none does", name);
  }
  return EE_FAIL(EE_ERR_USAGE,
                 "--%s is for units that move: those that --branches latency or period places, "
                 "unless --rebalance is off",
                 name);
}

ee_status ee_team_refuse_idle(const ee_command_line *line, int argc, char **argv,
                              const ee_team_wish *wish, bool rebalance) {
  const char *name;
  if (!ee_team_is_wished(wish)) {
    name = first_given(line, argc, argv, of_teams);
    if (name == NULL) return EE_OK;
    return EE_FAIL(EE_ERR_USAGE, "--%s is for --branches and --bands; in a chain it does nothing",
                   name);
  }
  name = first_given(line, argc, argv, of_chains);
  if (name != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--%s is for chains of devices; with %s it does nothing", name,
                   ee_team_wish_name(wish));
  }
  if (rebalance && ee_team_is_placed(wish)) return EE_OK;
  name = first_given(line, argc, argv, of_moves);
  if (name == NULL && rebalance && ee_options_given(line, argc, argv, "rebalance")) {
    name = "rebalance on";
  }
  return name != NULL ? refuse_moves(name, wish) : EE_OK;
}
