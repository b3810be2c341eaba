/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "plan_find.h"

/**
 * @file plan_text.h
 * What edgeexit plan says in words.  Each writes to text of a size, cut short if need be, and
 * returns it.
 */

/** The fleet's name of device @p d, or its number. */
const char *ee_plan_device_name(const ee_plan_question *q, int d, char *text, size_t size);

/** "hub", "hub (head of exit2)" or "link camera -> hub". */
const char *ee_plan_bottleneck(const ee_plan_question *q, const ee_promise *p, char *text,
                               size_t size);

/** How values enter stage @p s >= 1 of the plan. */
ee_link_values ee_plan_link_values(const ee_promise *p, int s);

/** "camera -> hub f16, hub -> attic int8; int8 loses 0.0010 of accuracy". */
const char *ee_plan_links(const ee_plan_question *q, const ee_promise *p, char *text, size_t size);

/** Whether to distribute, over which devices, what it gains, and where it ends. */
const char *ee_plan_verdict(const ee_plan_question *q, const ee_promises *all, char *text,
                            size_t size);

/** Why device @p d is in use or idle, and what would be otherwise. */
const char *ee_plan_device_worth(const ee_promises *all, int d, char *text, size_t size);

/** Hand each warning in turn to @p take, with @p context. */
void ee_plan_warnings(const ee_plan_question *q, const ee_promises           *all,
                      void (*take)(const char *warning, void *context), void *context);
