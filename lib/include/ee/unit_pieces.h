/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/units.h"

/**
 * @file unit_pieces.h
 * What units read of each other, whoever computes them.
 *
 * A piece is a value, or rows of it, that one unit made or the network was given, and that one or
 * more units read.  What a unit makes goes to each device that reads any of it in one message,
 * which has each piece once, however many units of the device read it.
 *
 * Nothing here is collective.
 */

/** A value, or rows of it, that units read. */
typedef struct ee_unit_piece {
  int     value;
  int     from;  // unit that makes it; -1: the network's input
  ee_rows rows;  // of a value that is no picture [0, 1)
  size_t  bytes;
  int     n_readers;
  int    *reader;  // shape [n_readers], units, rising
} ee_unit_piece;

typedef struct ee_unit_pieces {
  int            n;
  ee_unit_piece *piece;  // shape [n], in the order in which units read them first
} ee_unit_pieces;

/** Rows that an input wants: those named, or all. */
ee_rows ee_unit_input_rows(const ee_model *whole, const ee_unit_input *input);

/**
 * Find what units read.
 * @param[out] pieces  ended by the caller with ee_unit_pieces_free(), also on error
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_unit_pieces_find(const ee_units *units, ee_unit_pieces *pieces);

void ee_unit_pieces_free(ee_unit_pieces *pieces);

/** Whether none of the readers before the @p k-th is on the same device: with unit u on device[u],
 *  those of which it is true are one for each device that reads the piece. */
bool ee_unit_reads_first(const ee_unit_piece *piece, int k, const int *device);
