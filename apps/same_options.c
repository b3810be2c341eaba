/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing command lines over ranks: a hash of each option in one allreduce; only where one
 * differs, its values follow. */
#include "same_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ee/agree.h"

enum { MOST_ROWS = 64, TEXT_BYTES = 400 };

/* An option's value on one rank, as all are told. */
typedef struct shown {
  uint64_t hash;
  char     text[TEXT_BYTES];
} shown;

/* FNV-1a of a text; 0 of none. */
static uint64_t hash_of(const char *text) {
  uint64_t hash = 0xcbf29ce484222325u;
  if (text == NULL) return 0;
  for (const char *c = text; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
  return hash;
}

/* As short as it can be read back. */
static void write_double(double x, char *to, size_t size) {
  snprintf(to, size, "%g", x);
  if (strtod(to, NULL) < x || strtod(to, NULL) > x) snprintf(to, size, "%.17g", x);
}

/* The value as text, in @p room if it is none yet; NULL: not given. */
static const char *value_of(const ee_option *row, char *room, size_t size) {
  switch (row->kind) {
    case EE_OPTION_FLAG:
      return *(const bool *)row->target ? "given" : NULL;
    case EE_OPTION_SWITCH:
      return *(const bool *)row->target ? "on" : "off";
    case EE_OPTION_TEXT:
      return *(const char *const *)row->target;
    case EE_OPTION_INT:
      snprintf(room, size, "%d", *(const int *)row->target);
      return room;
    case EE_OPTION_UINT64:
      snprintf(room, size, "%" PRIu64, *(const uint64_t *)row->target);
      return room;
    case EE_OPTION_DOUBLE:
      write_double(*(const double *)row->target, room, size);
      return room;
  }
  return NULL;
}

static void show(const ee_option *row, shown *it) {
  char        room[64];
  const char *value = value_of(row, room, sizeof room);
  *it               = (shown){.hash = hash_of(value)};
  snprintf(it->text, sizeof it->text, "%s", value != NULL ? value : "not given");
}

/* The first row that is not the same on all ranks; @p n if all are.  Collective. */
static int first_difference(MPI_Comm comm, const ee_option *row, int n) {
  uint64_t most[2 * MOST_ROWS] = {0};  // of each hash, and of its complement: the least
  char     room[64];
  int      at = 0;
  for (int i = 0; i < n; i++) {
    most[2 * i]     = hash_of(value_of(&row[i], room, sizeof room));
    most[2 * i + 1] = ~most[2 * i];
  }
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, most, 2 * MOST_ROWS, MPI_UINT64_T, MPI_MAX, comm));
  while (at < n && most[2 * at] == ~most[2 * at + 1]) at++;
  return at;
}

/* Say how a row differs.  Collective. */
static ee_status tell(MPI_Comm comm, const char *prefix, const ee_option *row) {
  shown first, other;
  int   rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  show(row, &other);
  first = other;
  EE_MPI(MPI_Bcast(&first, (int)sizeof first, MPI_BYTE, 0, comm));
  int speaker = other.hash != first.hash ? rank : size;
  EE_MPI(MPI_Allreduce(MPI_IN_PLACE, &speaker, 1, MPI_INT, MPI_MIN, comm));
  EE_MPI(MPI_Bcast(&other, (int)sizeof other, MPI_BYTE, speaker, comm));
  return EE_FAIL(EE_ERR_USAGE,
                 "%s%s is %s on rank 0 and %s on rank %d; all ranks of a run take the same options",
                 prefix, row->name, first.text, other.text, speaker);
}

ee_status ee_same_options(MPI_Comm comm, const char *prefix, const ee_option *row, int n) {
  if (n > MOST_ROWS) return EE_FAIL(EE_ERR_ARG, "%d options to compare, at most %d", n, MOST_ROWS);
  int at = first_difference(comm, row, n);
  return at < n ? tell(comm, prefix, &row[at]) : EE_OK;
}
