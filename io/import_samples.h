/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/data_file.h"
#include "ee/import.h"

/**
 * @file import_samples.h
 * The way of imported samples into a data file: one by one in, in blocks out, only those in range.
 */
typedef struct ee_sample_sink {
  const char     *out;  // path of the data file, borrowed
  ee_data_writer *writer;
  ee_data_range   range;
  int64_t         seen;  // samples so far, in range or not
  size_t          sample_bytes;
  int             n, most;  // samples in the block, and room
  uint8_t        *samples;  // shape [most, sample_bytes]
  int32_t        *labels;   // shape [most]
} ee_sample_sink;

/** Start data file @p out of uint8 samples; @p info without type.
 *  EE_ERR_ARG if the range is impossible. */
ee_status ee_sink_open(const char *out, const ee_data_info *info, ee_data_range range,
                       ee_sample_sink *sink);

/** Hand over the next sample of the source. */
ee_status ee_sink_put(ee_sample_sink *sink, const uint8_t *sample, int32_t label);

/**
 * End the file: keep it if @p status is EE_OK and the source had all samples of the range.
 * @return @p status, or what went wrong here; EE_ERR_ARG if the range goes beyond the source
 */
ee_status ee_sink_close(ee_sample_sink *sink, ee_status status);

/** Write "[first, end)" for a provenance to @p text of @p size bytes, and return it. */
const char *ee_range_text(ee_data_range range, char *text, size_t size);
