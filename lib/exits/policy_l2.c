/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when the answer has stopped changing: at the first exit whose probabilities are at most the
 * limit away, in the Euclidean distance, from those of the exit before. */
#include "successive.h"

EE_SUCCESSIVE_POLICY(l2, ee_l2, "||p - p of the exit before||");
