/* SPDX-License-Identifier: Apache-2.0 */
#include "ee/unit_pieces.h"

#include <stdlib.h>

enum { PICTURE = 4, ROW_AXIS = 2 };

ee_rows ee_unit_input_rows(const ee_model *whole, const ee_unit_input *input) {
  const ee_shape *shape = &whole->value[input->value].shape;
  if (input->rows.begin != input->rows.end) return input->rows;
  return (ee_rows){0, shape->rank == PICTURE ? shape->dim[ROW_AXIS] : 1};
}

static size_t piece_bytes(const ee_model *m, int v, ee_rows rows) {
  const ee_shape *shape    = &m->value[v].shape;
  int64_t         elements = ee_model_value_elements(m, v);
  if (shape->rank == PICTURE) {
    elements = elements / shape->dim[ROW_AXIS] * (rows.end - rows.begin);
  }
  return (size_t)elements * sizeof(float);
}

/* As it would be listed, without readers. */
static ee_unit_piece piece_of(const ee_model *whole, const ee_unit_input *in) {
  ee_rows rows = ee_unit_input_rows(whole, in);
  return (ee_unit_piece){.from  = in->from,
                         .value = in->value,
                         .rows  = rows,
                         .bytes = piece_bytes(whole, in->value, rows)};
}

static bool is_same(const ee_unit_piece *a, const ee_unit_piece *b) {
  return a->from == b->from && a->value == b->value && a->rows.begin == b->rows.begin &&
         a->rows.end == b->rows.end;
}

static ee_unit_piece *find_or_add(ee_unit_pieces *p, const ee_unit_piece *wanted) {
  for (int i = 0; i < p->n; i++) {
    if (is_same(&p->piece[i], wanted)) return &p->piece[i];
  }
  p->piece[p->n] = *wanted;
  return &p->piece[p->n++];
}

static ee_status add_reader(ee_unit_piece *p, int u) {
  if (p->n_readers > 0 && p->reader[p->n_readers - 1] == u) return EE_OK;
  int *more = realloc(p->reader, ((size_t)p->n_readers + 1) * sizeof *more);
  if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d readers", p->n_readers + 1);
  p->reader                 = more;
  p->reader[p->n_readers++] = u;
  return EE_OK;
}

ee_status ee_unit_pieces_find(const ee_units *units, ee_unit_pieces *pieces) {
  size_t most = 1;
  for (int u = 0; u < units->n; u++) most += (size_t)units->unit[u].n_inputs;
  *pieces = (ee_unit_pieces){.piece = calloc(most, sizeof *pieces->piece)};
  if (pieces->piece == NULL) return EE_FAIL(EE_ERR_NOMEM, "for what %d units read", units->n);
  for (int u = 0; u < units->n; u++) {
    const ee_unit *unit = &units->unit[u];
    for (int i = 0; i < unit->n_inputs; i++) {
      ee_unit_piece wanted = piece_of(units->whole, &unit->input[i]);
      EE_TRY(add_reader(find_or_add(pieces, &wanted), u));
    }
  }
  return EE_OK;
}

void ee_unit_pieces_free(ee_unit_pieces *pieces) {
  for (int i = 0; i < pieces->n; i++) free(pieces->piece[i].reader);
  free(pieces->piece);
  *pieces = (ee_unit_pieces){0};
}

bool ee_unit_reads_first(const ee_unit_piece *piece, int k, const int *device) {
  int j = 0;
  while (device[piece->reader[j]] != device[piece->reader[k]]) j++;
  return j == k;
}
