/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file bands.h
 * Layers cut across the rows of their pictures: which rows a device needs to make some of the rows
 * of the result, and a model that computes only these.
 *
 * A band is what one device computes of layers [begin, end): rows [r0, r1) of all values alive at
 * cut `end`, and everything that they need.  Rows are those of dimension 2 of a value of shape
 * [1, C, H, W].  An output row o of a window of k rows with stride s, dilation d and p rows of
 * padding above needs the input's rows
 *
 *   o s - p, o s - p + d, ..., o s - p + (k - 1) d
 *
 * as far as there are such; a window in Winograd's way makes m rows at once, from m to m, so a band
 * has such rows together, or its bits would not be those of the whole.  Bands of neighbours
 * overlap in front of `end`: these rows are computed twice, or exchanged layer by layer if bands
 * are of one layer each.
 *
 * Nothing here is collective.
 */

typedef struct ee_backend ee_backend;  // ee/backend.h

/** Rows [begin, end) of a picture; none if they are equal. */
typedef struct ee_rows {
  int64_t begin, end;
} ee_rows;

/** A band.  Ended by ee_band_free(). */
typedef struct ee_band {
  int      begin, end;  // layers
  ee_rows  rows;        // of the values at cut `end`, as asked for
  ee_rows *held;        // shape [n_values]: rows that it has of each value: of those at cut `begin`
                        // what must come in, of those made in between what it computes, perhaps
                        // more than was asked for; none of all others
} ee_band;

/** Rows of all values alive at @p cut in [0, n_layers]; 0 if there are none, if one of them is no
 *  picture or if they differ in their number. */
int64_t ee_bands_height(const ee_model *model, int cut);

/**
 * Whether layers [@p begin, @p end) can be cut into bands.
 * @return EE_OK; EE_ERR_ARG with the node that mixes all rows (Gemm, global pooling, attention and
 *         the like), the exit that is attached inside of the range, or what is wrong at its ends
 */
ee_status ee_bands_check(const ee_model *model, int begin, int end);

/** The largest end for which ee_bands_check() says EE_OK, reporting nothing; @p begin if none. */
int ee_bands_longest(const ee_model *model, int begin);

/** How far ranges of bands one behind the other reach, with exits attached where ranges end;
 *  @p begin if there is none. */
int ee_bands_furthest(const ee_model *model, int begin);

/**
 * Find what is needed for rows @p rows of the values at cut @p end.
 * @param[in]  backend  that will run it: Winograd's way of the backend `simd` widens bands
 * @param[out] band     ended by the caller with ee_band_free(), also on error
 * @return EE_OK; EE_ERR_ARG as ee_bands_check(), or if there are no such rows; EE_ERR_NOMEM
 */
ee_status ee_band_find(const ee_model *model, const ee_backend *backend, int begin, int end,
                       ee_rows rows, ee_band *band);

void ee_band_free(ee_band *band);

/** Floating-point operations that the band has in layer @p layer inside its range, counted as
 *  ee_model_finish() does for whole layers [FLOP]. */
double ee_band_flops(const ee_model *model, const ee_band *band, int layer);

/** Of rows @p need those in front of, and those behind, the rows @p own: what the neighbours above
 *  and below must send to who has the latter. */
ee_rows ee_rows_above(ee_rows need, ee_rows own);
ee_rows ee_rows_below(ee_rows need, ee_rows own);

/**
 * Copy rows @p rows of @p n pictures, from an array that has rows @p from_has to one that has rows
 * @p to_has; other rows of the latter stay.  A message of rows alone has just these.
 * @param[in] shape  of one whole picture, [1, C, H, W]
 * @param[in] from   shape [n, C, rows of from_has, W]
 * @param     to     shape [n, C, rows of to_has, W]; overlaps nothing
 */
void ee_rows_copy(const ee_shape *shape, int64_t n, ee_rows rows, const float *from,
                  ee_rows from_has, float *to, ee_rows to_has);

/**
 * Make a model whose layers [begin, end) compute just the band, bit by bit as the whole does: to be
 * held (ee_resident_add) and run (ee_exec_create) like any other.  Layers, values and blobs of
 * layers are those of @p model, so that weights come from the same file or device; values at cut
 * `begin` and `end` have the shape of held[v].  Nothing else of it may be run: no other layer and
 * no head.  Padding stands at the true top and bottom only; where a value has more rows than a
 * window reads, its padding is negative, and any other operator reads them through a Slice.
 *
 * The rules of Winograd convolutions and of tuning must be the same when the band is found, made
 * and held.
 *
 * @param[in]  band   from ee_band_find() with this model and backend
 * @param[out] made   with copies of the constants of its layers as far as they are in memory; owned
 *                    by the caller (ee_model_destroy()); NULL on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_band_model(const ee_model *model, const ee_backend *backend, const ee_band *band,
                        ee_model **made);
