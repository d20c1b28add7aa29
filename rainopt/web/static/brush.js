// A brush that marks regions of a picture, with a pointer or with keys. Strokes are kept as lines, so that undo costs
// no copies of large pictures; the mask that comes out has the size of the picture, whatever was seen of it.

import { greyPng } from "./png.js";

const SMALLEST = 1; // radius in pixels of the picture
const LARGEST = 1000;
const OPAQUE = 127;

/** A brush on a canvas that lies in the view. Tells "change" when the mask or the brush is another. */
export class Brush extends EventTarget {
  active = false;
  erasing = false;
  radius = 24;
  cursor = { x: 0, y: 0 }; // in pixels of the picture; what the keys move
  #strokes = [];
  #stroke = null;
  #base = null;

  constructor(box, canvas, ring, view) {
    super();
    Object.assign(this, { box, canvas, ring, view });
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    view.addEventListener("change", () => this.#drawRing());
    // Before the view's own listener, which leaves alone what is taken here.
    box.addEventListener("pointerdown", (event) => this.#press(event), { capture: true });
    box.addEventListener("pointermove", (event) => this.#move(event), { capture: true });
    for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => this.#lift(), { capture: true });
  }

  /** Whether there are strokes that nobody has saved. */
  get isChanged() {
    return this.#strokes.length > 0;
  }

  /** Begin with the mask of a picture (an image element, more than 127 is marked) or with an empty one. */
  open(width, height, mask = null, colour = "#d6336c") {
    this.canvas.width = width;
    this.canvas.height = height;
    this.colour = colour;
    this.cursor = { x: width / 2, y: height / 2 };
    this.#strokes = [];
    this.#stroke = null;
    this.#base = mask && this.#coloured(mask, width, height);
    this.#redraw();
  }

  setActive(active) {
    this.active = active;
    this.box.classList.toggle("painted", active);
    if (active) {
      const middle = this.view.toPicture(this.view.middle);
      this.cursor = this.#inside(middle);
    }
    this.#changed();
  }

  setErasing(erasing) {
    this.erasing = erasing;
    this.#changed();
  }

  resize(factor) {
    this.radius = Math.min(LARGEST, Math.max(SMALLEST, Math.round(this.radius * factor) || SMALLEST));
    this.#changed();
  }

  /** Move the brush by a share of its size; a brush that is put down paints on its way. */
  step(dx, dy, factor = 1) {
    const length = Math.max(1, this.radius * factor);
    this.cursor = this.#inside({ x: this.cursor.x + dx * length, y: this.cursor.y + dy * length });
    if (this.#stroke) this.#extend(this.cursor);
    this.#drawRing();
  }

  /** Put the brush down where it is, and lift it again: one dab, or a line where it was moved between. */
  putDown() {
    if (!this.#stroke) this.#begin(this.cursor);
  }

  lift() {
    this.#lift();
  }

  undo() {
    if (!this.#strokes.length) return false;
    this.#strokes.pop();
    this.#redraw();
    return true;
  }

  /** Mark nothing; one undo brings all back. */
  clear() {
    this.#strokes.push({ clear: true });
    this.#redraw();
  }

  /** Take the mask as it is for saved: what follows is undone no further than to here. */
  saved() {
    this.#base = this.#copy();
    this.#strokes = [];
    this.#changed();
  }

  /** Return the share of the picture that is marked. */
  share() {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    let marked = 0;
    for (let k = 3; k < data.length; k += 4) marked += data[k] > OPAQUE;
    return marked / (data.length / 4);
  }

  /** Return the mask as a PNG file of one channel, 255 where it is marked and 0 elsewhere. */
  async mask() {
    const { width, height } = this.canvas;
    const { data } = this.context.getImageData(0, 0, width, height);
    const values = new Uint8Array(width * height);
    for (let k = 0; k < values.length; k++) values[k] = data[4 * k + 3] > OPAQUE ? 255 : 0;
    return greyPng(width, height, values);
  }

  #press(event) {
    // The middle button, and a second finger, still move the view.
    if (!this.active || event.button !== 0 || !event.isPrimary || event.target.closest("button, [role=slider]")) return;
    event.preventDefault();
    this.box.setPointerCapture(event.pointerId);
    this.cursor = this.#inside(this.#at(event));
    this.#begin(this.cursor);
  }

  #move(event) {
    if (!this.active) return;
    this.cursor = this.#inside(this.#at(event));
    if (this.#stroke && event.buttons) this.#extend(this.cursor);
    this.#drawRing();
  }

  #lift() {
    if (!this.#stroke) return;
    this.#stroke = null;
    this.#changed();
  }

  #begin(point) {
    this.#stroke = { points: [point], radius: this.radius, erasing: this.erasing };
    this.#strokes.push(this.#stroke);
    this.#draw(this.#stroke, 0);
    this.#changed();
  }

  #extend(point) {
    this.#stroke.points.push(point);
    this.#draw(this.#stroke, this.#stroke.points.length - 2);
  }

  #at(event) {
    const frame = this.box.getBoundingClientRect();
    return this.view.toPicture({ x: event.clientX - frame.left, y: event.clientY - frame.top });
  }

  #inside({ x, y }) {
    return { x: Math.min(this.view.width, Math.max(0, x)), y: Math.min(this.view.height, Math.max(0, y)) };
  }

  #draw({ points, radius, erasing, clear }, from) {
    const { context } = this;
    if (clear) {
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      return;
    }
    context.globalCompositeOperation = erasing ? "destination-out" : "source-over";
    context.strokeStyle = this.colour;
    context.lineWidth = 2 * radius;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(points[from].x, points[from].y);
    // A line to the point itself is a dab.
    for (const { x, y } of points.slice(Math.min(from + 1, points.length - 1))) context.lineTo(x, y);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  #redraw() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.#base) this.context.drawImage(this.#base, 0, 0);
    for (const stroke of this.#strokes) this.#draw(stroke, 0);
    this.#changed();
  }

  #copy() {
    const copy = new OffscreenCanvas(this.canvas.width, this.canvas.height);
    copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }

  /** Return a mask of grey values as one of colour and transparency. */
  #coloured(mask, width, height) {
    const copy = new OffscreenCanvas(width, height);
    const context = copy.getContext("2d");
    context.drawImage(mask, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    const [red, green, blue] = [1, 3, 5].map((k) => parseInt(this.colour.slice(k, k + 2), 16));
    for (let k = 0; k < pixels.data.length; k += 4) {
      pixels.data.set([red, green, blue, pixels.data[k] > OPAQUE ? 255 : 0], k);
    }
    context.putImageData(pixels, 0, 0);
    return copy;
  }

  #changed() {
    this.#drawRing();
    this.dispatchEvent(new Event("change"));
  }

  #drawRing() {
    this.ring.hidden = !this.active;
    const at = this.view.toBox(this.cursor);
    const size = 2 * this.radius * this.view.scale;
    this.ring.classList.toggle("erasing", this.erasing);
    Object.assign(this.ring.style, { width: `${size}px`, height: `${size}px` });
    this.ring.style.transform = `translate(${at.x - size / 2}px, ${at.y - size / 2}px)`;
  }
}
