/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/data_file.h"
#include "ee/exit_table.h"
#include "ee/model.h"

/**
 * @file stream.h
 * The input of a model: a data file, shapes and labels checked, samples preprocessed; or what
 * stands for one if no layer runs.
 */
typedef struct ee_stream {
  const ee_model *model;  // borrowed
  const char     *path;   // borrowed; NULL: outcomes
  ee_data_file   *file;   // NULL: outcomes
  int64_t         n;      // samples
  int32_t        *label;  // shape [n]; NULL if unlabelled
  void           *raw;    // shape [raw_samples, elements], as stored
  int64_t         raw_samples;
} ee_stream;

/**
 * Open @p path, which must outlive the stream, for @p model and read the labels of the first @p
 * limit samples (0: all).
 * @return EE_OK; EE_ERR_FILE, EE_ERR_FORMAT; EE_ERR_ARG if shapes, channels or labels do not fit
 */
ee_status ee_stream_open(const char *path, const ee_model *model, int64_t limit, ee_stream *stream);

/**
 * The stream of a table of outcomes, of which no layer will see the samples: its first @p limit
 * rows (0: all), labelled if one of them is; samples are read as zeros.
 * @return EE_OK; EE_ERR_NOMEM
 */
ee_status ee_stream_of_outcomes(const ee_exit_table *outcomes, const ee_model *model, int64_t limit,
                                ee_stream *stream);

/** Read samples [first, first + n), preprocessed; @p self is an ee_stream.
 *  @param[out] input  shape [n, elements of the model's input]
 *  @return EE_OK; EE_ERR_FORMAT if the model takes ids and a number is none; as ee_data_read() */
ee_status ee_stream_read(void *self, int64_t first, int64_t n, float *input);

void ee_stream_close(ee_stream *stream);
