/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit profile: seconds per layer and exit head on this host, stored in the model file. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "copy_cost.h"
#include "costs.h"
#include "ee/log.h"
#include "ee/model_file.h"
#include "json.h"
#include "launch.h"
#include "output_path.h"
#include "passes.h"
#include "profiled.h"
#include "tuned.h"
#include "winograd.h"

typedef struct profile_options {
  const char *model, *out, *backend;
  int         batch, repeats;
  bool        json, copies;
} profile_options;

static void print_row(const char *kind, int i, const char *name, double flops, double seconds,
                      double total) {
  printf("%-5s %3d  %-32.32s %10.3f %10.2f %8.2f %7.1f%%\n", kind, i, name, flops * 1e-6,
         seconds * 1e6, seconds > 0.0 ? flops / seconds * 1e-9 : 0.0,
         total > 0.0 ? 100.0 * seconds / total : 0.0);
}

static void print_profile(const ee_model *m) {
  char   text[192];
  double flops = 0.0, seconds = 0.0;
  for (int l = 0; l < m->n_layers; l++) {
    flops += m->layer[l].flops;
    seconds += m->layer[l].seconds;
  }
  for (int e = 0; e < m->n_exits; e++) {
    flops += m->head_flops[e];
    seconds += m->head_seconds[e];
  }
  printf("%-5s %3s  %-32s %10s %10s %8s %8s\n", "", "", "name", "MFLOP", "us/sample", "GFLOP/s",
         "share");
  for (int l = 0; l < m->n_layers; l++) {
    print_row("layer", l, m->layer[l].name, m->layer[l].flops, m->layer[l].seconds, seconds);
  }
  for (int e = 0; e < m->n_exits; e++) {
    print_row("head", e, m->exit[e].name, m->head_flops[e], m->head_seconds[e], seconds);
  }
  print_row("all", 0, m->name, flops, seconds, seconds);
  printf("\nmeasured with: %s\n", ee_profile_text(&m->profile, text, sizeof text));
  if (m->copy_seconds > 0.0) {
    printf("passing on: %.2f us for 1 kB, and as much to take it\n", m->copy_seconds * 1e9);
  }
}

static void add_cost(cJSON *list, const char *name, double flops, double seconds) {
  cJSON *one = ee_json_item(list);
  cJSON_AddStringToObject(one, "name", name);
  cJSON_AddNumberToObject(one, "flops", flops);
  cJSON_AddNumberToObject(one, "seconds", seconds);
}

static ee_status print_json(const ee_model *m, double cpu_share) {
  cJSON *all = cJSON_CreateObject();
  cJSON_AddNumberToObject(all, "cpu_share", cpu_share);
  cJSON_AddNumberToObject(all, "copy_seconds_per_byte", m->copy_seconds);
  cJSON_AddStringToObject(all, "backend", m->profile.backend);
  cJSON_AddStringToObject(all, "cpu", m->profile.cpu);
  cJSON_AddStringToObject(all, "vectors", m->profile.vectors);
  cJSON *layers = cJSON_AddArrayToObject(all, "layers"),
        *heads  = cJSON_AddArrayToObject(all, "heads");
  for (int l = 0; l < m->n_layers; l++) {
    add_cost(layers, m->layer[l].name, m->layer[l].flops, m->layer[l].seconds);
  }
  for (int e = 0; e < m->n_exits; e++) {
    add_cost(heads, m->exit[e].name, m->head_flops[e], m->head_seconds[e]);
  }
  return ee_json_print(all);
}

/* What a byte that crosses a cut costs on each side: in the engine, and in MPI, without which there
 * is still a profile. */
static ee_status measure_copies(ee_whole *whole, int repeats, ee_model *model) {
  double engine, messages = 0.0;
  EE_TRY(ee_cut_cost_measure(whole, repeats, &engine));
  if (!ee_launched() && ee_copy_cost_measure(&messages) != EE_OK) {
    ee_log(EE_LOG_WARNING, "plans will not count what messages cost: %s", ee_status_message());
  }
  model->copy_seconds = engine + messages;
  return EE_OK;
}

static ee_status profile(const profile_options *o) {
  ee_model *model = NULL;
  ee_whole  whole;
  double    cpu_share = 1.0;
  EE_TRY(ee_check_output(o->out));
  EE_TRY(ee_model_load(o->model, &model));
  ee_status status = ee_whole_open(model, o->backend, o->batch, &whole);
  if (status == EE_OK) {
    status = ee_costs_measure(&whole, o->repeats, 0.0, model, &cpu_share);
    if (status == EE_OK) status = measure_copies(&whole, o->repeats, model);
    ee_whole_close(&whole);
  }
  if (status == EE_OK) status = ee_model_save(model, o->out != NULL ? o->out : o->model);
  if (status == EE_OK) ee_warn_of_load(cpu_share, EE_STORED_UNDER_LOAD);
  if (status == EE_OK && o->json) status = print_json(model, cpu_share);
  if (status == EE_OK && !o->json) print_profile(model);
  ee_model_destroy(&model);
  return status;
}

int ee_app_profile(int argc, char **argv) {
  profile_options o = {.batch = 8, .repeats = 31};
  const char     *in[1];
  const ee_option option[] = {
      {"output", 'o', EE_OPTION_TEXT, &o.out, "MODEL.h5", "default: the model file itself", 0, 0},
      {"batch", 'b', EE_OPTION_INT, &o.batch, "N", "samples per batch; default 8", 1, 65536},
      {"repeats", 'r', EE_OPTION_INT, &o.repeats, "N", "medians of N passes; default 31", 1, 1e6},
      {"backend", 0, EE_OPTION_TEXT, &o.backend, "NAME",
       "default: the environment's EE_BACKEND, or the best", 0, 0},
      ee_winograd_option,
      ee_tuned_option,
      {"copies", 0, EE_OPTION_FLAG, &o.copies, NULL,
       "as one of two ranks, which profile starts: write to a file in place of the model what "
       "passing on a byte takes",
       0, 0},
      {"json", 0, EE_OPTION_FLAG, &o.json, NULL, "print one JSON object", 0, 0},
  };
  const ee_command_line line = {"edgeexit profile [options] MODEL.h5",
                                "Measures every layer and exit head on one core, and what it costs "
                                "to pass values on\nbetween two processes, and stores the seconds "
                                "of CPU time in the model.",
                                option,
                                sizeof option / sizeof option[0],
                                1,
                                1};
  int                   n, code;
  if (!ee_app_parse(&line, argc, argv, in, &n, &code)) return code;
  if (o.copies) return ee_app_finish(ee_copy_cost_as_rank(in[0]));
  o.model = in[0];
  return ee_app_finish(profile(&o));
}
