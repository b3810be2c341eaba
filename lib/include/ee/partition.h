/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>

#include "ee/model.h"
#include "ee/plan.h"
#include "ee/status.h"

/**
 * @file partition.h
 * Finding plans: pure functions of a chain of layers and a row of devices.
 *
 * With R[l] the share of samples that run layer l (reach), a stage with layers [i, j) on device d
 * is busy per admitted sample for
 *
 *   W_d(i, j) = sum_{l=i..j-1} R[l] t[d][l]  +  sum_{e: i <= attach[e] < j} R[attach[e]] g[d][e]
 *
 * with t = work / speed and g = head_work / speed, and for what passes a cut inside the network,
 * where copy_work is given, R[i] copy_work[i] / speed more if i > 0 and R[j] copy_work[j] / speed
 * if j < n_layers: values are copied into messages and out of them.  The link that carries cut j
 * from d to d' transmits for C(j) = R[j] cut_bytes[j] / bandwidth per admitted sample, and a
 * message is under way with its credit for a round trip, so with `slots` messages at most the link
 * takes
 *
 *   B(j) = max(C(j), (m(j) (latency there + latency back) + C(j)) / slots),
 *   m(j) = (1 - (1 - R[j])^message_samples) / message_samples.
 *
 * m(j) is how many messages carry anything if samples come in full batches of message_samples,
 * leave independently and are not merged; what is merged on the way makes it less.  The period of a
 * plan is the largest of all W and B: the time per sample of the slowest stage or link. R[n_layers]
 * is 0.  A stage that several devices own gives each of them a share: its turns over those of all.
 * Between m devices and r there are m r links, each with the product of the shares at its ends of
 * what B(j) would be with all samples.  A sample alone in its message takes B'(j) = R[j] (latency
 * there + cut_bytes[j] / bandwidth).
 *
 * Links join consecutive stages; if there is a source, one more carries cut 0 from it to the first
 * stage, unless that is on the source itself.  A source of speed 0 owns no layer but still sends.
 * A stage [i, j) needs
 *
 *   sum_{l=i..j-1} (weight_bytes[l] + packed_bytes[l]) + run_bytes[i, j]
 *     + message_samples (slots cut_bytes[i] + (slots + 1) cut_bytes[j])
 *
 * bytes, which must not exceed its device's memory: messages that come in, and those that go out
 * with the one that is being made.  With one slot that is none more, and a stage makes it only when
 * the one before was taken, which the loads do not count.
 *
 * Nothing here is collective.  Ranks that hold the same chain find the same plan, bit by bit.
 */

/** A chain of layers to be cut over devices.  All arrays are borrowed. */
typedef struct ee_chain {
  int           n_layers, n_devices, n_exits;
  const double *work;          // shape [n_layers], of one sample [FLOP]
  const double *reach;         // shape [n_layers], in [0, 1], does not grow
  const double *head_work;     // shape [n_exits] [FLOP]; the last exit's may be 0
  const int    *attach;        // shape [n_exits], layer after which the head runs
  const double *cut_bytes;     // shape [n_layers + 1], of one sample [byte]
  const double *copy_work;     // shape [n_layers + 1], of one sample on each of the devices beside
                               // a cut [FLOP]; ends ignored; NULL: nothing
  const bool   *cut_allowed;   // shape [n_layers + 1], ends ignored; NULL: every cut
  const double *weight_bytes;  // shape [n_layers] [byte]; NULL: memory is not limited
  const double *packed_bytes;  // shape [n_layers], of weights once more, packed; NULL: none
  const double *run_bytes;     // shape [n_layers + 1, n_layers + 1], what layers [i, j) need to
                               // run beside weights, no less than parts of them; NULL: nothing
  const double *speed;         // shape [n_devices] [FLOP/s]; 0: the device is away
  const double *bandwidth;     // shape [n_devices, n_devices] [byte/s]; 0 or NULL: unlimited
  const double *latency;       // shape [n_devices, n_devices] [s]; NULL: 0
  bool          links_alike;   // all elements of bandwidth are equal, and all of latency, so that
                               // nobody need look at n_devices^2 of them; false: not known
  const double *memory;        // shape [n_devices] [byte]; 0 or NULL: unlimited
  double        message_samples;  // samples per message, a full batch; >= 1
  int           slots;            // messages under way on a link; 0 counts as 1, without memory
  int           source;           // device that holds the input; -1: none, the input is everywhere
  double        max_period;       // that planner latency keeps to; 0: it need not [s]
} ee_chain;

/** What a plan promises. */
typedef struct ee_forecast {
  double period;       // per admitted sample; INFINITY if a stage is on a device that is away [s]
  double latency;      // expected, of one sample alone in its message, without queues [s]
  double lower_bound;  // no plan on these devices has a shorter period; of plans with replicas if
                       // it has some, else of those without [s]
  bool link;           // the bottleneck is a link: the one that leaves `stage`
  int  stage;          // index of the bottleneck stage in the plan; -1: the link from the source;
                       // among equals a stage before a link, and the first
} ee_forecast;

/** A planner: name, what it does, and how. */
typedef struct ee_planner {
  const char *name, *help;
  /** Find a plan, owned by the caller; NULL on error.
   *  @return EE_OK; EE_ERR_ARG if the chain is wrong or no plan fits (the message says which memory
   *  is too small); EE_ERR_NOMEM */
  ee_status (*find)(const ee_chain *chain, ee_plan **plan);
  bool by_latency;  // it makes latency short, not the period
  bool in_order;    // it finds the shortest period of all plans in index order
  bool replicates;  // it may give a stage to several devices
} ee_planner;

/** All planners, ended by NULL; docs/partition.md says what each does. */
const ee_planner *const *ee_planners(void);

/** NULL if there is none of that name. */
const ee_planner *ee_planner_by_name(const char *name);

/** Write the names of all planners, "exact, latency, ... or flops", to @p text of @p size bytes
 * (cut short if need be); return @p text. */
const char *ee_planner_names(char *text, int size);

/**
 * Find a plan as @p planner does, among those that cut only where the chain allows it.  Planners
 * themselves do not look at `cut_allowed`: layers between two allowed cuts are one to them.
 * @return as ee_planner.find
 */
ee_status ee_partition_find(const ee_planner *planner, const ee_chain *chain, ee_plan **plan);

/** EE_OK, or EE_ERR_ARG with the value that is wrong and what was expected.  The functions below
 *  that return no status take chains, and plans for them, that passed. */
ee_status ee_chain_check(const ee_chain *chain);

/**
 * Shortest period with devices in index order; a device may stay idle.
 *
 *   f(p, j) = min over i < j of max(g(p, i), W_p(i, j))           if [i, j) fits into p's memory
 *   g(p, i) = min over q < p of max(f(q, i), B_qp(i)),  i > 0     q: last device in use before p
 *   g(p, 0) = B_source,p(0)
 *
 * Periods closer than 1e-12, relatively, are equal.  Among plans of equal period the one with
 * fewer stages, then the one whose sum of squared stage loads is least; then the one whose last
 * stage is on the lowest device, begins latest, and so on for the stage before it.
 *
 * Time O(P L log L), and O(P L w) for devices of limited memory, with w the most layers whose load
 * is within the period; up to O(P^2 L) more if links differ.
 * @return as ee_planner.find
 */
ee_status ee_partition_exact(const ee_chain *chain, ee_plan **plan);

/**
 * Least expected latency of a sample, as ee_partition_forecast() tells it, with devices in index
 * order; a device may stay idle.  With B' of a sample alone in its message,
 *
 *   F(p, j) = min over i < j of G(p, i) + W_p(i, j)                if [i, j) fits into p's memory
 *   G(p, i) = min over q < p of F(q, i) + B'_qp(i),  i > 0;   G(p, 0) = B'_source,p(0)
 *
 * Only plans that keep to `max_period`, if there is one, as ee_partition_latency_within() finds
 * them. Among plans of equal latency (closer than 1e-11, relatively) the one with the shortest
 * period. Time O(P L), and O(P L^2) for devices of limited memory; O(P^2 L) more if links differ;
 * times the steps of a bisection if latencies are equal.
 * @return as ee_planner.find
 */
ee_status ee_partition_latency(const ee_chain *chain, ee_plan **plan);

/** The same among plans whose period is at most @p period [s], which must be >= 0: stages and links
 *  above it are left out of the minima.
 *  Cuts that are not allowed are left out too.
 *  @return as ee_planner.find; EE_ERR_ARG with the shortest period if @p period is less */
ee_status ee_partition_latency_within(const ee_chain *chain, double period, ee_plan **plan);

/**
 * Of all plans in index order with a period of at most @p period the one that moves the fewest
 * bytes of weights from plan @p now, as ee_partition_moved_bytes() counts them, then the one of the
 * shortest period.  With M_p(i, j) the weights of layers [i, j) that device p does not hold now,
 *
 *   F(p, j) = min over i < j of G(p, i) + (M_p(i, j), W_p(i, j))   if W_p(i, j) <= period and fits
 *   G(p, i) = min over q < p of F(q, i) + (0, B_qp(i)),  i > 0     if B_qp(i) <= period
 *
 * where pairs are ordered by bytes, then seconds, and + adds bytes and takes the larger seconds.
 * Only allowed cuts are used.  Bytes are compared exactly, as whole numbers may be; 0 without
 * weight_bytes.  Time O(P L w), w being the most layers whose load is within the period; O(P^2 L)
 * more if links differ.
 *
 * @param[in] now     a plan for this chain, in any order, also on devices that are away
 * @param[in] period  >= 0 [s]
 * @return as ee_planner.find; EE_ERR_ARG with the shortest period if @p period is less
 */
ee_status ee_partition_least_moved(const ee_chain *chain, const ee_plan *now, double period,
                                   ee_plan **plan);

/** A plan, and what it promises. */
typedef struct ee_tradeoff {
  ee_plan *plan;
  double   period, latency;  // as in ee_forecast [s]
} ee_tradeoff;

/** Plans that no other plan beats in both, from the least latency to the shortest period. */
typedef struct ee_front {
  int          n;
  ee_tradeoff *point;  // shape [n], latency rises and period falls
} ee_front;

/**
 * All trade-offs between period and latency with devices in index order: ee_partition_latency()
 * again and again, each time within less than the period before.  Only allowed cuts are used.
 * @param[out] front  owned by the caller; NULL on error
 * @return as ee_planner.find
 */
ee_status ee_partition_front(const ee_chain *chain, ee_front **front);

/** Destroy with its plans and set to NULL.  *front may be NULL. */
void ee_front_destroy(ee_front **front);

/**
 * Shortest period with devices in any order; a device may stay idle.
 *
 * Devices that can stand in for each other (equal speed, memory and links, equally far from the
 * source) are of one type.  With S counting the devices of each type in use, in which the last is
 * of type u,
 *
 *   j in reached(S, u)  iff  some v and i in reached(S - u, v) have W_u(i, j) <= period,
 *                            B_vu(i) <= period and [i, j) fits into u's memory
 *
 * and the period is the least load for which n_layers is reached: a bisection over the loads.
 * Time and memory grow with the product of (devices + 1) over the types.  If that is too large
 * (more than 2^23 words of 64 cuts in all sets), the order is a heuristic: from fastest first on,
 * swaps and moves that shorten the period.  The lower bound tells how far off it can be.
 *
 * The plan in index order if none is better, else the one with the fewest stages.
 * @return as ee_planner.find
 */
ee_status ee_partition_free_order(const ee_chain *chain, ee_plan **plan);

/** Whether ee_partition_free_order() finds the shortest period of all orders, and not just a short
 *  one.  False if the chain is wrong or memory runs out. */
bool ee_partition_free_order_is_exact(const ee_chain *chain);

/**
 * PipeEdge's planner, re-implemented from its recurrence: devices by type, S counting those in use,
 *
 *   h(j, S + u, v) = min over i < j of max(h(i, S, u), t_u(i, j), cut_bytes[j] / min(bw_u, bw_v))
 *
 * with h(0, {}, u) = 0, any order, idle devices allowed, and [i, j) fitting into u's memory.  It
 * does not look at exits (every reach is 1), latency or the source.  bw is a device's best link.
 *
 * @param[in] as_released  with the mistake of the released program: types are looked up in a list
 *                         of devices, so with two devices of the first type the second type is
 *                         planned with the first one's speed, memory and bandwidth
 * @return as ee_planner.find; EE_ERR_ARG too if counts by type are too many (2^23 cells)
 */
ee_status ee_partition_pipeedge(const ee_chain *chain, bool as_released, ee_plan **plan);

/**
 * DeepSpeed's balanced partition, re-implemented from its recurrence: as many parts as devices are
 * present, in index order, such that the largest and the smallest differ least,
 *
 *   D(n, j) = min over i < j of max(M(n - 1, i), w(i, j)) - min(m(n - 1, i), w(i, j))
 *
 * with M and m the largest and smallest part where D is least.  It does not look at exits, speeds,
 * links or memory, except that what does not fit is refused.
 * @return as ee_planner.find
 */
ee_status ee_partition_deepspeed(const ee_chain *chain, ee_plan **plan);

/** Layers [begin, end) on several devices that take samples in turn. */
typedef struct ee_replicas {
  int begin, end;
  int n;  // devices that own these layers
} ee_replicas;

/** Stages in the order of the layers; which device is in which stage is the caller's, except that
 *  the source, if present, is in the first. */
typedef struct ee_replicated {
  int          n_stages;
  ee_replicas *stage;        // shape [n_stages]
  int          n_devices;    // in use
  double       period;       // per admitted sample [s]
  double       lower_bound;  // all work spread evenly over all present devices [s]
} ee_replicated;

/**
 * Shortest period of equal devices when several may own the same layers.
 *
 *   A(j, m) = min over i < j, 1 <= r <= m of max(A(i, m - r), B(i), W(i, j) / r)
 *
 * B counts in full, as if the replicas on both sides shared one link.  A source that is present
 * keeps its part of the first stage, so its link carries (r - 1) / r of cut 0.  Every replica has
 * the stage's layers in its memory.
 *
 * Found as the least period for which F(j) = min over i < j of F(i) + ceil(W(i, j) / period), the
 * fewest devices for layers [0, j), is at most the devices there are; to 1e-12, relatively.  Among
 * plans of that period the one with the fewest devices, then stages.  Time O(L^2) times the steps
 * of a bisection.
 * @param[out] plan  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG if the chain is wrong, devices or links differ or nothing fits;
 *         EE_ERR_NOMEM
 */
ee_status ee_partition_replicate(const ee_chain *chain, ee_replicated **plan);

/** Destroy and set to NULL.  *plan may be NULL. */
void ee_replicated_destroy(ee_replicated **plan);

/**
 * Shortest period when several devices may own the same layers.
 *
 * Equal devices: ee_partition_replicate() as a plan.  The source, if present, is the first device
 * of the first stage, and the others follow in index order.  ee_partition_forecast() shares links
 * out, so it promises this period, or less where links are the bottleneck.
 *
 * Unequal ones: stages on runs [a, b) of present devices that follow each other, with S(a, b) the
 * sum of their speeds, each taking speed / S of the samples; between stages devices may stay idle,
 *
 *   A(a, b, j) = min over i < j of max(G(a, b, i), work(i, j) / S(a, b))    if [i, j) fits into
 * each G(a, b, i) = min over a' < b' <= a of max(A(a', b', i), B(i)),  i > 0;  that of the source
 * at 0
 *
 * with B(i) the longest of the links between the two runs, each with its share of the samples.
 * Among plans of that period (to 1e-12, relatively) the one with the fewest devices, then stages.
 * Samples are dealt out by turns, whole numbers, which makes a period up to 1 / 256 longer, or with
 * speeds far apart a little more.  Devices slower than 1 / 64 of the fastest share no stage, but
 * the plan of ee_partition_exact() is taken if that is faster.  Time O(P^4 L + P^2 L^2).
 *
 * A device has slots for a link to each device of the stages beside its own, which the recurrences
 * do not count: if they do not fit, devices are left out from the last one on until a plan does,
 * and ee_partition_exact() is asked too.
 * @return as ee_planner.find; EE_ERR_ARG too if unequal devices and layers are too many
 */
ee_status ee_partition_replicate_plan(const ee_chain *chain, ee_plan **plan);

/** Let the devices of each stage of @p plan, all present, take turns as that planner deals them out
 *  to unequal devices, whose stages and devices stay as they are.  @return EE_OK; EE_ERR_NOMEM */
ee_status ee_partition_deal(const ee_chain *chain, ee_plan *plan);

/** Whether some plan in index order has a period <= @p period.  Independent of the above: from the
 *  sets of cuts that can be reached.  False too if the chain is wrong or memory runs out. */
bool ee_partition_feasible(const ee_chain *chain, double period);

/** Period, latency, bound and bottleneck of @p plan under @p chain, whatever the order of its
 *  devices and whether it fits.  @return EE_OK; EE_ERR_ARG if chain or plan is wrong; EE_ERR_NOMEM
 */
ee_status ee_partition_forecast(const ee_chain *chain, const ee_plan *plan, ee_forecast *forecast);

/** EE_OK, or EE_ERR_ARG naming the stage and the device whose memory is too small for it. */
ee_status ee_partition_fits(const ee_chain *chain, const ee_plan *plan);

/** Seconds per admitted sample of stage @p s of @p plan, and of the link that leaves it: 0 for the
 *  last stage; with s = -1, of the link from the source.  Of several devices and several links
 * those of the slowest, with the share that it takes [s]. */
double ee_partition_stage_seconds(const ee_chain *chain, const ee_plan *plan, int s);
double ee_partition_link_seconds(const ee_chain *chain, const ee_plan *plan, int s);

/** Seconds per admitted sample of device @p d, which has a stage in @p plan; INFINITY if the device
 *  is away [s]. */
double ee_partition_device_seconds(const ee_chain *chain, const ee_plan *plan, int d);

/** Bytes that stage @p s of @p plan needs on each of its devices, all of the above [byte]. */
double ee_partition_stage_bytes(const ee_chain *chain, const ee_plan *plan, int s);

/** Bytes of the messages of a stage with layers [@p i, @p j), those that come in and those that go
 *  out [byte]. */
double ee_partition_message_bytes(const ee_chain *chain, int i, int j);

/** Bytes of messages that a device of stage @p s of @p plan needs beside those: with several
 * devices in the stage before or behind, a link to each [byte]. */
double ee_partition_more_message_bytes(const ee_chain *chain, const ee_plan *plan, int s);

/** Seconds per admitted sample that the head of exit @p e takes under @p plan, on the slowest of
 * the devices that share its stage [s]. */
double ee_partition_head_seconds(const ee_chain *chain, const ee_plan *plan, int e);

/** max(sum_l R[l] work[l] / sum_d speed[d], max_l R[l] work[l] / max_d speed[d]), heads counted
 *  [s]; INFINITY if all devices are away. */
double ee_partition_lower_bound(const ee_chain *chain);

/** The bound for plans with replicas, which spread a heavy layer too: the first of the two [s]. */
double ee_partition_spread_bound(const ee_chain *chain);

/** Weight bytes of layers that come to devices which did not have them, from @p before to @p after
 * [byte]. */
double ee_partition_moved_bytes(const ee_chain *chain, const ee_plan *before, const ee_plan *after);

/** Reach of each layer from shares that leave at each exit: R[l] = 1 - sum_{e: attach[e] < l} q[e],
 *  never below 0.
 *  @param[out] reach  shape [n_layers] */
void ee_reach_from_shares(int n_layers, int n_exits, const int *attach, const double *share,
                          double *reach);
