/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/status.h"

/**
 * @file exits_format.h
 * What writer and reader of exit tables agree on.
 */

#define EE_EXITS_FORMAT "edgeexit-exits"
#define EE_EXITS_LOGITS "/logits"
#define EE_EXITS_CONFIDENCE "/confidence"
#define EE_EXITS_SCORE "/score"
#define EE_EXITS_PREDICTION "/prediction"
#define EE_EXITS_CLASSES "n_classes"  // attribute of the root, if there are no logits
#define EE_EXITS_LABELS "/labels"
#define EE_EXITS_ATTACH "/attach"
#define EE_EXITS_TEMPERATURE "/temperature"
#define EE_EXITS_HEAD_FLOPS "/head_flops"
#define EE_EXITS_LAYER_FLOPS "/layer_flops"
#define EE_EXITS_CUT_BYTES "/cut_bytes"
#define EE_EXITS_PROVENANCE "/provenance"
#define EE_EXITS_LINK_VALUES "/link_values"  // both are left out if nothing was rounded
#define EE_EXITS_LINK_CUTS "/link_cuts"

#define EE_EXITS_NETWORK "network"            // attributes of the root, left out if no model is
#define EE_EXITS_IDENTITY "network_identity"  // known; 16 hexadecimal digits
#define EE_EXITS_BACKEND "backend"            // attribute of the root, left out if not known

#define EE_EXITS_MAX 65536  // exits
#define EE_EXITS_MAX_LAYERS (1 << 24)

/** @p status, naming @p path, unless there are @p n >= 1 cuts that rise from 1 to n_layers - 1. */
ee_status ee_exits_check_cuts(ee_status status, const char *path, const int *cut, int n,
                              int n_layers);
