// The page: images in, drawings and numbers out. The model runs in worker.js.

import { draw } from './draw.js';
import { categoryOf, judge, toRecords } from './people.js';

const get = (id) => document.getElementById(id);
const canvas = get('canvas'), video = get('video'), threshold = get('threshold');

let model;
/** The image that is shown: {image: ImageBitmap, name, people, milliseconds}. */
let shown = null;
let stream = null;

/** Say what the page does; `state` is loading, ready, busy, done, live or error. */
function say(state, text) {
  document.documentElement.dataset.state = state;
  // a screen reader does not read out every frame of the camera
  get('status').ariaLive = state === 'live' ? 'off' : 'polite';
  get('status').textContent = text;
}

// ---- the model

const worker = new Worker('worker.js', { type: 'module' });
const waiting = new Map();
let lastId = 0;

worker.onmessage = ({ data }) => {
  const { resolve, reject } = waiting.get(data.id ?? 0);
  waiting.delete(data.id ?? 0);
  if (data.error) reject(new Error(data.error));
  else resolve(data);
};
worker.onerror = (event) => {
  say('error', `The model's script cannot be loaded${event.message ? `: ${event.message}` : ''}. Reload the page.`);
};

function ask(message, transferred = []) {
  return new Promise((resolve, reject) => {
    waiting.set(message.id ?? 0, { resolve, reject });
    worker.postMessage(message, transferred);
  });
}

/** Find the people of an image, which is used up. */
function predict(image) {
  lastId += 1;
  return ask({ id: lastId, image }, [image]);
}

async function start() {
  try {
    const answer = await fetch('model.json');
    if (!answer.ok) throw new Error(`model.json: the server answers ${answer.status}`);
    model = await answer.json();
    get('model').textContent = model.name;
    threshold.value = model.bbox_thr;
    showThreshold();
    for (const [side, color] of Object.entries(model.colors)) {
      document.querySelector(`.legend .${side}`).style.background = color;
    }
    say('loading', `Loading the model (${(model.bytes / 1e6).toFixed(0)} MB) and ONNX Runtime …`);
    const { threads } = await ask({ model });
    if (!crossOriginIsolated) explainMissingThreads();
    get('file').disabled = false;
    get('camera').disabled = !navigator.mediaDevices;
    say('ready', `Ready, with ${threads === 1 ? 'one thread' : `${threads} threads`}.`);
  } catch (error) {
    say('error', `The model cannot be loaded: ${error.message}.`);
  }
}

function explainMissingThreads() {
  const reason = isSecureContext
    ? 'the server does not send the headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy'
    : 'threads and the camera need https, or an address of this machine';
  get('notice').textContent = `One thread computes, which takes longer: ${reason}.`;
  get('notice').hidden = false;
}

// ---- images

async function open(file) {
  if (!model || get('file').disabled) return;
  stopCamera();
  say('busy', `Reading ${file.name} …`);
  let image;
  try {
    image = await createImageBitmap(file, { colorSpaceConversion: 'none' });
  } catch {
    say('error', `${file.name} cannot be read as an image. Choose a JPEG, PNG, WebP, GIF or BMP file that other programs can open.`);
    return;
  }
  if (image.width * image.height > model.max_pixels) {
    say('error', `${file.name} has ${image.width} x ${image.height} pixels; the limit is ${model.max_pixels / 1e6} million. Make it smaller.`);
    return;
  }
  try {
    say('busy', `Detecting people in ${file.name} …`);
    await look(image, file.name);
    say('done', describe());
  } catch (error) {
    say('error', `${file.name}: the model fails on it: ${error.message}.`);
  }
}

/** Predict, and show the result; the image is kept for later drawings. */
async function look(image, name) {
  const found = await predict(await createImageBitmap(image));
  shown?.image.close();
  shown = { image, name, ...found };
  show();
}

const over = () => shown.people.filter(({ score }) => score > Number(threshold.value));

function describe() {
  const number = over().length;
  const [one, many] = model.categories.length ? ['instance', 'instances'] : ['person', 'people'];
  if (!number) return `${shown.name}: no ${one} has a score over ${threshold.value}.`;
  return `${shown.name}: ${number} ${number === 1 ? one : many}.`;
}

function show() {
  const people = over();
  draw(canvas, shown.image, people, model, get('boxes').checked);
  canvas.hidden = get('results').hidden = false;
  get('hint').hidden = true;
  canvas.setAttribute('aria-label', describe());
  const { resize, model: run } = shown.milliseconds;
  get('times').textContent = `${shown.image.width} x ${shown.image.height} pixels: resizing ${resize.toFixed(0)} ms, model ${run.toFixed(0)} ms`;
  get('people').replaceChildren(...people.map(toRow));
}

function toRow(person, index) {
  const states = judge(person, model);
  const row = document.createElement('tr');
  const count = (state) => states.filter((each) => each === state).length;
  const category = categoryOf(person, model);
  const name = category ? `${index + 1} ${category.name}` : index + 1;
  for (const value of [name, person.score.toFixed(2), count('seen'), count('hidden'), count('absent')]) {
    row.insertCell().textContent = value;
  }
  return row;
}

function showThreshold() {
  get('threshold-value').textContent = Number(threshold.value).toFixed(2);
}

// ---- camera

async function toggleCamera() {
  if (stream) {
    stopCamera();
    say('done', shown ? describe() : 'The camera is off.');
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } });
  } catch (error) {
    const reason = error.name === 'NotAllowedError' ? 'it is not allowed; allow it in the address bar' : error.message;
    say('error', `The camera cannot be used: ${reason}.`);
    return;
  }
  video.srcObject = stream;
  get('camera').textContent = 'Stop camera';
  await video.play();
  const mine = stream;
  try {
    while (stream === mine) {
      const started = performance.now();
      const frame = await createImageBitmap(video);
      await look(frame, 'camera');
      const rate = 1000 / (performance.now() - started);
      if (stream === mine) say('live', `${describe()} ${rate.toFixed(1)} images a second`);
      // lets the browser paint
      await new Promise(requestAnimationFrame);
    }
  } catch (error) {
    if (stream === mine) {
      stopCamera();
      say('error', `The camera has stopped: ${error.message}.`);
    }
  }
}

function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
  get('camera').textContent = 'Start camera';
}

// ---- downloads

function save(blob, suffix) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${shown.name.replace(/\.\w+$/, '')}${suffix}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The people over the threshold, as `PoseResult.to_dict` gives an image's. */
export function toJson() {
  const names = model.keypoint_names;
  const ofCategories = model.categories.map(({ name, start, stop }) => [name, names.slice(start, stop)]);
  return {
    path: shown.name,
    height: shown.image.height,
    width: shown.image.width,
    keypoint_names: ofCategories.length ? Object.fromEntries(ofCategories) : names,
    people: toRecords(over(), model),
  };
}

// ---- controls

get('file').addEventListener('change', ({ target }) => {
  if (target.files[0]) open(target.files[0]);
  // so that the same file can be chosen again
  target.value = '';
});
get('camera').addEventListener('click', toggleCamera);
threshold.addEventListener('input', () => {
  showThreshold();
  if (!shown) return;
  show();
  if (!stream) say('done', describe());
});
get('boxes').addEventListener('change', () => shown && show());
get('save-json').addEventListener('click', () => {
  save(new Blob([JSON.stringify(toJson(), null, 1)], { type: 'application/json' }), '.json');
});
get('save-png').addEventListener('click', () => {
  canvas.toBlob((blob) => save(blob, '_people.png'), 'image/png');
});

// The whole page takes dropped files: the browser would open those beside the frame.
for (const kind of ['dragover', 'dragleave', 'drop']) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    get('stage').classList.toggle('over', kind === 'dragover');
    const file = kind === 'drop' && event.dataTransfer.files[0];
    if (file) open(file);
  });
}
addEventListener('paste', ({ clipboardData }) => {
  if (clipboardData.files[0]) open(clipboardData.files[0]);
});

start();
