/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/backend.h"

/**
 * @file exec.h
 * Running a range of layers: what a device keeps in memory, and how a batch goes through it.
 *
 * ee_resident holds the layers of a device, ready to run; layers come and go while the device
 * serves.  ee_exec runs a contiguous range of resident layers and the heads attached inside it,
 * with all activations in one arena that is planned when the exec is made.
 */

/** The layers that a device holds.  Shared by the execs that run them. */
typedef struct ee_resident ee_resident;

/** Create with no layer held.  Borrows @p model and @p backend, which it opens.  Not collective. */
ee_status ee_resident_create(const ee_model *model, const ee_backend *backend, ee_resident **res);

/**
 * Hold layer @p layer, with the heads attached after it.
 * @param blob  ee_layer.weight_bytes of the layer, laid out as ee_model_layer_constants() says;
 *              taken over (free()d when the layer is dropped); NULL only if weight_bytes is 0 or
 *              the model's own constants are in memory, which are then copied
 * A layer already held gets one more holder, and the blob is freed.  So it is on an error.
 * @return EE_OK; EE_ERR_ARG if there is no such layer, or no weights; EE_ERR_NOMEM
 */
ee_status ee_resident_add(ee_resident *res, int layer, float *blob);

/** Give up one hold of @p layer; at zero it is freed. */
void ee_resident_drop(ee_resident *res, int layer);

/** Whether @p layer can run now. */
bool ee_resident_has(const ee_resident *res, int layer);

/** The blob of a held layer, for example to send it to another device.  Borrowed. */
const float *ee_resident_blob(const ee_resident *res, int layer);

/** Who runs node @p k of a held layer or of a head behind one, and with which kernel at @p n
 * samples; *kernel is NULL if it has but one. */
const ee_backend *ee_resident_runner(const ee_resident *res, int k, int64_t n, const char **kernel);

/** Bytes held now: blobs and what the backend packed [byte]. */
size_t ee_resident_bytes(const ee_resident *res);

void ee_resident_destroy(ee_resident **res);

/** A program for layers [begin, end). */
typedef struct ee_exec ee_exec;

/**
 * Plan the arena for layers [@p begin, @p end) at up to @p max_batch samples.  Not collective.
 * The layers need not be resident yet.  begin < end.
 * @return EE_OK; EE_ERR_ARG if max_batch > 1 in a model that is not batched; EE_ERR_NOMEM
 */
ee_status ee_exec_create(ee_resident *res, int begin, int end, int max_batch, ee_exec **exec);

/** Arena bytes that ee_exec_create would take, without taking them [byte]. */
ee_status ee_exec_arena_bytes(const ee_model *model, const ee_backend *backend, int begin, int end,
                              int max_batch, size_t *bytes);

/** What layers take in memory [byte]. */
typedef struct ee_memory_need {
  size_t weights;  // blobs
  size_t packed;   // what backends make of them
  size_t arena;    // activations and scratch
} ee_memory_need;

/** What ee_resident_add and ee_exec_create would take for layers [@p begin, @p end), without taking
 *  it.  Fails like ee_exec_arena_bytes(). */
ee_status ee_exec_memory(const ee_model *model, const ee_backend *backend, int begin, int end,
                         int max_batch, ee_memory_need *need);

/**
 * The same for every range of the model's layers at once, for planners.
 * @param[out] packed  shape [n_layers]
 * @param[out] arena   shape [n_layers + 1, n_layers + 1]: of layers [i, j) or of a part of them,
 *                     whichever is more; 0 where i >= j.  Of more than EE_EXEC_RANGES layers every
 *                     range has the arena of the whole
 */
ee_status ee_exec_memory_of_ranges(const ee_model *model, const ee_backend *backend, int max_batch,
                                   double *packed, double *arena);
#define EE_EXEC_RANGES 160

/** Call @p progress between nodes and inside long ones; NULL for none. */
void ee_exec_set_progress(ee_exec *exec, ee_progress_fn progress, void *context);

/** Told whenever a node of layer @p layer ran, on all samples or on some of them. */
typedef void (*ee_layer_fn)(void *context, int layer);

/** Call @p timer behind each node of a layer; NULL for none. */
void ee_exec_set_timer(ee_exec *exec, ee_layer_fn timer, void *context);

/** Told of every run of a node, right before it. */
typedef void (*ee_node_fn)(void *context, const ee_kernel_call *call);

/** Call @p watch in front of each node, of layers and heads; NULL for none. */
void ee_exec_set_watch(ee_exec *exec, ee_node_fn watch, void *context);

/**
 * Memory for samples that come in: shape [max_batch, elements of one sample], of value @p v alive
 * at a cut where the range begins or behind an exit inside it.  What the value held before is
 * forgotten.
 * @return NULL if the range does not have the value there
 */
float *ee_exec_input(ee_exec *exec, int v);

/**
 * Value @p v, dense: shape [max_batch, elements of one sample].  Of the live values of cut c after
 * layer c - 1 ran and before layer c runs, where c is the range's begin or end or lies behind an
 * exit inside it; the rows of the batch that was run or kept last.
 * @return NULL if the range does not have the value there
 */
const float *ee_exec_value(ee_exec *exec, int v);

/**
 * Run layers [@p from, @p to) inside the exec's range on the first @p n samples.  Heads are left
 * out.  A batch whose activations outgrow the caches goes through several layers a few samples at a
 * time, so it may begin and stop only where the exec's range does and behind exits; a batch of one
 * sample may anywhere.
 * @return EE_OK; EE_ERR_ARG if range or batch are not the exec's, or the batch cannot stop there;
 * EE_ERR_STATE if a layer is not resident
 */
ee_status ee_exec_run_layers(ee_exec *exec, int from, int to, int64_t n);

/**
 * Run the head of exit @p e, right after its attach layer ran.  Heads of the same layer may run in
 * any order.  Fails like ee_exec_run_layers().
 * @param[out] logits  shape [n, n_classes]; the exec's, valid until the next run
 */
ee_status ee_exec_run_head(ee_exec *exec, int e, int64_t n, const float **logits);

/** Scores that ee_exec_run_head() made for exit @p e: shape [n], the exec's, valid as long as the
 *  logits; NULL if the exit has none. */
const float *ee_exec_score(ee_exec *exec, int e);

/** Keep samples keep[0] < keep[1] < ... of the live values at @p cut, moved to the front.  If
 *  several exits are attached in front of the cut, also of what their heads read, so that the next
 *  of these heads can run on the samples kept.  Logits that a head made stay where they are. */
void ee_exec_keep(ee_exec *exec, int cut, const int *keep, int n_keep);

void ee_exec_destroy(ee_exec **exec);

/** Preprocess @p n samples of uint8 or float32 into @p out, shape [n, elements of a sample]:
 *  out = (raw * scale - mean[c]) / std[c], or raw * scale without channels; exactly one of @p u8
 * and
 *  @p f32 is not NULL. */
void ee_model_preprocess(const ee_model *model, const uint8_t *u8, const float *f32, int64_t n,
                         float *out);
