/* SPDX-License-Identifier: Apache-2.0 */
#include "run_trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/trace_file.h"

/* The runtime's records go on to the relay; answers are kept on the way. */
static void keep_answer(void *self, const ee_answer *answer, const float *logits, int n_classes) {
  ee_run_trace *t = self;
  if (t->n_answers < t->room) t->answer[t->n_answers++] = *answer;
  t->n_unsure += isnan(answer->confidence) != 0;
  if (t->relay == NULL) return;
  const ee_trace_sink *next = ee_trace_relay_sink(t->relay);
  next->answer(next->self, answer, logits, n_classes);
}

static void pass_event(void *self, const ee_event *event) {
  const ee_trace_sink *next = ee_trace_relay_sink(((ee_run_trace *)self)->relay);
  next->event(next->self, event);
}

static void keep_epoch(void *self, const ee_epoch_record *record) {
  ee_run_trace *t = self;
  ee_run_epochs_keep(&t->epochs, record);
  if (t->relay == NULL) return;
  const ee_trace_sink *next = ee_trace_relay_sink(t->relay);
  if (next->epoch != NULL) next->epoch(next->self, record);
}

static void pass_poll(void *self) {
  const ee_trace_sink *next = ee_trace_relay_sink(((ee_run_trace *)self)->relay);
  next->poll(next->self);
}

static void join_arguments(int argc, char **argv, char *text, size_t size) {
  size_t at = (size_t)snprintf(text, size, "edgeexit");
  for (int i = 0; i < argc && at < size; i++) {
    bool simulated = i == 0 && ee_clock_is_simulated();  // its ranks are told to run
    at += (size_t)snprintf(text + at, size - at, " %s", simulated ? "simulate" : argv[i]);
  }
}

static void describe_versions(const ee_backend *backend, char *text, size_t size) {
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int  length                              = 0;
  MPI_Get_library_version(mpi, &length);
  mpi[strcspn(mpi, ",\n")] = '\0';
  snprintf(text, size, "edgeexit %s; %s; backend %s", EE_VERSION, mpi, backend->name);
}

const ee_trace_team *ee_run_trace_team(const ee_run_trace *trace) {
  return trace->team.n_units > 0 ? &trace->team : NULL;
}

/* What the trace says of the units. */
static ee_status describe_team(const ee_run_options *o, const ee_units *units,
                               ee_trace_team *team) {
  if (units == NULL) return EE_OK;
  *team = (ee_trace_team){.bands    = o->team.bands.heights != NULL,
                          .computed = o->outcomes == NULL,
                          .n_lanes  = units->n_lanes,
                          .unit     = calloc((size_t)units->n, sizeof *team->unit)};
  if (team->unit == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d units in a trace", units->n);
  team->n_units = units->n;
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    ee_trace_unit *to   = &team->unit[u];
    to->device          = unit->device;
    to->lane            = unit->lane;
    to->stage           = unit->stage;
    to->exit            = unit->exit;
    snprintf(to->name, sizeof to->name, "%s", unit->name);
  }
  return EE_OK;
}

static ee_status create_file(ee_run_trace *t, const ee_run_options *o, const ee_run_inputs *in,
                             const ee_plan *plan, int argc, char **argv) {
  char command[2048], versions[512], host[256] = "";
  int  ranks;
  EE_MPI(MPI_Comm_size(t->comm, &ranks));
  join_arguments(argc, argv, command, sizeof command);
  describe_versions(in->backend, versions, sizeof versions);
  gethostname(host, sizeof host - 1);
  ee_trace_header header = {.command       = command,
                            .model_path    = o->model,
                            .data_path     = o->data != NULL ? o->data : o->outcomes,
                            .policy        = o->policy,
                            .clock         = ee_run_clock(in->fleet),
                            .host          = host,
                            .versions      = versions,
                            .fleet_text    = in->fleet_text != NULL ? in->fleet_text : "",
                            .seed          = o->seed,
                            .n_samples     = in->n_samples,
                            .n_ranks       = ranks,
                            .n_exits       = in->model->n_exits,
                            .n_classes     = in->model->n_classes,
                            .batch_limit   = ee_run_trace_team(t) == NULL ? o->batch : 1,
                            .epoch_samples = o->epoch,
                            .started       = ee_clock_wall(),
                            .n_layers      = in->model->n_layers,
                            .n_devices     = ranks,
                            .plan          = ee_run_trace_team(t) == NULL ? plan : NULL,
                            .team          = ee_run_trace_team(t),
                            .with_logits   = o->logits};
  return ee_trace_create(t->part, &header, &t->file);
}

/* On each node's rank 0: with several nodes each writes a part beside the master file. */
static ee_status open_own(ee_run_trace *t, const ee_run_options *o, const ee_run_inputs *in,
                          const ee_plan *plan, const ee_units *units, int argc, char **argv) {
  int node_rank;
  EE_MPI(MPI_Comm_rank(t->node, &node_rank));
  if (node_rank == 0) EE_TRY(describe_team(o, units, &t->team));
  if (t->rank == 0) {
    t->answer = malloc((size_t)(in->n_samples > 0 ? in->n_samples : 1) * sizeof *t->answer);
    t->room   = (int64_t)in->n_samples;
    if (t->answer == NULL) return EE_FAIL(EE_ERR_NOMEM, "for the answers");
  }
  if (t->path == NULL || node_rank != 0) return EE_OK;
  if (t->n_nodes == 1) {
    snprintf(t->part, sizeof t->part, "%s", t->path);
  } else {
    snprintf(t->part, sizeof t->part, "%s.part%d", t->path, t->index);
  }
  return create_file(t, o, in, plan, argc, argv);
}

ee_status ee_run_trace_open(MPI_Comm comm, const ee_run_options *options,
                            const ee_run_inputs *inputs, const ee_plan *plan, const ee_units *units,
                            int argc, char **argv, ee_run_trace *trace) {
  *trace = (ee_run_trace){.comm = comm, .node = MPI_COMM_NULL, .path = options->trace};
  EE_MPI(MPI_Comm_rank(comm, &trace->rank));
  ee_trace_nodes(comm, &trace->node, &trace->index, &trace->n_nodes);
  EE_TRY(ee_agree(comm, open_own(trace, options, inputs, plan, units, argc, argv), 0));

  trace->sink = (ee_trace_sink){.self = trace, .answer = keep_answer, .epoch = keep_epoch};
  if (trace->path == NULL) return EE_OK;
  EE_TRY(ee_agree(comm, ee_trace_relay_open(trace->node, &trace->file, &trace->relay), 0));
  trace->sink.event = pass_event;
  trace->sink.poll  = pass_poll;
  return EE_OK;
}

/* The master file names its parts as they stand beside it. */
static ee_status link_parts(const ee_run_trace *t) {
  if (t->path == NULL || t->n_nodes == 1 || t->rank != 0) return EE_OK;
  const char **part = calloc((size_t)t->n_nodes, sizeof *part);
  char(*name)[1024] = calloc((size_t)t->n_nodes, sizeof *name);
  ee_status status  = EE_OK;
  if (part == NULL || name == NULL) {
    status = EE_FAIL(EE_ERR_NOMEM, "for the trace's parts");
  } else {
    for (int i = 0; i < t->n_nodes; i++) {
      snprintf(name[i], sizeof name[i], "%s.part%d", t->path, i);
      part[i] = name[i];
    }
    status = ee_trace_link_parts(t->path, part, t->n_nodes);
  }
  free(part);
  free(name);
  return status;
}

/* Nothing more comes from ranks of this node that have died. */
static void lose_ranks(const ee_run_trace *t, ee_lifeline *lifeline) {
  MPI_Group all, node;
  if (t->relay == NULL || ee_lifeline_lost(lifeline, 0) < 0) return;
  EE_MPI(MPI_Comm_group(t->comm, &all));
  EE_MPI(MPI_Comm_group(t->node, &node));
  for (int i = 0; ee_lifeline_lost(lifeline, i) >= 0; i++) {
    int rank = ee_lifeline_lost(lifeline, i), here;
    EE_MPI(MPI_Group_translate_ranks(all, 1, &rank, node, &here));
    if (here != MPI_UNDEFINED) ee_trace_relay_lose(t->relay, here);
  }
  EE_MPI(MPI_Group_free(&all));
  EE_MPI(MPI_Group_free(&node));
}

ee_status ee_run_trace_close(ee_run_trace *trace, ee_lifeline *lifeline, MPI_Comm living) {
  ee_status status = EE_OK;
  lose_ranks(trace, lifeline);
  ee_trace_relay_close(&trace->relay);
  if (trace->file.self != NULL) status = ee_trace_close(&trace->file);
  if (trace->node != MPI_COMM_NULL) EE_MPI(MPI_Comm_free(&trace->node));
  if (status == EE_OK) status = link_parts(trace);
  return ee_agree(living != MPI_COMM_NULL ? living : trace->comm, status, 0);
}

void ee_run_trace_forget(ee_run_trace *trace) {
  free(trace->answer);
  free(trace->team.unit);
  ee_run_epochs_free(&trace->epochs);
  trace->answer = NULL;
  trace->team   = (ee_trace_team){.unit = NULL};
}
