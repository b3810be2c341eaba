/* SPDX-License-Identifier: Apache-2.0 */
#include "band_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char best[] = "auto";

ee_band_options ee_band_options_none(void) {
  return (ee_band_options){.borders = best};
}

ee_option ee_band_heights_option(ee_band_options *o) {
  return (ee_option){"bands",
                     0,
                     EE_OPTION_TEXT,
                     &o->heights,
                     "auto|A/B/...",
                     "pictures in bands of rows, planned or as high as A : B : ...",
                     0,
                     0};
}

ee_option ee_band_borders_option(ee_band_options *o) {
  return (ee_option){"borders",
                     0,
                     EE_OPTION_TEXT,
                     &o->borders,
                     "auto|together|apart",
                     "with --bands: rows that wait for others, by themselves or not; default auto",
                     0,
                     0};
}

ee_option ee_band_fuse_option(ee_band_options *o) {
  return (ee_option){
      "fuse",   0,   EE_OPTION_INT,
      &o->fuse, "N", "with --bands: exchange rows after N layers at most; default as is best",
      1,        1e5};
}

/* By its name; -1 if it is none. */
static int borders_of(const char *name) {
  static const char *const names[] = {best, "together", "apart"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(name, names[i]) == 0) return i;
  }
  return -1;
}

ee_status ee_band_options_check(const ee_band_options *o, bool asked) {
  int borders = borders_of(o->borders);
  if (borders < 0) {
    return EE_FAIL(EE_ERR_USAGE, "--borders is %s; expected auto, together or apart", o->borders);
  }
  if (asked || (borders == EE_BORDERS_BEST && o->fuse == 0)) return EE_OK;
  return EE_FAIL(EE_ERR_USAGE, "%s is for --bands", o->fuse > 0 ? "--fuse" : "--borders");
}

/* "2/1/1" to 0.5, 0.25, 0.25. */
static bool read_heights(const char *text, int n, double *height) {
  double sum = 0.0;
  int    k   = 0;
  for (const char *at = text; at != NULL; k++) {
    char  *end;
    double x = strtod(at, &end);
    if (end == at || (*end != '/' && *end != '\0') || !(x >= 0.0 && x <= 1e9) || k >= n) {
      return false;
    }
    height[k] = x;
    sum += x;
    at = *end == '/' ? end + 1 : NULL;
  }
  for (int d = 0; d < k; d++) height[d] /= sum;
  return k == n && sum > 0.0;
}

ee_status ee_band_wish_make(const ee_band_options *o, int n_devices, const double *share,
                            double *height, ee_band_wish *wish) {
  *wish = (ee_band_wish){
      .share = share, .borders = (ee_band_borders)borders_of(o->borders), .most = o->fuse};
  if (o->heights == NULL || strcmp(o->heights, best) == 0) return EE_OK;
  if (!read_heights(o->heights, n_devices, height)) {
    return EE_FAIL(EE_ERR_USAGE,
                   "--bands is %s; expected auto, or %d numbers A/B/...: what part of the rows "
                   "each device has",
                   o->heights, n_devices);
  }
  wish->height = height;
  return EE_OK;
}
