/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "estimate.h"

/**
 * @file objective.h
 * What plans are compared by: the period, or the expected latency if the planner makes that short
 * and the present plan is fast enough.
 * Both are sums of the seconds that a sample keeps parts of a plan busy: the period those of one
 * part, the bottleneck; the latency those of all.
 */

/** Whether the plan that promises @p now is to be compared with others by latency: the planner
 * makes that short, and the plan keeps to the longest period that the chain allows, if there is
 * one. */
bool ee_objective_is_latency(const ee_planner *planner, const ee_chain *chain,
                             const ee_forecast *now);

/** The figure of @p forecast that plans are compared by [s]. */
double *ee_objective(bool by_latency, ee_forecast *forecast);

/**
 * Standard error of (T - B) / T, where T and B are that figure of two plans.  Counting: a sample
 * that leaves at exit x, share q[x], takes a[x] and b[x] seconds of the two, so T - B is the mean
 * of d = a - b over n samples and has the variance (sum q d^2 - (sum q d)^2) / n.  One sample more
 * is counted at each exit, so that few samples that all left at one are not taken for certainty
 * (rule of succession).  Speeds: T and B vary as the speeds of the devices that they rest on; a
 * device errs alike in both.  T rests on the slowest device of a stage with several, whose turns
 * are given; B on all of them by their shares, since their turns follow the speeds.
 */
double ee_gain_error(bool by_latency, const ee_estimate *estimate, const ee_plan *now,
                     const ee_forecast *f_now, const ee_plan *best, const ee_forecast *f_best);
