/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ee/model.h"

/**
 * @file random_network.h
 * Networks of known shape with random weights: for what depends on costs and bytes alone.
 */

/** A network to be made. */
typedef struct ee_random_network {
  /**
   * resnet50: ResNet-50 with the stride in the 3 x 3 convolutions, on [3, 224, 224], 1000 classes,
   * 16 blocks.  vgg16: VGG-16 on the same, 13 blocks, each a convolution with the pooling behind
   * it.  plain: convolutions 3 x 3 of 16 channels on [16, 8, 8], 10 classes; a block is a
   * convolution.  branches: four branches on [3, 32, 32], 10 classes; a block is two convolutions
   * of each, and what is behind them is added up at the exits.  bert: BERT-base on 128 ids of
   * 30,522 words, 2 classes, 12 blocks, without a mask and with positions only beside the words;
   * bert_tiny: the same with 2 blocks of width 128.
   */
  const char *name;
  int         blocks;   // of plain and branches, >= 1; ignored otherwise
  const int  *after;    // shape [n_early], rising: an early exit stands after so many blocks
  int         n_early;  // exits before the last
  uint64_t    seed;     // of the weights
} ee_random_network;

/**
 * Make it.  Weights are uniform with the deviation sqrt(2 / fan-in), so that activations stay in
 * range (He et al. 2015); an early exit is global average pooling and a linear layer, of a BERT its
 * pooler and classifier on the first token.
 * @param[out] model  finished, with its constants; owned by the caller; NULL on error
 * @return EE_OK; EE_ERR_ARG with what is wrong; EE_ERR_NOMEM
 */
ee_status ee_random_network_make(const ee_random_network *network, ee_model **model);
