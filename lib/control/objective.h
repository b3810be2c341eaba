/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "estimate.h"

/**
 * @file objective.h
 * What plans are compared by: the period, or the expected latency if the planner makes that short.
 * Both are sums of the seconds that a sample keeps parts of a plan busy: the period those of one
 * part, the bottleneck; the latency those of all.
 */

/** The figure of @p forecast that @p planner makes short [s]. */
double *ee_objective(const ee_planner *planner, ee_forecast *forecast);

/**
 * Standard error of (T - B) / T, where T and B are that figure of two plans.  Counting: a sample
 * that leaves at exit x, share q[x], takes a[x] and b[x] seconds of the two, so T - B is the mean
 * of d = a - b over n samples and has the variance (sum q d^2 - (sum q d)^2) / n.  One sample more
 * is counted at each exit, so that few samples that all left at one are not taken for certainty
 * (rule of succession).  Speeds: T and B vary as the speeds of the devices that they rest on; a
 * device errs alike in both.
 */
double ee_gain_error(const ee_planner *planner, const ee_estimate *estimate, const ee_plan *now,
                     const ee_forecast *f_now, const ee_plan *best, const ee_forecast *f_best);
