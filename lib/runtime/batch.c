/* SPDX-License-Identifier: Apache-2.0 */
/* One batch on one device: through the layers, past the exits, answers out, survivors on. */
#include <math.h>
#include <string.h>

#include "ee/clock.h"
#include "ee/confidence.h"
#include "segment.h"

/* What is being done with one batch. */
typedef struct batch {
  ee_segment      *segment;
  ee_batch_result *result;
  int              n;      // samples still in it
  double           work;   // done so far [FLOP]
  int64_t          clock;  // end of the last traced event [ns]
  int64_t          start;  // when it began [ns]
  ee_answer_batch  answers;
} batch;

static int64_t now_of(const ee_segment *s) {
  return ee_clock_ns() - s->context->origin;
}

/* Close the piece of time since the last event.  No clock is read when nobody listens. */
static void trace_piece(batch *b, ee_event_kind kind, int layer, int samples) {
  const ee_segment    *s    = b->segment;
  const ee_trace_sink *sink = s->context->setup->sink;
  if (sink == NULL || sink->event == NULL) return;
  int64_t  now   = now_of(s);
  ee_event event = {.rank       = s->context->wire->rank,
                    .kind       = (int32_t)kind,
                    .start      = b->clock,
                    .end        = now,
                    .first_id   = s->id[0],
                    .samples    = samples,
                    .plan_epoch = s->plan_epoch,
                    .peer       = -1,
                    .layer      = layer};
  sink->event(sink->self, &event);
  b->clock = now;
}

/* The mark of the batch's sample i; the policy's state stands behind it. */
static ee_sample_mark *mark_of(const ee_segment *s, int i) {
  return (ee_sample_mark *)(void *)(s->state + (size_t)i * s->in.state_bytes);
}

static ee_answer_record record_of(const ee_segment *s, const ee_exit_view *view, int i) {
  const ee_policy      *policy = s->context->setup->policy;
  ee_sample_mark       *mark   = mark_of(s, i);
  const void           *state  = ee_sample_policy_state(mark);
  ee_answer_record      record = {.id         = view->id,
                                  .admitted   = s->admitted[i],
                                  .prediction = view->prediction,
                                  .exit       = view->exit,
                                  .confidence = view->confidence,
                                  .plan_epoch = s->plan_epoch,
                                  .decided_at = mark->offloaded > 0 ? mark->offloaded - 1 : view->exit,
                                  .way    = mark->offloaded > 0 ? EE_WAY_OFFLOADED : EE_WAY_LEFT,
                                  .arm    = -1,
                                  .reward = NAN};
  const ee_policy_arms *arms   = policy->ops->arms;
  if (policy->ops->answer != NULL) {
    record.prediction = policy->ops->answer(policy->self, view, state);
  }
  if (arms != NULL) record.arm = arms->chosen(policy->self, state);
  if (arms != NULL && arms->reward != NULL) {
    record.reward = (float)arms->reward(policy->self, view, state);
  }
  return record;
}

/* As decided, or with another way than EE_WAY_LEFT as the latency limit has it. */
static void answer(batch *b, const ee_exit_view *view, int i, int32_t way, const float *logits) {
  int k                = (*b->answers.n)++;
  b->answers.record[k] = record_of(b->segment, view, i);
  if (way != EE_WAY_LEFT) {
    b->answers.record[k].way        = way;
    b->answers.record[k].prediction = view->prediction;
  }
  if (b->answers.logits != NULL) {
    memcpy(b->answers.logits + (size_t)k * (size_t)view->n_classes, logits,
           (size_t)view->n_classes * sizeof *logits);
  }
}

/* What exit e says with these logits and this score, NULL: it has none. */
static ee_exit_view view_of_outputs(const ee_segment_context *c, int e, const float *logits,
                                    const float *score) {
  const ee_model *model = c->setup->model;
  ee_softmax(logits, model->n_classes, model->exit[e].temperature, c->probability);
  int best = ee_argmax(logits, model->n_classes);
  return (ee_exit_view){.exit            = e,
                        .n_exits         = model->n_exits,
                        .n_classes       = model->n_classes,
                        .probability     = c->probability,
                        .prediction      = best,
                        .confidence      = c->probability[best],
                        .score           = score != NULL ? *score : NAN,
                        .last_confidence = NAN};
}

/* What a head made of a batch; NULL: the table of outcomes says it. */
typedef struct head_outputs {
  const float *logits;  // shape [n, n_classes]
  const float *score;   // shape [n]; NULL: the exit has none
} head_outputs;

static ee_status run_head(batch *b, int e, head_outputs *out) {
  ee_segment *s = b->segment;
  *out          = (head_outputs){NULL, NULL};
  if (s->context->setup->outcomes != NULL) return EE_OK;
  EE_TRY(ee_exec_run_head(s->exec, e, b->n, &out->logits));
  out->score = ee_exec_score(s->exec, e);
  return EE_OK;
}

static const float *logits_of(const batch *b, const head_outputs *out, int i) {
  int n_classes = b->segment->context->setup->model->n_classes;
  return out->logits != NULL ? out->logits + (size_t)i * (size_t)n_classes : NULL;
}

/* What the policy is shown of sample i at exit e. */
static ee_exit_view view_of(const batch *b, int e, int i, const head_outputs *out) {
  const ee_segment_context *c      = b->segment->context;
  uint64_t                  id     = b->segment->id[i];
  const float              *logits = logits_of(b, out, i);
  const float              *score  = out->score != NULL ? out->score + i : NULL;
  ee_exit_view              view   = logits != NULL ? view_of_outputs(c, e, logits, score)
                                                    : ee_exit_view_of_row(c->setup->outcomes, (int64_t)id, e);
  view.id                          = id;
  view.memory                      = ee_lessons_memory(c->lessons, view.id);
  view.offload_cost                = ee_lessons_offload_cost(c->lessons, view.id);
  return view;
}

/* Keep the samples keep[0 .. n_keep) of everything that belongs to the batch. */
static void keep_samples(batch *b, int cut, int n_keep) {
  ee_segment *s     = b->segment;
  size_t      bytes = s->in.state_bytes;
  if (n_keep < b->n && cut < s->context->setup->model->n_layers) {
    ee_exec_keep(s->exec, cut, s->keep, n_keep);
  }
  for (int k = 0; k < n_keep; k++) {
    int i          = s->keep[k];
    s->id[k]       = s->id[i];
    s->admitted[k] = s->admitted[i];
    memmove(s->state + (size_t)k * bytes, s->state + (size_t)i * bytes, bytes);
  }
  b->n = n_keep;
}

/* Ask the policy about one sample at an exit, and let it learn.  Every sample leaves at the last;
 * one that was offloaded is not asked before. */
static ee_decision decide(const batch *b, const ee_exit_view *view, ee_sample_mark *mark) {
  const ee_segment_context *c        = b->segment->context;
  const ee_policy          *policy   = c->setup->policy;
  void                     *state    = ee_sample_policy_state(mark);
  bool                      last     = view->exit == view->n_exits - 1;
  ee_decision               decision = EE_LEAVE;
  if (mark->offloaded > 0 && !last) return EE_SKIP;
  if (!last) decision = policy->ops->decide(policy->self, view, state);
  if (policy->ops->learning != NULL) {
    policy->ops->learning->learn(policy->self, view, decision, state,
                                 ee_lessons_sums(c->lessons, view->id));
  }
  if (decision == EE_OFFLOAD) mark->offloaded = view->exit + 1;
  return decision;
}

/* Copy n samples into the outbox's next slot: those of `index`, or without it the first ones. */
static void pack(batch *b, const ee_message_layout *out, const int *index, int n,
                 ee_follows follows) {
  const ee_segment *s     = b->segment;
  const ee_model   *model = s->context->setup->model;
  void             *slot  = ee_fan_slot_ahead(&s->fan, b->result->n_out);
  ee_message_begin(out, slot, n, s->ordered ? s->ceiling : s->watermark, follows);

  ee_message m = ee_message_view(out, slot, n);
  for (int k = 0; k < n; k++) {
    int i         = index != NULL ? index[k] : k;
    m.id[k]       = s->id[i];
    m.admitted[k] = s->admitted[i];
    memcpy(m.state + (size_t)k * out->state_bytes, s->state + (size_t)i * out->state_bytes,
           out->state_bytes);
  }
  unsigned char *to = m.values;
  for (int v = 0; v < out->n_values; v++) {
    int          value = out->value[v];
    size_t       one   = (size_t)ee_model_value_elements(model, value);
    const float *from  = ee_exec_value(s->exec, value);
    for (int k = 0; k < n; k++) {
      size_t i = (size_t)(index != NULL ? index[k] : k);
      to += ee_link_put(model, value, out->values, from + i * one, 1, to);
    }
  }
  b->work += n * ee_copy_work(s->context->setup, out->cut);
  b->result->out_bytes[b->result->n_out++] = ee_message_bytes(out, n);
}

/* When @p work of the batch is done: now, or on a modelled clock as that says. */
static int64_t time_at(const batch *b, double work) {
  int64_t modeled = b->start + ee_pacer_compute(b->segment->context->pacer, work, b->start);
  int64_t now     = now_of(b->segment);
  return modeled > now ? modeled : now;
}

/* When the latency limit of sample i is over. */
static int64_t limit_of(const batch *b, int i) {
  const ee_segment *s = b->segment;
  return ee_deadline_of(&s->context->deadline, s->id[i], s->admitted[i]);
}

/* Rank 0 has answered sample i, or will: it is not run any more. */
static void drop(batch *b, int i) {
  const ee_segment_context *c = b->segment->context;
  ee_counters_of(c->counters, b->segment->id[i])->left[mark_of(b->segment, i)->given - 1]++;
  c->totals->dropped++;
}

/* Leave out those whose limits were over before the batch began. */
static void drop_overdue(batch *b, int cut) {
  ee_segment *s      = b->segment;
  int         n_keep = 0;
  if (s->context->deadline.limit <= 0.0) return;
  for (int i = 0; i < b->n; i++) {
    if (mark_of(s, i)->given > 0 && b->start >= limit_of(b, i)) {
      drop(b, i);
    } else {
      s->keep[n_keep++] = i;
    }
  }
  keep_samples(b, cut, n_keep);
}

/* An exit, for the limits of the batch's samples. */
typedef struct limit_point {
  int64_t time;  // at which it answers
  int64_t next;  // before which nothing can come of a sample that goes on: it then is at the next
                 // exit here or, if there is none, leaves the device
  bool last;     // no exit follows here
} limit_point;

static limit_point point_at(const batch *b, int e) {
  const ee_segment   *s     = b->segment;
  const ee_run_setup *setup = s->context->setup;
  const ee_model     *model = setup->model;
  double              work  = b->work + b->n * ee_head_work(setup, e);
  bool                last  = e + 1 == model->n_exits || model->exit[e + 1].attach >= s->end;
  int                 end   = last ? s->end : model->exit[e + 1].attach + 1;
  limit_point         at    = {.time = time_at(b, work), .last = last};
  for (int l = model->exit[e].attach + 1; l < end; l++) work += ee_layer_work(setup, l);
  work += last ? ee_copy_work(setup, end) : ee_head_work(setup, e + 1);
  at.next = time_at(b, work);
  return at;
}

/* Sample i at an exit under a latency limit, when the policy has decided @p what: returns whether
 * it ends here.  It goes on only if something can come of it before its limit; when it leaves the
 * device, rank 0 gets what this exit said.  @p parts: it leaves at once if it is offloaded. */
static bool meet_limit(batch *b, const ee_exit_view *view, int i, const limit_point *at,
                       ee_decision what, bool parts, const float *logits) {
  ee_sample_mark *mark  = mark_of(b->segment, i);
  int64_t         limit = limit_of(b, i);
  bool            over = at->time >= limit, late = over && view->exit == 0;
  bool            now = parts && what == EE_OFFLOAD;
  if (over && mark->given > 0) {
    drop(b, i);
    return true;
  }
  bool ends = what == EE_LEAVE || over || (!now && at->next >= limit);
  ee_counters_of(b->segment->context->counters, view->id)->left[view->exit] += ends;
  if (ends) {
    int32_t way = late ? EE_WAY_LATE : what == EE_LEAVE ? EE_WAY_LEFT : EE_WAY_LIMIT;
    answer(b, view, i, way, logits);
  } else if (now || at->last) {
    answer(b, view, i, EE_ANSWER_WAITS, logits);
    mark->given = view->exit + 1;
  }
  return ends;
}

/* Exit e: who leaves is answered, who stays is moved to the front. */
static ee_status pass_exit(batch *b, int e) {
  ee_segment         *s     = b->segment;
  const ee_run_setup *setup = s->context->setup;
  head_outputs        out;
  ee_message_layout   part;
  int                 n_keep = 0, n_go = 0;
  bool                parts = ee_segment_part_layout(s, e, &part);
  EE_TRY(run_head(b, e, &out));
  limit_point at      = {0};
  bool        limited = s->context->deadline.limit > 0.0;
  if (limited) at = point_at(b, e);
  for (int i = 0; i < b->n; i++) {
    ee_exit_view     view   = view_of(b, e, i, &out);
    ee_epoch_counts *counts = ee_counters_of(s->context->counters, view.id);
    ee_decision      what   = decide(b, &view, mark_of(s, i));
    const float     *logits = logits_of(b, &out, i);
    counts->reached[e]++;
    if (limited) {
      if (meet_limit(b, &view, i, &at, what, parts, logits)) continue;
    } else if (what == EE_LEAVE) {
      counts->left[e]++;
      answer(b, &view, i, EE_WAY_LEFT, logits);
      continue;
    }
    if (parts && what == EE_OFFLOAD) {
      s->go[n_go++] = i;
    } else {
      s->keep[n_keep++] = i;  // without parts the chain is the way of those offloaded, too
    }
  }
  if (n_go > 0) pack(b, &part, s->go, n_go, EE_FOLLOWS_PART);
  b->work += b->n * ee_head_work(setup, e);
  trace_piece(b, EE_EVENT_HEAD, e, b->n);
  keep_samples(b, setup->model->exit[e].attach + 1, n_keep);
  return EE_OK;
}

static ee_status run_layers(batch *b, int from, int to) {
  const ee_run_setup *setup = b->segment->context->setup;
  if (from == to || b->n == 0) return EE_OK;
  if (setup->outcomes == NULL) EE_TRY(ee_exec_run_layers(b->segment->exec, from, to, b->n));
  for (int l = from; l < to; l++) b->work += b->n * ee_layer_work(setup, l);
  trace_piece(b, EE_EVENT_COMPUTE, from, b->n);
  return EE_OK;
}

/* All layers and exits of the segment, in order. */
static ee_status run_segment(batch *b) {
  const ee_segment *s     = b->segment;
  const ee_model   *model = s->context->setup->model;
  int               at    = s->entries.layout[s->entry].cut;
  bool              asked = at == s->in.cut;  // others were offloaded: only the last exit answers
  drop_overdue(b, at);
  for (int e = 0; e < model->n_exits && b->n > 0; e++) {
    int attach = model->exit[e].attach;
    if (attach < at || attach >= s->end || !(asked || e == model->n_exits - 1)) continue;
    EE_TRY(run_layers(b, at, attach + 1));
    at = attach + 1;
    EE_TRY(pass_exit(b, e));
  }
  return run_layers(b, at, s->end);
}

/* Count what the batch took, its copying out of messages included, and set when it may go on. */
static void account(const batch *b, int64_t now, int64_t end, ee_batch_result *result) {
  ee_segment       *s       = b->segment;
  int64_t           start   = now - s->taking;
  ee_device_totals *totals  = s->context->totals;
  int64_t           modeled = ee_pacer_compute(s->context->pacer, b->work, start);
  result->release           = start + modeled > end ? start + modeled : end;

  totals->batches++;
  totals->compute += end - start;
  totals->busy += result->release - start;
  if (modeled > 0 && end > start + modeled) {
    totals->late += end - start - modeled;
    totals->late_batches++;
  }
  ee_epoch_counts *counts = ee_counters_of(s->context->counters, result->first_id);
  counts->work += (int64_t)b->work;
  counts->busy += result->release - start;
}

ee_status ee_segment_run(ee_segment *s, int64_t now, ee_batch_result *result) {
  batch b = {.segment = s, .result = result, .n = s->filled, .clock = now, .start = now};
  *result =
      (ee_batch_result){.segment = s, .passed = s->watermark, .first_id = s->id[0], .n = s->filled};
  ee_answer_box_slot(s->context->answers, &b.answers);
  *b.answers.n = 0;

  b.work = b.n * ee_copy_work(s->context->setup, s->entries.layout[s->entry].cut);
  EE_TRY(run_segment(&b));
  bool whole = !s->ordered || s->ceiling == s->watermark;
  if (s->fan.n > 0 && (b.n > 0 || result->n_out > 0)) {
    pack(&b, &s->out, NULL, b.n, whole ? EE_FOLLOWS_BATCH : EE_FOLLOWS_PART);
  }
  result->news = s->fan.n > 0 && result->n_out == 0 && whole;
  s->filled    = 0;
  s->closed    = false;
  account(&b, now, now_of(s), result);
  s->taking = 0;
  return EE_OK;
}
