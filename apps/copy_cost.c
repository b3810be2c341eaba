/* SPDX-License-Identifier: Apache-2.0 */
/* What MPI takes of two processes for messages between them, of which several are under way, as on
 * a link.  Between messages a device runs its layers, which drives out of the caches what was
 * there; here it sweeps over memory. */
#define _POSIX_C_SOURCE 200809L
#include "copy_cost.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/clock.h"
#include "launch.h"

enum { MESSAGE_BYTES = 1 << 20, SLOTS = 6, MESSAGES = 64, REPEATS = 9, SWEPT_BYTES = 4 << 20 };

/* The messages of a link, and what is swept between them. */
typedef struct ring {
  unsigned char *slot;   // shape [SLOTS, MESSAGE_BYTES]
  unsigned char *swept;  // shape [SWEPT_BYTES]
  MPI_Request    request[SLOTS];
} ring;

static unsigned char *slot_of(const ring *r, int k) {
  return r->slot + (size_t)(k % SLOTS) * MESSAGE_BYTES;
}

static void sweep(ring *r) {
  for (int i = 0; i < SWEPT_BYTES; i += 64) r->swept[i]++;
}

/* Message k, once the one that had its slot before is through. */
static void pass_next(ring *r, int rank, int k) {
  MPI_Request *request = &r->request[k % SLOTS];
  EE_MPI(MPI_Wait(request, MPI_STATUS_IGNORE));
  if (k >= MESSAGES) return;
  if (rank == 0) {
    EE_MPI(MPI_Isend(slot_of(r, k), MESSAGE_BYTES, MPI_BYTE, 1, 0, MPI_COMM_WORLD, request));
  } else {
    EE_MPI(MPI_Irecv(slot_of(r, k), MESSAGE_BYTES, MPI_BYTE, 0, 0, MPI_COMM_WORLD, request));
  }
}

/* CPU time of this rank for all messages [s]. */
static double stream(ring *r, int rank) {
  int64_t ns = 0;
  for (int k = 0; k < SLOTS; k++) r->request[k] = MPI_REQUEST_NULL;
  EE_MPI(MPI_Barrier(MPI_COMM_WORLD));
  for (int k = 0; k < MESSAGES + SLOTS; k++) {
    sweep(r);
    int64_t begin = ee_clock_cpu_ns();
    pass_next(r, rank, k);
    ns += ee_clock_cpu_ns() - begin;
  }
  return (double)ns * 1e-9;
}

/* The least of some streams, as other work on the machine only makes them slower: of each the rank
 * that took longer, as the other one waits for it. */
static double least_seconds(ring *r, int rank) {
  double least = INFINITY;
  for (int i = 0; i <= REPEATS; i++) {
    double mine = stream(r, rank), longer;
    EE_MPI(MPI_Allreduce(&mine, &longer, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD));
    if (i > 0) least = fmin(least, longer);  // the first one touches memory for the first time
  }
  return least / MESSAGES / MESSAGE_BYTES;
}

static ee_status write_seconds(const char *path, double seconds) {
  FILE *file = fopen(path, "w");
  bool  good = file != NULL && fprintf(file, "%.9g\n", seconds) > 0;
  if (file != NULL && fclose(file) != 0) good = false;
  return good ? EE_OK : EE_FAIL(EE_ERR_FILE, "%s cannot be written", path);
}

static ee_status measure_as(int rank, int size, const char *path) {
  ring      r      = {0};
  ee_status status = EE_OK;
  if (size != 2) status = EE_FAIL(EE_ERR_USAGE, "--copies is for two ranks, there are %d", size);
  if (status == EE_OK) {
    r.slot  = calloc(SLOTS * MESSAGE_BYTES + SWEPT_BYTES, 1);
    r.swept = r.slot + SLOTS * MESSAGE_BYTES;
    if (r.slot == NULL) status = EE_FAIL(EE_ERR_NOMEM, "for %d messages", SLOTS);
  }
  status = ee_agree(MPI_COMM_WORLD, status, 0);
  if (status == EE_OK) {
    double seconds = least_seconds(&r, rank);
    if (rank == 0) status = write_seconds(path, seconds);
  }
  free(r.slot);
  return status;
}

ee_status ee_copy_cost_as_rank(const char *path) {
  int rank, size;
  ee_launch_settings();
  EE_MPI(MPI_Init(NULL, NULL));
  EE_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  EE_MPI(MPI_Comm_size(MPI_COMM_WORLD, &size));
  ee_status status = measure_as(rank, size, path);
  status           = ee_agree(MPI_COMM_WORLD, status, 0);
  EE_MPI(MPI_Finalize());
  return status;
}

static ee_status read_seconds(const char *path, int state, double *seconds) {
  FILE *file = fopen(path, "r");
  bool  good = WIFEXITED(state) && WEXITSTATUS(state) == 0 && file != NULL &&
              fscanf(file, "%lf", seconds) == 1 && isfinite(*seconds) && *seconds > 0.0;
  if (file != NULL) fclose(file);
  if (good) return EE_OK;
  return EE_FAIL(EE_ERR_FILE, "two processes that pass values on could not be measured");
}

ee_status ee_copy_cost_measure(double *seconds) {
  const char *folder = getenv("TMPDIR");
  char        path[4096], profile[] = "profile", copies[] = "--copies";
  int         state = 0;
  snprintf(path, sizeof path, "%s/edgeexit-copies-XXXXXX", folder != NULL ? folder : "/tmp");
  int file = mkstemp(path);
  if (file < 0) return EE_FAIL(EE_ERR_FILE, "%s cannot be made; TMPDIR names another folder", path);
  close(file);
  char *const args[] = {profile, copies, path};
  ee_status   status = ee_launch_ranks(2, 3, args, &state);
  if (status == EE_OK) status = read_seconds(path, state, seconds);
  unlink(path);
  return status;
}
