/* SPDX-License-Identifier: Apache-2.0 */
/* Takes blocks of lines through every panel of weights, tile by tile. */
#include "int8_lines.h"

#include "meter.h"
#include "simd_act.h"

#define BLOCK_BYTES (512 * 1024)   // of a block of lines, read and written
#define WHOLE_BYTES (1024 * 1024)  // that may be one block
#define MOST_LINES 128
#define STEP 24000000  // operations between two progress calls

/* Lines of a block: all where they are few beside the weights, which are then read once. */
static int64_t block_lines(const ee_int8_lines *l) {
  int64_t weights = (int64_t)ee_int8_pack_bytes(&l->pack), all = l->n * l->line_bytes;
  int64_t lines = weights > all && all < WHOLE_BYTES ? l->n : BLOCK_BYTES / l->line_bytes;
  return lines < 1 ? 1 : lines > MOST_LINES ? MOST_LINES : lines;
}

/* A line by one panel: tiles of about the same number of pixels. */
static void multiply_line(const ee_int8_lines *l, ee_int8_tile t, int vectors, ee_int8_line line) {
  const ee_int8_kernels *k    = l->pack.kernels;
  int64_t                most = k->max_pixels[vectors], tiles = (line.width + most - 1) / most;
  for (int64_t i = 0, done = 0; i < tiles; i++) {
    int64_t pixels = (line.width - done + tiles - i - 1) / (tiles - i);
    t.in           = line.in + done * t.in_step;
    t.out          = line.out + done * t.out_step;
    if (line.residual != NULL) t.residual = line.residual + done * t.residual_step;
    k->tile[vectors][pixels](&t);
    done += pixels;
  }
}

static void multiply_panel(const ee_int8_lines *l, int64_t panel, const ee_int8_line *line, int n,
                           ee_meter *meter) {
  const char   *packed = l->call->prepared;
  ee_simd_panel p      = ee_simd_panel_at(&l->pack.panels, panel);
  int64_t       width = p.vectors * l->pack.panels.lanes, left = l->pack.panels.outputs - p.first;
  ee_int8_tile  t = l->tile;
  t.weights       = packed + p.place * (int64_t)sizeof(int32_t);
  t.begin         = ee_int8_pack_begin(&l->pack, packed) + p.first;
  t.factor        = ee_int8_pack_factor(&l->pack, packed) + p.first;
  t.bias          = ee_int8_pack_bias(&l->pack, packed) + p.first;
  t.outputs       = l->full || left > width ? width : left;
  for (int i = 0; i < n; i++) {
    ee_int8_line one = line[i];
    one.out += p.first;
    if (one.residual != NULL) one.residual += p.first;
    multiply_line(l, t, p.vectors, one);
    ee_meter_add(meter, 2 * l->pack.panels.depth * l->pack.kernels->group * width * one.width);
  }
}

/* What of the activation the kernels' limits leave. */
static void finish(const ee_int8_lines *l, const ee_int8_line *line, int n) {
  if (ee_simd_limits_of(&l->call->act).whole) return;
  for (int i = 0; i < n; i++) {
    ee_simd_act(&l->call->act, line[i].out, line[i].out, line[i].width * l->tile.out_step);
  }
}

void ee_int8_lines_run(ee_int8_lines *lines) {
  ee_simd_limits limits = ee_simd_limits_of(&lines->call->act);
  ee_meter       meter  = {.call = lines->call, .step = STEP};
  int64_t        most = block_lines(lines), panels = ee_simd_panel_count(&lines->pack.panels);
  ee_int8_line   block[MOST_LINES];
  lines->tile.low  = limits.low;
  lines->tile.high = limits.high;
  for (int64_t first = 0; first < lines->n; first += most) {
    int n = (int)(lines->n - first < most ? lines->n - first : most);
    for (int i = 0; i < n; i++) block[i] = lines->line(lines, first + i);
    for (int64_t p = 0; p < panels; p++) multiply_panel(lines, p, block, n, &meter);
    finish(lines, block, n);
  }
}
