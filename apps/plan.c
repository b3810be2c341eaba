/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit plan: the best plan for 1..P devices of a fleet, what each promises, and a verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collapse.h"
#include "command.h"
#include "ee/fleet_file.h"
#include "ee/model_file.h"
#include "exit_match.h"
#include "exit_shares.h"
#include "plan_bands.h"
#include "plan_branches.h"
#include "plan_find.h"
#include "plan_print.h"
#include "profiled.h"
#include "run_inputs.h"
#include "whole.h"

/* The planner is NULL if none was given. */
static ee_status check(const ee_plan_options *o) {
  EE_TRY(ee_band_options_check(&o->rows, o->bands));
  EE_TRY(ee_link_options_check(&o->link, o->exits, o->max_period));
  if (strcmp(o->link.values, "auto") == 0 && o->front) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--front shows all periods; --link-values must be f32, f16 or int8, not auto");
  }
  if (o->shares != NULL && o->exits != NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--shares and --exits say the same; give one of them");
  }
  if (o->max_period > 0.0 && o->planner != NULL && strcmp(o->planner, "latency") != 0) {
    return EE_FAIL(EE_ERR_USAGE, "--max-period is for --planner latency, not for %s", o->planner);
  }
  if (o->branches && (o->front || o->max_period > 0.0 || o->planner != NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--branches shows both goals; it takes no --front, --planner or --max-period");
  }
  if (o->branches && ee_link_values_by_name(o->link.values) != EE_LINK_F32) {
    return EE_FAIL(EE_ERR_USAGE, "--link-values is %s; with --branches values travel as f32",
                   o->link.values);
  }
  if (o->front && (o->max_period > 0.0 || o->planner != NULL)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--front shows all periods; it takes no --planner or --max-period");
  }
  if (o->bands && o->branches) {
    return EE_FAIL(EE_ERR_USAGE, "--bands and --branches are two ways; give one of them");
  }
  if (o->bands && (o->front || o->max_period > 0.0)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--bands is about one sample; it takes no --front or --max-period");
  }
  if (o->bands && ee_link_values_by_name(o->link.values) != EE_LINK_F32) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--bands sends rows as they are; --link-values must be f32, not %s",
                   o->link.values);
  }
  return EE_OK;
}

/* Shares of samples that leave at each exit; *given: somebody told them. */
static ee_status read_shares(const ee_plan_options *o, const ee_model *model, double *share,
                             bool *given) {
  EE_TRY(ee_parse_shares(o->shares, model->n_exits, share, given));
  if (o->exits == NULL) return EE_OK;
  *given = true;
  EE_TRY(ee_exit_shares(o->exits, o->policy, model, share));
  return ee_match_network(o->exits, o->model);
}

/* Figures that rest on no speed that anybody told. */
static void print_assumption(const ee_plan_question *q) {
  char        text[1024];
  const char *said =
      ee_assumed_speed(q->options->model, q->setup->model, q->setup->fleet, text, sizeof text);
  if (said != NULL && !q->options->json) printf("speeds: %s\n", said);
}

static ee_status answer_bands(const ee_plan_question *q) {
  ee_band_promises promises;
  ee_status        status = ee_band_promises_find(q, &promises);
  if (status == EE_OK && q->options->json) status = ee_band_promises_print_json(q, &promises);
  if (status == EE_OK && !q->options->json) ee_band_promises_print_text(q, &promises);
  ee_band_promises_free(&promises);
  return status;
}

static ee_status answer_branches(const ee_plan_question *q) {
  ee_branch_promises promises;
  ee_status          status = ee_branch_promises_find(q, &promises);
  if (status == EE_OK && q->options->json) status = ee_branch_promises_print_json(&promises);
  if (status == EE_OK && !q->options->json) ee_branch_promises_print_text(&promises);
  ee_branch_promises_free(&promises);
  return status;
}

static ee_status answer(const ee_plan_question *q) {
  ee_promises promises;
  if (q->options->branches) return answer_branches(q);
  if (q->options->front) return ee_plan_front_print(q);
  if (q->options->bands) return answer_bands(q);
  ee_status status = ee_promises_find(q, &promises);
  if (status == EE_OK && q->options->json) status = ee_promises_print_json(q, &promises);
  if (status == EE_OK && !q->options->json) ee_promises_print_text(q, &promises);
  ee_promises_free(&promises);
  return status;
}

/* Where all links are alike, plans of many devices need not look at each of them. */
static ee_status join_links(const ee_plan_options *o, ee_run_setup *setup, double **links) {
  double bandwidth = 0.0, latency = 0.0;
  size_t pairs = (size_t)o->devices * (size_t)o->devices;
  setup->links_alike =
      setup->fleet == NULL || ee_fleet_links_alike(setup->fleet, &bandwidth, &latency);
  if (setup->fleet == NULL || !setup->links_alike) return EE_OK;
  *links = calloc(2 * pairs, sizeof **links);
  if (*links == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the links of %d devices", o->devices);
  for (size_t i = 0; i < pairs; i++) {
    (*links)[i]         = bandwidth;
    (*links)[pairs + i] = latency;
  }
  setup->link_bandwidth = *links;
  setup->link_latency   = *links + pairs;
  return EE_OK;
}

/* What layers take in memory, for all numbers of devices at once. */
static ee_status find_memory(ee_run_setup *setup, double **bytes) {
  const ee_model *m = setup->model;
  size_t          n = (size_t)m->n_layers + 1;
  *bytes            = calloc(n * (n + 1), sizeof **bytes);
  if (*bytes == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the memory of %d layers", m->n_layers);
  setup->range_bytes = *bytes;
  return ee_exec_memory_of_ranges(m, setup->backend, m->batched ? setup->batch_limit : 1, *bytes,
                                  *bytes + n);
}

static ee_status plan_for(const ee_plan_options *o, const ee_model *model, const ee_fleet *fleet) {
  ee_run_setup setup = {.model        = model,
                        .fleet        = fleet,
                        .whole_blocks = o->whole_blocks,
                        .host_flops   = ee_profiled_flops(model),
                        .by_seconds   = ee_counts_seconds(model, fleet),
                        .batch_limit  = o->batch,
                        .slots        = o->slots};
  if (fleet != NULL && setup.host_flops <= 0.0 && ee_fleet_is_relative(fleet)) {
    return EE_FAIL(EE_ERR_ARG,
                   "%s gives relative speeds, but %s was never profiled; "
                   "'edgeexit profile %s' first",
                   o->fleet, o->model, o->model);
  }
  int values = ee_link_values_by_name(o->link.values);
  if (values >= 0) setup.link_values = (ee_link_values)values;
  EE_TRY(ee_choose_backend(NULL, &setup.backend));
  if (setup.by_seconds) ee_say_profile(o->model, model, setup.backend);
  bool    given = false;
  double *share = calloc((size_t)model->n_exits, sizeof *share);
  if (share == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", model->n_exits);
  double          *loss = NULL, *links = NULL, *bytes = NULL;
  ee_status        status   = read_shares(o, model, share, &given);
  ee_plan_question question = {.options = o, .setup = &setup, .share = given ? share : NULL};
  if (status == EE_OK) status = ee_link_losses(&o->link, o->exits, o->policy, model, &loss);
  question.loss = loss;
  if (status == EE_OK) status = join_links(o, &setup, &links);
  if (status == EE_OK) status = find_memory(&setup, &bytes);
  if (status == EE_OK) status = answer(&question);
  if (status == EE_OK) print_assumption(&question);
  free(loss);
  free(links);
  free(bytes);
  free(share);
  return status;
}

static ee_status plan(ee_plan_options *o) {
  ee_model_file *file  = NULL;
  ee_fleet      *fleet = NULL;
  EE_TRY(check(o));
  if (o->planner == NULL) o->planner = o->max_period > 0.0 ? "latency" : "exact";
  if (o->policy != NULL && o->exits == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--policy needs --exits, the table that it decides on");
  }
  if (o->policy == NULL) o->policy = "threshold:value=0.8";
  EE_TRY(ee_model_file_open(o->model, &file));
  ee_status status = o->fleet != NULL ? ee_fleet_load(o->fleet, &fleet) : EE_OK;
  if (fleet != NULL) status = ee_leave_collapsed(true, true, fleet);
  if (status == EE_OK && fleet != NULL) {
    if (o->devices == 0) o->devices = fleet->n_devices;
    if (o->devices > fleet->n_devices) {
      status = EE_FAIL(EE_ERR_ARG, "%s has %d devices, but %d are asked for", o->fleet,
                       fleet->n_devices, o->devices);
    }
  }
  if (o->devices == 0) o->devices = 4;
  if (status == EE_OK) status = plan_for(o, ee_model_file_model(file), fleet);
  ee_fleet_destroy(&fleet);
  ee_model_file_close(&file);
  return status;
}

/* What the command does, and what each planner. */
static void write_summary(char *text, size_t size) {
  int n =
      snprintf(text, size,
               "The plan for each number of devices, what the best one is worth, and whether to "
               "distribute.\n\nplanners:");
  for (const ee_planner *const *p = ee_planners(); *p != NULL && n < (int)size; p++) {
    n += snprintf(text + n, size - (size_t)n, "\n  %-17s  %s", (*p)->name, (*p)->help);
  }
}

int ee_app_plan(int argc, char **argv) {
  ee_plan_options o = {
      .batch = 8, .slots = 6, .link = ee_link_options_none(), .rows = ee_band_options_none()};
  const char *in[1];
  char        names[256], planners[300], summary[2048];
  write_summary(summary, sizeof summary);
  snprintf(planners, sizeof planners, "%s; default exact, with --max-period latency",
           ee_planner_names(names, sizeof names));
  const ee_option option[] = {
      {"fleet", 'f', EE_OPTION_TEXT, &o.fleet, "FLEET.yaml",
       "devices and links; default: equal devices, no link cost", 0, 0},
      {"devices", 'n', EE_OPTION_INT, &o.devices, "P",
       "for 1..P devices; default: the fleet's, or 4", 1, 4096},
      {"shares", 0, EE_OPTION_TEXT, &o.shares, "A/B/...",
       "shares that leave at each exit; default 0/.../1", 0, 0},
      {"exits", 0, EE_OPTION_TEXT, &o.exits, "EXITS.h5",
       "the same, from this exit table under the policy", 0, 0},
      {"policy", 'p', EE_OPTION_TEXT, &o.policy, "NAME:KEY=VALUE,...",
       "for --exits; default threshold:value=0.8", 0, 0},
      {"planner", 0, EE_OPTION_TEXT, &o.planner, "NAME", planners, 0, 0},
      {"max-period", 0, EE_OPTION_DOUBLE, &o.max_period, "S",
       "least latency with a period of at most S seconds", 1e-12, 1e9},
      {"front", 0, EE_OPTION_FLAG, &o.front, NULL,
       "all trade-offs between period and latency on P devices", 0, 0},
      {"bands", 0, EE_OPTION_FLAG, &o.bands, NULL,
       "one sample in bands of rows on several devices at once, next to the chain", 0, 0},
      ee_band_borders_option(&o.rows),
      ee_band_fuse_option(&o.rows),
      {"branches", 0, EE_OPTION_FLAG, &o.branches, NULL,
       "a network's branches side by side, next to chains", 0, 0},
      ee_link_values_option(&o.link),
      ee_link_loss_option(&o.link),
      ee_link_tables_option(&o.link),
      {"whole-blocks", 0, EE_OPTION_FLAG, &o.whole_blocks, NULL,
       "planners cut only where a single value crosses, as between residual blocks", 0, 0},
      {"batch", 'b', EE_OPTION_INT, &o.batch, "N", "samples per message; default 8", 1, 65536},
      {"slots", 0, EE_OPTION_INT, &o.slots, "N", "messages in flight per link; default 6", 1, 1024},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit plan [options] MODEL.h5", summary, option,
                                sizeof option / sizeof option[0],   1,       1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  return ee_app_finish(plan(&o));
}
