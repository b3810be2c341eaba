/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate.h"

#include <limits.h>
#include <stdlib.h>

#include "ee/agree.h"

/* One layer on its way in or out. */
typedef struct move {
  int         layer, peer;
  float      *blob;  // incoming: ours until the layer is made resident; outgoing: NULL
  size_t      bytes;
  MPI_Request request;  // MPI_REQUEST_NULL once it is through, or if nothing travels
  int64_t     due;      // incoming: when it arrives on the paced clock [ns]; -1: not known yet
  bool        file;     // incoming: it is read from the model file
  bool        held;     // incoming: was resident when the move began, so only discarded
  bool        done;
} move;

struct ee_migration {
  ee_device *device;
  bool       abandoned, started;
  int64_t    begun;  // [ns]
  int        n_in, n_out;
  move      *in, *out;  // shape [n_in], [n_out]
  int64_t    bytes;
};

static ee_status keep_outgoing(ee_migration *m, int layer, int to) {
  size_t bytes = ee_device_setup(m->device)->model->layer[layer].weight_bytes;
  m->out[m->n_out++] =
      (move){.layer = layer, .peer = to, .bytes = bytes, .request = MPI_REQUEST_NULL};
  return ee_resident_add(ee_device_resident(m->device), layer, NULL);  // until the send is done
}

static void expect_incoming(ee_migration *m, int layer, int from) {
  size_t bytes     = ee_device_setup(m->device)->model->layer[layer].weight_bytes;
  m->in[m->n_in++] = (move){.layer   = layer,
                            .peer    = from,
                            .bytes   = bytes,
                            .request = MPI_REQUEST_NULL,
                            .due     = -1,
                            .file    = from < 0,
                            .held    = ee_resident_has(ee_device_resident(m->device), layer)};
}

static ee_status post_receive(ee_migration *m, move *in) {
  if (in->file || in->bytes == 0) return EE_OK;
  in->blob = malloc(in->bytes);
  if (in->blob == NULL) {
    return EE_FAIL(EE_ERR_NOMEM, "for the %zu bytes of layer %d", in->bytes, in->layer);
  }
  EE_MPI(MPI_Irecv(in->blob, (int)in->bytes, MPI_BYTE, in->peer, in->layer,
                   ee_device_weights_comm(m->device), &in->request));
  return EE_OK;
}

static void post_send(ee_migration *m, move *out) {
  if (out->bytes == 0) return;
  EE_MPI(MPI_Isend(ee_resident_blob(ee_device_resident(m->device), out->layer), (int)out->bytes,
                   MPI_BYTE, out->peer, out->layer, ee_device_weights_comm(m->device),
                   &out->request));
}

static ee_status list_moves(ee_migration *m, const ee_transfers *transfers) {
  int rank = ee_device_rank(m->device);
  for (int i = 0; i < transfers->n; i++) {
    const ee_transfer *t = &transfers->of[i];
    if (ee_device_setup(m->device)->model->layer[t->layer].weight_bytes > INT_MAX) {
      return EE_FAIL(EE_ERR_UNSUPPORTED, "layer %d is too large to be moved: more than %d bytes",
                     t->layer, INT_MAX);
    }
    if (t->to == rank) expect_incoming(m, t->layer, t->from);
    if (t->from == rank) EE_TRY(keep_outgoing(m, t->layer, t->to));
  }
  return EE_OK;
}

/* Room for what comes in here and what goes out. */
static ee_status allocate(ee_migration *m, const ee_transfers *transfers) {
  size_t in = 0, out = 0;
  for (int i = 0; i < transfers->n; i++) {
    in += transfers->of[i].to == ee_device_rank(m->device);
    out += transfers->of[i].from == ee_device_rank(m->device);
  }
  m->in  = calloc(in + 1, sizeof *m->in);
  m->out = calloc(out + 1, sizeof *m->out);
  if (m->in == NULL || m->out == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %zu moves", in + out);
  return EE_OK;
}

ee_status ee_migration_begin(ee_device *device, const ee_transfers *transfers,
                             ee_migration **migration) {
  ee_migration *m = calloc(1, sizeof *m);
  *migration      = m;
  if (m == NULL) return EE_FAIL(EE_ERR_NOMEM, "for a migration");
  m->device = device;
  EE_TRY(allocate(m, transfers));
  return list_moves(m, transfers);
}

ee_status ee_migration_start(ee_migration *m) {
  m->begun   = ee_device_now(m->device);
  m->started = true;
  for (int i = 0; i < m->n_in; i++) EE_TRY(post_receive(m, &m->in[i]));
  for (int i = 0; i < m->n_out; i++) post_send(m, &m->out[i]);
  return EE_OK;
}

/* Whether a layer of lower index from the same peer is still to come: it goes over the link first.
 */
static bool behind_another(const ee_migration *m, const move *in) {
  for (const move *other = m->in; other < in; other++) {
    if (!other->done && !other->file && other->peer == in->peer) return true;
  }
  return false;
}

/* Whether the bytes of an incoming layer are here, on the clock that counts. */
static ee_status incoming_here(ee_migration *m, move *in, bool *here) {
  *here = false;
  if (in->file && !m->abandoned && in->blob == NULL && in->bytes > 0) {
    const ee_layer_reader *layers = &ee_device_setup(m->device)->layers;
    EE_TRY(layers->read(layers->self, in->layer, &in->blob));
  }
  if (!ee_waiter_done(&in->request) || (!in->file && behind_another(m, in))) return EE_OK;
  if (in->due < 0) {
    in->due = in->file ? 0 : ee_device_pace_weights(m->device, in->peer, m->begun, in->bytes);
  }
  *here = m->abandoned || in->due <= ee_device_now(m->device);
  return EE_OK;
}

static void trace_move(const ee_migration *m, const move *in) {
  ee_event event = {.rank       = ee_device_rank(m->device),
                    .kind       = EE_EVENT_MIGRATE,
                    .start      = m->begun,
                    .end        = ee_device_now(m->device),
                    .first_id   = (uint64_t)in->layer,
                    .plan_epoch = 0,
                    .bytes      = (int64_t)in->bytes,
                    .peer       = in->file ? -1 : in->peer,
                    .layer      = in->layer};
  ee_device_plan(m->device, &event.plan_epoch);
  ee_device_trace_event(m->device, &event);
}

static ee_status take_in(ee_migration *m, move *in) {
  in->done    = true;
  float *blob = in->blob;
  in->blob    = NULL;
  if (!m->abandoned) {
    m->bytes += (int64_t)in->bytes;
    trace_move(m, in);
  }
  if (in->held || m->abandoned) {
    free(blob);
    return EE_OK;
  }
  return ee_resident_add(ee_device_resident(m->device), in->layer, blob);
}

ee_status ee_migration_step(ee_migration *m, bool *busy) {
  if (!m->started && !m->abandoned) return EE_OK;
  for (int i = 0; i < m->n_in; i++) {
    bool here = false;
    if (m->in[i].done) continue;
    EE_TRY(incoming_here(m, &m->in[i], &here));
    if (!here) continue;
    *busy = true;
    return take_in(m, &m->in[i]);
  }
  return EE_OK;
}

/* Sends let a step go on once nobody will follow the plan: nothing but them ends it then. */
void ee_migration_await(ee_migration *m, ee_waiter *waiter) {
  for (int i = 0; i < m->n_in; i++) {
    move *in = &m->in[i];
    if (in->done) continue;
    ee_waiter_add(waiter, &in->request, NULL);
    if (in->due > ee_device_now(m->device)) ee_waiter_until(waiter, in->due);
  }
  for (int i = 0; i < m->n_out && m->abandoned; i++)
    ee_waiter_add(waiter, &m->out[i].request, NULL);
}

void ee_migration_abandon(ee_migration *m) {
  m->abandoned = true;
}

bool ee_migration_arrived(const ee_migration *m) {
  for (int i = 0; i < m->n_in; i++) {
    if (!m->in[i].done) return false;
  }
  return true;
}

bool ee_migration_sent(ee_migration *m) {
  bool all = true;
  for (int i = 0; i < m->n_out; i++) {
    all &= ee_waiter_done(&m->out[i].request);
  }
  return all;
}

bool ee_migration_finished(ee_migration *m) {
  bool all = ee_migration_sent(m) && ee_migration_arrived(m);
  for (int i = 0; i < m->n_out; i++) {
    move *out = &m->out[i];
    if (out->done || out->request != MPI_REQUEST_NULL) continue;
    ee_resident_drop(ee_device_resident(m->device), out->layer);
    out->done = true;
  }
  return all;
}

void ee_migration_settle(ee_migration *m) {
  for (int i = 0; i < m->n_out; i++) {
    EE_MPI(MPI_Wait(&m->out[i].request, MPI_STATUS_IGNORE));
  }
  ee_migration_finished(m);
}

int64_t ee_migration_bytes(const ee_migration *migration) {
  return migration->bytes;
}

void ee_migration_destroy(ee_migration **migration) {
  ee_migration *m = *migration;
  if (m == NULL) return;
  for (int i = 0; i < m->n_in && m->in != NULL; i++) {
    if (m->in[i].request != MPI_REQUEST_NULL) {  // only after a fault
      EE_MPI(MPI_Cancel(&m->in[i].request));
      EE_MPI(MPI_Wait(&m->in[i].request, MPI_STATUS_IGNORE));
    }
    free(m->in[i].blob);
  }
  free(m->in);
  free(m->out);
  free(m);
  *migration = NULL;
}
