/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/cpu.h"
#include "ee/model.h"
#include "ee/pixels.h"

/**
 * @file backend.h
 * For people who write a backend: one table of functions that runs nodes.
 *
 * `ref` is plain loops, runs every operator and is the oracle.  A backend that cannot run a node
 * says so in can(), and the node is run by the next one that can.  The bits of one sample's result
 * must not depend on the batch it is computed in.
 */

/** Called between pieces of a long computation, so that messages move. */
typedef void (*ee_progress_fn)(void *context);

/** How an activation stands in memory: ee/tensor.h, ee/pixels.h. */
typedef enum ee_form {
  EE_DENSE,
  EE_PIXELS,
  EE_FORM_COUNT,
  EE_EITHER = EE_FORM_COUNT,  // of a node: whichever its first activation has, the result alike
} ee_form;

/** One run of one node. */
typedef struct ee_kernel_call {
  const ee_model  *model;
  const ee_node   *node;
  int64_t          n;                              // samples in the batch
  const float     *in[EE_MAX_NODE_INPUTS];         // NULL: left out
  ee_shape         in_shape[EE_MAX_NODE_INPUTS];   // whole arrays: dim[0] times n if batched
  const ee_pixels *in_pixels[EE_MAX_NODE_INPUTS];  // NULL: dense
  float           *out;              // overlaps nothing that is read but what over() allows
  ee_shape         out_shape;        // whole array
  const ee_pixels *out_pixels;       // NULL: dense
  const float     *residual;         // added to the result in front of act; NULL: nothing
  const ee_pixels *residual_pixels;  // its form; NULL: dense
  ee_activation    act;              // applied to the result
  const void      *prepared;         // what prepare() made; NULL if nothing
  void            *scratch;          // scratch_bytes() of it, 64-byte aligned
  ee_progress_fn   progress;         // may be NULL
  void            *progress_context;
} ee_kernel_call;

#define EE_RESIDUAL (-1)  // in place of an input's index

typedef struct ee_backend {
  const char *name;
  /** Set up what the process needs, once; called before anything else.  May be NULL. */
  ee_status (*open)(void);
  /** Whether run() can run @p node. */
  bool (*can)(const ee_model *model, const ee_node *node);
  /** Form in which run() takes the activations that @p node reads, and gives its result.  Values
   *  that are neither of rank 3 nor 4 are dense all the same.  NULL: dense. */
  ee_form (*takes)(const ee_model *model, const ee_node *node);
  ee_form (*gives)(const ee_model *model, const ee_node *node);
  /** Whether run() can add a residual to the result of @p node.  NULL: never. */
  bool (*can_add)(const ee_model *model, const ee_node *node);
  /** Whether run() may write the result of @p node over input @p i, or over the residual if @p i is
   *  EE_RESIDUAL, where both stand in the same form with the same steps.  NULL: never. */
  bool (*over)(const ee_model *model, const ee_node *node, int i);
  /** Pack constants for @p node: constant[i] is input i's data, NULL if input i is no constant.
   *  *prepared may stay NULL.  May be NULL. */
  ee_status (*prepare)(const ee_model *model, const ee_node *node,
                       const float *const constant[EE_MAX_NODE_INPUTS], void **prepared);
  void (*release)(void *prepared);  // NULL if prepare is
  /** Bytes prepare() will hold, 0 if it will leave NULL, and scratch that run() needs at @p n
   * samples [byte]. */
  size_t (*prepared_bytes)(const ee_model *model, const ee_node *node);
  size_t (*scratch_bytes)(const ee_model *model, const ee_node *node, int64_t n);
  /** Compute out = act(op(in) + residual).  Inputs were checked when the model was finished. */
  void (*run)(const ee_kernel_call *call);
  /** One line about what it uses on this processor, once open.  May be NULL. */
  void (*describe)(char *text, size_t size);
  /** Best vectors that run() uses on this processor, once open.  NULL: ee_cpu_vectors(). */
  ee_cpu_level (*vectors)(void);
  /** Name of the kernel that run() takes for @p node at @p n samples, in static storage; of one
   * that prepare() may still decide against if @p prepared is NULL.  May be NULL, as it may return
   * NULL: there is but one. */
  const char *(*kernel)(const ee_model *model, const ee_node *node, int64_t n,
                        const void *prepared);
  /** In which of several ways with different bits run() computes @p node, so that the same node
   * with fewer rows can be told to go the same; EE_METHOD_BY_RULE: there is but one.  May be NULL.
   */
  ee_method (*way)(const ee_model *model, const ee_node *node);
} ee_backend;

/** Backend by its name; NULL if there is none of that name. */
const ee_backend *ee_backend_by_name(const char *name);

/** Names of all backends, ended by NULL: those that compute in float32, best first, then `int8`,
 *  which rounds and is only taken where somebody asks for it. */
const char *const *ee_backend_names(void);

/** Who runs @p node if @p backend is wanted: the first that can of @p backend and those that follow
 *  it in ee_backend_names(), behind `int8` all others; ref can run every node. */
const ee_backend *ee_backend_for(const ee_backend *backend, const ee_model *model,
                                 const ee_node *node);

/** The way in which @p node is computed, by whoever runs it, if @p backend is wanted. */
ee_method ee_backend_way(const ee_backend *backend, const ee_model *model, const ee_node *node);

/** Best vectors that @p backend, which is open, uses on this processor. */
ee_cpu_level ee_backend_vectors(const ee_backend *backend);

extern const ee_backend ee_backend_ref;
extern const ee_backend ee_backend_blis;
extern const ee_backend ee_backend_simd;
extern const ee_backend ee_backend_int8;
