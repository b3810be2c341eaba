/* SPDX-License-Identifier: Apache-2.0 */
/* edgeexit run: reads the inputs, makes the first plan, runs device and controller, sums up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "dead_rank.h"
#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/fleet_file.h"
#include "ee/log.h"
#include "exit_shares.h"
#include "interrupt.h"
#include "launch.h"
#include "run_epoch.h"
#include "run_inputs.h"
#include "run_options.h"
#include "run_summary.h"
#include "run_trace.h"
#include "start_alarm.h"
#include "team_run.h"

static ee_status read_layer(void *self, int layer, float **blob) {
  ee_run_inputs *in    = self;
  int64_t        begin = ee_clock_ns();
  EE_TRY(ee_model_file_read_layer(in->model_file, layer, blob));
  in->read_seconds += (double)(ee_clock_ns() - begin) * 1e-9;
  in->read_bytes += (double)in->model->layer[layer].weight_bytes;
  return EE_OK;
}

static ee_run_setup make_setup(const ee_run_options *o, ee_run_inputs *in) {
  return (ee_run_setup){.model          = in->model,
                        .backend        = in->backend,
                        .policy         = in->policy,
                        .outcomes       = in->outcomes,
                        .offload_costs  = &in->offload.changes,
                        .whole_blocks   = o->whole_blocks,
                        .max_period     = o->max_period,
                        .fleet          = in->fleet,
                        .host_flops     = in->host_flops,
                        .link_bandwidth = in->links,
                        .by_seconds     = ee_counts_seconds(in->model, in->fleet),
                        .layers         = {.self = in, .read = read_layer},
                        .source         = {.self = &in->stream, .read = ee_stream_read},
                        .label          = in->stream.label,
                        .n_samples      = in->n_samples,
                        .offload        = o->offload,
                        .batch_limit    = o->batch,
                        .slots          = o->slots,
                        .epoch_samples  = o->epoch,
                        .control_delay  = o->control_delay,
                        .merge_wait     = o->merge_wait * 1e-3,
                        .rate           = o->rate,
                        .latency_limit  = o->latency_limit,
                        .with_logits    = o->logits};
}

static void say_idle(const ee_run_setup *setup, int size) {
  char text[512];
  int  idle = size - ee_plan_devices_used(setup->plan);
  if (idle == 0) return;
  ee_log(EE_LOG_INFO, "%d of %d devices have no layers in the first plan: %s", idle, size,
         ee_plan_text(setup->plan, text, sizeof text));
}

/* Device and controller, from creation to the end of the stream.  Collective. */
static ee_status run_stream(MPI_Comm comm, const ee_run_options *o, const ee_run_setup *setup,
                            ee_run_outcome *outcome) {
  ee_controller_options options    = ee_controller_defaults();
  ee_device            *device     = NULL;
  ee_controller        *controller = NULL;
  options.rebalance                = o->rebalance;
  options.rule                     = ee_rule_by_name(o->rule);
  options.seed                     = o->seed;
  options.move                     = (ee_move_mode)ee_move_mode_by_name(o->move);
  options.min_gain                 = o->min_gain;
  options.error_bars               = o->error_bars;
  options.hold                     = o->hold;
  options.near                     = o->near;
  options.cooldown                 = o->cooldown;
  options.planner                  = ee_planner_by_name(o->planner);
  options.weights                  = (ee_weights)ee_weights_by_name(o->weights);
  if (o->look_every > 0) options.look_every = o->look_every;
  if (o->offload_cost != NULL && strcmp(o->offload_cost, "link") == 0)
    options.offload_layer_cost = o->lambda;

  EE_TRY(ee_device_create(comm, setup, &device));
  const ee_run_inputs *in = setup->layers.self;
  if (in->read_seconds > 0.0) options.file_rate = in->read_bytes / in->read_seconds;
  ee_status status = ee_controller_create(device, &options, &controller);
  if (status == EE_OK) {
    ee_control_hooks hooks = ee_controller_hooks(controller);
    status                 = ee_device_run(device, &hooks);
    ee_run_outcome_gather(comm, ee_device_totals_of(device), NULL, outcome);
    ee_run_outcome_control(comm, ee_controller_totals_of(controller), outcome);
  }
  ee_controller_destroy(&controller);
  ee_device_destroy(&device);
  return status;
}

/* How far the run came, as rank 0 knows. */
static ee_status say_interrupted(const ee_run_setup *setup, const ee_run_trace *trace) {
  return EE_FAIL(EE_ERR_INTERRUPTED, "interrupted: %lld of %llu samples were answered%s%s",
                 (long long)trace->n_answers, (unsigned long long)setup->n_samples,
                 trace->path != NULL ? ", which are in " : "",
                 trace->path != NULL ? trace->path : "");
}

/* Whether this run was interrupted; on the simulated clock the same flag for all ranks, so that the
 * next one that wakes, in whatever time, ends it.  Collective. */
static const volatile sig_atomic_t *stop_flag(MPI_Comm comm) {
  const volatile sig_atomic_t *mine = ee_interrupt_flag();
  return ee_clock_is_simulated() ? ee_pointer_of_rank_0(comm, (void *)(uintptr_t)mine) : mine;
}

/* Everything between reading the inputs and closing the trace.  Collective. */
static ee_status run_traced(MPI_Comm comm, const ee_run_options *o, ee_run_inputs *in,
                            ee_run_setup *setup, const ee_units *units, int argc, char **argv) {
  ee_run_trace   trace;
  ee_run_outcome outcome = {.lifeline = setup->lifeline, .living = MPI_COMM_NULL};
  int            rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  setup->stop      = stop_flag(comm);
  ee_status status = ee_run_trace_open(comm, o, in, setup->plan, units, argc, argv, &trace);
  if (status == EE_OK) {
    setup->sink = &trace.sink;
    if (rank == 0 && units == NULL) say_idle(setup, size);
    status = units != NULL
                 ? ee_run_team(comm, o, setup, in->has_share ? in->share : NULL, units, &outcome)
                 : run_stream(comm, o, setup, &outcome);
  }
  if (status == EE_ERR_INTERRUPTED) status = say_interrupted(setup, &trace);
  ee_status closed = ee_run_trace_close(&trace, setup->lifeline, outcome.living);
  if (status == EE_OK) status = closed;
  if (rank == 0 && outcome.device != NULL) {
    ee_run_summary_print(o, in, setup, &trace, &outcome, status == EE_OK);
  }
  ee_run_outcome_free(&outcome);
  ee_run_trace_forget(&trace);
  return status;
}

/* What was chosen, and what it was chosen for. */
static void say_choice(const ee_run_setup *setup, const ee_link_choice *choice) {
  const double *period    = choice->period;
  char          bytes[64] = "", cuts[128] = "";
  if (!isnan(period[EE_LINK_I8]))
    snprintf(bytes, sizeof bytes, ", %.4g with 8 where allowed", period[EE_LINK_I8] * 1e3);
  for (int c = 0; c <= setup->model->n_layers && choice->int8_at != NULL; c++) {
    size_t n = strlen(cuts);
    if (choice->int8_at[c]) snprintf(cuts + n, sizeof cuts - n, ", 8 at cut %d", c);
  }
  ee_log(EE_LOG_INFO, "values on links have %d bits%s: %.4g ms per sample with 32, %.4g with 16%s",
         choice->values == EE_LINK_F16 ? 16 : 32, cuts, period[EE_LINK_F32] * 1e3,
         period[EE_LINK_F16] * 1e3, bytes);
}

/* As told, or as the plan is faster by; @p plan is the one that was given, or NULL. */
static ee_status choose_link_values(const ee_run_options *o, const ee_plan *plan, int rank,
                                    int size, ee_run_inputs *in, ee_run_setup *setup) {
  ee_link_wish   wish = {.planner = ee_planner_by_name(o->planner),
                         .plan    = plan,
                         .share   = in->has_share ? in->share : NULL};
  ee_link_choice choice;
  EE_TRY(ee_link_losses(&o->link, o->exits, o->policy, in->model, &in->loss));
  ee_status status = ee_link_options_apply(&o->link, in->loss, size, &wish, setup, &choice);
  bool      chosen = strcmp(o->link.values, "auto") == 0;
  if (status == EE_OK && rank == 0 && chosen) say_choice(setup, &choice);
  in->int8_at = choice.int8_at;
  return status;
}

/* Of devices that are alike it matters only where seconds are compared with others. */
static void say_assumption(const ee_run_options *o, const ee_run_inputs *in) {
  char text[1024];
  if (in->links == NULL && o->max_period <= 0.0) return;
  const char *said = ee_assumed_speed(o->model, in->model, in->fleet, text, sizeof text);
  if (said != NULL) ee_log(EE_LOG_INFO, "%s", said);
}

/* How values cross links, and the plan to begin with, as every rank finds them. */
static ee_status plan_alone(const ee_run_options *o, ee_run_inputs *in, int rank, int size,
                            ee_run_setup *setup, ee_plan **plan) {
  const double *share = in->has_share ? in->share : NULL;
  EE_TRY(ee_parse_cuts(o->cuts, in->model->n_layers, size, plan));
  EE_TRY(choose_link_values(o, *plan, rank, size, in, setup));
  if (*plan != NULL) return EE_OK;
  EE_TRY(ee_hint_at_shares(
      ee_first_plan(setup, size, ee_planner_by_name(o->planner), share, plan, NULL), share));
  if (rank == 0) say_assumption(o, in);
  return EE_OK;
}

/* The same; on the simulated clock, where all ranks are in one process, rank 0 plans for thousands.
 * Collective. */
static ee_status make_plan(MPI_Comm comm, const ee_run_options *o, ee_run_inputs *in,
                           ee_run_setup *setup, ee_plan **plan) {
  int       rank, size;
  ee_status status = EE_OK;
  bool      shared = ee_clock_is_simulated();
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  if (rank == 0 || !shared) status = plan_alone(o, in, rank, size, setup, plan);
  setup->plan = *plan;
  status      = ee_agree(comm, status, 0);
  if (status != EE_OK || !shared) return status;

  const ee_run_setup *first = ee_pointer_of_rank_0(comm, setup);
  setup->link_values        = first->link_values;
  setup->int8_at            = first->int8_at;
  if (rank != 0) status = ee_plan_copy(first->plan, plan);
  setup->plan = *plan;
  return ee_agree(comm, status, 0);
}

/* The same for samples that are on several devices at once.  Collective. */
static ee_status place_units(MPI_Comm comm, const ee_run_options *o, ee_run_inputs *in,
                             ee_run_setup *setup, ee_units **units, ee_plan **plan) {
  int size;
  EE_MPI(MPI_Comm_size(comm, &size));
  const double *share  = in->has_share ? in->share : NULL;
  ee_status     status = ee_run_units(o, setup, share, size, units, &in->placed);
  if (status == EE_OK) status = ee_run_units_plan(*units, size, plan);
  setup->plan = *plan;
  return ee_agree(comm, status, 0);
}

/* Unless the user said how long epochs are. */
static ee_status choose_epoch(MPI_Comm comm, const ee_run_inputs *in, ee_run_setup *setup,
                              bool team, int *epoch) {
  ee_status status = EE_OK;
  if (*epoch == 0 && team) *epoch = EE_EPOCH_LEAST;
  if (*epoch == 0) status = ee_run_epoch(comm, setup, in->has_share ? in->share : NULL, epoch);
  setup->epoch_samples = *epoch;
  return status;
}

static ee_status run_world(MPI_Comm comm, const ee_run_options *o, ee_lifeline *lifeline, int argc,
                           char **argv) {
  ee_run_inputs in;
  EE_TRY(ee_run_inputs_open(comm, o, &in));

  ee_run_setup setup = make_setup(o, &in);
  setup.lifeline     = lifeline;
  if (in.links != NULL) setup.link_latency = in.links + in.n_links;
  ee_plan  *plan   = NULL;
  ee_units *units  = NULL;
  ee_status status = ee_team_is_wished(&o->team) ? place_units(comm, o, &in, &setup, &units, &plan)
                                                 : make_plan(comm, o, &in, &setup, &plan);
  ee_run_options told = *o;
  if (status == EE_OK) status = choose_epoch(comm, &in, &setup, units != NULL, &told.epoch);
  if (status == EE_OK) status = run_traced(comm, &told, &in, &setup, units, argc, argv);
  ee_units_destroy(&units);
  ee_plan_destroy(&plan);
  ee_run_inputs_close(&in);
  return status;
}

/* How many ranks are wanted, when no launcher has started any. */
static ee_status wanted_devices(const ee_run_options *o, int *devices) {
  ee_fleet *fleet = NULL;
  *devices        = o->devices > 0 ? o->devices : 1;
  if (o->devices > 0 || o->fleet == NULL) return EE_OK;
  EE_TRY(ee_fleet_load(o->fleet, &fleet));
  *devices = fleet->n_devices;
  ee_fleet_destroy(&fleet);
  return EE_OK;
}

/* Run the ranks that are wanted, unless one is enough, which is this process: *code is then -1. */
static ee_status launch(const ee_run_options *o, int argc, char **argv, int *code) {
  int devices;
  *code = -1;
  EE_TRY(wanted_devices(o, &devices));
  bool survive = ee_team_is_wished(&o->team) && isfinite(o->team.late);
  return devices > 1 ? ee_launch(devices, survive, o->trace, argc, argv, code) : EE_OK;
}

/* MPI's own end would wait for the dead. */
static void end_mpi(ee_lifeline **lifeline, int rank, int code) {
  bool lost = ee_lifeline_lost(*lifeline, 0) >= 0;
  for (int i = 0; ee_lifeline_lost(*lifeline, i) >= 0; i++) {
    ee_dead_rank_kill(ee_lifeline_lost(*lifeline, i));
  }
  fflush(NULL);
  ee_lifeline_close(lifeline);
  ee_dead_rank_forget();
  if (rank == 0) ee_launch_tell(code);
  if (lost) _exit(code);
  EE_MPI(MPI_Finalize());
}

int ee_app_run(int argc, char **argv) {
  ee_run_options o;
  bool           help = false;
  int            rank;
  ee_lifeline   *lifeline = NULL;
  ee_status      status   = ee_run_options_parse(argc, argv, &o, &help);
  if (help) return ee_app_finish(EE_OK);
  if (!ee_launched()) {
    int code = -1;
    if (status == EE_OK) status = launch(&o, argc, argv, &code);
    if (status != EE_OK || code >= 0) return status == EE_OK ? code : ee_app_finish(status);
  }

  ee_launch_settings();
  if (ee_lifeline_is_needed()) ee_start_alarm();
  int threads;  // one calls MPI; that of a lifeline does not
  EE_MPI(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads));
  EE_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  ee_log_set_rank(rank);
  // All ranks of a simulation are in one process, and ask rank 0's flag.
  if (rank == 0 || !ee_clock_is_simulated()) ee_interrupt_watch();
  // A rank that ends early takes the others with it: even a wrong command line is agreed on.
  status = ee_agree(MPI_COMM_WORLD, status, 0);
  if (status == EE_OK && ee_lifeline_is_needed()) {
    status = ee_lifeline_open(MPI_COMM_WORLD, ee_dead_rank_last_words, &lifeline);
  }
  ee_start_alarm_stop();
  if (status == EE_OK) status = ee_run_options_same(MPI_COMM_WORLD, &o);
  if (status == EE_OK) status = ee_dead_rank_watch(MPI_COMM_WORLD, lifeline != NULL, o.trace);
  if (status == EE_OK) status = run_world(MPI_COMM_WORLD, &o, lifeline, argc, argv);
  int code = rank == 0 ? ee_app_finish(status) : ee_app_exit_code(status);
  end_mpi(&lifeline, rank, code);
  return code;
}
