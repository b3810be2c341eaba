/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit plan: the best plan for 1..P devices of a fleet, what each promises, and a verdict. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "ee/controller.h"
#include "ee/fleet_file.h"
#include "ee/model_file.h"
#include "exit_shares.h"
#include "json.h"
#include "run_inputs.h"

typedef struct plan_options {
  const char *model, *fleet, *planner, *shares, *exits, *policy;
  int         devices, batch, slots;
  bool        whole_blocks, json;
} plan_options;

/* What is promised for one number of devices. */
typedef struct promise {
  ee_plan    *plan;
  double     *latency;  // shape [n_exits], until an answer of each exit [s]
  ee_forecast forecast;
} promise;

static const char *device_name(const ee_fleet *fleet, int d, char *text, size_t size) {
  if (fleet != NULL) return fleet->device[d].name;
  snprintf(text, size, "device %d", d);
  return text;
}

/* "device camera" or "link camera -> hub". */
static void bottleneck(const ee_fleet *fleet, const promise *p, char *text, size_t size) {
  char a[64], b[64];
  int  s = p->forecast.stage;
  if (!p->forecast.link) {
    snprintf(text, size, "%s", device_name(fleet, p->plan->stage[s].device, a, sizeof a));
    return;
  }
  int from = s >= 0 ? p->plan->stage[s].device : 0;
  snprintf(text, size, "link %s -> %s", device_name(fleet, from, a, sizeof a),
           device_name(fleet, p->plan->stage[s + 1].device, b, sizeof b));
}

static ee_status find_promises(const plan_options *o, const ee_run_setup *setup,
                               const double *share, promise *p) {
  const ee_planner *planner = ee_planner_by_name(o->planner);
  char              names[256];
  if (planner == NULL) {
    return EE_FAIL(EE_ERR_USAGE, "--planner is %s; expected %s", o->planner,
                   ee_planner_names(names, sizeof names));
  }
  for (int n = 1; n <= o->devices; n++) {
    promise *one = &p[n - 1];
    EE_TRY(ee_first_plan(setup, n, planner, share, &one->plan, &one->forecast));
    one->latency = calloc((size_t)setup->model->n_exits, sizeof *one->latency);
    if (one->latency == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", setup->model->n_exits);
    EE_TRY(ee_exit_latencies(setup, one->plan, one->latency));
  }
  return EE_OK;
}

/* Fewest devices whose period is within one per cent of the best. */
static int enough_devices(const promise *p, int n) {
  double best = p[0].forecast.period;
  for (int i = 1; i < n; i++) {
    if (p[i].forecast.period < best) best = p[i].forecast.period;
  }
  for (int i = 0; i < n; i++) {
    if (p[i].forecast.period <= 1.01 * best) return i + 1;
  }
  return n;
}

static void verdict(const plan_options *o, const ee_fleet *fleet, const promise *p, char *text,
                    size_t size) {
  int    n = enough_devices(p, o->devices), used = p[n - 1].plan->n_stages;
  double gain = p[0].forecast.period / p[n - 1].forecast.period;
  char   where[160];
  bottleneck(fleet, &p[n - 1], where, sizeof where);
  if (used == 1) {
    snprintf(text, size, "do not distribute: one device is as fast as %d", o->devices);
  } else {
    snprintf(text, size,
             "use %d of %d devices: %.2f times one device's throughput; the bottleneck is %s", used,
             o->devices, gain, where);
  }
}

static void print_table(const plan_options *o, const ee_model *model, const ee_fleet *fleet,
                        const promise *p) {
  char text[256], where[160];
  printf(
      "devices  samples/s  unloaded ms  of bound  bottleneck                plan (layers "
      "@device)\n");
  for (int i = 0; i < o->devices; i++) {
    bottleneck(fleet, &p[i], where, sizeof where);
    printf("%7d %10.1f %12.3f %8.1f%%  %-24s  %s\n", i + 1, 1.0 / p[i].forecast.period,
           p[i].forecast.latency * 1e3, 100.0 * p[i].forecast.lower_bound / p[i].forecast.period,
           where, ee_plan_text(p[i].plan, text, sizeof text));
  }
  printf("unloaded ms until an answer of each exit, on %d:", o->devices);
  for (int e = 0; e < model->n_exits; e++) printf(" %.3f", p[o->devices - 1].latency[e] * 1e3);
  verdict(o, fleet, p, text, sizeof text);
  printf("\nverdict: %s\n", text);
}

static ee_status print_json(const plan_options *o, const ee_model *model, const ee_fleet *fleet,
                            const promise *p) {
  char   text[512], where[160];
  cJSON *all = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(all, "plans");
  for (int i = 0; i < o->devices; i++) {
    cJSON *one = ee_json_item(list);
    bottleneck(fleet, &p[i], where, sizeof where);
    cJSON_AddNumberToObject(one, "devices", i + 1);
    cJSON_AddNumberToObject(one, "period_s", p[i].forecast.period);
    cJSON_AddNumberToObject(one, "throughput_per_s", 1.0 / p[i].forecast.period);
    cJSON_AddNumberToObject(one, "latency_s", p[i].forecast.latency);
    cJSON_AddItemToObject(one, "exit_latency_s",
                          cJSON_CreateDoubleArray(p[i].latency, model->n_exits));
    cJSON_AddNumberToObject(one, "lower_bound_s", p[i].forecast.lower_bound);
    cJSON_AddStringToObject(one, "bottleneck", where);
    cJSON_AddStringToObject(one, "plan", ee_plan_text(p[i].plan, text, sizeof text));
  }
  verdict(o, fleet, p, text, sizeof text);
  cJSON_AddStringToObject(all, "verdict", text);
  return ee_json_print(all);
}

static ee_status plan_for(const plan_options *o, const ee_model *model, const ee_fleet *fleet) {
  bool         given  = false;
  double      *share  = calloc((size_t)model->n_exits, sizeof *share);
  promise     *p      = calloc((size_t)o->devices, sizeof *p);
  ee_run_setup setup  = {.model        = model,
                         .fleet        = fleet,
                         .whole_blocks = o->whole_blocks,
                         .host_flops   = ee_profiled_flops(model),
                         .batch_limit  = o->batch,
                         .slots        = o->slots};
  ee_status    status = share != NULL && p != NULL
                            ? ee_parse_shares(o->shares, model->n_exits, share, &given)
                            : EE_FAIL(EE_ERR_NOMEM, "for the plans");
  if (status == EE_OK && given && o->exits != NULL) {
    status = EE_FAIL(EE_ERR_USAGE, "--shares and --exits say the same; give one of them");
  } else if (status == EE_OK && o->exits != NULL) {
    given  = true;
    status = ee_exit_shares(o->exits, o->policy, model->n_exits, share);
  }
  if (status == EE_OK && fleet != NULL && setup.host_flops <= 0.0 && ee_fleet_is_relative(fleet)) {
    status = EE_FAIL(EE_ERR_ARG,
                     "%s gives relative speeds, but %s was never profiled; "
                     "'edgeexit profile %s' first",
                     o->fleet, o->model, o->model);
  }
  if (status == EE_OK) status = find_promises(o, &setup, given ? share : NULL, p);
  if (status == EE_OK && o->json) status = print_json(o, model, fleet, p);
  if (status == EE_OK && !o->json) print_table(o, model, fleet, p);
  for (int i = 0; i < o->devices && p != NULL; i++) {
    ee_plan_destroy(&p[i].plan);
    free(p[i].latency);
  }
  free(p);
  free(share);
  return status;
}

static ee_status plan(plan_options *o) {
  ee_model_file *file  = NULL;
  ee_fleet      *fleet = NULL;
  EE_TRY(ee_model_file_open(o->model, &file));
  ee_status status = o->fleet != NULL ? ee_fleet_load(o->fleet, &fleet) : EE_OK;
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

int ee_app_plan(int argc, char **argv) {
  plan_options o = {.policy = "threshold:value=0.8", .planner = "exact", .batch = 8, .slots = 6};
  const char  *in[1];
  char         names[256], planners[300];
  snprintf(planners, sizeof planners, "%s; default exact", ee_planner_names(names, sizeof names));
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
      {"whole-blocks", 0, EE_OPTION_FLAG, &o.whole_blocks, NULL,
       "cut only where a single value crosses, as between residual blocks", 0, 0},
      {"batch", 'b', EE_OPTION_INT, &o.batch, "N", "samples per message; default 8", 1, 65536},
      {"slots", 0, EE_OPTION_INT, &o.slots, "N", "messages in flight per link; default 6", 1, 1024},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit plan [options] MODEL.h5",
                                "The plan with the shortest period for each number of devices, in "
                                "the fleet's order.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  o.model = in[0];
  return ee_app_finish(plan(&o));
}
