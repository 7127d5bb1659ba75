// face-api's expression network (npm @vladmandic/face-api), on TensorFlow.js' WebAssembly backend.
"use strict";
const fs = require("fs"), path = require("path");
const there = (name) => require.resolve(name, { paths: [process.cwd()] });
const wasm = require(there("@tensorflow/tfjs-backend-wasm"));
const faceapi = require(there("@vladmandic/face-api/dist/face-api.node-wasm.js"));

(async () => {
  const [source, count, target] = process.argv.slice(2);
  wasm.setWasmPaths(path.dirname(there("@tensorflow/tfjs-backend-wasm")) + "/");
  await faceapi.tf.setBackend("wasm");
  await faceapi.tf.ready();
  const net = faceapi.nets.faceExpressionNet;
  await net.loadFromDisk(path.join(path.dirname(there("@vladmandic/face-api/package.json")), "model"));
  const faces = new Uint8Array(fs.readFileSync(source)), cells = 48 * 48;
  async function predict(n) {
    const colours = new Uint8Array(3 * cells);
    for (let i = 0; i < cells; i++) colours.fill(faces[n * cells + i], 3 * i, 3 * i + 3);
    const picture = faceapi.tf.tensor3d(colours, [48, 48, 3], "int32");
    const found = await net.predictExpressions(picture);
    picture.dispose();
    return found;
  }
  const labels = Object.keys(await predict(0)), scores = [], seconds = []; // the first call also warms up
  for (let n = 0; n < Number(count); n++) {
    const start = performance.now();
    const found = await predict(n);
    seconds.push((performance.now() - start) / 1000);
    scores.push(labels.map((label) => found[label]));
  }
  fs.writeFileSync(target, JSON.stringify({ labels, scores, seconds }));
})().catch((error) => { console.error(error); process.exit(1); });
