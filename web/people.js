// What the graph gives, as people in pixels of the image.

/**
 * What model.json says of the model, as far as people need it.
 * @typedef {Object} Model
 * @property {string[]} keypoint_names
 * @property {{name: string, start: number, stop: number}[]} categories by their labels,
 *   with the places of their keypoints; empty of a model of one skeleton
 * @property {number} kpt_thr
 * @property {number} presence_thr
 */

/**
 * @typedef {Object} Person
 * @property {number[]} box x1, y1, x2, y2 in pixels of the image
 * @property {number} score
 * @property {number[][]} keypoints [x, y, score]; the centre of the first pixel is 0, 0
 * @property {number} label place of the category
 * @property {number[]} [keypoint_presence] probability to be in the image
 * @property {number[]} [keypoints_visible] probability to be seen
 */

/**
 * @param {Object<string, {data: Float32Array}>} outputs of the graph
 * @param {number} number of keypoints
 * @param {[number, number]} scale width and height of the input over the image's
 * @returns {Person[]} best first
 */
export function toPeople(outputs, number, [scaleX, scaleY]) {
  const { bboxes, scores, keypoints, keypoint_scores: keypointScores, labels } = outputs;
  return Array.from(scores.data, (score, index) => {
    const [x1, y1, x2, y2] = bboxes.data.subarray(4 * index, 4 * index + 4);
    const first = index * number;
    const person = {
      box: [x1 / scaleX, y1 / scaleY, x2 / scaleX, y2 / scaleY],
      score,
      label: Number(labels.data[index]),
      keypoints: Array.from({ length: number }, (_, k) => [
        (keypoints.data[2 * (first + k)] + 0.5) / scaleX - 0.5,
        (keypoints.data[2 * (first + k) + 1] + 0.5) / scaleY - 0.5,
        keypointScores.data[first + k],
      ]),
    };
    for (const name of ['keypoint_presence', 'keypoints_visible']) {
      if (outputs[name]) {
        person[name] = Array.from(outputs[name].data.subarray(first, first + number));
      }
    }
    return person;
  });
}

/**
 * How each keypoint is drawn: 'seen', 'hidden' (a ring) or 'absent' (left out).
 * @param {Person} person
 * @param {Model} model
 * @returns {string[]}
 */
export function judge(person, model) {
  const [start, stop] = places(person, model);
  return person.keypoints.map(([, , score], k) => {
    if (k < start || k >= stop) return 'absent';
    const presence = person.keypoint_presence?.[k] ?? 1;
    if (score < model.kpt_thr || presence < model.presence_thr) return 'absent';
    const visible = person.keypoints_visible?.[k] ?? 1;
    const isHidden =
      person.keypoint_presence && visible < model.presence_thr * presence;
    return isHidden ? 'hidden' : 'seen';
  });
}

/** The category of an instance; undefined of a model of one skeleton. */
export function categoryOf({ label }, { categories }) {
  return categories[label];
}

/** The place of its own first keypoint, and that behind its last. */
export function places(person, model) {
  const { start, stop } = categoryOf(person, model) ?? { start: 0, stop: person.keypoints.length };
  return [start, stop];
}

/**
 * People as `PoseResult.to_dict` gives them: of several categories, with the keypoints
 * of their own.
 * @param {Person[]} people
 * @param {Model} model
 * @returns {Object[]}
 */
export function toRecords(people, model) {
  return people.map((person) => {
    const { label, ...record } = person;
    const own = places(person, model);
    for (const [name, value] of Object.entries(record)) {
      if (name.startsWith('keypoint')) record[name] = value.slice(...own);
    }
    if (model.categories.length > 1) record.label = label;
    if (model.categories.length) record.category = categoryOf(person, model).name;
    return record;
  });
}
