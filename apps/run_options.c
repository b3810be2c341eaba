/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/clock.h"
#include "ee/controller.h"
#include "ee/options.h"
#include "launch.h"
#include "same_options.h"
#include "team_refusals.h"
#include "tuned.h"
#include "winograd.h"

#define NOT_GIVEN (-1)   // number of an option whose default is filled in later
#define MOST_OPTIONS 64  // of a command line

static const char run_usage[] = "edgeexit run [options] MODEL.h5 DATA.h5";
static const char run_help[] =
    "Runs the stream over devices, one MPI rank each.  'mpirun -n P edgeexit run ...' and\n"
    "'edgeexit run --devices P ...' are the same; the second sets MPI up for this machine.";
static const char simulate_usage[] =
    "edgeexit simulate [options] --fleet FLEET.yaml --outcomes EXITS.h5 MODEL.h5 [DATA.h5]";
static const char simulate_help[] =
    "Runs the stream over the devices of a fleet in simulated time, on SimGrid's MPI.  No layer\n"
    "runs: what exits say stands in an exit table, as 'edgeexit score' writes it.";

/* Where it means something: where plans are made that it can keep from being too slow. */
static ee_status check_max_period(const ee_run_options *o) {
  if (o->max_period <= 0.0) return EE_OK;
  if (strcmp(o->planner, "latency") != 0) {
    return EE_FAIL(EE_ERR_USAGE, "--max-period is for --planner latency, not for %s", o->planner);
  }
  if (o->cuts != NULL && !o->rebalance) {
    return EE_FAIL(
        EE_ERR_USAGE,
        "--max-period is for plans that are made; with --cuts and --rebalance off none is");
  }
  return EE_OK;
}

/* What samples on several devices at once have nothing to do with. */
static ee_status check_team(const ee_run_options *o) {
  EE_TRY(ee_team_wish_check(&o->team));
  if (!ee_team_is_wished(&o->team)) return EE_OK;
  const char *name = ee_team_wish_name(&o->team);
  if (o->offload) {
    return EE_FAIL(EE_ERR_USAGE, "--offload on is for chains of devices, not for %s", name);
  }
  if (strcmp(o->link.values, "f32") == 0) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "--link-values is %s; with %s values travel as f32", o->link.values,
                 name);
}

/* The first option given that only the rule "gain" looks at; NULL if none was. */
static const char *gain_option(const ee_run_options *o) {
  return o->min_gain >= 0.0     ? "--min-gain"
         : o->near >= 0.0       ? "--near"
         : o->error_bars >= 0.0 ? "--error-bars"
         : o->hold >= 0         ? "--hold"
         : o->cooldown >= 0     ? "--cooldown"
                                : NULL;
}

/* The same of those about moves of layers. */
static const char *move_option(const ee_run_options *o) {
  return o->rule != NULL      ? "--rule"
         : o->look_every > 0  ? "--look-every"
         : o->weights != NULL ? "--weights"
         : o->move != NULL    ? "--move"
                              : gain_option(o);
}

/* Options of control that would do nothing; defaults are not filled in yet. */
static ee_status check_control(const ee_run_options *o) {
  const char *moving = move_option(o), *gain = gain_option(o);
  if (!o->rebalance && moving != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "%s is for layers that move; with --rebalance off none does",
                   moving);
  }
  if (o->rule != NULL && strcmp(o->rule, "petals") == 0 && gain != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "%s is for --rule gain, not for petals", gain);
  }
  return EE_OK;
}

/* What was not given. */
static void fill_control(ee_run_options *o) {
  const ee_controller_options rule = ee_controller_defaults();
  if (o->rule == NULL) o->rule = "gain";
  if (o->weights == NULL) o->weights = "auto";
  if (o->move == NULL) o->move = "live";
  if (o->min_gain < 0.0) o->min_gain = rule.min_gain;
  if (o->near < 0.0) o->near = rule.near;
  if (o->error_bars < 0.0) o->error_bars = rule.error_bars;
  if (o->hold < 0) o->hold = rule.hold;
  if (o->cooldown < 0) o->cooldown = rule.cooldown;
}

static ee_status check(const ee_run_options *o) {
  char planners[256];
  EE_TRY(check_team(o));
  if (o->shares != NULL && o->exits != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--shares and --exits say the same; give one of them");
  }
  if (ee_weights_by_name(o->weights) < 0) {
    return EE_FAIL(EE_ERR_USAGE, "--weights is %s; expected peer, file or auto", o->weights);
  }
  EE_TRY(ee_link_options_check(&o->link, o->exits, o->max_period));
  if (ee_move_mode_by_name(o->move) < 0) {
    return EE_FAIL(EE_ERR_USAGE, "--move is %s; expected live, build or drain", o->move);
  }
  if (ee_rule_by_name(o->rule) == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--rule is %s; expected gain or petals", o->rule);
  }
  if (o->look_every > 0 && strcmp(o->rule, "petals") != 0) {
    return EE_FAIL(EE_ERR_USAGE, "--look-every is for --rule petals, not for %s", o->rule);
  }
  if (ee_planner_by_name(o->planner) == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--planner is %s; expected %s", o->planner,
                   ee_planner_names(planners, sizeof planners));
  }
  EE_TRY(check_max_period(o));
  if (o->outcomes == NULL && o->data == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "DATA.h5 is missing; only with --outcomes it may be left out");
  }
  if (o->outcomes != NULL && o->fleet == NULL) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--outcomes computes nothing; --fleet must say how long devices take");
  }
  if (o->measure_links && o->fleet != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--measure-links is for runs without --fleet, which says links");
  }
  if (o->outcomes != NULL && o->logits) {
    return EE_FAIL(EE_ERR_USAGE, "--outcomes has no --logits to keep");
  }
  if (o->offload && o->rebalance) {
    return EE_FAIL(EE_ERR_USAGE, "--offload on keeps its plan; it needs --rebalance off");
  }
  if (ee_planner_by_name(o->planner)->replicates && o->offload) {
    return EE_FAIL(EE_ERR_USAGE, "--planner %s shares stages; it needs --offload off", o->planner);
  }
  if (ee_planner_by_name(o->planner)->replicates && o->cuts != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--cuts says the plan, which --planner %s makes; give one of them",
                   o->planner);
  }
  if (o->offload_cost != NULL && strcmp(o->offload_cost, "link") == 0) {
    if (o->fleet == NULL) {
      return EE_FAIL(EE_ERR_USAGE,
                     "--offload-cost link needs --fleet: links are measured on the paced clock");
    }
    if (o->lambda == 0.0) {
      return EE_FAIL(EE_ERR_USAGE, "--offload-cost link counts in layers; --lambda must not be 0");
    }
  }
  return EE_OK;
}

/* Devices, who leaves, and how the stream goes. */
static int add_stream_options(ee_run_options *o, ee_option *to) {
  const ee_option option[] = {
      {"devices", 'n', EE_OPTION_INT, &o->devices, "P",
       "start P devices with mpirun on this host; default: the fleet's, or as launched", 1,
       EE_LAUNCH_MOST},
      {"fleet", 'f', EE_OPTION_TEXT, &o->fleet, "FLEET.yaml",
       "paced clock: speeds and links of these devices; default: the real clock", 0, 0},
      {"policy", 'p', EE_OPTION_TEXT, &o->policy, "NAME:KEY=VALUE,...",
       "who leaves at an exit; default threshold:value=0.8", 0, 0},
      {"lambda", 0, EE_OPTION_DOUBLE, &o->lambda, "X",
       "cost of a layer, to policies that learn; default 0.1", 0, 8},
      {"offload-cost", 0, EE_OPTION_TEXT, &o->offload_cost, "X|FILE|link",
       "cost of an offload likewise: a number, a file of changes, or as links take; 0.5", 0, 0},
      {"offload", 0, EE_OPTION_SWITCH, &o->offload, "on|off",
       "samples that a policy offloads leave their device at once; default off", 0, 0},
      {"trace", 't', EE_OPTION_TEXT, &o->trace, "TRACE.h5", "write a trace", 0, 0},
      {"logits", 0, EE_OPTION_FLAG, &o->logits, NULL, "keep each answer's logits in the trace", 0,
       0},
      {"outcomes", 0, EE_OPTION_TEXT, &o->outcomes, "EXITS.h5",
       "run no layers: what exits say stands in this exit table; needs --fleet", 0, 0},
      {"batch", 'b', EE_OPTION_INT, &o->batch, "N", "samples per batch; default 8", 1, 65536},
      {"merge-wait", 0, EE_OPTION_DOUBLE, &o->merge_wait, "MS",
       "longest wait for a fuller batch; default 1", 0, 1e6},
      {"slots", 0, EE_OPTION_INT, &o->slots, "N", "messages in flight per link; default 6", 1,
       1024},
      {"samples", 0, EE_OPTION_INT, &o->samples, "N", "only the first N; default all", 1, 2e9},
      {"rate", 0, EE_OPTION_DOUBLE, &o->rate, "R",
       "samples per second; default: as fast as they go", 0, 1e12},
      {"latency-limit", 0, EE_OPTION_DOUBLE, &o->latency_limit, "S",
       "answer a sample S seconds after it arrived with what there is then; default: no limit", 0,
       1e9},
      {"backend", 0, EE_OPTION_TEXT, &o->backend, "NAME",
       "default: the environment's EE_BACKEND, or the best", 0, 0},
      ee_winograd_option,
      ee_tuned_option,
      {"seed", 0, EE_OPTION_UINT64, &o->seed, "S", "of the policy's draws; default 1", 0, 0},
      {"json", 0, EE_OPTION_FLAG, &o->json, NULL, "print one JSON object", 0, 0},
  };
  memcpy(to, option, sizeof option);
  return (int)(sizeof option / sizeof option[0]);
}

/* The first plan. */
static int add_plan_options(ee_run_options *o, const char *planners, ee_option *to) {
  const ee_option option[] = {
      {"planner", 0, EE_OPTION_TEXT, &o->planner, "NAME", planners, 0, 0},
      {"max-period", 0, EE_OPTION_DOUBLE, &o->max_period, "S",
       "with --planner latency: of plans with a period of at most S seconds", 1e-12, 1e9},
      {"whole-blocks", 0, EE_OPTION_FLAG, &o->whole_blocks, NULL,
       "planners cut only where a single value crosses, as between residual blocks", 0, 0},
      {"cuts", 0, EE_OPTION_TEXT, &o->cuts, "C/D/...",
       "cut the first plan before these layers, for devices 0, 1, ...; default the planner's", 0,
       0},
      {"shares", 0, EE_OPTION_TEXT, &o->shares, "A/B/...",
       "shares that leave at each exit, for the first plan; default 0/.../1", 0, 0},
      {"exits", 0, EE_OPTION_TEXT, &o->exits, "EXITS.h5",
       "the same, from this exit table under the policy; fits budgeted, too", 0, 0},
      {"measure-links", 0, EE_OPTION_FLAG, &o->measure_links, NULL,
       "ping all pairs of ranks first, and plan with what links take; without --fleet", 0, 0},
      ee_link_values_option(&o->link),
      ee_link_loss_option(&o->link),
      ee_link_tables_option(&o->link),
  };
  memcpy(to, option, sizeof option);
  return (int)(sizeof option / sizeof option[0]);
}

/* When layers move, and how. */
static int add_control_options(ee_run_options *o, ee_option *to) {
  const ee_option option[] = {
      {"rebalance", 0, EE_OPTION_SWITCH, &o->rebalance, "on|off", "move layers; default on", 0, 0},
      {"rule", 0, EE_OPTION_TEXT, &o->rule, "gain|petals",
       "when to move: for a sure gain that lasts, or as Petals does; default gain", 0, 0},
      {"look-every", 0, EE_OPTION_INT, &o->look_every, "E",
       "epochs between two looks of the rule petals, in the mean; default 8", 1, 1000000},
      {"min-gain", 0, EE_OPTION_DOUBLE, &o->min_gain, "G",
       "least relative gain worth a move; default 0.1", 0, 1},
      {"near", 0, EE_OPTION_DOUBLE, &o->near, "G",
       "of plans this close to the best take the one that moves least; default 0.005", 0, 1},
      {"error-bars", 0, EE_OPTION_DOUBLE, &o->error_bars, "Z",
       "standard errors that the gain must exceed; default 3", 0, 100},
      {"hold", 0, EE_OPTION_INT, &o->hold, "E", "epochs that the gain must last; default 2", 1,
       1000},
      {"cooldown", 0, EE_OPTION_INT, &o->cooldown, "E",
       "epochs under a plan before the next move; default 2", 0, 100000},
      {"weights", 0, EE_OPTION_TEXT, &o->weights, "peer|file|auto",
       "where moved layers come from: owners, the file, or as is sooner; default auto", 0, 0},
      {"move", 0, EE_OPTION_TEXT, &o->move, "live|build|drain",
       "while the stream goes on; stopped to change over; stopped for all of it; default live", 0,
       0},
      {"epoch", 'e', EE_OPTION_INT, &o->epoch, "N",
       "samples per epoch of control; default as long as links need, at least 256", 0, 1e9},
      {"control-delay", 0, EE_OPTION_INT, &o->control_delay, "E",
       "epochs between a decision and its effect; default 1", 0, 1000},
  };
  memcpy(to, option, sizeof option);
  return (int)(sizeof option / sizeof option[0]);
}

static ee_run_options defaults(void) {
  return (ee_run_options){.policy        = "threshold:value=0.8",
                          .planner       = "exact",
                          .link          = ee_link_options_none(),
                          .team          = ee_team_wish_none(),
                          .batch         = 8,
                          .slots         = 6,
                          .epoch         = 0,
                          .control_delay = 1,
                          .merge_wait    = 1.0,
                          .min_gain      = NOT_GIVEN,
                          .near          = NOT_GIVEN,
                          .error_bars    = NOT_GIVEN,
                          .hold          = NOT_GIVEN,
                          .cooldown      = NOT_GIVEN,
                          .lambda        = 0.1,
                          .seed          = 1,
                          .rebalance     = true};
}

/* The whole table, shape [MOST_OPTIONS].  Returns how many there are. */
static int add_options(ee_run_options *o, const char *planners, ee_option *to) {
  int n = add_stream_options(o, to);
  n += add_plan_options(o, planners, to + n);
  n += add_control_options(o, to + n);
  return n + ee_team_add_options(&o->team, to + n);
}

ee_status ee_run_options_parse(int argc, char **argv, ee_run_options *o, bool *help) {
  char      names[256], planners[300];
  ee_option option[MOST_OPTIONS];
  *o = defaults();
  snprintf(planners, sizeof planners, "%s; default exact", ee_planner_names(names, sizeof names));
  int                   n_options = add_options(o, planners, option);
  bool                  simulate  = strcmp(argv[0], "simulate") == 0;
  const ee_command_line line      = {simulate ? simulate_usage : run_usage,
                                simulate ? simulate_help : run_help,
                                option,
                                n_options,
                                1,
                                2};
  const char *in[2] = {NULL, NULL};
  int         n;
  EE_TRY(ee_options_parse(&line, argc, argv, in, &n, help));
  if (*help) return EE_OK;
  o->model = in[0];
  o->data  = in[1];
  EE_TRY(check_control(o));
  fill_control(o);
  EE_TRY(ee_team_refuse_idle(&line, argc, argv, &o->team, o->rebalance));
  return check(o);
}

ee_status ee_run_options_same(MPI_Comm comm, ee_run_options *o) {
  const ee_option argument[] = {{.name = "MODEL.h5", .kind = EE_OPTION_TEXT, .target = &o->model},
                                {.name = "DATA.h5", .kind = EE_OPTION_TEXT, .target = &o->data}};
  ee_option       option[MOST_OPTIONS];
  if (ee_clock_is_simulated()) return EE_OK;
  EE_TRY(ee_same_options(comm, "", argument, 2));
  return ee_same_options(comm, "--", option, add_options(o, NULL, option));
}

ee_status ee_parse_shares(const char *text, int n_exits, double *share, bool *given) {
  double sum = 0.0;
  int    n   = 0;
  *given     = text != NULL;
  for (const char *at = text; at != NULL; n++) {
    char  *end;
    double x = strtod(at, &end);
    if (end == at || (*end != '/' && *end != '\0') || !(x >= 0.0 && x <= 1.0) || n >= n_exits) {
      return EE_FAIL(EE_ERR_USAGE, "--shares is %s; expected %d numbers from 0 to 1, A/B/...", text,
                     n_exits);
    }
    share[n] = x;
    sum += x;
    at = *end == '/' ? end + 1 : NULL;
  }
  if (*given && (n != n_exits || fabs(sum - 1.0) > 1e-6)) {
    return EE_FAIL(EE_ERR_USAGE, "--shares is %s; expected %d numbers that add up to 1", text,
                   n_exits);
  }
  return EE_OK;
}

/* The next cut of @p text, which must be above @p least; 0 if it is wrong. */
static int next_cut(const char **text, int least, int n_layers) {
  char *end;
  long  cut = strtol(*text, &end, 10);
  if (end == *text || (*end != '/' && *end != '\0') || cut <= least || cut >= n_layers) return 0;
  *text = *end == '/' ? end + 1 : NULL;
  return (int)cut;
}

ee_status ee_parse_cuts(const char *text, int n_layers, int n_devices, ee_plan **plan) {
  const char *at = text;
  int         n  = 1;
  *plan          = NULL;
  if (text == NULL) return EE_OK;
  for (const char *c = text; *c != '\0'; c++) n += *c == '/';
  n++;
  if (n <= n_devices && n <= n_layers) EE_TRY(ee_plan_create(n_layers, n_devices, n, plan));
  for (int s = 0, begin = 0; *plan != NULL && s < n; s++) {
    int end = s + 1 < n ? next_cut(&at, begin, n_layers) : n_layers;
    if (end == 0) ee_plan_destroy(plan);
    if (*plan != NULL) (*plan)->stage[s] = (ee_stage){begin, end, s};
    begin = end;
  }
  if (*plan != NULL) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE,
                 "--cuts is %s; expected rising layers from 1 to %d, at most %d of them", text,
                 n_layers - 1, n_devices - 1);
}
