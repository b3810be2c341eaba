/* SPDX-License-Identifier: Apache-2.0 */
/* A report as tables for people. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "report_print.h"
#include "report_team.h"

#define NS_PER_MS 1e6

double ee_report_ratio(double part, double whole) {
  return whole > 0.0 ? part / whole : 0.0;
}

double ee_report_gain(double before, double after) {
  bool known = isfinite(before) && isfinite(after) && before > 0.0 && after > 0.0;
  return known ? 1.0 - after / before : NAN;
}

/* `value` as "%.*f", or "-" if it is not known; `text` has 32 bytes. */
static const char *number(double value, int digits, char *text) {
  if (isfinite(value)) {
    snprintf(text, 32, "%.*f", digits, fabs(value) < 1e15 ? value : copysign(1e15, value));
  } else {
    strcpy(text, "-");
  }
  return text;
}

static const char *period_ms(double seconds, char *text) {
  return number(seconds > 0.0 ? seconds * 1e3 : NAN, 3, text);
}

static const char *percent(double ratio, char *text) {
  number(100.0 * ratio, 1, text);
  if (strcmp(text, "-") != 0) strcat(text, "%");
  return text;
}

static const char *plan_text(const ee_plan *plan, char *text, int size) {
  return plan != NULL ? ee_plan_text(plan, text, size) : "not recorded";
}

static void print_line(FILE *out, const char *name, const char *value) {
  if (value[0] != '\0') fprintf(out, "%-12s %s\n", name, value);
}

static void print_header(FILE *out, const ee_trace_header *h, const ee_report *r) {
  char      text[512], when[64] = "";
  time_t    started = (time_t)h->started;
  struct tm utc;
  if (h->started > 0.0 && h->started < 1e11 && gmtime_r(&started, &utc) != NULL) {
    strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &utc);
  }
  print_line(out, "command", h->command);
  print_line(out, "started", when);
  print_line(out, "host", h->host);
  print_line(out, "versions", h->versions);
  print_line(out, "model", h->model_path);
  print_line(out, "data", h->data_path);
  print_line(out, "policy", h->policy);
  print_line(out, "clock", h->clock);
  fprintf(out, "%-12s %d ranks, batch limit %d, %d samples per epoch, seed %llu\n", "setting",
          h->n_ranks, h->batch_limit, h->epoch_samples, (unsigned long long)h->seed);
  if (h->team != NULL) {
    ee_report_print_lanes(out, h->team, r);
  } else {
    print_line(out, "first plan", plan_text(h->plan, text, sizeof text));
  }
}

static void print_state(FILE *out, const ee_report *r) {
  fprintf(out, "\nanswered     %lld of %lld samples", (long long)r->answered,
          (long long)r->expected);
  if (!r->complete) {
    fprintf(out, "; half-written: the run is under way or did not end by itself");
  }
  if (r->limited + r->late > 0) {
    fprintf(out, "; %lld ended by their latency limit, %lld late at their first exit",
            (long long)r->limited, (long long)r->late);
  }
  fprintf(out, "\n");
}

void ee_report_print_row(FILE *out, const char *name, const ee_report_exit *e, int64_t answered) {
  char   share[32], accuracy[32];
  double correct = e->labelled > 0 ? (double)e->correct / (double)e->labelled : NAN;
  fprintf(out, "%-8s %10lld %8s %9s\n", name, (long long)e->answers,
          percent(ee_report_ratio((double)e->answers, (double)answered), share),
          percent(correct, accuracy));
}

static void print_exits(FILE *out, const ee_report *r) {
  fprintf(out, "\nexit        answers    share  accuracy\n");
  for (int e = 0; e < r->n_exits; e++) {
    char name[16];
    snprintf(name, sizeof name, "%d", e);
    ee_report_print_row(out, name, &r->exit[e], r->answered);
  }
  ee_report_print_row(out, "all", &r->total, r->answered);
  if (r->total.labelled == 0) fprintf(out, "the stream is unlabelled: no accuracy\n");
}

/* @p shown: as many arms get a column */
static void print_tenth(FILE *out, const ee_report *r, int t, int shown) {
  const ee_report_tenth *at = &r->tenth[t];
  char                   offloaded[32], reward[32], cost[32];
  double                 n = (double)at->answers;
  number(at->rewarded > 0 ? at->reward / (double)at->rewarded : NAN, 4, reward);
  fprintf(out, "%5d %10lld %10s %13s %9s ", t + 1, (long long)at->answers,
          percent(n > 0.0 ? (double)at->offloaded / n : NAN, offloaded),
          number(at->offload_cost, 4, cost), reward);
  for (int a = 0; a < shown; a++) fprintf(out, " %7lld", (long long)at->pulls[a]);
  fprintf(out, "\n");
}

#define MOST_ARMS 16  // in one line

static void print_arms(FILE *out, const ee_report *r) {
  int shown = r->n_arms <= MOST_ARMS ? r->n_arms : 0;
  if (r->n_arms == 0) return;
  fprintf(out, "\ntenth    answers  offloaded  offload cost    reward ");
  for (int a = 0; a < shown; a++) fprintf(out, "   arm%2d", a);
  fprintf(out, "\n");
  for (int t = 0; t < EE_REPORT_TENTHS; t++) print_tenth(out, r, t, shown);
  if (shown == 0) fprintf(out, "%d arms: their pulls are in the JSON report\n", r->n_arms);
}

static void print_times(FILE *out, const ee_report *r) {
  const ee_summary *l = &r->latency;
  fprintf(out, "\nthroughput   %.1f samples/s over %.3f s; first quarter %.1f, last quarter %.1f\n",
          r->throughput, (double)(r->end - r->begin) * 1e-9, r->first_quarter, r->last_quarter);
  fprintf(out, "latency ms   mean %.3f  p50 %.3f  p95 %.3f  p99 %.3f  max %.3f\n", l->mean * 1e3,
          l->p50 * 1e3, l->p95 * 1e3, l->p99 * 1e3, l->max * 1e3);
  fprintf(out, "longest gap  %.3f ms between answers, at %.3f s\n",
          (double)r->gap.length / NS_PER_MS, (double)(r->gap.from - r->begin) * 1e-9);
  fprintf(out, "gaps ms      p50 %.3f  p95 %.3f  p99 %.3f  max %.3f%s\n", r->gaps.p50 * 1e3,
          r->gaps.p95 * 1e3, r->gaps.p99 * 1e3, r->gaps.max * 1e3,
          r->n_plans > 1 ? ", but for those around a change of plans" : "");
}

static void print_energy(FILE *out, const ee_report *r) {
  if (r->energy <= 0.0 || r->answered == 0) return;
  fprintf(out, "\nenergy       %.6g J, %.6g J per answer: a model, by the fleet's watts\n",
          r->energy, r->energy / (double)r->answered);
}

static void print_devices(FILE *out, const ee_report_input *in, const ee_report *r) {
  static const ee_event_kind shown[] = {EE_EVENT_COMPUTE, EE_EVENT_HEAD, EE_EVENT_PACE,
                                        EE_EVENT_WAIT,    EE_EVENT_SEND, EE_EVENT_RECEIVE,
                                        EE_EVENT_MIGRATE};
  const int                  n_shown = (int)(sizeof shown / sizeof shown[0]);
  if (r->span == 0) return;
  fprintf(out, "\nshares of %.3f s\ndevice", (double)r->span * 1e-9);
  for (int k = 0; k < n_shown; k++) {
    fprintf(out, " %8s", shown[k] == EE_EVENT_COMPUTE ? "busy" : ee_event_name(shown[k]));
  }
  fprintf(out, "%s    answers   sent bytes\n", r->n_lanes > 0 ? "  in vain" : "");
  for (int d = 0; d < r->n_devices; d++) {
    char text[32];
    fprintf(out, "%6d", d);
    for (int k = 0; k < n_shown; k++) {
      double ns = (double)r->device[d].ns[shown[k]];
      fprintf(out, " %8s", percent(ee_report_ratio(ns, (double)r->span), text));
    }
    double vain = ee_report_ratio((double)r->device[d].in_vain, (double)r->span);
    if (r->n_lanes > 0) fprintf(out, " %8s", percent(vain, text));
    fprintf(out, " %10lld %12lld", (long long)r->device[d].answers,
            (long long)r->device[d].bytes_sent);
    bool named = in->fleet != NULL && d < in->fleet->n_devices;
    fprintf(out, "%s%s\n", named ? "  " : "", named ? in->fleet->device[d].name : "");
  }
}

static void print_links(FILE *out, const ee_report *r) {
  if (r->n_links == 0) return;
  fprintf(out, "\nlink             messages        bytes  overlap\n");
  for (int64_t i = 0; i < r->n_links; i++) {
    const ee_report_link *link = &r->link[i];
    char                  text[32];
    fprintf(out, "%5d -> %-5d %11lld %12lld %8s\n", link->from, link->to, (long long)link->messages,
            (long long)link->bytes, percent(link->overlap, text));
  }
}

/* Of a team, where its units were after as many moves. */
static void print_plans(FILE *out, const ee_report *r) {
  char text[512], gap[32], p99[32];
  bool team = r->n_lanes > 0;
  if (r->n_plans == 0 || (team && r->n_plans == 1)) return;
  fprintf(out, "\n%s  from sample  first answer s    answers  gap ms at switch: p99, max%s\n",
          team ? "move" : "plan", team ? "" : "  layers @device");
  for (int i = 0; i < r->n_plans; i++) {
    const ee_report_plan *p = &r->plan[i];
    fprintf(out, "%4d %12llu %15.3f %10lld %16s %9s%s%s\n", p->plan_epoch,
            (unsigned long long)p->first_id, (double)(p->first_answer - r->begin) * 1e-9,
            (long long)p->answers, number(i > 0 ? p->gaps.p99 * 1e3 : NAN, 3, p99),
            number(i > 0 ? (double)p->gap.length / NS_PER_MS : NAN, 3, gap), team ? "" : "  ",
            team ? "" : plan_text(p->plan, text, sizeof text));
  }
}

/* What the plans were compared by, if not by the period. */
static void print_latencies(FILE *out, const ee_report_move *m) {
  char before[32], after[32], gain[32];
  if (!m->by_latency) return;
  fprintf(out, "  latency    %s -> %s ms for a sample alone, predicted and judged by, gain %s\n",
          period_ms(m->latency_before, before), period_ms(m->latency_after, after),
          percent(ee_report_gain(m->latency_before, m->latency_after), gain));
}

static void print_move(FILE *out, const ee_report *r, const ee_report_move *m) {
  char a[512], b[512], c[32], d[32], gain[32];
  fprintf(out, "\nrebalance in epoch %d, at %.3f s\n", m->epoch,
          (double)(m->adopted - r->begin) * 1e-9);
  fprintf(out, "  from       %s\n  to         %s\n", plan_text(m->before, a, sizeof a),
          plan_text(m->after, b, sizeof b));
  print_latencies(out, m);
  fprintf(out, "  predicted  %s -> %s ms per sample, gain %s\n", period_ms(m->predicted_before, c),
          period_ms(m->predicted_after, d),
          percent(ee_report_gain(m->predicted_before, m->predicted_after), gain));
  fprintf(out,
          "  measured   %s in that epoch -> %s ms per sample over the %d epochs of the new plan, "
          "gain %s\n",
          period_ms(m->measured_before, c), period_ms(m->measured_after, d), m->epochs_after,
          percent(ee_report_gain(m->measured_before, m->measured_after), gain));
  fprintf(out, "  moved      %s bytes; ", number(m->moved_bytes, 0, c));
  if (m->switched) {
    fprintf(out, "ready after %.3f ms; in force from sample %llu\n",
            (double)(m->ready - m->adopted) / NS_PER_MS, (unsigned long long)m->switch_id);
  } else {
    fprintf(out, "not switched to in what is recorded\n");
  }
}

static void print_control(FILE *out, const ee_report_input *in, const ee_report *r) {
  if (in->n_epochs > 0) fprintf(out, "\nepochs  verdict\n");
  for (int v = 0; v < EE_VERDICT_COUNT; v++) {
    if (r->verdicts[v] > 0) {
      fprintf(out, "%6lld  %s\n", (long long)r->verdicts[v], ee_verdict_text(v));
    }
  }
  for (int i = 0; i < r->n_moves; i++) print_move(out, r, &r->move[i]);
  if (r->allreduce.n == 0) return;
  fprintf(out, "\nallreduce ms mean %.3f  p50 %.3f  p95 %.3f  max %.3f  (%lld on all ranks)\n",
          r->allreduce.mean * 1e3, r->allreduce.p50 * 1e3, r->allreduce.p95 * 1e3,
          r->allreduce.max * 1e3, (long long)r->allreduce.n);
}

void ee_report_print_text(FILE *out, const ee_report_input *input, const ee_report *report) {
  print_header(out, input->header, report);
  print_state(out, report);
  fprintf(out, "digest       %016llx of the answers\n", (unsigned long long)input->digest);
  if (report->answered > 0) {
    print_exits(out, report);
    ee_report_print_absences(out, input->header->team, report);
    print_arms(out, report);
    print_times(out, report);
  } else {
    fprintf(out, "no sample was answered: no exits, times or plans to report\n");
  }
  print_devices(out, input, report);
  if (input->header->team != NULL) ee_report_print_units(out, input->header->team, report);
  print_energy(out, report);
  print_links(out, report);
  print_plans(out, report);
  print_control(out, input, report);
}
