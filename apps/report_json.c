/* SPDX-License-Identifier: Apache-2.0 */
/* A report as one JSON object: seconds and bytes, times since the start of the run. */
#include <math.h>

#include "json.h"
#include "report_json.h"
#include "report_print.h"
#include "report_team.h"

static void add_seconds(cJSON *to, const char *name, int64_t ns) {
  cJSON_AddNumberToObject(to, name, (double)ns * 1e-9);
}

/* A plan as text, or null. */
static void add_plan(cJSON *to, const char *name, const ee_plan *plan) {
  char text[4096];
  if (plan == NULL) {
    cJSON_AddNullToObject(to, name);
  } else {
    cJSON_AddStringToObject(to, name, ee_plan_text(plan, text, sizeof text));
  }
}

/* A positive number, or null. */
static void add_known(cJSON *to, const char *name, double value) {
  cJSON_AddNumberToObject(to, name, value > 0.0 ? value : NAN);
}

static void add_header(cJSON *all, const ee_trace_header *h) {
  char   seed[32];
  cJSON *run = cJSON_AddObjectToObject(all, "run");
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)h->seed);
  cJSON_AddStringToObject(run, "command", h->command);
  cJSON_AddStringToObject(run, "model", h->model_path);
  cJSON_AddStringToObject(run, "data", h->data_path);
  cJSON_AddStringToObject(run, "policy", h->policy);
  cJSON_AddStringToObject(run, "clock", h->clock);
  cJSON_AddStringToObject(run, "host", h->host);
  cJSON_AddStringToObject(run, "versions", h->versions);
  cJSON_AddNumberToObject(run, "started_unix_s", h->started);
  cJSON_AddRawToObject(run, "seed", seed);  // a double would round it
  cJSON_AddNumberToObject(run, "ranks", h->n_ranks);
  cJSON_AddNumberToObject(run, "batch_limit", h->batch_limit);
  cJSON_AddNumberToObject(run, "epoch_samples", h->epoch_samples);
  add_plan(run, "first_plan", h->plan);
}

void ee_report_add_answers(cJSON *to, const ee_report_exit *e, int64_t answered) {
  cJSON_AddNumberToObject(to, "answers", (double)e->answers);
  cJSON_AddNumberToObject(to, "share", ee_report_ratio((double)e->answers, (double)answered));
  cJSON_AddNumberToObject(to, "accuracy",
                          e->labelled > 0 ? (double)e->correct / (double)e->labelled : NAN);
}

static void add_summary(cJSON *all, const char *name, const ee_summary *s) {
  cJSON *to = cJSON_AddObjectToObject(all, name);
  cJSON_AddNumberToObject(to, "n", (double)s->n);
  cJSON_AddNumberToObject(to, "mean", s->n > 0 ? s->mean : NAN);
  cJSON_AddNumberToObject(to, "p50", s->n > 0 ? s->p50 : NAN);
  cJSON_AddNumberToObject(to, "p95", s->n > 0 ? s->p95 : NAN);
  cJSON_AddNumberToObject(to, "p99", s->n > 0 ? s->p99 : NAN);
  cJSON_AddNumberToObject(to, "max", s->n > 0 ? s->max : NAN);
}

static void add_answers(cJSON *all, const ee_report *r) {
  cJSON_AddNumberToObject(all, "answered", (double)r->answered);
  cJSON_AddNumberToObject(all, "expected", (double)r->expected);
  cJSON_AddBoolToObject(all, "complete", r->complete);
  cJSON_AddNumberToObject(all, "ended_by_limit", (double)r->limited);
  cJSON_AddNumberToObject(all, "late", (double)r->late);
  cJSON_AddNumberToObject(
      all, "accuracy",
      r->total.labelled > 0 ? (double)r->total.correct / (double)r->total.labelled : NAN);
  cJSON *list = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < r->n_exits; e++)
    ee_report_add_answers(ee_json_item(list), &r->exit[e], r->answered);

  cJSON *rate = cJSON_AddObjectToObject(all, "throughput_per_s");
  bool   any  = r->end > r->begin;
  cJSON_AddNumberToObject(rate, "run", any ? r->throughput : NAN);
  cJSON_AddNumberToObject(rate, "first_quarter", any ? r->first_quarter : NAN);
  cJSON_AddNumberToObject(rate, "last_quarter", any ? r->last_quarter : NAN);
  add_seconds(all, "duration_s", r->end - r->begin);
  add_summary(all, "latency_s", &r->latency);
  cJSON *gap = cJSON_AddObjectToObject(all, "longest_gap");
  add_seconds(gap, "length_s", r->gap.length);
  add_seconds(gap, "at_s", r->gap.from);
  add_summary(all, "gap_s", &r->gaps);
}

static void add_devices(cJSON *all, const ee_report_input *in, const ee_report *r) {
  cJSON *list = cJSON_AddArrayToObject(all, "devices");
  for (int d = 0; d < r->n_devices; d++) {
    cJSON *to = ee_json_item(list);
    cJSON_AddNumberToObject(to, "rank", d);
    bool named = in->fleet != NULL && d < in->fleet->n_devices;
    cJSON_AddItemToObject(
        to, "name", named ? cJSON_CreateString(in->fleet->device[d].name) : cJSON_CreateNull());
    for (int k = 0; k < EE_EVENT_COUNT; k++) {
      cJSON_AddNumberToObject(to, k == EE_EVENT_COMPUTE ? "busy" : ee_event_name(k),
                              ee_report_ratio((double)r->device[d].ns[k], (double)r->span));
    }
    if (r->n_lanes > 0) {
      double vain = (double)r->device[d].in_vain;
      cJSON_AddNumberToObject(to, "in_vain", ee_report_ratio(vain, (double)r->span));
    }
    cJSON_AddNumberToObject(to, "answers", (double)r->device[d].answers);
    cJSON_AddNumberToObject(to, "bytes_sent", (double)r->device[d].bytes_sent);
    ee_json_number(to, "energy_j", r->device[d].energy);
  }
  list = cJSON_AddArrayToObject(all, "links");
  for (int64_t i = 0; i < r->n_links; i++) {
    cJSON *to = ee_json_item(list);
    cJSON_AddNumberToObject(to, "from", r->link[i].from);
    cJSON_AddNumberToObject(to, "to", r->link[i].to);
    cJSON_AddNumberToObject(to, "messages", (double)r->link[i].messages);
    cJSON_AddNumberToObject(to, "bytes", (double)r->link[i].bytes);
    ee_json_number(to, "overlap", r->link[i].overlap);
  }
}

static void add_plans(cJSON *all, const ee_report *r) {
  cJSON *list = cJSON_AddArrayToObject(all, "plans");
  for (int i = 0; i < r->n_plans; i++) {
    cJSON *to = ee_json_item(list);
    cJSON_AddNumberToObject(to, "plan_epoch", r->plan[i].plan_epoch);
    add_plan(to, "plan", r->plan[i].plan);
    cJSON_AddNumberToObject(to, "answers", (double)r->plan[i].answers);
    cJSON_AddNumberToObject(to, "first_id", (double)r->plan[i].first_id);
    add_seconds(to, "first_answer_s", r->plan[i].first_answer);
    cJSON_AddNumberToObject(to, "switch_gap_s", i > 0 ? (double)r->plan[i].gap.length * 1e-9 : NAN);
    add_summary(to, "switch_gaps_s", &r->plan[i].gaps);
  }
}

static void add_move(cJSON *to, const ee_report_move *m) {
  cJSON_AddNumberToObject(to, "epoch", m->epoch);
  cJSON_AddStringToObject(to, "verdict", ee_verdict_text(EE_VERDICT_ADOPTED));
  add_plan(to, "before", m->before);
  add_plan(to, "after", m->after);
  add_known(to, "predicted_period_before_s", m->predicted_before);
  add_known(to, "predicted_period_after_s", m->predicted_after);
  cJSON_AddNumberToObject(to, "predicted_gain",
                          ee_report_gain(m->predicted_before, m->predicted_after));
  cJSON_AddStringToObject(to, "judged_by", m->by_latency ? "latency" : "period");
  add_known(to, "predicted_latency_before_s", m->latency_before);
  add_known(to, "predicted_latency_after_s", m->latency_after);
  cJSON_AddNumberToObject(to, "predicted_latency_gain",
                          ee_report_gain(m->latency_before, m->latency_after));
  add_known(to, "measured_period_before_s", m->measured_before);
  add_known(to, "measured_period_after_s", m->measured_after);
  cJSON_AddNumberToObject(to, "measured_epochs_after", m->epochs_after);
  cJSON_AddNumberToObject(to, "measured_gain",
                          ee_report_gain(m->measured_before, m->measured_after));
  cJSON_AddNumberToObject(to, "moved_bytes", m->moved_bytes);
  add_seconds(to, "adopted_s", m->adopted);
  cJSON_AddBoolToObject(to, "switched", m->switched);
  cJSON_AddNumberToObject(to, "switch_id", m->switched ? (double)m->switch_id : NAN);
  cJSON_AddNumberToObject(to, "ready_after_s",
                          m->switched ? (double)(m->ready - m->adopted) * 1e-9 : NAN);
}

static void add_control(cJSON *all, const ee_report *r) {
  cJSON *verdicts = cJSON_AddObjectToObject(all, "verdicts");
  for (int v = 0; v < EE_VERDICT_COUNT; v++) {
    if (r->verdicts[v] == 0) continue;
    cJSON_AddNumberToObject(verdicts, ee_verdict_text(v), (double)r->verdicts[v]);
  }
  cJSON *list = cJSON_AddArrayToObject(all, "rebalances");
  for (int i = 0; i < r->n_moves; i++) add_move(ee_json_item(list), &r->move[i]);
  add_summary(all, "allreduce_s", &r->allreduce);
}

static void add_arms(cJSON *all, const ee_report *r) {
  cJSON *list = cJSON_AddArrayToObject(all, "tenths");
  for (int t = 0; t < EE_REPORT_TENTHS && r->n_arms > 0; t++) {
    const ee_report_tenth *at = &r->tenth[t];
    cJSON                 *to = ee_json_item(list);
    double                 n  = (double)at->answers;
    cJSON_AddNumberToObject(to, "answers", n);
    cJSON_AddNumberToObject(to, "offloaded", n > 0.0 ? (double)at->offloaded / n : NAN);
    cJSON_AddNumberToObject(to, "offload_cost", at->offload_cost);
    cJSON_AddNumberToObject(to, "reward",
                            at->rewarded > 0 ? at->reward / (double)at->rewarded : NAN);
    cJSON *pulls = cJSON_AddArrayToObject(to, "pulls");
    for (int a = 0; a < r->n_arms; a++) {
      cJSON_AddItemToArray(pulls, cJSON_CreateNumber((double)at->pulls[a]));
    }
  }
}

/* As text: a JSON number would lose digits. */
static void add_digest(cJSON *all, const ee_report_input *input) {
  char text[24];
  snprintf(text, sizeof text, "%016llx", (unsigned long long)input->digest);
  cJSON_AddStringToObject(all, "answers_digest", text);
}

ee_status ee_report_print_json(FILE *out, const ee_report_input *input, const ee_report *report) {
  cJSON *all = cJSON_CreateObject();
  add_header(all, input->header);
  add_answers(all, report);
  add_digest(all, input);
  add_arms(all, report);
  ee_report_add_team(all, input->header->team, report);
  add_devices(all, input, report);
  ee_json_number(all, "energy_j", report->energy > 0.0 ? report->energy : NAN);
  add_plans(all, report);
  add_control(all, report);
  char *text = cJSON_PrintUnformatted(all);
  cJSON_Delete(all);
  if (text == NULL) return EE_FAIL(EE_ERR_NOMEM, "for printing the report");
  fprintf(out, "%s\n", text);
  cJSON_free(text);
  return EE_OK;
}
