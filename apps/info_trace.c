/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit info: what a run was and how far it came; the rest is for edgeexit report. */
#include <stdio.h>

#include "ee/trace_file.h"
#include "info_parts.h"
#include "json.h"

/* What is told of a trace. */
typedef struct trace_facts {
  const ee_trace_header *head;
  int64_t                n_answers, n_events;
  int                    n_epochs;
  bool                   complete, by_latency;  // by_latency: what plans were compared by
} trace_facts;

static trace_facts facts_of(const ee_trace_file *file) {
  trace_facts f = {.head     = ee_trace_file_header(file),
                   .complete = ee_trace_file_complete(file) != 0};
  (void)ee_trace_file_answers(file, &f.n_answers);
  (void)ee_trace_file_events(file, &f.n_events);
  f.complete                   = f.complete && (uint64_t)f.n_answers == f.head->n_samples;
  const ee_epoch_record *epoch = ee_trace_file_epochs(file, &f.n_epochs);
  for (int i = 0; i < f.n_epochs; i++) f.by_latency |= epoch[i].by_latency != 0;
  return f;
}

static const char *text_of(const char *text) {
  return text != NULL ? text : "";
}

static const char *lanes_of(const ee_trace_team *team) {
  return team->bands ? "bands" : "branches";
}

static void add_team(cJSON *all, const ee_trace_team *team) {
  if (team == NULL) {
    cJSON_AddNullToObject(all, "team");
    return;
  }
  cJSON *to = cJSON_AddObjectToObject(all, "team");
  cJSON_AddStringToObject(to, "lanes", lanes_of(team));
  cJSON_AddNumberToObject(to, "n_lanes", team->n_lanes);
  cJSON_AddNumberToObject(to, "units", team->n_units);
}

static void print_text(const trace_facts *f, const char *path) {
  const ee_trace_header *h = f->head;
  printf("trace of %s: %lld of %llu samples answered%s\n", text_of(h->command),
         (long long)f->n_answers, (unsigned long long)h->n_samples,
         f->complete ? "" : "; the run did not end by itself");
  printf("model %s, data %s, policy %s, clock %s\n", text_of(h->model_path), text_of(h->data_path),
         text_of(h->policy), text_of(h->clock));
  printf("%d ranks, %d layers, %d exits, %d classes\n", h->n_ranks, h->n_layers, h->n_exits,
         h->n_classes);
  if (h->team != NULL) {
    printf("%d %s side by side, %d units\n", h->team->n_lanes, lanes_of(h->team), h->team->n_units);
  }
  printf("%lld events, %d epochs%s; 'edgeexit report %s' tells more\n", (long long)f->n_events,
         f->n_epochs, f->by_latency ? ", plans judged by latency" : "", path);
}

static ee_status print_json(const trace_facts *f) {
  const ee_trace_header *h   = f->head;
  cJSON                 *all = cJSON_CreateObject();
  cJSON_AddStringToObject(all, "format", "edgeexit-trace");
  cJSON_AddStringToObject(all, "command", text_of(h->command));
  cJSON_AddStringToObject(all, "model", text_of(h->model_path));
  cJSON_AddStringToObject(all, "data", text_of(h->data_path));
  cJSON_AddStringToObject(all, "policy", text_of(h->policy));
  cJSON_AddStringToObject(all, "clock", text_of(h->clock));
  cJSON_AddNumberToObject(all, "samples", (double)h->n_samples);
  cJSON_AddNumberToObject(all, "answered", (double)f->n_answers);
  cJSON_AddBoolToObject(all, "complete", f->complete);
  cJSON_AddNumberToObject(all, "ranks", h->n_ranks);
  cJSON_AddNumberToObject(all, "layers", h->n_layers);
  cJSON_AddNumberToObject(all, "exits", h->n_exits);
  cJSON_AddNumberToObject(all, "classes", h->n_classes);
  add_team(all, h->team);
  cJSON_AddNumberToObject(all, "events", (double)f->n_events);
  cJSON_AddNumberToObject(all, "epochs", f->n_epochs);
  cJSON_AddStringToObject(all, "judged_by", f->by_latency ? "latency" : "period");
  return ee_json_print(all);
}

ee_status ee_info_trace(const char *path, bool json) {
  ee_trace_file *file;
  EE_TRY(ee_trace_open(path, &file));
  trace_facts facts  = facts_of(file);
  ee_status   status = EE_OK;
  if (json)
    status = print_json(&facts);
  else
    print_text(&facts, path);
  ee_trace_file_close(&file);
  return status;
}
