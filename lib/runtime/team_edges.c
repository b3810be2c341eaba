/* SPDX-License-Identifier: Apache-2.0 */
/* What goes from which unit to which rank, and the links that it goes over. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "team_state.h"

enum { NOTE_TAG = 0, FIRST_EDGE_TAG = 1, FORMATIONS_AT_ONCE = 3 };

ee_rows ee_team_rows(const ee_team *t, const ee_unit *unit, int v) {
  const ee_shape *shape = &t->setup.model->value[v].shape;
  if (unit != NULL && unit->held != NULL) return unit->held[v];
  return (ee_rows){0, shape->rank == 4 ? shape->dim[2] : 1};
}

void ee_team_copy(const ee_team *t, int v, ee_rows rows, const float *from, ee_rows from_has,
                  float *to, ee_rows to_has) {
  const ee_model *m = t->setup.model;
  if (m->value[v].shape.rank == 4) {
    ee_rows_copy(&m->value[v].shape, 1, rows, from, from_has, to, to_has);
  } else {
    memcpy(to, from, (size_t)ee_model_value_elements(m, v) * sizeof *to);
  }
}

static bool same(const team_piece *p, int v, ee_rows rows) {
  return p->value == v && p->rows.begin == rows.begin && p->rows.end == rows.end;
}

/* Index of the piece in the edge; -1: it has none such. */
static int find_piece(const team_edge *e, int v, ee_rows rows) {
  for (int i = 0; i < e->n; i++) {
    if (same(&e->piece[i], v, rows)) return i;
  }
  return -1;
}

static ee_status add_piece(team_edge *e, const ee_unit_piece *p) {
  team_piece *more = realloc(e->piece, (size_t)(e->n + 1) * sizeof *more);
  if (more == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d pieces", e->n + 1);
  e->piece         = more;
  e->piece[e->n++] = (team_piece){p->value, p->rows, e->bytes};
  e->bytes += p->bytes;
  return EE_OK;
}

static team_edge *edge_of(const ee_team *t, team_formation *f, int from, int to_rank) {
  for (int i = 0; i < f->n_edges; i++) {
    if (f->edge[i].from == from && f->edge[i].to_rank == to_rank) return &f->edge[i];
  }
  team_edge *e = &f->edge[f->n_edges++];
  *e           = (team_edge){.from      = from,
                             .from_rank = from < 0 ? 0 : f->device[from],
                             .to_rank   = to_rank,
                             .bytes     = t->memory.buffers.head};
  return e;
}

ee_status ee_team_edges_find(const ee_team *t, team_formation *f) {
  f->edge = calloc((size_t)t->most_edges + 1, sizeof *f->edge);
  if (f->edge == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d edges", t->most_edges);
  for (int i = 0; i < t->memory.pieces.n; i++) {
    const ee_unit_piece *p = &t->memory.pieces.piece[i];
    for (int k = 0; k < p->n_readers; k++) {
      if (!ee_unit_reads_first(p, k, f->device)) continue;
      EE_TRY(add_piece(edge_of(t, f, p->from, f->device[p->reader[k]]), p));
    }
  }
  for (int i = 0; i < f->n_edges; i++) {
    if (f->edge[i].bytes <= INT_MAX) continue;
    return EE_FAIL(EE_ERR_ARG, "unit %d gives rank %d %zu bytes at once; the most is %d",
                   f->edge[i].from, f->edge[i].to_rank, f->edge[i].bytes, INT_MAX);
  }
  return EE_OK;
}

void ee_team_find_input(const ee_team *t, const team_formation *f, int u, int i, int *edge,
                        int *piece) {
  const ee_unit_input *in = &t->units->unit[u].input[i];
  *edge                   = 0;
  while (f->edge[*edge].from != in->from || f->edge[*edge].to_rank != f->device[u]) (*edge)++;
  *piece = find_piece(&f->edge[*edge], in->value, ee_unit_input_rows(t->setup.model, in));
}

/* Of formations that are there at the same time, all edges differ. */
static int tag_of(const ee_team *t, const team_formation *f, int i) {
  return FIRST_EDGE_TAG + f->number % FORMATIONS_AT_ONCE * t->most_edges + i;
}

static ee_status open_edge(ee_team *t, const team_formation *f, int i) {
  team_edge *e    = &f->edge[i];
  int        rank = t->wire.rank, window = t->options.window;
  e->stride = (e->bytes + sizeof(float) - 1) / sizeof(float);
  if (e->to_rank == rank) {
    e->stored = calloc(1, ee_unit_kept_bytes(window, e->bytes));
    if (e->stored == NULL)
      return EE_FAIL(EE_ERR_NOMEM, "for %d messages of %zu bytes", window, e->bytes);
  }
  if (e->from_rank == e->to_rank) return EE_OK;
  if (t->peer[e->from_rank].lost || t->peer[e->to_rank].lost) return EE_OK;
  if (e->from_rank == rank) {
    EE_TRY(ee_outbox_open(&t->wire, e->to_rank, tag_of(t, f, i), window, e->bytes, &t->pacer,
                          &e->outbox));
  }
  if (e->to_rank != rank) return EE_OK;
  return ee_inbox_open(&t->wire, e->from_rank, tag_of(t, f, i), window, e->bytes, &t->pacer,
                       &e->inbox);
}

int ee_team_notes_at_once(const ee_units *units, int window) {
  return window * (2 + units->whole->n_exits) + units->n / TEAM_PLACED + 6;
}

/* Ranks tell each other what becomes of samples, whoever decides that. */
static ee_status open_line(ee_team *t, int peer) {
  team_line *l     = &t->line[peer];
  int        slots = ee_team_notes_at_once(t->units, t->options.window);
  size_t     bytes = ee_team_note_bytes(t);
  if (peer == t->wire.rank) return EE_OK;
  EE_TRY(ee_outbox_open(&t->wire, peer, NOTE_TAG, slots, bytes, &t->pacer, &l->outbox));
  return ee_inbox_open(&t->wire, peer, NOTE_TAG, slots, bytes, &t->pacer, &l->inbox);
}

ee_status ee_team_lines_open(ee_team *t) {
  t->line = calloc((size_t)t->wire.size, sizeof *t->line);
  if (t->line == NULL) return EE_FAIL(EE_ERR_NOMEM, "for %d ranks", t->wire.size);
  for (int r = 0; r < t->wire.size; r++) EE_TRY(open_line(t, r));
  return EE_OK;
}

void ee_team_lines_close(ee_team *t) {
  for (int r = 0; t->line != NULL && r < t->wire.size; r++) {
    ee_outbox_close(&t->line[r].outbox);
    ee_inbox_close(&t->line[r].inbox);
  }
  free(t->line);
}

ee_status ee_team_edges_open(ee_team *t, team_formation *f) {
  if (t->most_edges * FORMATIONS_AT_ONCE + FIRST_EDGE_TAG > EE_TAG_LINK_SPAN) {
    return EE_FAIL(EE_ERR_ARG, "%d links between units are too many; the most is %d", t->most_edges,
                   (EE_TAG_LINK_SPAN - FIRST_EDGE_TAG) / FORMATIONS_AT_ONCE);
  }
  for (int i = 0; i < f->n_edges; i++) EE_TRY(open_edge(t, f, i));
  return EE_OK;
}

void ee_team_edges_abandon(team_formation *f, int r) {
  for (int i = 0; i < f->n_edges; i++) {
    team_edge *e = &f->edge[i];
    if (e->to_rank == r) ee_outbox_abandon(&e->outbox);
    if (e->from_rank == r) ee_inbox_abandon(&e->inbox);
  }
}

void ee_team_edges_close(team_formation *f) {
  for (int i = 0; f->edge != NULL && i < f->n_edges; i++) {
    ee_outbox_close(&f->edge[i].outbox);
    ee_inbox_close(&f->edge[i].inbox);
    free(f->edge[i].piece);
    free(f->edge[i].stored);
  }
  free(f->edge);
}

bool ee_team_edges_settled(const team_formation *f) {
  bool settled = true;
  for (int i = 0; i < f->n_edges; i++) {
    if (f->edge[i].outbox != NULL) settled &= ee_outbox_settled(f->edge[i].outbox);
  }
  return settled;
}

bool ee_team_edges_sent(const team_formation *f) {
  bool sent = true;
  for (int i = 0; i < f->n_edges; i++) {
    if (f->edge[i].outbox != NULL) sent &= ee_outbox_sent(f->edge[i].outbox);
  }
  return sent;
}

void ee_team_edges_await(const team_formation *f, ee_waiter *w) {
  for (int i = 0; i < f->n_edges; i++) {
    const team_edge *e = &f->edge[i];
    if (e->inbox != NULL) ee_inbox_await(e->inbox, w);
    if (e->outbox != NULL && !ee_outbox_settled(e->outbox)) ee_outbox_await(e->outbox, w);
  }
}
