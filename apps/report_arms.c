/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy chose and earned as the stream went on: tenths of the sample ids. */
#include <math.h>
#include <stdlib.h>

#include "report_parts.h"

/* The tenth of an id; the last one also for ids that cannot be. */
static int tenth_of(const ee_report_input *in, uint64_t id) {
  uint64_t n = in->header->n_samples;
  return id < n ? (int)((double)id / (double)n * EE_REPORT_TENTHS) : EE_REPORT_TENTHS - 1;
}

static int count_arms(const ee_report_input *in) {
  int n = 0;
  for (int64_t i = 0; i < in->n_answers; i++) {
    if (in->answer[i].arm >= n) n = in->answer[i].arm + 1;
  }
  return n;
}

static void take_answer(const ee_report_input *in, ee_report *report, const ee_answer *a) {
  ee_report_tenth *t = &report->tenth[tenth_of(in, a->id)];
  t->answers++;
  t->offloaded += a->way == EE_WAY_OFFLOADED;
  if (a->arm >= 0) t->pulls[a->arm]++;
  if (isnan(a->reward)) return;
  t->rewarded++;
  t->reward += (double)a->reward;
}

/* Mean of what the policy was told in the epochs that begin in a tenth. */
static void take_costs(const ee_report_input *in, ee_report *report) {
  int told[EE_REPORT_TENTHS] = {0};
  for (int i = 0; i < in->n_epochs; i++) {
    const ee_epoch_record *e = &in->epoch[i];
    int at = tenth_of(in, (uint64_t)e->epoch * (uint64_t)in->header->epoch_samples);
    if (isnan(e->offload_cost)) continue;
    report->tenth[at].offload_cost += e->offload_cost;
    told[at]++;
  }
  for (int t = 0; t < EE_REPORT_TENTHS; t++) {
    report->tenth[t].offload_cost = told[t] > 0 ? report->tenth[t].offload_cost / told[t] : NAN;
  }
}

ee_status ee_report_arms(const ee_report_input *in, ee_report *report) {
  int n = count_arms(in);
  if (n == 0) return EE_OK;
  report->tenth = calloc(EE_REPORT_TENTHS, sizeof *report->tenth);
  report->pulls = calloc((size_t)n * EE_REPORT_TENTHS, sizeof *report->pulls);
  if (report->tenth == NULL || report->pulls == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for a report of %d arms", n);
  }
  report->n_arms = n;
  for (int t = 0; t < EE_REPORT_TENTHS; t++)
    report->tenth[t].pulls = report->pulls + (ptrdiff_t)n * t;
  for (int64_t i = 0; i < in->n_answers; i++) take_answer(in, report, &in->answer[i]);
  take_costs(in, report);
  return EE_OK;
}
