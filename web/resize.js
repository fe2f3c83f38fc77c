// What the test pipeline does to an image before the network sees it.

/**
 * Size of the network's input: the shorter side becomes `shorter` unless the longer
 * would pass `longer`.
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @param {?{longer: number, shorter: number}} bounds null keeps the size
 * @returns {[number, number]} width and height in pixels
 */
export function newSize(width, height, bounds) {
  if (!bounds) return [width, height];
  const factor = Math.min(
    bounds.shorter / Math.min(width, height),
    bounds.longer / Math.max(width, height),
  );
  return [width, height].map((side) => Math.max(1, Math.floor(factor * side + 0.5)));
}

/**
 * Resize as Pillow's bilinear filter does, which smooths what it shrinks. A canvas
 * resamples as it likes, which would move keypoints.
 * @param {Uint8ClampedArray} rgba height x width x 4
 * @param {number} width of the image, in pixels
 * @param {number} height of the image, in pixels
 * @param {number} newWidth in pixels
 * @param {number} newHeight in pixels
 * @returns {Float32Array} 3 x newHeight x newWidth: planes B, G, R from 0 to 255
 */
export function resizeToBgr(rgba, width, height, newWidth, newHeight) {
  const across = triangles(width, newWidth);
  const down = triangles(height, newHeight);
  // rounded between the two passes, as Pillow's images of bytes are
  const narrow = new Uint8ClampedArray(height * newWidth * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < newWidth; x++) {
      const { start, weights } = across[x];
      let red = 0, green = 0, blue = 0;
      let from = (y * width + start) * 4;
      for (const weight of weights) {
        red += weight * rgba[from];
        green += weight * rgba[from + 1];
        blue += weight * rgba[from + 2];
        from += 4;
      }
      const to = (y * newWidth + x) * 3;
      narrow[to] = blue;
      narrow[to + 1] = green;
      narrow[to + 2] = red;
    }
  }
  const planes = new Float32Array(3 * newHeight * newWidth);
  const row = newWidth * 3;
  for (let y = 0; y < newHeight; y++) {
    const { start, weights } = down[y];
    for (let i = 0; i < row; i++) {
      let sum = 0;
      let from = start * row + i;
      for (const weight of weights) {
        sum += weight * narrow[from];
        from += row;
      }
      planes[((i % 3) * newHeight + y) * newWidth + Math.floor(i / 3)] = Math.round(sum);
    }
  }
  return planes;
}

/** For each new pixel of an axis: the first old one that counts, and the weights. */
function triangles(old, size) {
  const scale = old / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, i) => {
    const center = (i + 0.5) * scale - 0.5;
    const start = Math.max(0, Math.ceil(center - reach));
    const end = Math.min(old, Math.floor(center + reach) + 1);
    const weights = [];
    for (let place = start; place < end; place++) {
      weights.push(Math.max(0, 1 - Math.abs(place - center) / reach));
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: weights.map((weight) => weight / total) };
  });
}
