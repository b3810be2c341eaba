/* SPDX-License-Identifier: Apache-2.0 */
/* Leave when the answer has stopped changing: at the first exit whose probabilities have a cosine
 * of at least 1 - limit with those of the exit before. */
#include "successive.h"

EE_SUCCESSIVE_POLICY(cosine, ee_cosine_distance, "1 - cos(p, p of the exit before)");
