/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

#include "ee/bands.h"

/**
 * @file units.h
 * A model taken apart for devices that work on the same sample at the same time.
 *
 * A unit is what one device computes at one go: a stage of a branch, a band of rows, the fusion of
 * what branches made and the head behind it, or layers of a chain.  It begins when all values (or
 * rows of them) that it reads are there, and others begin with what it made.  Units with the same
 * lane belong to the same branch or band; what all lanes lead to, and what leads to all of them,
 * has no lane.
 *
 * A unit that adds what lanes made, or sets it side by side, can do so without some of them: what
 * an absent lane would have made is zeros, and what the m of K present ones made counts K / m
 * times. That is the mean of the present ones where it was a mean of all.
 *
 * A unit's stage is the first exit that needs it: once a sample has left at an exit, units of later
 * stages compute in vain.
 *
 * Nothing in this file is collective.
 */

/** What a unit reads: a value, or some of its rows. */
typedef struct ee_unit_input {
  int     value;  // of the whole model
  int     from;   // unit that makes it, which stands before this one; -1: the network's input
  ee_rows rows;   // which of its rows, counted in the whole; all of them where `held` is NULL
} ee_unit_input;

typedef struct ee_unit {
  char           name[EE_NAME_BYTES];
  ee_model      *model;       // that computes it; values have their numbers of the whole model
  int            begin, end;  // its layers in `model`
  int            stage;       // the first exit that needs it
  int            exit;        // whose head runs behind the layers; -1: none
  int            lane;        // -1: none
  int            device;      // who computes it
  bool           joins;       // what all lanes made, of which some may be absent: see above
  int            n_inputs;
  ee_unit_input *input;  // shape [n_inputs]
  ee_rows       *held;  // shape [n_values] of `model`: rows of the whole that each value has, as in
                        // ee_band; NULL: all
  double flops;         // of one sample, with the head [FLOP]
} ee_unit;

typedef struct ee_units {
  const ee_model *whole;    // borrowed
  int             n_lanes;  // branches or bands
  int             n;
  ee_unit        *unit;  // shape [n], each behind those that it reads from
} ee_units;

/**
 * Make room for @p n units, zeroed but for `exit` and `lane`, -1.
 * @param[out] units  owned by the caller; NULL on error, as everywhere in this file
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_units_create(const ee_model *whole, int n, int n_lanes, ee_units **units);

/**
 * Find the branches of @p whole: parts that begin at the same value, side by side, and meet again
 * only where what all of them made is joined, after each stage.  Units, in order: what leads to
 * the branches; for each stage its part of every branch, then what joins them, with the exit's
 * head.  All are given to device 0.
 * @return EE_OK; EE_ERR_ARG if no value begins branches of which each has weights and which all
 *         exits join; EE_ERR_NOMEM
 */
ee_status ee_units_of_branches(const ee_model *whole, ee_units **units);

/**
 * Make the model of some nodes: a copy of @p whole with nothing else, to be held (ee_resident_add)
 * and run (ee_exec_create) like any other.  Layers, values and exits keep their numbers; a layer
 * has the nodes that were kept and their constants.  Of the cuts, those in front of the first such
 * layer carry what the nodes read and do not make, and the last one what they make for others.
 * @param[in]  keep  shape [n_nodes]
 * @param[in]  head  exit that stays one; nodes of other heads become their layer's; -1: none stays
 * @param[out] made  owned by the caller; constants are copied as far as they are in memory
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_part_model(const ee_model *whole, const bool *keep, int head, ee_model **made);

/**
 * The blob of layer @p layer of a unit's model, out of that of the whole model's layer.
 * @param[in]  whole_blob  as ee_model_layer_constants() lays it out
 * @param[out] blob        malloc()ed; NULL if the unit has no constants of the layer
 */
ee_status ee_unit_blob(const ee_model *whole, const ee_unit *unit, int layer,
                       const float *whole_blob, float **blob);

/** Whether a sample can do without unit @p u: its lane may be absent, since all that reads it from
 *  outside of the lane joins. */
bool ee_unit_may_be_absent(const ee_units *units, int u);

/** Index of the unit whose exit is @p exit; -1 if there is none. */
int ee_units_of_exit(const ee_units *units, int exit);

/** EE_OK, or EE_ERR_ARG with what is wrong: a value that no unit makes, a device below 0 or not
 *  below @p n_devices, an exit that no unit or more than one has. */
ee_status ee_units_check(const ee_units *units, int n_devices);

/** Destroy with the models and set to NULL.  *units may be NULL. */
void ee_units_destroy(ee_units **units);
