// Runs the model beside the page, so that the page answers meanwhile.

import * as ort from './ort/ort.wasm.min.mjs';
import { toPeople } from './people.js';
import { newSize, resizeToBgr } from './resize.js';

// More do not help a network this small.
const MAX_THREADS = 4;

let model, session;

self.onmessage = async ({ data }) => {
  try {
    self.postMessage(data.model ? await load(data.model) : await predict(data));
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error.message ?? error) });
  }
};

/** Load the graph that model.json describes. */
async function load(description) {
  model = description;
  ort.env.wasm.wasmPaths = new URL('./ort/', import.meta.url).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated
    ? Math.min(MAX_THREADS, navigator.hardwareConcurrency || 1)
    : 1;
  const answer = await fetch(model.file);
  if (!answer.ok) throw new Error(`${model.file}: the server answers ${answer.status}`);
  const graph = new Uint8Array(await answer.arrayBuffer());
  session = await ort.InferenceSession.create(graph, { executionProviders: ['wasm'] });
  return { ready: true, threads: ort.env.wasm.numThreads };
}

/** Find the people of an image. */
async function predict({ id, image }) {
  const start = performance.now();
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  if (!context) throw new Error(`${width} x ${height} pixels are too many for this browser`);
  context.drawImage(image, 0, 0);
  image.close();
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const [newWidth, newHeight] = newSize(width, height, model.resize);
  const planes = resizeToBgr(rgba, width, height, newWidth, newHeight);
  const input = new ort.Tensor('float32', planes, [1, 3, newHeight, newWidth]);
  const middle = performance.now();
  const outputs = await session.run({ image: input });
  const end = performance.now();
  const scale = [newWidth / width, newHeight / height];
  return {
    id,
    people: toPeople(outputs, model.keypoint_names.length, scale),
    milliseconds: { resize: middle - start, model: end - middle },
  };
}
