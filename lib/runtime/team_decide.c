/* SPDX-License-Identifier: Apache-2.0 */
/* An exit of a sample that is on several ranks: who decides tells the others. */
#include <math.h>
#include <string.h>

#include "ee/confidence.h"
#include "team_state.h"

static ee_exit_view view_of_logits(const ee_team *t, int e, const float *logits,
                                   const float *score) {
  const ee_model *model = t->setup.model;
  ee_softmax(logits, model->n_classes, model->exit[e].temperature, t->probability);
  int best = ee_argmax(logits, model->n_classes);
  return (ee_exit_view){.exit            = e,
                        .n_exits         = model->n_exits,
                        .n_classes       = model->n_classes,
                        .probability     = t->probability,
                        .prediction      = best,
                        .confidence      = t->probability[best],
                        .score           = score != NULL ? *score : NAN,
                        .last_confidence = NAN};
}

static ee_decision ask(const ee_team *t, team_sample *s, const ee_exit_view *view) {
  const ee_policy *policy = t->setup.policy;
  if (view->exit == view->n_exits - 1) return EE_LEAVE;
  if (s->offloaded > 0) return EE_SKIP;
  ee_decision decision = policy->ops->decide(policy->self, view, s->state);
  if (decision == EE_OFFLOAD) s->offloaded = view->exit + 1;
  return decision;
}

static ee_answer_record record_of(const ee_team *t, const team_sample *s, const ee_exit_view *view,
                                  int32_t way) {
  const ee_policy *policy = t->setup.policy;
  ee_answer_record record = {.id         = s->id,
                             .admitted   = s->admitted,
                             .prediction = view->prediction,
                             .exit       = view->exit,
                             .confidence = view->confidence,
                             .plan_epoch = s->formation->number,
                             .decided_at = s->offloaded > 0 ? s->offloaded - 1 : view->exit,
                             .way        = way,
                             .arm        = -1,
                             .reward     = NAN,
                             .absent     = s->absent};
  if (policy->ops->answer != NULL) {
    record.prediction = policy->ops->answer(policy->self, view, s->state);
  }
  return record;
}

static void answer(ee_team *t, const team_sample *s, const ee_exit_view *view, int32_t way,
                   const float *logits, int64_t now) {
  ee_answer_batch batch;
  ee_answer_box_slot(t->answers, &batch);
  *batch.n        = 1;
  batch.record[0] = record_of(t, s, view, way);
  if (batch.logits != NULL) {
    memcpy(batch.logits, logits, (size_t)view->n_classes * sizeof *logits);
  }
  ee_answer_box_post(t->answers, now);
  if (way == EE_ANSWER_WAITS) return;
  t->team_totals.joined++;
  t->team_totals.joined_in_part += s->absent != 0;
}

/* Whether the sample ends at the exit, which was decided as @p what: its limit may be over.  One
 * that goes on leaves an answer behind for when it is. */
static bool give(ee_team *t, const team_sample *s, const ee_exit_view *view, ee_decision what,
                 const float *logits, int64_t now) {
  bool late = now >= ee_team_limit_of(t, s);
  if (what == EE_LEAVE || late) {
    int32_t way = late ? EE_WAY_LATE : s->offloaded > 0 ? EE_WAY_OFFLOADED : EE_WAY_LEFT;
    answer(t, s, view, way, logits, now);
    return true;
  }
  if (t->setup.latency_limit > 0.0) answer(t, s, view, EE_ANSWER_WAITS, logits, now);
  return false;
}

ee_status ee_team_decide(ee_team *t, team_sample *s, int u, int64_t now) {
  int e = t->units->unit[u].exit;
  if (s->passed > 0 && now >= ee_team_limit_of(t, s)) {
    ee_team_drop(t, s);
    return EE_OK;
  }
  const float *logits = NULL;
  ee_exit_view view;
  if (t->setup.outcomes != NULL) {
    view = ee_exit_view_of_row(t->setup.outcomes, (int64_t)s->id, e);
  } else {
    EE_TRY(ee_exec_run_head(t->loaded[u].exec, e, 1, &logits));
    view = view_of_logits(t, e, logits, ee_exec_score(t->loaded[u].exec, e));
  }
  view.id          = s->id;
  ee_decision what = ask(t, s, &view);
  bool        ends = give(t, s, &view, what, logits, now);
  team_note   note = {.header    = {.magic = EE_MESSAGE_MAGIC},
                      .word      = ends ? TEAM_LEAVES : TEAM_GOES_ON,
                      .exit      = e,
                      .id        = s->id,
                      .lanes     = s->absent,
                      .offloaded = s->offloaded,
                      .state     = s->state};
  ee_team_tell_all(t, &note, now);
  return EE_OK;
}
