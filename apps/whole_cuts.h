/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "whole.h"

/** @file whole_cuts.h  For whole.c: the cuts of a model that is run on one device. */

/**
 * Run the layers in front of each cut that lies before layer @p to, from *at on, and let the values
 * cross it.
 * @param at    layer to go on with
 * @param exec  that has it
 */
ee_status ee_whole_cross(ee_whole *whole, int n, int to, int *at, ee_exec **exec);

/** Free them, if there are any. */
void ee_whole_cuts_free(ee_whole *whole);
