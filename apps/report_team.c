/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of a team: which lanes answers lacked, and what was computed in vain. */
#include <stdlib.h>

#include "report_parts.h"

static int compare_absent(const void *a, const void *b) {
  const ee_answer *x = *(const ee_answer *const *)a, *y = *(const ee_answer *const *)b;
  return (x->absent > y->absent) - (x->absent < y->absent);
}

static int compare_ids(const void *a, const void *b) {
  const ee_answer *x = *(const ee_answer *const *)a, *y = *(const ee_answer *const *)b;
  return (x->id > y->id) - (x->id < y->id);
}

/* Most answers first, then the lanes as a number. */
static int compare_absences(const void *a, const void *b) {
  const ee_report_absence *x = a, *y = b;
  if (x->answers.answers != y->answers.answers)
    return x->answers.answers > y->answers.answers ? -1 : 1;
  return (x->lanes > y->lanes) - (x->lanes < y->lanes);
}

/* Of answers that lack lanes, an exit table tells no accuracy. */
static void count(const ee_answer *a, bool computed, ee_report_exit *to) {
  if (a->absent == 0 || computed) {
    ee_report_count(a, to);
  } else {
    to->answers++;
  }
}

/* @p order: the n answers side by side by the lanes that they lack. */
static ee_status count_absences(const ee_answer *const *order, int64_t n, bool computed,
                                ee_report *report) {
  int64_t sets = n > 0;
  for (int64_t i = 1; i < n; i++) sets += order[i]->absent != order[i - 1]->absent;
  report->present = calloc((size_t)report->n_lanes + 1, sizeof *report->present);
  report->absence = calloc((size_t)sets + 1, sizeof *report->absence);
  if (report->present == NULL || report->absence == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for answers that lack lanes");
  }
  for (int64_t i = 0; i < n; i++) {
    const ee_answer *a = order[i];
    if (i == 0 || a->absent != order[i - 1]->absent) report->n_absences++;
    ee_report_absence *set = &report->absence[report->n_absences - 1];
    set->lanes             = a->absent;
    count(a, computed, &set->answers);
    count(a, computed, &report->present[report->n_lanes - __builtin_popcountll(a->absent)]);
    if (a->plan_epoch > report->unit_moves) report->unit_moves = a->plan_epoch;
  }
  qsort(report->absence, (size_t)report->n_absences, sizeof *report->absence, compare_absences);
  return EE_OK;
}

/* Whether the event is of a unit that the answer of its sample had no need of. */
static bool is_in_vain(const ee_trace_team *team, const ee_event *e, const ee_answer *const *by_id,
                       int64_t n) {
  ee_answer               wanted = {.id = e->first_id};
  const ee_answer        *key    = &wanted;
  const ee_answer *const *found;
  bool                    computes = e->kind == EE_EVENT_COMPUTE || e->kind == EE_EVENT_PACE;
  if (!computes || e->layer < 0 || e->layer >= team->n_units) return false;
  found = bsearch(&key, by_id, (size_t)n, sizeof *by_id, compare_ids);
  return found != NULL && team->unit[e->layer].stage > (*found)->exit;
}

static void add_vain(const ee_report_input *in, const ee_answer *const *by_id, ee_report *report) {
  for (int64_t i = 0; i < in->n_events; i++) {
    const ee_event *e = &in->event[i];
    if (!is_in_vain(in->header->team, e, by_id, in->n_answers)) continue;
    report->device[e->rank].in_vain += e->end - e->start;
  }
}

ee_status ee_report_team(const ee_report_input *in, ee_report *report) {
  size_t n = (size_t)in->n_answers;
  if (in->header->team == NULL) return EE_OK;
  const ee_answer **order = calloc(n + 1, sizeof *order);
  if (order == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a report of %zu answers", n);
  report->n_lanes = in->header->team->n_lanes;
  for (size_t i = 0; i < n; i++) order[i] = &in->answer[i];
  qsort(order, n, sizeof *order, compare_absent);
  ee_status status = count_absences(order, in->n_answers, in->header->team->computed, report);
  qsort(order, n, sizeof *order, compare_ids);
  add_vain(in, order, report);
  free(order);
  return status;
}
