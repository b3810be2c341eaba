/* SPDX-License-Identifier: Apache-2.0 */
/* Every rank tells all others how it computes; all draw the same conclusions. */
#include "ee/same_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"
#include "ee/log.h"
#include "ee/tuning.h"
#include "ee/winograd.h"

#define HASH_BEGIN 0xcbf29ce484222325U  // FNV-1a
#define HASH_FACTOR 0x100000001b3U

/* How a rank computes. */
typedef struct habit {
  char     backend[16], uses[160];
  int32_t  winograd;
  int32_t  tuned;    // measured methods count
  uint64_t methods;  // hash of them
  uint64_t scales;   // hash of them where they count
} habit;

static uint64_t hash_scales(const ee_model *model) {
  uint64_t hash = HASH_BEGIN;
  for (int k = 0; k < model->n_nodes; k++) {
    uint32_t bits;
    memcpy(&bits, &model->node[k].quant.scale, sizeof bits);
    hash = (hash ^ bits) * HASH_FACTOR;
    hash = (hash ^ (uint64_t)model->node[k].quant.zero) * HASH_FACTOR;
  }
  return hash;
}

static uint64_t hash_methods(const ee_model *model) {
  uint64_t hash = HASH_BEGIN;
  for (int k = 0; k < model->n_nodes; k++) {
    hash = (hash ^ (uint64_t)model->node[k].method) * HASH_FACTOR;
  }
  return hash;
}

static habit habit_of(const ee_model *model, const ee_backend *backend) {
  habit h    = {0};
  h.winograd = ee_winograd_is_on(model);
  h.tuned    = ee_tuning_applies(model) && ee_tuning_count(model) > 0;
  h.methods  = h.tuned ? hash_methods(model) : 0;
  h.scales   = backend == &ee_backend_int8 ? hash_scales(model) : 0;
  snprintf(h.backend, sizeof h.backend, "%s", backend->name);
  if (backend->describe != NULL) backend->describe(h.uses, sizeof h.uses);
  return h;
}

static ee_status check_settings(const habit *all, int size) {
  for (int r = 1; r < size; r++) {
    if (strcmp(all[r].backend, all[0].backend) == 0 && all[r].winograd == all[0].winograd) continue;
    return EE_FAIL(EE_ERR_MISMATCH,
                   "rank %d has backend %s and Winograd convolutions %s, rank 0 has %s and %s; "
                   "EE_BACKEND and EE_WINOGRAD must be the same on all ranks",
                   r, all[r].backend, all[r].winograd ? "on" : "off", all[0].backend,
                   all[0].winograd ? "on" : "off");
  }
  return EE_OK;
}

static ee_status check_scales(const habit *all, int size) {
  int r = 1;
  while (r < size && all[r].scales == all[0].scales) r++;
  if (r >= size) return EE_OK;
  return EE_FAIL(EE_ERR_MISMATCH,
                 "rank %d has other scales for backend int8 than rank 0; all ranks need the same "
                 "model file",
                 r);
}

/* Whether the bits of @p node, which is not in 8 bits, may be those of the vectors that compute it.
 * Sums, means and limits have the same everywhere, and so has what the backend ref runs. */
static bool follows_vectors(const ee_model *model, const ee_node *node, const ee_backend *runner) {
  bool limits = node->act.kind == EE_ACT_NONE || node->act.kind == EE_ACT_RELU ||
                node->act.kind == EE_ACT_CLIP;
  if (runner == &ee_backend_ref) return false;
  if (!limits || runner == &ee_backend_int8) return !limits;
  switch (node->op) {
    case EE_OP_ACTIVATION:
    case EE_OP_ADD:
    case EE_OP_SUB:
    case EE_OP_MAX_POOL:
    case EE_OP_AVERAGE_POOL:
    case EE_OP_GLOBAL_AVERAGE_POOL:
    case EE_OP_REDUCE_MEAN:
      return false;
    default:
      return ee_node_flops(model, node) > 0.0;
  }
}

/* All of float32 does, but where nothing of it is left. */
static bool vectors_matter(const ee_model *model, const ee_backend *backend) {
  if (backend != &ee_backend_int8) return true;
  for (int k = 0; k < model->n_nodes; k++) {
    const ee_node *node = &model->node[k];
    if (follows_vectors(model, node, ee_backend_for(backend, model, node))) return true;
  }
  return false;
}

static void compare_vectors(const habit *all, int size, bool say) {
  int r = 1;
  while (r < size && strcmp(all[r].uses, all[0].uses) == 0) r++;
  if (r == size || !say) return;
  ee_log(EE_LOG_WARNING,
         "rank %d has %s, rank 0 has %s: the last bits of answers depend on the plan; the same "
         "EE_SIMD on all ranks makes them equal",
         r, all[r].uses, all[0].uses);
}

static void compare_methods(const habit *all, int size, bool say) {
  int r = 1;
  while (r < size && all[r].tuned == all[0].tuned && all[r].methods == all[0].methods) r++;
  if (r == size) return;
  ee_tuning_set(false);
  if (!say) return;
  ee_log(EE_LOG_INFO,
         "the model's tuned methods do not count alike on rank %d and on rank 0: all ranks go by "
         "rule, so that answers do not depend on the plan",
         r);
}

ee_status ee_same_kernels(MPI_Comm comm, const ee_model *model, const ee_backend *backend) {
  int rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  habit    *all    = calloc((size_t)size, sizeof *all);
  habit     mine   = habit_of(model, backend);
  ee_status status = all != NULL ? EE_OK : EE_FAIL(EE_ERR_NOMEM, "to compare %d ranks", size);
  status           = ee_agree(comm, status, 0);
  if (status == EE_OK) {
    EE_MPI(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, comm));
    status = check_settings(all, size);
    if (status == EE_OK) status = check_scales(all, size);
  }
  if (status == EE_OK) {
    compare_vectors(all, size, rank == 0 && vectors_matter(model, backend));
    compare_methods(all, size, rank == 0);
  }
  free(all);
  return status;
}
