// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime's side of agree.sh; FOLDER has what the program was given and what it gave.
//   node agree_onnxruntime.js run FOLDER MODEL.onnx   its outputs, in FOLDER/EXIT.peer
//   node agree_onnxruntime.js compare FOLDER LOGITS   prints exit, difference, and share of spread
'use strict';
const fs = require('fs');

const [mode, folder, name] = process.argv.slice(2);

// Elements of a file, if it is there.
function read(file, Type) {
  const path = `${folder}/${file}`;
  if (!fs.existsSync(path) || fs.statSync(path).size === 0) return null;
  const bytes = fs.readFileSync(path);
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function model() {
  return JSON.parse(fs.readFileSync(`${folder}/model.json`));
}

// Samples as the network takes them: bytes through the preprocessing of the model, or numbers.
function samples() {
  const mean = read('model.preprocess.mean', Float32Array);
  const scale = read('model.preprocess.scale', Float32Array);
  if (mean === null && (scale === null || scale[0] === 1)) {
    return () => read('input.samples', Float32Array);
  }
  const std = read('model.preprocess.std', Float32Array);
  const raw = read('input.samples', Uint8Array);
  return shape => Float32Array.from(raw, (x, i) => {
    const plane = shape.slice(2).reduce((a, b) => a * b, 1);
    const c = Math.floor(i / plane) % shape[1];
    return mean === null ? x * scale[0] : (x * scale[0] - mean[c]) / std[c];
  });
}

function tensor(ort, entry, values, shape) {
  if (entry.type === 'float32') return new ort.Tensor('float32', values, shape);
  const whole = entry.type === 'int64' ? BigInt64Array.from(values, x => BigInt(x))
    : Int32Array.from(values);
  return new ort.Tensor(entry.type, whole, shape);
}

// Every output of all samples, as many at a time as the file takes: one if that is free.
async function run() {
  const ort = require('onnxruntime-node');
  const session = await ort.InferenceSession.create(name, {
    intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 3,
  });
  const entry = session.inputMetadata[0];
  const shape = entry.shape.map((n, i) => (i === 0 && typeof n !== 'number' ? 1 : n));
  const elements = shape.reduce((a, b) => a * b, 1);
  const values = samples()(shape);
  const outputs = session.outputNames.map(() => []);
  for (let at = 0; at < values.length; at += elements) {
    const feed = {[entry.name]: tensor(ort, entry, values.subarray(at, at + elements), shape)};
    const result = await session.run(feed);
    session.outputNames.forEach((output, k) => outputs[k].push(...chunks(result[output].data)));
  }
  model().exits.forEach((exit, e) => {
    const k = session.outputNames.indexOf(exit.name);
    if (k < 0) throw new Error(`${name} has no output ${exit.name}`);
    fs.writeFileSync(`${folder}/${e}.peer`, Buffer.concat(outputs[k]));
  });
}

function chunks(data) {
  return [Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
}

// Largest element of a - b, without its sign; NaN stays NaN.
function distance(a, b) {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

// Nothing is no part of anything, not even of nothing.
function portion(part, whole) {
  return part === 0 ? 0 : part / whole;
}

// Of one exit, the worst sample's distance as a share of the sample's largest element, and as a
// share of the largest distance between any sample and the first, null if all samples are alike.
function differences(ours, theirs) {
  const zeros = new Float32Array(theirs[0].length);
  let share = 0, most = 0, spread = 0;
  theirs.forEach((sample, i) => {
    const off = distance(ours[i], sample);
    share = Math.max(share, portion(off, distance(sample, zeros)));
    most = Math.max(most, off);
    spread = Math.max(spread, distance(sample, theirs[0]));
  });
  return [share, spread === 0 ? null : most / spread];
}

function compare() {
  const {exits, classes} = model();
  const logits = read(name, Float32Array);
  exits.forEach((exit, e) => {
    const peer = read(`${e}.peer`, Float32Array);
    const n = peer.length / classes;
    if (logits.length !== n * exits.length * classes) {
      throw new Error(`${name} has ${logits.length} numbers, not ${n * exits.length * classes}`);
    }
    const sample = (all, at) => all.subarray(at * classes, (at + 1) * classes);
    const ours = Array.from({length: n}, (_, i) => sample(logits, i * exits.length + e));
    const theirs = Array.from({length: n}, (_, i) => sample(peer, i));
    console.log(exit.name, ...differences(ours, theirs).map(
      x => (x === null ? 'none' : x.toExponential(1))));
  });
}

if (mode === 'run') {
  run().catch(error => { console.error(error.message); process.exitCode = 1; });
} else {
  compare();
}
