/* SPDX-License-Identifier: Apache-2.0 */
#include "run_figures.h"

#include <math.h>
#include <unistd.h>

#include "json.h"
#include "outcome_rounding.h"
#include "report_team.h"

#define COMPARED_EPOCHS 4  // over which the predicted period is compared with the measured one
#define HONEST_CORES 0.9   // share of the cores that the devices may use on the paced clock
#define HONEST_LATE 0.02   // share of batches that may take longer than modelled

const char *ee_run_device_name(const ee_run_figures *figures, int d) {
  return figures->fleet != NULL ? figures->fleet->device[d].name : "";
}

/* Without a whole epoch between the first and the last: what was predicted last against the mean
 * over the stream, from its first sample to its last answer. */
static void compare_whole_stream(ee_run_figures *f) {
  const ee_report *r = &f->report;
  f->predicted       = f->outcome->control.epochs > 0 ? f->outcome->control.period_predicted : NAN;
  if (f->outcome->team != NULL && f->paced) f->predicted = fmax(f->placed.period, f->least_period);
  f->measured = r->throughput > 0.0 ? 1.0 / r->throughput : NAN;
}

/* Mean of predicted and measured periods over the last epochs under one plan. */
static void compare_periods(ee_run_figures *f) {
  const ee_epoch_record *e = f->input.epoch;
  int                    n = f->input.n_epochs;
  // The last epoch may be short, and waits for the end of the pipeline.
  for (int i = n - 2; i >= 1 && f->compared < COMPARED_EPOCHS; i--) {
    if (e[i].plan_epoch != e[n - 2].plan_epoch) break;
    f->predicted += e[i].period_predicted;
    f->measured += e[i].period_measured;
    f->compared++;
  }
  if (f->compared == 0) {
    compare_whole_stream(f);
    return;
  }
  f->predicted /= f->compared;
  f->measured /= f->compared;
}

static void judge_clock(ee_run_figures *f) {
  int64_t batches = 0, late = 0;
  for (int d = 0; d < f->outcome->n_devices; d++) {
    const ee_device_totals *t = &f->outcome->device[d];
    if (t->wall > 0) f->cpu += (double)t->cpu / (double)t->wall;
    batches += t->batches;
    late += t->late_batches;
  }
  f->cores      = sysconf(_SC_NPROCESSORS_ONLN);
  f->late_share = batches > 0 ? (double)late / (double)batches : 0.0;
  f->honest     = f->cpu <= HONEST_CORES * (double)f->cores && f->late_share <= HONEST_LATE;
}

double ee_run_energy(const ee_run_figures *f, int d) {
  const ee_device_totals *t = &f->outcome->device[d];
  if (f->fleet == NULL || f->report.end <= 0) return NAN;
  return ee_device_energy(&f->fleet->device[d], (double)t->busy * 1e-9,
                          (double)f->report.end * 1e-9);
}

static void add_energy(ee_run_figures *f) {
  for (int d = 0; d < f->outcome->n_devices; d++) {
    double energy = ee_run_energy(f, d);
    if (!isnan(energy)) f->energy += energy;
  }
}

ee_status ee_run_figures_make(const ee_run_options *options, const ee_run_inputs *inputs,
                              const ee_run_setup *setup, const ee_run_trace *trace,
                              const ee_run_outcome *outcome, bool complete,
                              ee_run_figures *figures) {
  ee_run_figures *f = figures;
  *f                = (ee_run_figures){.model        = inputs->model,
                                       .fleet        = inputs->fleet,
                                       .setup        = setup,
                                       .outcome      = outcome,
                                       .paced        = inputs->fleet != NULL,
                                       .placed       = inputs->placed,
                                       .least_period = options->rate > 0.0 ? 1.0 / options->rate : 0.0,
                                       .clock        = ee_run_clock(inputs->fleet)};
  f->header =
      (ee_trace_header){.model_path    = options->model,
                        .data_path     = options->data != NULL ? options->data : options->outcomes,
                        .policy        = options->policy,
                        .n_samples     = inputs->n_samples,
                        .n_ranks       = outcome->n_devices,
                        .n_exits       = inputs->model->n_exits,
                        .n_classes     = inputs->model->n_classes,
                        .batch_limit   = options->batch,
                        .epoch_samples = options->epoch,
                        .n_layers      = inputs->model->n_layers,
                        .n_devices     = outcome->n_devices,
                        .plan          = ee_run_trace_team(trace) == NULL ? setup->plan : NULL,
                        .team          = ee_run_trace_team(trace)};
  f->input     = (ee_report_input){.header    = &f->header,
                                   .answer    = trace->answer,
                                   .n_answers = trace->n_answers,
                                   .epoch     = trace->epochs.record,
                                   .n_epochs  = trace->epochs.n,
                                   .complete  = complete};
  f->link_loss = ee_link_plan_loss(setup, setup->plan, inputs->loss);
  if (options->outcomes != NULL) {
    EE_TRY(ee_outcome_rounding(options->outcomes, setup, f->foreign, sizeof f->foreign));
  }
  EE_TRY(ee_report_make(&f->input, &f->report));
  compare_periods(f);
  judge_clock(f);
  add_energy(f);
  return EE_OK;
}

void ee_run_figures_clear(ee_run_figures *figures) {
  ee_report_clear(&figures->report);
}

static void add_exits(cJSON *all, const ee_run_figures *f) {
  cJSON *list = cJSON_AddArrayToObject(all, "exits");
  for (int e = 0; e < f->report.n_exits; e++) {
    const ee_report_exit *x   = &f->report.exit[e];
    cJSON                *one = ee_json_item(list);
    cJSON_AddStringToObject(one, "name", f->model->exit[e].name);
    cJSON_AddNumberToObject(one, "answers", (double)x->answers);
    cJSON_AddNumberToObject(one, "share",
                            ee_report_ratio((double)x->answers, (double)f->report.answered));
    if (x->labelled > 0) {
      cJSON_AddNumberToObject(one, "accuracy", (double)x->correct / (double)x->labelled);
    } else {
      cJSON_AddNullToObject(one, "accuracy");
    }
  }
}

static void add_devices(cJSON *all, const ee_run_figures *f) {
  cJSON *list = cJSON_AddArrayToObject(all, "devices");
  for (int d = 0; d < f->outcome->n_devices; d++) {
    const ee_device_totals *t   = &f->outcome->device[d];
    cJSON                  *one = ee_json_item(list);
    cJSON_AddStringToObject(one, "name", ee_run_device_name(f, d));
    cJSON_AddNumberToObject(one, "wall_s", (double)t->wall * 1e-9);
    cJSON_AddNumberToObject(one, "busy_s", (double)t->busy * 1e-9);
    cJSON_AddNumberToObject(one, "compute_s", (double)t->compute * 1e-9);
    cJSON_AddNumberToObject(one, "wait_s", (double)t->wait * 1e-9);
    cJSON_AddNumberToObject(one, "cpu_s", (double)t->cpu * 1e-9);
    cJSON_AddNumberToObject(one, "batches", (double)t->batches);
    cJSON_AddNumberToObject(one, "sent_bytes", (double)t->bytes_sent);
    cJSON_AddNumberToObject(one, "memory_bytes", (double)t->memory);
    ee_json_number(one, "energy_j", ee_run_energy(f, d));
  }
}

ee_team_totals ee_run_team_sum(const ee_run_figures *f) {
  ee_team_totals sum = {0};
  for (int d = 0; d < f->outcome->n_devices; d++) {
    const ee_team_totals *t = &f->outcome->team[d];
    sum.computed += t->computed;
    sum.in_vain += t->in_vain;
    sum.spared += t->spared;
    sum.flops += t->flops;
    sum.flops_in_vain += t->flops_in_vain;
    sum.joined_in_part += t->joined_in_part;
    sum.skipped += t->skipped;
    sum.moves = t->moves > sum.moves ? t->moves : sum.moves;  // all made the same
  }
  return sum;
}

static void add_team(cJSON *all, const ee_run_figures *f) {
  if (f->outcome->team == NULL) return;
  ee_team_totals t  = ee_run_team_sum(f);
  cJSON         *to = cJSON_AddObjectToObject(all, "team");
  cJSON_AddNumberToObject(to, "units_computed", (double)t.computed);
  cJSON_AddNumberToObject(to, "units_in_vain", (double)t.in_vain);
  cJSON_AddNumberToObject(to, "units_spared", (double)t.spared);
  cJSON_AddNumberToObject(to, "flop", t.flops);
  cJSON_AddNumberToObject(to, "flop_in_vain", t.flops_in_vain);
  cJSON_AddNumberToObject(to, "answered_in_part", (double)t.joined_in_part);
  cJSON_AddNumberToObject(to, "begun_without_some", (double)t.skipped);
  cJSON_AddNumberToObject(to, "moves", (double)t.moves);
  cJSON *died = cJSON_AddArrayToObject(to, "died");
  for (int i = 0; ee_lifeline_lost(f->outcome->lifeline, i) >= 0; i++) {
    cJSON_AddItemToArray(died, cJSON_CreateNumber(ee_lifeline_lost(f->outcome->lifeline, i)));
  }
  ee_report_add_absences(to, f->header.team, &f->report);
}

/* How values cross the first plan's links. */
static void add_links(cJSON *all, const ee_run_figures *f) {
  const ee_plan *plan = f->setup->plan;
  cJSON         *list = cJSON_AddArrayToObject(all, "link_values");
  for (int s = 1; s < plan->n_stages; s++) {
    int            cut    = plan->stage[s].begin;
    ee_link_values values = ee_link_values_at(f->model, ee_run_link_values(f->setup, cut), cut);
    cJSON_AddItemToArray(list, cJSON_CreateString(ee_link_values_name(values)));
  }
  ee_json_number(all, "int8_accuracy_loss", f->link_loss);
}

int64_t ee_run_dropped(const ee_run_figures *f) {
  int64_t dropped = 0;
  for (int d = 0; d < f->outcome->n_devices; d++) dropped += f->outcome->device[d].dropped;
  return dropped;
}

/* What the latency limit did. */
static void add_limit(cJSON *all, const ee_run_figures *f) {
  cJSON *limit = cJSON_AddObjectToObject(all, "latency_limit");
  cJSON_AddNumberToObject(limit, "seconds", f->setup->latency_limit);
  cJSON_AddNumberToObject(limit, "ended", (double)f->report.limited);
  cJSON_AddNumberToObject(limit, "late", (double)f->report.late);
  cJSON_AddNumberToObject(limit, "dropped", (double)ee_run_dropped(f));
  cJSON_AddNumberToObject(limit, "overtaken", (double)f->outcome->device[0].overtaken);
}

static void add_stream(cJSON *all, const ee_run_figures *f) {
  const ee_report *r = &f->report;
  cJSON_AddNumberToObject(all, "samples", (double)r->expected);
  cJSON_AddNumberToObject(all, "answered", (double)r->answered);
  cJSON_AddNumberToObject(all, "duplicates", (double)f->outcome->device[0].duplicates);
  if (f->setup->latency_limit > 0.0) add_limit(all, f);
  if (r->total.labelled > 0) {
    cJSON_AddNumberToObject(all, "accuracy", (double)r->total.correct / (double)r->total.labelled);
  } else {
    cJSON_AddNullToObject(all, "accuracy");
  }
  cJSON_AddBoolToObject(all, "accuracy_of_these_links", f->foreign[0] == '\0');
  cJSON_AddNumberToObject(all, "last_answer_s", (double)r->end * 1e-9);
  cJSON_AddNumberToObject(all, "throughput_per_s", r->throughput);
  cJSON_AddNumberToObject(all, "first_quarter_per_s", r->first_quarter);
  cJSON_AddNumberToObject(all, "last_quarter_per_s", r->last_quarter);
  cJSON_AddNumberToObject(all, "latency_mean_s", r->latency.mean);
  cJSON_AddNumberToObject(all, "latency_p50_s", r->latency.p50);
  cJSON_AddNumberToObject(all, "latency_p95_s", r->latency.p95);
  cJSON_AddNumberToObject(all, "latency_p99_s", r->latency.p99);
  cJSON_AddNumberToObject(all, "longest_gap_s", (double)r->gap.length * 1e-9);
  bool known = f->energy > 0.0 && r->answered > 0;
  ee_json_number(all, "energy_j", known ? f->energy : NAN);
  ee_json_number(all, "energy_per_sample_j", known ? f->energy / (double)r->answered : NAN);
}

static void add_control(cJSON *all, const ee_run_figures *f) {
  const ee_report *r = &f->report;
  cJSON_AddNumberToObject(all, "epochs", f->outcome->control.epochs);
  cJSON_AddNumberToObject(all, "controller_s", f->outcome->control.seconds);
  cJSON_AddNumberToObject(all, "sums_s", (double)f->outcome->control.sum_ns * 1e-9);
  cJSON_AddNumberToObject(all, "source_held_s", (double)f->outcome->device[0].held * 1e-9);
  cJSON_AddNumberToObject(all, "sum_bytes", (double)f->outcome->control.sum_bytes);
  cJSON_AddNumberToObject(all, "moves_begun", f->outcome->control.adopted);
  cJSON_AddNumberToObject(all, "moves_done", f->outcome->control.switched);
  cJSON *gaps = cJSON_AddArrayToObject(all, "switch_gaps_s");
  for (int i = 1; i < r->n_plans; i++) {
    cJSON_AddItemToArray(gaps, cJSON_CreateNumber((double)r->plan[i].gap.length * 1e-9));
  }
  ee_json_number(all, "period_predicted_s", f->predicted);
  bool placed = f->outcome->team != NULL && f->paced;
  ee_json_number(all, "latency_predicted_s", placed ? f->placed.latency : NAN);
  ee_json_number(all, "period_measured_s", f->measured);
  cJSON_AddStringToObject(all, "clock", f->clock);
  cJSON_AddBoolToObject(all, "honest", !f->paced || f->honest);
  cJSON_AddNumberToObject(all, "cores_used", f->cpu);
}

ee_status ee_run_figures_json(const ee_run_figures *figures) {
  cJSON *all = cJSON_CreateObject();
  add_stream(all, figures);
  add_exits(all, figures);
  add_devices(all, figures);
  add_links(all, figures);
  add_control(all, figures);
  add_team(all, figures);
  return ee_json_print(all);
}
