/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "chain.h"

/**
 * @file types.h
 * Devices that can stand in for each other are one type: of equal speed and memory, equally far
 * from the source, and swapping two of them leaves every link as it was.
 */
typedef struct ee_types {
  int  n;
  int *of;      // shape [n_devices], type of a device; -1: it is away
  int *count;   // shape [n], devices of a type
  int *first;   // shape [n], lowest device of a type
  int *second;  // shape [n], next lowest; -1 if there is one only
} ee_types;

/** Sort the present devices of @p chain, which passed ee_chain_check(), into types by lowest
 *  device.  @return EE_OK; EE_ERR_NOMEM.  To be destroyed also on error. */
ee_status ee_types_create(const ee_chain *chain, ee_types *types);

void ee_types_destroy(ee_types *types);

/** Seconds per admitted sample of the link that carries @p cut from a device of type @p u to
 *  another of type @p v; 0 if there is no other [s]. */
double ee_types_link_load(const ee_chain *chain, const ee_types *types, int u, int v, int cut);
