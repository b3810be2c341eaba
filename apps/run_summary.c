/* SPDX-License-Identifier: Apache-2.0 */
/* What a run prints at its end: rank 0 has every answer, every epoch, and all devices' totals. */
#include "run_summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/log.h"
#include "report_team.h"
#include "run_figures.h"

#define HELD_SHARE 0.05   // of the time that the source may wait for sums without a warning
#define HELD_SLOWER 1.05  // measured over predicted period, likewise
#define HELD_EPOCHS 8     // fewer tell nothing

/* The part of device @p d, of @p bytes, to rank 0, from each that lives. */
static void gather_living(MPI_Comm living, int d, const void *mine, int bytes, unsigned char *all,
                          int *device) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(living, &rank));
  EE_MPI(MPI_Comm_size(living, &size));
  EE_MPI(MPI_Gather(&d, 1, MPI_INT, device, 1, MPI_INT, 0, living));
  if (rank != 0) EE_MPI(MPI_Send(mine, bytes, MPI_BYTE, 0, 0, living));
  if (rank == 0) memcpy(all, mine, (size_t)bytes);
  for (int r = 1; rank == 0 && r < size; r++) {
    EE_MPI(MPI_Recv(all + (ptrdiff_t)device[r] * bytes, bytes, MPI_BYTE, r, 0, living,
                    MPI_STATUS_IGNORE));
  }
}

/* Everybody's @p mine, of @p bytes, to rank 0; NULL there without memory for it, and elsewhere. */
static void *gather(MPI_Comm comm, MPI_Comm living, const void *mine, int bytes) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  void *all    = rank == 0 ? calloc((size_t)size, (size_t)bytes) : NULL;
  int  *device = rank == 0 ? calloc((size_t)size, sizeof *device) : NULL;
  int   here   = rank != 0 || (all != NULL && device != NULL);
  EE_MPI(MPI_Bcast(&here, 1, MPI_INT, 0, living));
  if (here) gather_living(living, rank, mine, bytes, all, device);
  free(device);
  if (here) return all;
  free(all);
  return NULL;
}

/* Without memory for it there is no summary; the run itself is whole. */
void ee_run_outcome_gather(MPI_Comm comm, const ee_device_totals *device,
                           const ee_team_totals *team, ee_run_outcome *outcome) {
  MPI_Comm living = outcome->living != MPI_COMM_NULL ? outcome->living : comm;
  EE_MPI(MPI_Comm_size(comm, &outcome->n_devices));
  outcome->device = gather(comm, living, device, (int)sizeof *device);
  if (team != NULL) outcome->team = gather(comm, living, team, (int)sizeof *team);
}

void ee_run_outcome_control(MPI_Comm comm, const ee_controller_totals *control,
                            ee_run_outcome *outcome) {
  outcome->control = *control;
  // The rank that is last to add its part has waited for nobody else's.
  int64_t sum_ns = control->sum_ns;
  EE_MPI(MPI_Reduce(&sum_ns, &outcome->control.sum_ns, 1, MPI_INT64_T, MPI_MIN, 0, comm));
}

void ee_run_outcome_free(ee_run_outcome *outcome) {
  free(outcome->device);
  free(outcome->team);
  if (outcome->living != MPI_COMM_NULL) EE_MPI(MPI_Comm_free(&outcome->living));
  outcome->device = NULL;
  outcome->team   = NULL;
}

static void print_stream(const ee_run_figures *f) {
  const ee_report *r = &f->report;
  printf(
      "answered   %lld of %lld samples in %.2f s: %.1f/s (first quarter %.1f/s, last quarter "
      "%.1f/s)\n",
      (long long)r->answered, (long long)r->expected, (double)(r->end - r->begin) * 1e-9,
      r->throughput, r->first_quarter, r->last_quarter);
  if (r->answered == 0) return;
  printf(
      "latency    mean %.1f ms, p50 %.1f, p95 %.1f, p99 %.1f; longest gap between answers %.1f "
      "ms\n",
      r->latency.mean * 1e3, r->latency.p50 * 1e3, r->latency.p95 * 1e3, r->latency.p99 * 1e3,
      (double)r->gap.length * 1e-6);
  if (f->setup->latency_limit <= 0.0) return;
  printf(
      "limit      %g s: %lld answers by it, %lld late at their first exit; %lld samples dropped\n",
      f->setup->latency_limit, (long long)r->limited, (long long)r->late,
      (long long)ee_run_dropped(f));
}

static void print_exits(const ee_run_figures *f) {
  const ee_report *r = &f->report;
  printf("\nexit  name                         left   share  accuracy\n");
  for (int e = 0; e < r->n_exits; e++) {
    const ee_report_exit *x = &r->exit[e];
    printf("%4d  %-24.24s %8lld  %5.1f%%", e, f->model->exit[e].name, (long long)x->answers,
           100.0 * ee_report_ratio((double)x->answers, (double)r->answered));
    if (x->labelled > 0) printf("    %.4f", (double)x->correct / (double)x->labelled);
    printf("\n");
  }
  if (r->total.labelled > 0) {
    printf(" all  %-24s %8lld  %5.1f%%    %.4f\n", "", (long long)r->answered, 100.0,
           (double)r->total.correct / (double)r->total.labelled);
  }
  if (f->foreign[0] != '\0') printf("accuracy   %s\n", f->foreign);
}

static void print_devices(const ee_run_figures *f) {
  printf("\ndevice  name              busy    wait     cpu   batches   sent MB  memory MB\n");
  for (int d = 0; d < f->outcome->n_devices; d++) {
    const ee_device_totals *t    = &f->outcome->device[d];
    double                  wall = t->wall > 0 ? (double)t->wall : 1.0;
    printf("%6d  %-14.14s  %5.1f%%  %5.1f%%  %5.1f%%  %8lld  %8.2f  %9.2f\n", d,
           ee_run_device_name(f, d), 100.0 * (double)t->busy / wall, 100.0 * (double)t->wait / wall,
           100.0 * (double)t->cpu / wall, (long long)t->batches, (double)t->bytes_sent * 1e-6,
           (double)t->memory * 1e-6);
  }
}

/* Units that were computed, and what for. */
static void print_team(const ee_run_figures *f) {
  ee_team_totals all = ee_run_team_sum(f);
  printf("\ndevice  units  in vain   spared  share of FLOP in vain\n");
  for (int d = 0; d < f->outcome->n_devices; d++) {
    const ee_team_totals *t = &f->outcome->team[d];
    printf("%6d  %5lld  %7lld  %7lld  %20.1f%%\n", d, (long long)t->computed, (long long)t->in_vain,
           (long long)t->spared, 100.0 * ee_report_ratio(t->flops_in_vain, t->flops));
  }
  printf("together   %.4g GFLOP, %.1f%% of it in vain", all.flops * 1e-9,
         100.0 * ee_report_ratio(all.flops_in_vain, all.flops));
  if (all.joined_in_part > 0) {
    printf("; %lld samples answered without some branch", (long long)all.joined_in_part);
  }
  if (all.moves > 0) printf("; %lld moves", (long long)all.moves);
  printf("\n");
  for (int i = 0; ee_lifeline_lost(f->outcome->lifeline, i) >= 0; i++) {
    printf("died       device %d, whose figures are not known\n",
           ee_lifeline_lost(f->outcome->lifeline, i));
  }
}

/* A move that took effect too late, or never, has nothing measured. */
static void print_move_periods(const ee_report_move *m) {
  printf("             period predicted %.3f -> %.3f ms, measured %.3f in that epoch",
         m->predicted_before * 1e3, m->predicted_after * 1e3, m->measured_before * 1e3);
  if (m->epochs_after > 0) {
    printf(" -> %.3f ms over the %d epochs of the new plan", m->measured_after * 1e3,
           m->epochs_after);
  }
  printf(", %.1f kB moved%s\n", m->moved_bytes * 1e-3,
         !m->switched           ? "; the stream ended first"
         : m->epochs_after == 0 ? "; no epoch of the new plan was measured"
                                : "");
}

static void print_moves(const ee_run_figures *f) {
  const ee_report *r = &f->report;
  char             before[256], after[256];
  printf("\nplans      %d epochs, %d moves begun, %d done\n", f->outcome->control.epochs,
         f->outcome->control.adopted, f->outcome->control.switched);
  for (int i = 0; i < r->n_moves; i++) {
    const ee_report_move *m = &r->move[i];
    if (m->after == NULL) continue;
    printf("  epoch %3d  %s  ->  %s\n", m->epoch, ee_plan_text(m->before, before, sizeof before),
           ee_plan_text(m->after, after, sizeof after));
    if (m->by_latency) {
      printf("             latency predicted %.3f -> %.3f ms, by which it was judged\n",
             m->latency_before * 1e3, m->latency_after * 1e3);
    }
    print_move_periods(m);
  }
  for (int i = 1; i < r->n_plans; i++) {
    printf("  switch at sample %llu: longest gap between answers around it %.1f ms\n",
           (unsigned long long)r->plan[i].first_id, (double)r->plan[i].gap.length * 1e-6);
  }
}

static void print_period(const ee_run_figures *f) {
  char over[64] = "the whole stream, its beginning and end included";
  if (isnan(f->measured) || !(f->predicted > 0.0)) return;
  if (f->compared > 0) snprintf(over, sizeof over, "the last %d epochs", f->compared);
  if (!isfinite(f->predicted)) {
    printf("\nperiod     measured %.3f ms over %s; none predicted: a device of the plan is away\n",
           f->measured * 1e3, over);
    return;
  }
  printf("\nperiod     predicted %.3f ms, measured %.3f ms over %s: %+.1f%%\n", f->predicted * 1e3,
         f->measured * 1e3, over, 100.0 * (f->measured / f->predicted - 1.0));
}

static void print_honesty(const ee_run_figures *f) {
  print_period(f);
  if (f->outcome->team != NULL && f->paced) {
    printf("latency    predicted %.3f ms for a sample alone\n", f->placed.latency * 1e3);
  }
  if (f->energy > 0.0 && f->report.answered > 0) {
    printf("energy     %.6g J, %.6g J per answer: a model, by the fleet's watts\n", f->energy,
           f->energy / (double)f->report.answered);
  }
  if (!f->paced) return;
  printf(
      "clock      %s: the devices used %.2f of %ld cores; %.1f%% of batches took longer than "
      "modelled\n",
      f->clock, f->cpu, f->cores, 100.0 * f->late_share);
}

/* An epoch that is shorter than its sum takes throttles the stream. */
static void warn_of_sums(const ee_run_figures *f) {
  double share  = (double)f->outcome->device[0].held / fmax((double)f->report.end, 1.0);
  double slower = f->measured / f->predicted;  // else the wait did not matter
  if (share < HELD_SHARE || f->outcome->control.epochs < HELD_EPOCHS || !(slower > HELD_SLOWER))
    return;
  double enough = f->header.epoch_samples * fmin(1.0 / fmax(1.0 - share, 1e-3), 2.0 * slower);
  ee_log(
      EE_LOG_WARNING,
      "the source waited for sums over all devices for %.0f %% of the time: epochs of %d samples "
      "are too short for them; --epoch %.0f or more, or a longer --control-delay, gives them "
      "time",
      100.0 * share, f->header.epoch_samples, ceil(enough / 32.0) * 64.0);
}

/* What makes the figures worth less; on stderr, also with --json. */
static void warn(const ee_run_figures *f, const ee_run_trace *trace) {
  if (trace->n_unsure > 0) {
    ee_log(EE_LOG_WARNING, "%lld answers have no confidence: their logits are not finite",
           (long long)trace->n_unsure);
  }
  warn_of_sums(f);
  if (!f->paced || f->honest) return;
  ee_log(EE_LOG_WARNING,
         "the paced clock was not honest: %.1f%% of batches took longer than modelled; %s",
         100.0 * f->late_share,
         f->cpu > 0.5 * (double)f->cores ? "use slower devices or fewer of them"
                                         : "this machine is busy with other work");
}

static ee_status print_text(const ee_run_figures *f) {
  print_stream(f);
  print_exits(f);
  print_devices(f);
  if (f->outcome->team != NULL) {
    print_team(f);
    ee_report_print_absences(stdout, f->header.team, &f->report);
  } else {
    print_moves(f);
  }
  print_honesty(f);
  return EE_OK;
}

ee_status ee_run_summary_print(const ee_run_options *options, const ee_run_inputs *inputs,
                               const ee_run_setup *setup, const ee_run_trace *trace,
                               const ee_run_outcome *outcome, bool complete) {
  ee_run_figures figures;
  EE_TRY(ee_run_figures_make(options, inputs, setup, trace, outcome, complete, &figures));
  warn(&figures, trace);
  ee_status status = options->json ? ee_run_figures_json(&figures) : print_text(&figures);
  if (!options->json && trace->path != NULL) printf("trace      %s\n", trace->path);
  ee_run_figures_clear(&figures);
  return status;
}
