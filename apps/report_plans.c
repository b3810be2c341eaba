/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of plans: which were in force when, and what each move brought. */
#include <stdlib.h>

#include "report_parts.h"

/* An answer's plan epoch and its place in the order of arrival. */
typedef struct place {
  int     plan_epoch;
  int64_t at;
} place;

static int compare_places(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->plan_epoch != y->plan_epoch) return x->plan_epoch < y->plan_epoch ? -1 : 1;
  return (x->at > y->at) - (x->at < y->at);
}

/* The plan of an epoch: what an epoch under it, or the decision for it, recorded. */
static const ee_plan *find_plan(const ee_report_input *in, int plan_epoch) {
  const ee_plan *adopted = plan_epoch == 0 ? in->header->plan : NULL;
  for (int i = 0; i < in->n_epochs; i++) {
    const ee_epoch_record *e = &in->epoch[i];
    if (e->plan_epoch == plan_epoch && e->before != NULL) return e->before;
    if (e->plan_epoch == plan_epoch - 1 && e->verdict == EE_VERDICT_ADOPTED) adopted = e->after;
  }
  return adopted;
}

/* Gaps between answers [first, last) and the next ones that are marked so.  @p x: scratch. */
static ee_summary gaps_of(const ee_answer *sorted, int64_t first, int64_t last, const bool *near,
                          bool wanted, double *x) {
  int64_t n = 0;
  for (int64_t i = first; i + 1 < last; i++) {
    int64_t length = sorted[i + 1].answered - sorted[i].answered;
    if (length > 0 && near[i] == wanted) x[n++] = (double)length * 1e-9;
  }
  return ee_summarise(x, n);
}

/* The gaps around the change to a plan whose first answer stands at @p at. */
static void look_around(const ee_answer *sorted, int64_t n, int64_t at, bool *near,
                        ee_report_plan *plan) {
  double  x[2 * EE_REPORT_WINDOW + 1];
  int64_t first = at > EE_REPORT_WINDOW ? at - EE_REPORT_WINDOW : 0;
  int64_t last  = n - at > EE_REPORT_WINDOW ? at + EE_REPORT_WINDOW + 1 : n;
  for (int64_t i = first; i + 1 < last; i++) near[i] = true;
  plan->gap  = ee_longest_gap(sorted, first, last);
  plan->gaps = gaps_of(sorted, first, last, near, true, x);
}

static ee_report_plan describe_plan(const ee_report_input *in, const ee_answer *sorted,
                                    const place *places, int64_t n) {
  ee_report_plan plan = {.plan_epoch   = places[0].plan_epoch,
                         .plan         = find_plan(in, places[0].plan_epoch),
                         .answers      = n,
                         .first_id     = sorted[places[0].at].id,
                         .first_answer = sorted[places[0].at].answered};
  for (int64_t i = 0; i < n; i++) {
    if (sorted[places[i].at].id < plan.first_id) plan.first_id = sorted[places[i].at].id;
  }
  return plan;
}

static int count_plans(const place *places, int64_t n) {
  int plans = n > 0;
  for (int64_t i = 1; i < n; i++) plans += places[i].plan_epoch != places[i - 1].plan_epoch;
  return plans;
}

static ee_status describe_plans(const ee_report_input *in, const ee_answer *sorted,
                                const place *places, bool *near, ee_report *report) {
  int64_t n    = in->n_answers;
  report->plan = calloc((size_t)count_plans(places, n) + 1, sizeof *report->plan);
  if (report->plan == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the plans of a report");
  for (int64_t first = 0, last; first < n; first = last) {
    for (last = first; last < n && places[last].plan_epoch == places[first].plan_epoch;) last++;
    ee_report_plan *plan = &report->plan[report->n_plans];
    *plan                = describe_plan(in, sorted, places + first, last - first);
    if (report->n_plans > 0) look_around(sorted, n, places[first].at, near, plan);
    report->n_plans++;
  }
  return EE_OK;
}

ee_status ee_report_plans(const ee_report_input *in, const ee_answer *sorted, ee_report *report) {
  size_t    n      = (size_t)in->n_answers;
  place    *places = calloc(n + 1, sizeof *places);
  bool     *near   = calloc(n + 1, sizeof *near);
  double   *length = calloc(n + 1, sizeof *length);
  ee_status status = EE_OK;
  if (places == NULL || near == NULL || length == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for the plans of %zu answers", n);
  } else {
    for (size_t i = 0; i < n; i++) places[i] = (place){sorted[i].plan_epoch, (int64_t)i};
    qsort(places, n, sizeof *places, compare_places);
    status       = describe_plans(in, sorted, places, near, report);
    report->gaps = gaps_of(sorted, 0, in->n_answers, near, false, length);
  }
  free(places);
  free(near);
  free(length);
  return status;
}

/* Mean measured period of the *n epochs under a plan; 0 if there are none [s]. */
static double mean_period(const ee_report_input *in, int plan_epoch, int *n) {
  double sum = 0.0;
  *n         = 0;
  for (int i = 0; i < in->n_epochs; i++) {
    if (in->epoch[i].plan_epoch != plan_epoch) continue;
    sum += in->epoch[i].period_measured;
    (*n)++;
  }
  return *n > 0 ? sum / *n : 0.0;
}

/* The move that epoch record i adopted; the next switch, unless another plan is adopted before it,
 * is its own. */
static ee_report_move describe_move(const ee_report_input *in, int i) {
  const ee_epoch_record *e    = &in->epoch[i];
  ee_report_move         move = {.epoch            = e->epoch,
                                 .plan_epoch       = e->plan_epoch,
                                 .before           = e->before,
                                 .after            = e->after,
                                 .predicted_before = e->period_predicted,
                                 .predicted_after  = e->period_best,
                                 .by_latency       = e->by_latency != 0,
                                 .latency_before   = e->latency_predicted,
                                 .latency_after    = e->latency_best,
                                 .measured_before  = e->period_measured,
                                 .moved_bytes      = e->moved_bytes,
                                 .adopted          = e->time};
  for (int k = i + 1; k < in->n_epochs && in->epoch[k].verdict != EE_VERDICT_ADOPTED; k++) {
    if (in->epoch[k].verdict != EE_VERDICT_SWITCHED) continue;
    move.switched       = true;
    move.ready          = in->epoch[k].time;
    move.switch_id      = in->epoch[k].switch_id;
    move.measured_after = mean_period(in, e->plan_epoch + 1, &move.epochs_after);
    break;
  }
  return move;
}

ee_status ee_report_moves(const ee_report_input *in, ee_report *report) {
  for (int i = 0; i < in->n_epochs; i++) report->verdicts[in->epoch[i].verdict]++;
  report->move = calloc((size_t)report->verdicts[EE_VERDICT_ADOPTED] + 1, sizeof *report->move);
  if (report->move == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the moves of a report");
  for (int i = 0; i < in->n_epochs; i++) {
    if (in->epoch[i].verdict == EE_VERDICT_ADOPTED) {
      report->move[report->n_moves++] = describe_move(in, i);
    }
  }
  return EE_OK;
}
