/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0 only.  There are at most as many as samples under way, so they are searched one by one. */
#include "pending.h"

#include <stdlib.h>
#include <string.h>

ee_pending_answer *ee_pending_of(ee_pending *p, uint64_t id) {
  for (int i = 0; i < p->n; i++) {
    if (p->answer[i].record.id == id) return &p->answer[i];
  }
  return NULL;
}

ee_pending_answer *ee_pending_first(ee_pending *p) {
  ee_pending_answer *first = p->n > 0 ? p->answer : NULL;
  for (int i = 1; i < p->n; i++) {
    if (p->answer[i].counts < first->counts) first = &p->answer[i];
  }
  return first;
}

/* A place behind the others, with room for logits. */
static ee_status append(ee_pending *p, ee_pending_answer **place) {
  if (p->n == p->room) {
    int                room = p->room > 0 ? 2 * p->room : 64;
    ee_pending_answer *more = realloc(p->answer, (size_t)room * sizeof *more);
    if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d answers that wait", room);
    p->answer = more;
    p->room   = room;
  }
  *place  = &p->answer[p->n];
  **place = (ee_pending_answer){0};
  if (p->n_classes > 0) {
    (*place)->logits = malloc((size_t)p->n_classes * sizeof(float));
    if ((*place)->logits == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d logits", p->n_classes);
  }
  p->n++;
  return EE_OK;
}

ee_status ee_pending_put(ee_pending *p, ee_pending_answer answer, const float *logits,
                         int64_t arrived) {
  ee_pending_answer *old = ee_pending_of(p, answer.record.id);
  if (old != NULL && (old->record.exit > answer.record.exit || old->counts < arrived)) return EE_OK;
  if (old == NULL) EE_TRY(append(p, &old));
  answer.logits = old->logits;
  *old          = answer;
  if (p->n_classes > 0) memcpy(old->logits, logits, (size_t)p->n_classes * sizeof *logits);
  return EE_OK;
}

void ee_pending_remove(ee_pending *p, ee_pending_answer *answer) {
  free(answer->logits);
  *answer = p->answer[--p->n];
}

void ee_pending_clear(ee_pending *p) {
  for (int i = 0; i < p->n; i++) free(p->answer[i].logits);
  free(p->answer);
  *p = (ee_pending){0};
}
