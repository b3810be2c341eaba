/* SPDX-License-Identifier: Apache-2.0 */
/* What a report says of answers: exits, times, plans; and putting the whole report together. */
#include "report_data.h"

#include <stdlib.h>
#include <string.h>

#include "report_parts.h"

static int compare_arrivals(const void *a, const void *b) {
  const ee_answer *x = a, *y = b;
  if (x->answered != y->answered) return x->answered < y->answered ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

void ee_report_count(const ee_answer *answer, ee_report_exit *exit) {
  exit->answers++;
  exit->labelled += answer->label >= 0;
  exit->correct += answer->label >= 0 && answer->label == answer->prediction;
}

static ee_status count_exits(const ee_report_input *in, ee_report *report) {
  report->n_exits   = in->header->n_exits;
  report->n_devices = in->header->n_ranks;
  report->exit      = calloc((size_t)report->n_exits, sizeof *report->exit);
  report->device    = calloc((size_t)report->n_devices, sizeof *report->device);
  if (report->exit == NULL || report->device == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a report of %d exits and %d devices", report->n_exits,
                   report->n_devices);
  }
  for (int64_t i = 0; i < in->n_answers; i++) {
    ee_report_count(&in->answer[i], &report->total);
    ee_report_count(&in->answer[i], &report->exit[in->answer[i].exit]);
    report->device[in->answer[i].device].answers++;
    report->limited += in->answer[i].way == EE_WAY_LIMIT;
    report->late += in->answer[i].way == EE_WAY_LATE;
  }
  return EE_OK;
}

/* `sorted` has the answers in the order of arrival. */
static ee_status measure_times(const ee_answer *sorted, int64_t n, ee_report *report) {
  if (n == 0) return EE_OK;
  double *latency = calloc((size_t)n, sizeof *latency);
  if (latency == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %lld latencies", (long long)n);
  int64_t begin = sorted[0].admitted, end = sorted[n - 1].answered;
  for (int64_t i = 0; i < n; i++) {
    latency[i] = (double)(sorted[i].answered - sorted[i].admitted) * 1e-9;
    if (sorted[i].admitted < begin) begin = sorted[i].admitted;
  }
  int64_t quarter       = end > begin ? (end - begin) / 4 : 0;
  report->begin         = begin;
  report->end           = end;
  report->throughput    = ee_throughput(sorted, n, begin, end);
  report->first_quarter = ee_throughput(sorted, n, begin, begin + quarter);
  report->last_quarter  = ee_throughput(sorted, n, end - quarter, end);
  report->latency       = ee_summarise(latency, n);
  report->gap           = ee_longest_gap(sorted, 0, n);
  free(latency);
  return EE_OK;
}

/* From the first to the last record of any kind: what shares of time refer to. */
static void measure_span(const ee_report_input *in, ee_report *report) {
  bool    any   = in->n_answers > 0;
  int64_t begin = report->begin, end = report->end;
  for (int64_t i = 0; i < in->n_events; i++) {
    if (!any || in->event[i].start < begin) begin = in->event[i].start;
    if (!any || in->event[i].end > end) end = in->event[i].end;
    any = true;
  }
  report->span = end > begin ? end - begin : 0;
}

static ee_status make_from_sorted(const ee_report_input *in, const ee_answer *sorted,
                                  ee_report *report) {
  EE_TRY(count_exits(in, report));
  EE_TRY(measure_times(sorted, in->n_answers, report));
  measure_span(in, report);
  EE_TRY(ee_report_devices(in, report));
  EE_TRY(ee_report_links(in, report));
  EE_TRY(ee_report_plans(in, sorted, report));
  EE_TRY(ee_report_arms(in, report));
  EE_TRY(ee_report_team(in, report));
  return ee_report_moves(in, report);
}

ee_status ee_report_make(const ee_report_input *input, ee_report *report) {
  *report        = (ee_report){.answered = input->n_answers,
                               .expected = (int64_t)input->header->n_samples,
                               .complete = input->complete};
  size_t     n   = (size_t)input->n_answers;
  ee_answer *all = calloc(n > 0 ? n : 1, sizeof *all);
  if (all == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a report of %zu answers", n);
  if (n > 0) memcpy(all, input->answer, n * sizeof *all);
  qsort(all, n, sizeof *all, compare_arrivals);

  ee_status status = make_from_sorted(input, all, report);
  free(all);
  if (status != EE_OK) ee_report_clear(report);
  return status;
}

void ee_report_clear(ee_report *report) {
  free(report->exit);
  free(report->device);
  free(report->link);
  free(report->plan);
  free(report->move);
  free(report->tenth);
  free(report->pulls);
  free(report->present);
  free(report->absence);
  *report = (ee_report){.answered = 0};
}
