/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/quantization.h"
#include "stream.h"

/** @file quantize.h  What `edgeexit quantize` finds out, and how it is told. */

/** One exit on the samples that were looked at. */
typedef struct ee_quantized_exit {
  double accuracy[2];  // in float32, with 8 bits; NaN if no sample is labelled
  double same;         // share of samples with the same answer
  double error;        // of the logits: root of mean squares, in units of that of the logits
} ee_quantized_exit;

typedef struct ee_quantize {
  ee_model          *model;   // borrowed; its constants are in memory
  ee_stream         *stream;  // borrowed; the samples to look at
  const char        *data;    // path of the stream
  ee_range_method    method;
  double             percentile;
  bool              *keep;        // shape [n_nodes]: shall stay float32
  ee_quant          *quant;       // shape [n_nodes], of those that could have one
  float             *exact;       // shape [samples, n_exits, n_classes], logits in float32
  float             *logits;      // likewise, with 8 bits
  ee_quantized_exit *exit;        // shape [n_exits]
  int                given_back;  // nodes that went back to float32 for the sake of accuracy
} ee_quantize;

/** Make room for all arrays.  @return EE_OK; EE_ERR_NOMEM.  The caller frees it in any case. */
ee_status ee_quantize_open(ee_quantize *q);
void      ee_quantize_close(ee_quantize *q);

/** Run the samples in float32: keep the logits, and find the scale of each node that can have one.
 *  @return EE_OK; EE_ERR_ARG if an input is no finite number, or no node can have a scale */
ee_status ee_quantize_look(ee_quantize *q);

/** Give nodes their scales that are not to be kept, run all samples, and measure every exit. */
ee_status ee_quantize_measure(ee_quantize *q);

/** Leave as few nodes in float32 as it takes, those first that harm the logits most, for no exit to
 *  lose more accuracy than @p most.  The result is measured.
 *  @return EE_OK; EE_ERR_ARG if no sample is labelled; EE_ERR_NOMEM */
ee_status ee_quantize_limit_loss(ee_quantize *q, double most);

/** The exits' largest loss of accuracy. */
double ee_quantize_loss(const ee_quantize *q);

/** Nodes that could have a scale and have none. */
int ee_quantize_kept(const ee_quantize *q);

/** "mse" or "percentile 99.99". */
const char *ee_quantize_method(const ee_quantize *q, char text[64]);

void      ee_quantize_print(const ee_quantize *q);
ee_status ee_quantize_print_json(const ee_quantize *q);
