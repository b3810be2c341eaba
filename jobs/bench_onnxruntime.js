// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime: node bench_onnxruntime.js MODEL.onnx BATCH SECONDS [THREADS], on one thread if not told.
// Prints the median milliseconds per sample as `edgeexit bench` does: all outputs, random input
// (ids are 0 and 1), passes for SECONDS and at least 7; or "-" if the model takes no such batch.
'use strict';
const ort = require(process.env.ONNXRUNTIME || 'onnxruntime-node');

const [path, batchText, secondsText, threadsText = '1'] = process.argv.slice(2);
const batch = Number(batchText);
const budget = Number(secondsText) * 1e3;

async function main() {
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: Number(threadsText), interOpNumThreads: 1, executionMode: 'sequential',
    graphOptimizationLevel: 'all', logSeverityLevel: 3,
  });
  const entry = session.inputMetadata[0];
  const shape = entry.shape.map((n, i) => (i === 0 && typeof n !== 'number' ? batch : n));
  if (shape[0] !== batch) return '-';
  const length = shape.reduce((a, b) => a * b, 1);
  const values = entry.type === 'int64' ? BigInt64Array.from({length}, (_, i) => BigInt(i % 2))
    : Float32Array.from({length}, () => 2 * Math.random() - 1);
  const feed = {[entry.name]: new ort.Tensor(entry.type, values, shape)};

  for (let i = 0; i < 3; i++) await session.run(feed);
  const times = [];
  const begin = performance.now();
  while (times.length < 7 || (performance.now() - begin < budget && times.length < 3000)) {
    const before = performance.now();
    await session.run(feed);
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  return (times[times.length >> 1] / batch).toFixed(5);
}

main().then(console.log);
