// One view of pictures that lie on one another: where they are on the screen, and how large. Everything that shows them
// listens to it, so that zoom and pan are locked together without further ado.

const LARGEST = 16; // device pixels a pixel of the picture

/** A view. `scale` is CSS pixels a pixel of the picture; `x`, `y` are where its top left corner is in the box. */
export class View extends EventTarget {
  width = 1;
  height = 1;
  boxWidth = 1;
  boxHeight = 1;
  scale = 1;
  x = 0;
  y = 0;
  enlarged = 2;
  #fitted = true;

  /** The scale at which the whole picture is seen; small ones are enlarged no more than `enlarged` says. */
  get fitScale() {
    return Math.min(this.boxWidth / this.width, this.boxHeight / this.height, this.enlarged * this.unit);
  }

  /** The scale of 1:1, one pixel of the picture to one of the screen. */
  get unit() {
    return 1 / (window.devicePixelRatio || 1);
  }

  get isFitted() {
    return this.#fitted;
  }

  /** Whether pixels are shown as they are, not smoothed: at 1:1, and where they are large enough to be even. */
  get isSharp() {
    const pixels = this.scale / this.unit;
    return Math.abs(pixels - 1) < 1e-3 || pixels > 1.999;
  }

  /** Set the size of the pictures, in their own pixels. A picture of the same size keeps its place. */
  setPicture(width, height) {
    if (width === this.width && height === this.height) return;
    Object.assign(this, { width, height });
    this.fit();
  }

  /** Set the size of the box, in CSS pixels. */
  setBox(width, height) {
    if (!width || !height || (width === this.boxWidth && height === this.boxHeight)) return;
    Object.assign(this, { boxWidth: width, boxHeight: height });
    if (this.#fitted) this.fit();
    else this.#place(this.x, this.y);
  }

  fit() {
    this.scale = this.fitScale;
    this.#fitted = true;
    this.#place(0, 0);
  }

  oneToOne(at = this.middle) {
    this.zoomBy(this.unit / this.scale, at);
  }

  get middle() {
    return { x: this.boxWidth / 2, y: this.boxHeight / 2 };
  }

  /** Zoom by a factor; the point `at` of the box stays where it is. */
  zoomBy(factor, at = this.middle) {
    const least = Math.min(this.fitScale, this.unit);
    const scale = Math.min(Math.max(this.scale * factor, least), Math.max(LARGEST * this.unit, this.fitScale));
    const ratio = scale / this.scale;
    this.scale = scale;
    this.#fitted = Math.abs(scale / this.fitScale - 1) < 1e-6;
    this.#place(at.x - (at.x - this.x) * ratio, at.y - (at.y - this.y) * ratio);
  }

  panBy(dx, dy) {
    this.#place(this.x + dx, this.y + dy);
  }

  /** Return the point of the picture, in its pixels, that is at a point of the box. */
  toPicture({ x, y }) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  toBox({ x, y }) {
    return { x: x * this.scale + this.x, y: y * this.scale + this.y };
  }

  #place(x, y) {
    this.x = this.#held(x, this.width * this.scale, this.boxWidth);
    this.y = this.#held(y, this.height * this.scale, this.boxHeight);
    this.dispatchEvent(new Event("change"));
  }

  /** Centre what is smaller than the box, keep the box covered by what is larger, and hit pixels of the screen. */
  #held(at, length, box) {
    const held = length <= box ? (box - length) / 2 : Math.min(0, Math.max(box - length, at));
    return Math.round(held / this.unit) * this.unit;
  }
}

/** Keep an element, whose size is that of the picture in its own pixels, where the view is. */
export function follow(view, node) {
  const place = () => {
    node.style.width = `${view.width}px`;
    node.style.height = `${view.height}px`;
    node.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    node.classList.toggle("sharp", view.isSharp);
  };
  view.addEventListener("change", place);
  place();
}
