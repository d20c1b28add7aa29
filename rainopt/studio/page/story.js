// What is asked of one picture, and how that came about: undo and redo. What is asked is never changed in place.

const MOST = 300;

export const USUAL = Object.freeze({ method: "solver", lines: null, strength: 1, veil: false, strokes: [] });

/** The story of one picture. */
export class Story {
  #past = [];
  #future = [];
  #merge = null;

  constructor(now = USUAL) {
    this.now = now;
  }

  /** Change something. Changes in a row that have one `merge`, such as those of a slider, are undone at once. */
  change(update, merge = null) {
    if (merge === null || merge !== this.#merge) {
      this.#past.push(this.now);
      if (this.#past.length > MOST) this.#past.shift();
    }
    this.#merge = merge;
    this.#future = [];
    this.now = { ...this.now, ...update };
  }

  /** Let the next change be one of its own, even of the same kind. */
  rest() {
    this.#merge = null;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  undo() {
    if (!this.canUndo) return false;
    this.#future.push(this.now);
    this.now = this.#past.pop();
    this.#merge = null;
    return true;
  }

  redo() {
    if (!this.canRedo) return false;
    this.#past.push(this.now);
    this.now = this.#future.pop();
    this.#merge = null;
    return true;
  }
}

/** Whether two wishes are the same. Strokes are only ever added to new lists, so that the lists tell. */
export function same(one, other) {
  const plain = ({ strokes, ...rest }) => JSON.stringify(rest);
  return plain(one) === plain(other) && one.strokes.length === other.strokes.length && one.strokes.every((stroke, k) => stroke === other.strokes[k]);
}
