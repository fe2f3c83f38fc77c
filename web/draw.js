// Drawings as `onestage-pose predict` makes them.

import { categoryOf, judge } from './people.js';

// Browsers of phones refuse canvases that are much larger.
const MAX_SIDE = 4096;

/**
 * Draw an image and its people.
 * @param {HTMLCanvasElement} canvas takes the size of the image
 * @param {ImageBitmap} image
 * @param {import('./people.js').Person[]} people
 * @param {import('./people.js').Model} model
 * @param {boolean} boxes draw them as well
 */
export function draw(canvas, image, people, model, boxes) {
  const longer = Math.max(image.width, image.height);
  const scale = Math.min(1, MAX_SIDE / longer);
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  // Pixel 0 lies from 0 to 1 on a canvas, its centre is at one half.
  const place = ([x, y]) => [(x + 0.5) * scale, (y + 0.5) * scale];
  const width = Math.max(1, Math.round((longer * scale) / 400));
  const radius = Math.max(2, 2 * width);
  const colors = model.sides.map((side) => model.colors[side]);
  context.lineCap = 'round';
  for (const person of people) {
    const states = judge(person, model);
    if (boxes) drawBox(context, person, categoryOf(person, model), scale, width);
    context.lineWidth = width;
    for (const [a, b] of model.skeleton) {
      if (states[a] === 'absent' || states[b] === 'absent') continue;
      const alike = model.sides[a] === model.sides[b];
      context.strokeStyle = alike ? colors[a] : model.colors.middle;
      context.beginPath();
      context.moveTo(...place(person.keypoints[a]));
      context.lineTo(...place(person.keypoints[b]));
      context.stroke();
    }
    states.forEach((state, k) => {
      if (state === 'absent') return;
      disc(context, place(person.keypoints[k]), radius, colors[k]);
      if (state === 'hidden') {
        disc(context, place(person.keypoints[k]), 0.6 * radius, '#fff');
      }
    });
  }
}

function drawBox(context, { box, score }, category, scale, width) {
  const [x1, y1, x2, y2] = box.map((side) => side * scale);
  context.lineWidth = Math.max(1, width / 2);
  context.strokeStyle = '#fff';
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  const size = Math.max(12, 6 * width);
  context.font = `${size}px sans-serif`;
  context.textBaseline = 'top';
  const text = `${category ? `${category.name} ` : ''}${score.toFixed(2)}`;
  context.fillStyle = 'rgb(0 0 0 / 60%)';
  const left = Math.max(0, x1), top = Math.max(0, y1);
  context.fillRect(left, top, context.measureText(text).width + size / 2, 1.2 * size);
  context.fillStyle = '#fff';
  context.fillText(text, left + size / 4, top + 0.1 * size);
}

function disc(context, [x, y], radius, color) {
  context.fillStyle = color;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
