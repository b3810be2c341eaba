/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when the answer has stopped changing: at the first exit whose probabilities have a
 * Kullback-Leibler divergence of at most the limit from those of the exit before. */
#include "successive.h"

EE_SUCCESSIVE_POLICY(kl, ee_kl, "KL(p || p of the exit before) [nat]");
