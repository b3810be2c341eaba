// SPDX-License-Identifier: Apache-2.0
// A copy of ONNX Runtime that takes the processor for one without AVX-512, to compare like with like.
//   node onnxruntime_avx2.js FOLDER   puts the packages there and prints the path of onnxruntime-node
//
// ONNX Runtime has no switch for its kernels.  Before it uses AVX-512 it asks by xgetbv whether the
// system keeps those registers; in the copy the answer is 7: SSE and AVX registers, and no more.
'use strict';
const fs = require('fs');
const path = require('path');

const ASK = Buffer.from([0x31, 0xc9, 0x0f, 0x01, 0xd0]);     // xor %ecx,%ecx; xgetbv
const ANSWER = Buffer.from([0x31, 0xc9, 0x6a, 0x07, 0x58]);  // xor %ecx,%ecx; push $7; pop %rax

function libraries(folder) {
  return fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry => {
    const whole = path.join(folder, entry.name);
    if (entry.isDirectory()) return libraries(whole);
    return /linux.x64.libonnxruntime\.so/.test(whole) ? [whole] : [];
  });
}

// Folder of an installed package: the one above its main file that has a package.json.
function home(name, from) {
  let folder = path.dirname(require.resolve(name, from && {paths: [from]}));
  while (!fs.existsSync(path.join(folder, 'package.json')) ||
         JSON.parse(fs.readFileSync(path.join(folder, 'package.json'))).name !== name) {
    folder = path.dirname(folder);
  }
  return folder;
}

function hide(library) {
  const bytes = fs.readFileSync(library);
  let found = 0;
  for (let at = bytes.indexOf(ASK); at >= 0; at = bytes.indexOf(ASK, at + 1)) {
    ANSWER.copy(bytes, at);
    found++;
  }
  fs.writeFileSync(library, bytes);
  return found;
}

const to = path.resolve(process.argv[2]);
const runtime = home('onnxruntime-node');
for (const from of [runtime, home('onnxruntime-common', runtime)]) {
  fs.cpSync(from, path.join(to, path.basename(from)), {recursive: true, dereference: true});
}
const copy = path.join(to, path.basename(runtime));
if (libraries(copy).reduce((sum, library) => sum + hide(library), 0) === 0) {
  console.error(`${runtime} does not ask for AVX-512 as was expected; its kernels cannot be chosen`);
  process.exit(1);
}
console.log(copy);
