/* SPDX-License-Identifier: Apache-2.0 */
/* The controller's part of the device loop: one sum per epoch, one rule, one plan on every rank. */
#include "ee/controller.h"

#include <math.h>
#include <stdlib.h>

#include "answer_period.h"
#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/log.h"
#include "migrate.h"
#include "mind.h"
#include "offload_cost.h"
#include "pause.h"
#include "sums.h"
#include "tree_sum.h"

#define SUM_INTEGERS 2048  // of the epochs in one sum together, unless one has more
#define SUM_EPOCHS 64      // in one sum

struct ee_controller {
  ee_device            *device;
  const ee_run_setup   *setup;
  ee_controller_options options;
  ee_controller_totals  totals;
  ee_sums               sums;
  ee_mind              *mind;             // on the simulated clock that of all ranks
  ee_migration         *migration;        // NULL: no move is under way
  ee_plan              *target;           // where it leads
  ee_pause              pause;            // of the stream, for a move that wants it
  bool                  started;          // layers travel in the pause
  bool                  pointless;        // the stream ends before the move could take effect
  ee_plan              *previous;         // the plan before the one in force; NULL: none
  uint64_t              last_switch;      // first id of the plan in force
  int64_t               n_epochs, epoch;  // in all; the next one to be summed
  int64_t               n_begun;          // sums begun
  int                   span;             // epochs in the sum under way, or the next one
  ee_tree_sum           adding;           // of `sums` over all ranks
  int64_t               sum_begun;        // [ns]
  bool                  ahead;            // the source does not wait for sums
  int64_t               answered;         // at the end of the last sum; rank 0
  ee_answer_period      answers;          // rank 0
};

/* What all ranks know of the rates at which they read the model file: a rank that read nothing is
 * taken to be as slow as the slowest.  On the simulated clock, where files take no time, nothing is
 * known. */
static void share_file_rates(ee_controller *c) {
  double *rate = c->mind->estimate.file_rate, least = 0.0;
  if (ee_clock_is_simulated()) return;
  EE_MPI(MPI_Allgather(&c->options.file_rate, 1, MPI_DOUBLE, rate, 1, MPI_DOUBLE,
                       ee_device_control_comm(c->device)));
  for (int d = 0; d < c->sums.n_devices; d++) {
    if (rate[d] > 0.0 && (least <= 0.0 || rate[d] < least)) least = rate[d];
  }
  for (int d = 0; d < c->sums.n_devices; d++) rate[d] = rate[d] > 0.0 ? rate[d] : least;
}

static ee_status open_parts(ee_controller *c) {
  int size;
  if (c->setup->offload && c->options.rebalance) {
    return EE_FAIL(EE_ERR_ARG, "with offloading the plan stays: rebalancing must be off");
  }
  EE_MPI(MPI_Comm_size(ee_device_control_comm(c->device), &size));
  int learned = (int)ee_device_learned_length(c->device), exits = c->setup->model->n_exits;
  c->ahead = !c->options.rebalance && learned == 0;  // nothing that is to come waits for a sum
  int most = c->ahead ? SUM_INTEGERS / ee_sums_length(exits, size, 0) : 1;
  if (c->ahead) ee_device_run_ahead(c->device);
  if (most > SUM_EPOCHS) most = SUM_EPOCHS;
  return ee_sums_open(exits, size, learned, most > 1 ? most : 1, &c->sums);
}

ee_status ee_controller_create(ee_device *device, const ee_controller_options *options,
                               ee_controller **controller) {
  *controller           = NULL;
  MPI_Comm       comm   = ee_device_control_comm(device);
  ee_controller *c      = calloc(1, sizeof *c);
  ee_status      status = c != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "for a controller");
  if (c != NULL) {
    const ee_run_setup *setup = ee_device_setup(device);
    uint64_t            n     = (uint64_t)setup->epoch_samples;
    *c                        = (ee_controller){.device   = device,
                                                .setup    = setup,
                                                .options  = *options,
                                                .span     = 1,
                                                .n_epochs = (int64_t)((setup->n_samples + n - 1) / n)};
    status                    = open_parts(c);
  }
  status = ee_agree(comm, status, options->rebalance);
  if (status == EE_OK) status = ee_mind_open(comm, c->setup, &c->mind);
  if (status == EE_OK) {
    status =
        ee_tree_sum_open(comm, ee_clock_is_simulated(), c->sums.length * c->sums.most, &c->adding);
    if (status != EE_OK) ee_mind_close(comm, &c->mind);
  }
  if (status == EE_OK) {
    share_file_rates(c);
    ee_pause_open(device, &c->pause);
  } else if (c != NULL) {
    ee_sums_close(&c->sums);
    free(c);
    c = NULL;
  }
  *controller = c;
  return status;
}

static uint64_t plan_hash(const ee_controller *c) {
  uint64_t hash = ee_plan_hash(ee_device_plan(c->device, NULL));
  return c->target != NULL ? hash ^ (ee_plan_hash(c->target) << 1) : hash;
}

/* The end of an epoch, in ids, where the stream may end first. */
static uint64_t epoch_end(const ee_controller *c, int64_t epoch) {
  uint64_t end = (uint64_t)(epoch + 1) * (uint64_t)c->setup->epoch_samples;
  return end < c->setup->n_samples ? end : c->setup->n_samples;
}

/* Add what is in the vectors. */
static void begin_adding(ee_controller *c) {
  ee_sums_select(&c->sums, 0);
  c->n_begun++;
  ee_tree_sum_begin(&c->adding, c->span * c->sums.length, c->sums.mine, c->sums.all);
}

/* Where nobody waits for sums, epochs that were admitted meanwhile are in the next one together. */
static void begin_sum(ee_controller *c) {
  bool    ready = c->migration != NULL && ee_migration_arrived(c->migration);
  int64_t last  = (int64_t)(ee_device_admitted(c->device) / (uint64_t)c->setup->epoch_samples);
  for (int i = c->span - 1; i >= 0; i--) {
    ee_sums_select(&c->sums, i);
    ee_sums_fill(&c->sums, c->device, c->epoch + i, ready, plan_hash(c));
  }
  if (ee_device_rank(c->device) == 0) ee_sums_set_next(&c->sums, last - c->epoch - c->span);
  c->sum_begun = ee_device_now(c->device);
  begin_adding(c);
}

/* What the sum says of the next one, which ends with the stream. */
static void note_span(ee_controller *c) {
  int64_t left = c->n_epochs - c->epoch - c->span;
  ee_sums_select(&c->sums, 0);
  c->span = ee_sums_next(&c->sums);
  if (c->span > left) c->span = left > 1 ? (int)left : 1;
}

/* The plan that the samples of the epoch that ended followed, and its number: after a switch was
 * decided the old one goes on for control_delay epochs. */
static const ee_plan *plan_counted(const ee_controller *c, int *plan_epoch) {
  uint64_t       first   = (uint64_t)c->epoch * (uint64_t)c->setup->epoch_samples;
  const ee_plan *current = ee_device_plan(c->device, plan_epoch);
  if (first >= c->last_switch) return current;
  (*plan_epoch)--;
  return c->previous;
}

static void trace_sum(const ee_controller *c) {
  ee_event event = {.rank     = ee_device_rank(c->device),
                    .kind     = EE_EVENT_ALLREDUCE,
                    .start    = c->sum_begun,
                    .end      = ee_device_now(c->device),
                    .first_id = (uint64_t)c->epoch * (uint64_t)c->setup->epoch_samples,
                    .bytes    = c->span * c->totals.sum_bytes,
                    .peer     = -1,
                    .layer    = -1};
  ee_device_plan(c->device, &event.plan_epoch);
  ee_device_trace_event(c->device, &event);
}

/* First id that a plan decided now can govern. */
static uint64_t next_switch(const ee_controller *c) {
  return (uint64_t)(c->epoch + 1 + c->setup->control_delay) * (uint64_t)c->setup->epoch_samples;
}

/* Every layer that moves from an owner or from the file, as all ranks find alike. */
static ee_status begin_migration(ee_controller *c, const ee_plan *plan) {
  const ee_plan *before = ee_device_plan(c->device, NULL);
  ee_transfers   transfers;
  EE_TRY(ee_transfers_open(&c->mind->estimate, c->options.weights, before, plan, &transfers));
  ee_status status = ee_migration_begin(c->device, &transfers, &c->migration);
  ee_transfers_close(&transfers);
  return status;
}

static ee_status adopt(ee_controller *c, const ee_plan *plan) {
  c->totals.adopted++;
  EE_TRY(ee_plan_copy(plan, &c->target));
  EE_TRY(ee_device_prepare(c->device, plan));
  EE_TRY(begin_migration(c, plan));
  return c->options.move == EE_MOVE_DRAIN ? EE_OK : ee_migration_start(c->migration);
}

/* The move is through on every rank, or nobody will follow it: forget it. */
static void end_move(ee_controller *c) {
  ee_migration_settle(c->migration);
  c->totals.moved_bytes += ee_migration_bytes(c->migration);
  ee_migration_destroy(&c->migration);
  ee_plan_destroy(&c->target);
}

/* The stream goes on after a pause: a move that it waited for is through on every rank. */
static void end_pause(ee_controller *c) {
  ee_pause_end(&c->pause);
  if (c->started) end_move(c);
  c->started = false;
}

/* The plan has changed: the layers are here, or come while the stream is held. */
static void pause_for_move(ee_controller *c, uint64_t switch_id) {
  if (c->options.move != EE_MOVE_LIVE) {
    ee_pause_begin(&c->pause, switch_id, c->options.move == EE_MOVE_DRAIN);
  }
  if (c->options.move != EE_MOVE_DRAIN) {
    end_move(c);
  } else {
    ee_plan_destroy(&c->target);  // it is the plan in force now
  }
}

/* A move is under way: switch if every rank is ready and enough of the stream is left. */
static ee_status advance_move(ee_controller *c, ee_decision_record *record, uint64_t *switch_id) {
  record->verdict = EE_VERDICT_KEPT_MOVING;
  bool ready      = c->options.move == EE_MOVE_DRAIN || ee_sums_all_ready(&c->sums);
  if (c->pause.active || c->pointless || !ready) return EE_OK;
  if (next_switch(c) >= c->setup->n_samples) {
    c->pointless = true;
    return EE_OK;
  }
  *switch_id      = next_switch(c);
  record->verdict = EE_VERDICT_SWITCHED;
  ee_plan_destroy(&c->previous);
  EE_TRY(ee_plan_copy(ee_device_plan(c->device, NULL), &c->previous));
  EE_TRY(ee_device_switch(c->device, *switch_id));
  c->last_switch = *switch_id;
  pause_for_move(c, *switch_id);
  ee_decider_switched(&c->mind->decider, &c->mind->estimate, ee_device_plan(c->device, NULL),
                      c->options.cooldown + c->setup->control_delay);
  c->totals.switched++;
  return EE_OK;
}

/* Why a better plan cannot be had, once for each stretch of epochs in which it is so. */
static void say_shortage(const ee_controller *c, const ee_decision_record *record) {
  bool again = c->mind->short_of_memory, now = record->verdict == EE_VERDICT_KEPT_MEMORY;
  c->mind->short_of_memory = now;
  if (again || !now || !c->options.rebalance ||
      (ee_device_rank(c->device) != 0 && !ee_clock_is_simulated()))
    return;
  ee_log(EE_LOG_INFO,
         "a better plan is left: device %d would need %.0f byte for layers and messages of both "
         "plans while they move, it has %.0f byte",
         record->shortage.device, record->shortage.needs, record->shortage.memory);
}

static ee_status decide(const ee_controller *c, ee_decision_record *record) {
  uint64_t next      = next_switch(c) + (uint64_t)c->setup->epoch_samples;  // ready takes an epoch
  double   remaining = next < c->setup->n_samples ? (double)(c->setup->n_samples - next) : 0.0;
  ee_plan_destroy(&record->best);
  EE_TRY(ee_decide(&c->mind->decider, &c->options, &c->mind->estimate,
                   ee_device_plan(c->device, NULL), remaining, record));
  say_shortage(c, record);
  // One switch at a time: the plan in force must govern some of what was summed.
  if (record->verdict == EE_VERDICT_ADOPTED && epoch_end(c, c->epoch) <= c->last_switch) {
    record->verdict = EE_VERDICT_KEPT_COOLING;
  }
  return EE_OK;
}

/* What the sums mean for the estimates and the plan, unless another rank has found out for all. */
static ee_status think(const ee_controller *c, const ee_plan *counted) {
  ee_mind *m     = c->mind;
  double   begin = ee_clock_effort();
  if (m->epochs > c->epoch) return EE_OK;
  ee_estimate_update(&m->estimate, &c->sums, counted);
  EE_TRY(decide(c, &m->newest));
  m->epochs++;
  m->seconds += ee_clock_effort() - begin;
  return EE_OK;
}

/* Rank 0 tells the trace. */
static ee_status record_epoch(ee_controller *c, const ee_decision_record *d, uint64_t switch_id,
                              const ee_plan *before, int plan_epoch) {
  const ee_trace_sink *sink    = c->setup->sink;
  uint64_t             first   = (uint64_t)c->epoch * (uint64_t)c->setup->epoch_samples;
  double               period  = c->answers.seconds;
  double               seconds = period * (double)(epoch_end(c, c->epoch) - first);
  if (sink == NULL || sink->epoch == NULL || ee_device_rank(c->device) != 0) return EE_OK;

  double *busy = calloc((size_t)c->sums.n_devices, sizeof *busy);
  if (busy == NULL) return EE_FAIL(EE_ERR_NOMEM, "for an epoch's record");
  for (int d2 = 0; d2 < c->sums.n_devices && seconds > 0.0; d2++) {
    busy[d2] = (double)ee_sums_device(&c->sums, d2, EE_SUM_BUSY) * 1e-9 / seconds;
  }
  ee_epoch_record record = {
      .epoch             = (int32_t)c->epoch,
      .verdict           = (int32_t)d->verdict,
      .plan_epoch        = plan_epoch,
      .time              = ee_device_now(c->device),
      .switch_id         = switch_id,
      .period_measured   = period,
      .period_predicted  = d->period_now,
      .period_best       = d->period_best,
      .by_latency        = d->by_latency,
      .latency_predicted = d->latency_now,
      .latency_best      = d->latency_best,
      .moved_bytes       = d->moved_bytes,
      .offload_cost      = ee_device_offload_cost(c->device, c->epoch),
      .n_exits           = c->sums.n_exits,
      .n_devices         = c->sums.n_devices,
      .left              = ee_sums_left(&c->sums),
      .reached           = ee_sums_reached(&c->sums),
      .busy              = busy,
      .before            = before,
      .after             = d->best,
  };
  sink->epoch(sink->self, &record);
  free(busy);
  return EE_OK;
}

/* In the unit of the policy's costs; NaN if it is not to be measured. */
static double measured_offload_cost(const ee_controller *c, const ee_plan *plan) {
  double layer_cost = c->options.offload_layer_cost;
  return layer_cost > 0.0
             ? ee_offload_cost_of(&c->mind->estimate, plan, c->setup->offload, layer_cost)
             : NAN;
}

/* An epoch is summed: what does it mean, and what follows? */
static ee_status end_epoch(ee_controller *c) {
  uint64_t switch_id = 0;
  ee_plan *before    = NULL;
  int      plan_epoch;
  if (!ee_sums_same_hash(&c->sums, plan_hash(c))) {
    return EE_FAIL(EE_ERR_MISMATCH, "ranks hold different plans after epoch %lld",
                   (long long)c->epoch);
  }
  EE_TRY(ee_plan_copy(plan_counted(c, &plan_epoch), &before));
  if (c->pause.active && epoch_end(c, c->epoch) > c->pause.at) end_pause(c);
  ee_status          status  = think(c, before);
  ee_decision_record record  = c->mind->newest;
  c->totals.period_predicted = record.period_now;
  c->totals.seconds          = c->mind->seconds;
  ee_device_teach(c->device, ee_sums_learned(&c->sums), measured_offload_cost(c, before));
  if (status == EE_OK && c->migration != NULL) status = advance_move(c, &record, &switch_id);
  if (status == EE_OK && record.verdict == EE_VERDICT_ADOPTED) status = adopt(c, record.best);
  if (status == EE_OK) status = record_epoch(c, &record, switch_id, before, plan_epoch);

  ee_plan_destroy(&before);
  c->epoch++;
  c->totals.epochs++;
  ee_device_epochs_known(c->device, c->epoch);
  return status;
}

/* Sums that fall behind the answers speak of samples that were answered long before. */
static void look_at_answers(ee_controller *c) {
  uint64_t first    = (uint64_t)c->epoch * (uint64_t)c->setup->epoch_samples;
  int64_t  samples  = (int64_t)(epoch_end(c, c->epoch + c->span - 1) - first);
  int64_t  answered = ee_device_answered(c->device);
  if (c->ahead) samples = answered - c->answered;
  c->answered = answered;
  ee_answer_period_look(&c->answers, samples, ee_device_latest_answer(c->device));
}

/* The sum is complete. */
static ee_status end_sum(ee_controller *c) {
  int span            = c->span;
  c->totals.sum_bytes = (int64_t)c->sums.length * (int64_t)sizeof *c->sums.mine;
  c->totals.sum_ns += ee_device_now(c->device) - c->sum_begun;
  trace_sum(c);
  look_at_answers(c);
  note_span(c);
  for (int i = 0; i < span; i++) {
    ee_sums_select(&c->sums, i);
    EE_TRY(end_epoch(c));
  }
  return EE_OK;
}

/* Let layers come in; at the end of the stream give up a move that did not take effect. */
static ee_status step_move(ee_controller *c, bool *busy) {
  if (c->epoch == c->n_epochs) ee_migration_abandon(c->migration);
  EE_TRY(ee_migration_step(c->migration, busy));
  if (c->epoch < c->n_epochs || !ee_migration_finished(c->migration)) return EE_OK;
  ee_device_unprepare(c->device);
  end_move(c);
  return EE_OK;
}

/* The stream is held for a move: the layers travel once it has drained. */
static ee_status step_pause(ee_controller *c, bool *busy) {
  if (c->pause.waits && ee_pause_drained(&c->pause)) {
    if (!c->started) EE_TRY(ee_migration_start(c->migration));
    c->started = true;
    EE_TRY(ee_migration_step(c->migration, busy));
    if (ee_migration_arrived(c->migration)) ee_pause_ready(&c->pause);
  }
  ee_pause_step(&c->pause);
  if (c->pause.active) return EE_OK;
  *busy = true;  // the source, which had its turn before, may go on: nobody must wait now
  end_pause(c);
  return EE_OK;
}

static ee_status step(void *self, bool *busy) {
  ee_controller *c = self;
  if (c->pause.active) EE_TRY(step_pause(c, busy));
  if (ee_tree_sum_active(&c->adding)) {
    if (ee_tree_sum_test(&c->adding)) {
      *busy = true;
      EE_TRY(end_sum(c));
    }
  } else if (c->epoch < c->n_epochs &&
             ee_device_passed(c->device) >= epoch_end(c, c->epoch + c->span - 1)) {
    *busy = true;
    begin_sum(c);
  }
  return c->migration != NULL && !c->pause.active ? step_move(c, busy) : EE_OK;
}

static bool done(const void *self) {
  const ee_controller *c = self;
  return c->epoch == c->n_epochs && c->migration == NULL;
}

static bool await(void *self, ee_waiter *waiter) {
  ee_controller *c = self;
  if (c->migration != NULL) ee_migration_await(c->migration, waiter);
  ee_pause_await(&c->pause, waiter);
  return ee_tree_sum_await(&c->adding, waiter);
}

ee_control_hooks ee_controller_hooks(ee_controller *controller) {
  return (ee_control_hooks){.self = controller, .step = step, .done = done, .await = await};
}

const ee_controller_totals *ee_controller_totals_of(const ee_controller *controller) {
  return &controller->totals;
}

/* After a fault ranks may have begun different numbers of sums; those behind begin the rest, so
 * that none is left open. */
static void complete_sums(ee_controller *c, int64_t most) {
  if (ee_tree_sum_active(&c->adding)) {
    ee_tree_sum_wait(&c->adding);
    note_span(c);
  }
  while (c->n_begun < most) {
    begin_adding(c);
    ee_tree_sum_wait(&c->adding);
  }
}

static bool weights_sent(void *self) {
  ee_controller *c = self;
  return c->migration == NULL || ee_migration_sent(c->migration);
}

/* What is under way must end before its buffers do. */
static void complete(ee_controller *c) {
  int64_t  mine[3] = {c->n_begun, c->migration != NULL, c->pause.n_words}, most[3];
  MPI_Comm comm    = ee_device_control_comm(c->device);
  EE_MPI(MPI_Allreduce(mine, most, 3, MPI_INT64_T, MPI_MAX, comm));
  complete_sums(c, most[0]);
  ee_pause_complete(&c->pause, most[2]);
  if (most[1] != 0) ee_drain(ee_device_weights_comm(c->device), weights_sent, c);
}

void ee_controller_destroy(ee_controller **controller) {
  ee_controller *c = *controller;
  if (c == NULL) return;
  complete(c);
  ee_tree_sum_close(&c->adding);
  ee_pause_close(&c->pause);
  ee_migration_destroy(&c->migration);
  ee_plan_destroy(&c->previous);
  ee_plan_destroy(&c->target);
  ee_mind_close(ee_device_control_comm(c->device), &c->mind);
  ee_sums_close(&c->sums);
  free(c);
  *controller = NULL;
}
