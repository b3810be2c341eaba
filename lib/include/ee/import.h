/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/exit_table.h"
#include "ee/model.h"

/**
 * @file import.h
 * Models and data from other formats.
 */

/** What the command line may say about an ONNX model; zeroed means "as the file says". */
typedef struct ee_onnx_options {
  int          n_channels;    // of mean and std; 0: from the file's metadata, or no preprocessing
  float        scale;         // 0: from metadata, or 1
  const float *mean, *std;    // shape [n_channels]
  const char  *class_names;   // comma-separated; NULL: from metadata, or unnamed
  const char  *scores;        // "EXIT=OUTPUT,...": outputs that are exits' scores; NULL: by name
  bool         no_winograd;   // of the model
  bool         keep_unfused;  // for tests: no folding or fusing; constants are evaluated still
} ee_onnx_options;

/** A constant given from outside for a graph input other than the first (for tests). */
typedef struct ee_onnx_binding {
  const char *name;
  const void *tensor;  // serialized TensorProto; its own name does not count
  size_t      bytes;
} ee_onnx_binding;

/**
 * Read an ONNX model of operator set 7 or later.  Not collective.
 *
 * Each graph output becomes an exit of its name, in topological order; all have as many classes as
 * the first has elements.  An output of one number that is called NAME_score or NAME.score is no
 * exit but the learned score of the exit NAME.  Batch normalisation, and scales and shifts per
 * channel, are folded into the convolution or Gemm before them, activations are fused, constants
 * are evaluated, and nodes that lead to no output vanish.
 *
 * The first dimension of the input is a batch (ee_model.batched) if it is free or 1 and no operator
 * mixes along it; otherwise one sample is the whole input.  Every other dimension must be fixed.
 * A file whose input and outputs all have the same first dimension N > 1 was exported for batches
 * of N and is refused.
 * Metadata ee.mean, ee.std, ee.scale, ee.classes (comma-separated) and ee.provenance are taken
 * over unless @p options say otherwise.
 *
 * @param[in]  options  NULL: as the file says
 * @param[out] model    finished; owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT if the file is damaged, the graph does not hang
 *         together or a weight is not finite; EE_ERR_UNSUPPORTED naming every operator and
 *         attribute that is not supported, with its node; EE_ERR_ARG if options do not fit the
 *         model; EE_ERR_NOMEM.  Sentences begin with the path.
 */
ee_status ee_import_onnx(const char *path, const ee_onnx_options *options, ee_model **model);

/** The same from memory, with graph inputs after the first bound to constants. */
ee_status ee_import_onnx_bytes(const void *bytes, size_t n, const ee_onnx_options *options,
                               const ee_onnx_binding *binding, int n_bindings, ee_model **model);

/** Samples [first, first + count) of the concatenated sources go to the data file; count < 0: all.
 */
typedef struct ee_data_range {
  int64_t first, count;
} ee_data_range;

/**
 * CIFAR-10 binary batches (records of 1 + 3,072 bytes; plain or gzip, xz is refused with a hint) to
 * a data file [n, 3, 32, 32] of uint8 with class names.
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT naming file, and size or record; EE_ERR_UNSUPPORTED
 *         (xz); EE_ERR_ARG if the range goes beyond the files, which are all read to their ends
 */
ee_status ee_import_cifar10(const char *const *path, int n_paths, ee_data_range range,
                            const char *out);

/**
 * IDX images and labels (plain or gzip) to a data file [n, 1, h, w] of uint8.
 * @param class_names  comma-separated; NULL or "": unnamed, any label is taken
 * @return as ee_import_cifar10()
 */
ee_status ee_import_idx(const char *images, const char *labels, ee_data_range range,
                        const char *class_names, const char *out);

/** Where an exit table stands in a text file; columns are named as in its header. */
typedef struct ee_exits_columns {
  const char *sample, *exit;  // long form, a row per sample and exit; NULL: wide, a row per sample
  const char *prediction;     // wide: a column per exit, with commas between, in exit order; NULL
                              // with probabilities, which it then follows from
  const char *confidence;     // likewise; NULL: not known
  const char *probability;  // a column per class; wide: those of exit 0, of exit 1, ...; NULL: not
                            // known; needs n_classes, and neither prediction nor confidence
  const char *score;        // likewise, or without the last exit's; an empty field: there is none
  const char *label;        // NULL: unlabelled; an empty field or -1 is not known
  const char *layers;       // "1,3,7,12": layers run until each exit; NULL: 1, 2, 3, ...
  int         n_classes;    // 0: as many as the highest class there is needs
} ee_exits_columns;

/**
 * Read an exit table from text (CSV or TSV with a header line, plain or gzip; fields may be
 * quoted).  In the long form samples and exits are whole numbers and are sorted by them; exits are
 * 0, 1, 2, ... or 1, 2, 3, ..., and each sample must have each exit once.  Probabilities are in [0,
 * 1] and add up to one (within 1e-3); the prediction is the lowest most probable class, the
 * confidence its probability.
 * @param[out] table  owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_FILE; EE_ERR_FORMAT naming file, line and column of what is missing, there
 *         twice, no number or no class; EE_ERR_ARG if columns are not there, or named twice for the
 *         same; EE_ERR_NOMEM
 */
ee_status ee_import_exits(const char *path, const ee_exits_columns *columns, ee_exit_table **table);
