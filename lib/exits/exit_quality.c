/* SPDX-License-Identifier: Apache-2.0 */
/* Accuracy, confidence and calibration of each exit of a table, and how answers change between. */
#include "ee/exit_quality.h"

#include <math.h>
#include <stdlib.h>

#include "ee/measures.h"

static bool is_right(const ee_exit_table *t, int64_t i, int e) {
  return t->prediction[i * t->n_exits + e] == t->label[i];
}

static void count_kinds(const ee_exit_table *t, ee_answer_kinds *kinds) {
  *kinds = (ee_answer_kinds){.labelled = 0};
  for (int64_t i = 0; i < t->n; i++) {
    bool first = is_right(t, i, 0), any = first, lost = false;
    if (t->label[i] < 0) continue;
    for (int e = 1; e < t->n_exits; e++) {
      bool right = is_right(t, i, e);
      lost       = lost || (any && !right);
      any        = any || right;
    }
    kinds->labelled++;
    kinds->bad += lost;
    kinds->all_wrong += !any;
    kinds->all_correct += first && !lost;
    kinds->good += any && !first && !lost;
  }
}

/* Room for the labelled samples of one exit. */
typedef struct answers {
  double *confidence;  // shape [n]
  bool   *right;       // shape [n]
} answers;

static ee_exit_quality judge_exit(const ee_exit_table *t, int e, const answers *a) {
  ee_exit_quality q = {NAN, NAN, NAN};
  ee_reliability  diagram;
  double          sum = 0.0, n_right = 0.0;
  int64_t         labelled = 0;
  for (int64_t i = 0; i < t->n; i++) {
    double sure = t->confidence != NULL ? (double)t->confidence[i * t->n_exits + e] : 0.0;
    sum += sure;
    if (t->label[i] < 0) continue;
    a->confidence[labelled] = sure;
    a->right[labelled]      = is_right(t, i, e);
    n_right += a->right[labelled++];
  }
  if (labelled > 0) q.accuracy = n_right / (double)labelled;
  if (t->confidence == NULL || t->n == 0) return q;
  q.confidence = sum / (double)t->n;
  if (labelled == 0) return q;
  ee_reliability_make(labelled, a->confidence, a->right, &diagram);
  q.ece = diagram.ece;
  return q;
}

ee_status ee_exit_table_judge(const ee_exit_table *table, ee_exit_quality *quality,
                              ee_answer_kinds *kinds) {
  size_t  n    = (size_t)table->n + 1;  // a table may have no samples
  answers a    = {calloc(n, sizeof *a.confidence), calloc(n, sizeof *a.right)};
  bool    room = a.confidence != NULL && a.right != NULL;
  for (int e = 0; room && e < table->n_exits; e++) quality[e] = judge_exit(table, e, &a);
  if (room) count_kinds(table, kinds);
  free(a.confidence);
  free(a.right);
  if (room) return EE_OK;
  return EE_FAIL(EE_ERR_NOMEM, "to judge %lld samples", (long long)table->n);
}
