/* SPDX-License-Identifier: Apache-2.0 */
#include "run_inputs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collapse.h"
#include "ee/agree.h"
#include "ee/clock.h"
#include "ee/controller.h"
#include "ee/exits_file.h"
#include "ee/fleet_file.h"
#include "ee/log.h"
#include "ee/same_kernels.h"
#include "exit_match.h"
#include "exit_shares.h"
#include "fallback.h"
#include "profiled.h"
#include "same_file.h"
#include "tuned.h"
#include "whole.h"

double ee_profiled_flops(const ee_model *model) {
  double flops = 0.0, seconds = 0.0;
  for (int l = 0; l < model->n_layers; l++) {
    flops += model->layer[l].flops;
    seconds += model->layer[l].seconds;
  }
  return seconds > 0.0 ? flops / seconds : 0.0;
}

bool ee_counts_seconds(const ee_model *model, const ee_fleet *fleet) {
  return ee_profiled_flops(model) > 0.0 && (fleet == NULL || ee_fleet_is_relative(fleet));
}

const char *ee_assumed_speed(const char *path, const ee_model *model, const ee_fleet *fleet,
                             char *text, size_t size) {
  if (fleet != NULL || ee_profiled_flops(model) > 0.0) return NULL;
  snprintf(text, size,
           "%s was never profiled: %g GFLOP/s are assumed; 'edgeexit profile %s' measures them",
           path, EE_ASSUMED_FLOPS * 1e-9, path);
  return text;
}

const char *ee_run_clock(const ee_fleet *fleet) {
  if (ee_clock_is_simulated()) return "simulated";
  return fleet != NULL ? "paced" : "real";
}

bool ee_fleet_is_relative(const ee_fleet *fleet) {
  for (int d = 0; d < fleet->n_devices; d++) {
    if (fleet->device[d].flops <= 0.0) return true;
  }
  return false;
}

/* The whole of a text file that has been read before; NULL if it cannot be kept. */
static char *read_text(const char *path) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return NULL;
  char *text = NULL;
  if (fseek(file, 0, SEEK_END) == 0) {
    long size = ftell(file);
    rewind(file);
    text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    if (text != NULL) text[fread(text, 1, (size_t)size, file)] = '\0';
  }
  fclose(file);
  return text;
}

/* The files that may be large, and are only read. */
static ee_status open_files(const ee_run_options *o, ee_run_inputs *in) {
  const char *read[] = {o->model, o->data, o->fleet, o->outcomes, o->exits, o->offload_cost};
  for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
    EE_TRY(ee_refuse_same_file(read[i], o->trace));
  EE_TRY(ee_link_options_refuse_same_file(&o->link, o->trace));
  EE_TRY(ee_model_file_open(o->model, &in->model_file));
  if (o->fleet != NULL) {
    int rank;
    EE_MPI(MPI_Comm_rank(in->comm, &rank));
    EE_TRY(ee_fleet_load(o->fleet, &in->fleet));
    EE_TRY(ee_leave_collapsed(rank == 0, o->rebalance, in->fleet));
    in->fleet_text = read_text(o->fleet);
    for (int i = 0; i < in->fleet->n_traces; i++)
      EE_TRY(ee_refuse_same_file(in->fleet->trace[i]->path, o->trace));
  }
  return o->outcomes != NULL ? ee_exits_load(o->outcomes, &in->outcomes) : EE_OK;
}

/* The same on the simulated clock, where all ranks are in one process, and may be thousands: rank 0
 * opens the files for all.  Collective. */
static ee_status open_files_for_all(const ee_run_options *o, ee_run_inputs *in) {
  int rank;
  EE_MPI(MPI_Comm_rank(in->comm, &rank));
  EE_TRY(ee_agree(in->comm, rank == 0 ? open_files(o, in) : EE_OK, 0));
  const ee_run_inputs *first = ee_pointer_of_rank_0(in->comm, in);
  in->model_file             = first->model_file;
  in->fleet                  = first->fleet;
  in->fleet_text             = first->fleet_text;
  in->outcomes               = first->outcomes;
  in->borrowed               = rank != 0;
  return EE_OK;
}

static ee_status check_fleet(const ee_run_options *o, int size, ee_run_inputs *in) {
  in->host_flops = ee_profiled_flops(in->model);
  if (in->fleet == NULL) return EE_OK;
  if (in->fleet->n_devices != size) {
    return EE_FAIL(EE_ERR_ARG, "%s has %d devices, but the run has %d", o->fleet,
                   in->fleet->n_devices, size);
  }
  if (in->host_flops <= 0.0 && ee_fleet_is_relative(in->fleet)) {
    return EE_FAIL(EE_ERR_ARG,
                   "%s gives speeds relative to this host, but %s was never profiled here; "
                   "'edgeexit profile %s' first",
                   o->fleet, o->model, o->model);
  }
  return EE_OK;
}

/* Make the policy, which may fit itself to the table of --exits. */
static ee_status create_policy(const ee_run_options *o, ee_policy_setting *setting,
                               ee_policy **policy) {
  ee_exit_table *table = NULL;
  if (o->exits != NULL) EE_TRY(ee_exits_load(o->exits, &table));
  setting->table   = table;
  ee_status status = ee_policy_create(o->policy, setting, policy);
  ee_exit_table_destroy(&table);
  return status;
}

/* The policy's keys may set other prices of a layer and of offloading. */
static ee_status make_policy(const ee_run_options *o, ee_run_inputs *in) {
  const ee_model *m    = in->model;
  in->offload.constant = 0.5;
  EE_TRY(ee_offload_costs_read(o->offload_cost, true, &in->offload));
  int *layers = malloc((size_t)m->n_exits * sizeof *layers);
  if (layers == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", m->n_exits);
  for (int e = 0; e < m->n_exits; e++) layers[e] = m->exit[e].attach + 1;
  ee_policy_costs   costs = {.layer = o->lambda, .offload = in->offload.constant, .layers = layers};
  ee_policy_setting setting = {
      .n_exits = m->n_exits, .n_classes = m->n_classes, .seed = o->seed, .costs = &costs};
  if (in->outcomes != NULL) {
    setting.lacks = ee_exit_table_lacks(in->outcomes);
  } else if (!ee_model_has_scores(m)) {
    setting.lacks = EE_NEEDS_SCORE;
  }
  ee_status status = create_policy(o, &setting, &in->policy);
  free(layers);
  return status;
}

/* What every rank makes for itself. */
static ee_status open_own(const ee_run_options *o, int size, ee_run_inputs *in) {
  EE_TRY(ee_choose_backend(o->backend, &in->backend));
  in->model = ee_model_file_model(in->model_file);
  if (in->outcomes != NULL) EE_TRY(ee_match_table(o->outcomes, in->outcomes, in->model));
  in->share = calloc((size_t)in->model->n_exits, sizeof *in->share);
  if (in->share == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d exits", in->model->n_exits);
  EE_TRY(ee_parse_shares(o->shares, in->model->n_exits, in->share, &in->has_share));
  if (o->exits != NULL) {
    EE_TRY(ee_exit_shares(o->exits, o->policy, in->model, in->share));
    in->has_share = true;
  }
  EE_TRY(check_fleet(o, size, in));
  if (o->devices > 0 && o->devices != size) {
    return EE_FAIL(EE_ERR_USAGE, "--devices is %d, but %d ranks were started", o->devices, size);
  }
  return make_policy(o, in);
}

/* Tables of other networks may look alike. */
static ee_status check_networks(const ee_run_options *o, const ee_run_inputs *in) {
  const char *table[] = {o->outcomes, o->exits};
  for (int i = 0; i < 2; i++) {
    if (table[i] == NULL) continue;
    EE_TRY(ee_match_network(table[i], o->model));
    EE_TRY(ee_say_other_backend(table[i], in->model, in->backend));
  }
  return EE_OK;
}

/* Outcomes of other data would be counted as answers to these. */
static ee_status check_labels(const ee_run_options *o, const ee_run_inputs *in) {
  const ee_exit_table *t = in->outcomes;
  if (t == NULL || t->label == NULL || in->stream.label == NULL) return EE_OK;
  for (int64_t i = 0; i < in->stream.n && i < t->n; i++) {
    int32_t told = t->label[i], is = in->stream.label[i];
    if (told < 0 || is < 0 || told == is) continue;
    return EE_FAIL(EE_ERR_ARG,
                   "sample %lld has label %d in %s and %d in %s: these are outcomes of other data",
                   (long long)i, is, o->data, told, o->outcomes);
  }
  return EE_OK;
}

static ee_status open_stream(const ee_run_options *o, ee_run_inputs *in) {
  if (o->data != NULL) {
    EE_TRY(ee_stream_open(o->data, in->model, o->samples, &in->stream));
    return check_labels(o, in);
  }
  return ee_stream_of_outcomes(in->outcomes, in->model, o->samples, &in->stream);
}

static void say_links(const double *links, int size) {
  double slow = INFINITY, fast = 0.0, soon = INFINITY, late = 0.0;
  for (int i = 0; i < size * size; i++) {
    if (i / size == i % size) continue;
    slow = fmin(slow, links[i]);
    fast = fmax(fast, links[i]);
    soon = fmin(soon, links[size * size + i]);
    late = fmax(late, links[size * size + i]);
  }
  ee_log(EE_LOG_INFO, "links measured: %.1f to %.1f MB/s, latency %.1f to %.1f us", slow * 1e-6,
         fast * 1e-6, soon * 1e6, late * 1e6);
}

/* Collective. */
static ee_status measure_links(int rank, int size, ee_run_inputs *in) {
  size_t    pairs  = (size_t)size * (size_t)size;
  ee_status status = EE_OK;
  in->n_links      = pairs;
  in->links        = calloc(2 * pairs, sizeof *in->links);
  if (in->links == NULL) status = EE_FAIL(EE_ERR_NOMEM, "for the links of %d ranks", size);
  EE_TRY(ee_agree(in->comm, status, 0));
  EE_TRY(ee_links_measure(in->comm, in->links, in->links + pairs));
  if (rank == 0 && size > 1) say_links(in->links, size);
  return EE_OK;
}

ee_status ee_run_inputs_open(MPI_Comm comm, const ee_run_options *options, ee_run_inputs *inputs) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  *inputs = (ee_run_inputs){.comm = comm};
  ee_status status =
      ee_clock_is_simulated() ? open_files_for_all(options, inputs) : open_files(options, inputs);
  if (status == EE_OK) status = open_own(options, size, inputs);
  if (status == EE_OK && rank == 0) {
    if (options->outcomes == NULL) {
      ee_say_fallback(inputs->model, inputs->backend);
      ee_say_tuned(inputs->model, inputs->backend);
    }
    if (ee_counts_seconds(inputs->model, inputs->fleet)) {
      ee_say_profile(options->model, inputs->model, inputs->backend);
    }
    status = check_networks(options, inputs);
    if (status == EE_OK) status = open_stream(options, inputs);
    inputs->n_samples = (uint64_t)inputs->stream.n;
  }
  status = ee_agree(comm, status, options->batch);
  if (status == EE_OK && options->outcomes == NULL) {
    status = ee_same_kernels(comm, inputs->model, inputs->backend);
  }
  if (status == EE_OK && options->measure_links) status = measure_links(rank, size, inputs);
  if (status != EE_OK) {
    ee_run_inputs_close(inputs);
    return status;
  }
  EE_MPI(MPI_Bcast(&inputs->n_samples, 1, MPI_UINT64_T, 0, comm));
  return EE_OK;
}

static void close_files(ee_run_inputs *in) {
  ee_exit_table_destroy(&in->outcomes);
  ee_fleet_destroy(&in->fleet);
  free(in->fleet_text);
  ee_model_file_close(&in->model_file);
}

void ee_run_inputs_close(ee_run_inputs *inputs) {
  ee_stream_close(&inputs->stream);
  ee_policy_destroy(&inputs->policy);
  ee_offload_costs_free(&inputs->offload);
  free(inputs->share);
  free(inputs->links);
  if (ee_clock_is_simulated()) EE_MPI(MPI_Barrier(inputs->comm));  // nobody reads them any more
  free(inputs->loss);
  free(inputs->int8_at);
  if (!inputs->borrowed) close_files(inputs);
  *inputs = (ee_run_inputs){0};
}
