/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "alarm.h"
#include "answers.h"
#include "ee/lifeline.h"
#include "ee/team.h"
#include "link.h"
#include "message.h"

/** @file team_state.h  What the parts of a team's rank share. */

/** A value, or rows of it, on its way; `at` where it stands behind the header [byte]. */
typedef struct team_piece {
  int     value;
  ee_rows rows;
  size_t  at;
} team_piece;

/** What one unit, or the source, gives to one rank. */
typedef struct team_edge {
  int         from, from_rank, to_rank;  // from: unit; -1: the network's input
  int         n;
  team_piece *piece;   // shape [n]
  size_t      bytes;   // of a message of one sample
  ee_outbox  *outbox;  // to another rank; NULL: this is not the sender
  ee_inbox   *inbox;   // from another rank; NULL: this is not the receiver
  float      *stored;  // shape [window, stride]: what came, by sample; NULL: not for this rank
  size_t      stride;  // floats
} team_edge;

/** What ranks tell each other. */
typedef enum team_word {
  TEAM_BEGINS,   // rank 0: a sample begins; `lanes` are absent from the start
  TEAM_PASSES,   // rank 0: a sample begins without this rank
  TEAM_GOES_ON,  // behind exit `exit`
  TEAM_LEAVES,   // at exit `exit`
  TEAM_MISSES,   // lanes `lanes` of the sample, too
  TEAM_CLOSED,   // to rank 0: ids below `id` are over here
  TEAM_READY,    // to rank 0, behind a sample that passed: this rank can begin samples again
  TEAM_PLACES,   // rank 0: units are to go to other ranks; devices of TEAM_PLACED units from `unit`
                 // on
  TEAM_MOVES,    // rank 0: all were told, as formation `formation`
  TEAM_LOADED,   // to rank 0: this one is ready for it
  TEAM_LEFT_OLD,  // to rank 0: nothing here belongs to the formation before
  TEAM_FORGETS,   // rank 0: no sample goes on to the formation that was told last
  TEAM_DROPS,     // rank 0: nobody has anything of the formation before
  TEAM_ENDS,      // rank 0: no sample follows
  TEAM_DONE,      // to rank 0: this rank has nothing left to send
  TEAM_OVER       // rank 0: no rank has
} team_word;

enum { TEAM_PLACED = 16 };

/** On its way the policy's state, shape [state_bytes], stands behind it. */
typedef struct team_note {
  ee_message_header header;
  int32_t           word, exit;
  uint64_t          id;
  int64_t           admitted;  // [ns]
  uint64_t          lanes;
  int32_t           offloaded;  // exit where it was, plus 1; 0: nowhere
  int32_t           formation, unit, reserved;
  int64_t           busy;                // of the rank so far [ns]
  double            work;                // done in that time [FLOP]
  int16_t           place[TEAM_PLACED];  // devices of units from `unit` on
  const void       *state;               // when told or heard; NULL: zeros
} team_note;

/** Notes to and from one other rank; NULL where there are none. */
typedef struct team_line {
  ee_outbox *outbox;
  ee_inbox  *inbox;
} team_line;

/** The weights of a unit, ready to run. */
typedef struct team_loaded {
  ee_resident *resident;  // NULL: not here, or nothing is computed
  ee_exec     *exec;
  int          holders;  // formations that have the unit here
} team_loaded;

/** Where what a unit reads comes from. */
typedef struct team_reads {
  int *edge;   // shape [n_inputs]: the edge that each input comes over; NULL: not computed here
  int *piece;  // shape [n_inputs]: which of its pieces
} team_reads;

/** Who computes what, from one sample on. */
typedef struct team_formation {
  int         number;  // of the formations so far
  int        *device;  // shape [n_units]
  int         n_edges;
  team_edge  *edge;   // shape [n_edges]
  team_reads *reads;  // shape [n_units]
} team_formation;

/** A sample that this rank has begun. */
typedef struct team_sample {
  bool            open;
  team_formation *formation;
  uint64_t        id;
  int64_t         admitted;   // [ns]
  uint64_t        absent;     // lanes
  int             passed;     // exits that it went on behind
  int             left;       // exit where it left; -1: not yet
  int             offloaded;  // as in a note
  unsigned char  *state;      // shape [state_bytes], the policy's
  bool           *here;       // shape [most_edges]: what has come
  bool           *done;       // shape [n_units]: computed here
  int64_t        *first;      // shape [n_units]: when the first lane came to a join; -1 [ns]
} team_sample;

/** A unit that was computed, until its time on the paced clock has come. */
typedef struct team_held {
  team_sample *sample;  // NULL: none is
  int          unit;
  int64_t      begun, computed, release;  // [ns]
} team_held;

/** Rank 0's account of another rank, or of itself. */
typedef struct team_peer {
  bool     optional;         // its units all belong to lanes that may be absent
  uint64_t lanes;            // those of its units
  uint64_t closed;           // ids below it are over there
  bool     behind;           // gets no new samples
  bool     unasked;          // it is, and was not told of a sample that passes it by since
  int64_t  lags_since;       // it has not ended what is over on rank 0; INT64_MAX: it has [ns]
  uint64_t lagged_at;        // `closed` then
  int64_t  busy;             // as it said last [ns]
  double   work;             // [FLOP]
  bool     loaded;           // has said so, of the formation to come
  bool     left_old;         // has said so
  bool     done;             // has nothing left to send
  int64_t  taken, takes_at;  // notes that it took, and when it did last or had none to take [ns]
  bool     lost;             // on any rank's account: its process has died
} team_peer;

/** A change of formations. */
typedef struct team_move {
  int     *wanted;       // shape [n_units], devices as told
  int      number;       // of the formation to be made; 0: none was told
  int      n_loaded;     // units looked at, of the one that is being loaded
  bool     told_loaded;  // rank 0, of the next one
  bool     told_left;    // rank 0, of the old one
  int      stamp;        // rank 0: formation of the samples that it begins
  bool     under_way;    // rank 0
  int64_t  looked;       // rank 0: answers when the mover looked last
  int64_t *left;         // rank 0: shape [n_exits], samples that left
  int64_t *busy;         // rank 0: shape [ranks], scratch of the news, as are those below
  double  *work;
  bool    *behind, *lost;
  int      heeded;  // rank 0: ranks that were lost before then
} team_move;

struct ee_team {
  ee_run_setup    setup;
  const ee_units *units;
  ee_team_options options;
  ee_unit_memory  memory;  // what units and messages take
  ee_wire         wire;
  ee_pacer        pacer;
  ee_alarm        alarm;
  ee_waiter       waiter;
  int64_t         origin;      // start of the run on this host's clock [ns]
  int             most_edges;  // that a formation can have
  team_formation *now;         // of the newest samples
  team_formation *next;        // that they will go on to; NULL: none
  team_formation *old;         // that others still belong to; NULL: none
  team_move       move;
  team_line      *line;       // shape [ranks]
  double         *work;       // shape [n_units] [FLOP]
  double          work_done;  // so far [FLOP]
  team_loaded    *loaded;     // shape [n_units]
  team_peer      *peer;       // shape [ranks]
  team_sample    *sample;     // shape [window]
  team_held       held;
  uint64_t        known;         // ids below it were told of
  uint64_t        closed, told;  // ids below it are over here; what rank 0 was told of that
  bool            passed_by;     // a sample began without this rank
  bool            ended;         // no sample follows
  ee_answer_box  *answers;
  ee_collector   *collector;    // rank 0
  float          *probability;  // shape [n_classes], scratch
  size_t          state_bytes;  // per sample, a multiple of 8
  unsigned char  *heard;        // shape [state_bytes], scratch
  int64_t         idle_since;   // -1: not idle [ns]
  bool            alarmed;
  int             n_lost;      // ranks whose deaths were heeded
  bool            done, over;  // this rank, or no rank, has anything left to send
  MPI_Comm        living;      // after the run; `everybody` if all ranks are
  MPI_Comm        everybody;   // as given

  // The source, on rank 0.
  uint64_t next_id;
  float   *input;  // shape [elements], of sample `next_id` if it was read
  bool     input_read;
  bool    *without;  // shape [ranks], scratch
  bool     end_told;

  ee_device_totals totals;
  ee_team_totals   team_totals;
};

int64_t ee_team_now(const ee_team *t);

/** Bytes of a note on its way. */
static inline size_t ee_team_note_bytes(const ee_team *t) {
  return sizeof(team_note) + t->state_bytes;
}

// ---- team_memory.c ----
/** Bytes of a policy's state with a sample or a note. */
size_t ee_team_state_bytes(const ee_policy *policy);
/** Find what units take. */
ee_status ee_team_memory_open(ee_team *t);
/** EE_ERR_ARG if this rank's device has too little memory with unit u on @p device[u]. */
ee_status ee_team_memory_check(ee_team *t, const int *device);
/** The rank is about to have its part of @p next beside that of the formation that there is. */
ee_status ee_team_memory_note(ee_team *t, const team_formation *next);

// ---- team_formation.c ----
/** Make one that gives unit u to @p device[u]: what goes from where to where, the same on all
 * ranks, and this rank's ends of it. */
ee_status ee_team_formation_open(ee_team *t, int number, const int *device,
                                 team_formation **formation);
void      ee_team_formation_close(ee_team *t, team_formation **formation);
/** The formation at place @p i, from 0 on; NULL: there are no more. */
team_formation *ee_team_formation_at(const ee_team *t, int i);

// ---- team_move.c ----
ee_status ee_team_move_open(ee_team *t);
void      ee_team_move_close(ee_team *t);
/** A note about moves. */
void ee_team_move_heed(ee_team *t, int from, const team_note *note);
/** Load, say so, let go. */
ee_status ee_team_move_step(ee_team *t, int64_t now, bool *busy);
/** Rank 0, when no sample follows: whether no rank has anything more to say about a move.  One that
 *  no sample goes on to stays as it is. */
bool ee_team_move_is_over(const ee_team *t);
/** A sample of formation @p number begins. */
void ee_team_move_follow(ee_team *t, int number);

// ---- team_edges.c ----
ee_status ee_team_edges_find(const ee_team *t, team_formation *f);
ee_status ee_team_edges_open(ee_team *t, team_formation *f);
void      ee_team_edges_close(team_formation *f);
/** Leave the links with rank @p r, whatever is under way on them. */
void ee_team_edges_abandon(team_formation *f, int r);
/** Edge and piece that input @p i of unit @p u comes over. */
void ee_team_find_input(const ee_team *t, const team_formation *f, int u, int i, int *edge,
                        int *piece);
/** Whether what was sent over them was taken; whether MPI is through with it. */
bool ee_team_edges_settled(const team_formation *f);
bool ee_team_edges_sent(const team_formation *f);
/** Wait for what comes over them, and for credits. */
void ee_team_edges_await(const team_formation *f, ee_waiter *waiter);
/** Notes to one rank under way at most: of each sample that it begins, what becomes of it at each
 *  exit, and lanes that it misses; and of a move. */
int       ee_team_notes_at_once(const ee_units *units, int window);
ee_status ee_team_lines_open(ee_team *t);
void      ee_team_lines_close(ee_team *t);
/** Rows that @p unit has of value @p v; the network's input if @p unit is NULL. */
ee_rows ee_team_rows(const ee_team *t, const ee_unit *unit, int v);
/** Copy rows of a value, or all of it if it is no picture. */
void ee_team_copy(const ee_team *t, int v, ee_rows rows, const float *from, ee_rows from_has,
                  float *to, ee_rows to_has);

// ---- team_mail.c ----
/** Whether everything that unit @p u makes can be sent now; -1: the input. */
bool ee_team_can_give(const team_formation *f, int u);
/** Give what unit @p u made of sample @p id, or the input (-1), to all ranks that read it, but for
 *  those in @p without, shape [ranks]; NULL: to all. */
void ee_team_give(ee_team *t, team_formation *f, int u, uint64_t id, const bool *without,
                  int64_t now);
/** Take what has come. */
ee_status ee_team_take(ee_team *t, int64_t now, bool *busy);

// ---- team_notes.c ----
/** Whether @p n notes can be sent to all ranks. */
bool ee_team_can_tell(const ee_team *t, int n);
/** Tell rank @p rank, which may be this one. */
void ee_team_tell(ee_team *t, int rank, const team_note *note, int64_t now);
/** Tell all ranks. */
void ee_team_tell_all(ee_team *t, const team_note *note, int64_t now);
/** Take notes that have come. */
ee_status ee_team_listen(ee_team *t, int64_t now, bool *busy);
/** The sample is over as far as this rank knows: it left at @p exit. */
void ee_team_leave(ee_team *t, team_sample *s, int exit);
/** Tell rank 0 how far this one is, if that is news. */
void ee_team_report(ee_team *t, int64_t now, bool *busy);

/** Whether a note can be sent to rank @p rank, which may be this one. */
bool ee_team_can_tell_rank(const ee_team *t, int rank);

// ---- team_loss.c ----
/** Heed deaths of other ranks since the last call. */
ee_status ee_team_heed_losses(ee_team *t, int64_t now, bool *busy);
/** Lanes with units on ranks that were lost. */
uint64_t ee_team_lost_lanes(const ee_team *t, const team_formation *f);
/** Whether no sample can go that way, for ranks that were lost. */
bool ee_team_needs_lost(const ee_team *t, const team_formation *f);
/** Leave everything that is under way where it is. */
void ee_team_abandon_all(ee_team *t);

// ---- team_samples.c ----
ee_status    ee_team_samples_open(ee_team *t);
void         ee_team_samples_close(ee_team *t);
team_sample *ee_team_sample(const ee_team *t, uint64_t id);  // NULL: not open here
void         ee_team_begin_sample(ee_team *t, const team_note *note);
/** A sample begins elsewhere. */
void ee_team_pass_sample(ee_team *t, const team_note *note);
/** Close it, if it has left and nothing of it is held. */
void ee_team_close_sample(ee_team *t, team_sample *s);
bool ee_team_any_open(const ee_team *t);

// ---- team_compute.c ----
/** Value @p v as unit @p u made it, or the network's input (-1); NULL: nothing was computed. */
const float *ee_team_value(const ee_team *t, int u, int v);
/** Load the weights of unit @p u for one more formation, if no other had it here. */
ee_status ee_team_load(ee_team *t, int u);
void      ee_team_unload(ee_team *t, int u);
/** Compute a unit that is ready, if nothing is held. */
ee_status ee_team_compute(ee_team *t, bool *busy);
/** Give on what was computed, once its time has come. */
ee_status ee_team_release(ee_team *t, int64_t now, bool *busy);
/** Whether this device is there now, by the fleet's schedule. */
bool ee_team_is_there(const ee_team *t, int64_t now);

// ---- team_ready.c ----
/** The next unit to compute: *u, of the sample that is returned; NULL: none is ready.  Joins whose
 *  time has come give up lanes. */
team_sample *ee_team_choose(ee_team *t, int64_t now, int *u);
/** When a join that waits need wait no longer; INT64_MAX: none does [ns]. */
int64_t ee_team_next_deadline(const ee_team *t);

// ---- team_decide.c ----
/** The exit of unit @p u, which has run: leave or go on. */
ee_status ee_team_decide(ee_team *t, team_sample *s, int u, int64_t now);

// ---- team_limit.c ----
/** When the sample's latency limit is over; INT64_MAX without one [ns]. */
int64_t ee_team_limit_of(const ee_team *t, const team_sample *s);
/** Nothing more is done for a sample, which ends at the exit that it passed last. */
void ee_team_drop(ee_team *t, team_sample *s);
/** Drop those whose limit is over. */
void ee_team_drop_overdue(ee_team *t, int64_t now, bool *busy);
/** When the next one's is; INT64_MAX: none can be dropped [ns]. */
int64_t ee_team_next_limit(const ee_team *t);

// ---- team.c ----
/** Rank 0's account of who may be done without, when units are on @p device. */
void ee_team_count_peers(ee_team *t, const int *device);

// ---- team_source.c ----
ee_status ee_team_source_open(ee_team *t);
ee_status ee_team_source_step(ee_team *t, int64_t now, bool *busy);
/** When it may go on; INT64_MAX: not by time [ns]. */
int64_t ee_team_source_next(const ee_team *t, int64_t now);
void    ee_team_source_close(ee_team *t);
