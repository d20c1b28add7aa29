// What is marked in a picture: strokes that protect, strokes where rain is, and strokes that take either back. The kit's
// brush leads the pointer and the keys; the strokes are the picture's own, and drawn here.

import { element, find } from "/static/kit/dom.js";
import { follow } from "/static/kit/view.js";

const LARGEST_SIDE = 2048; // pixels of the canvas: marks need not be sharper
const COLOURS = { protect: "#2f9e44", rain: "#1c7ed6" };
const MOST_POINTS = 4000; // of one stroke
const SOFT = 0.25; // half the width of the edge of a stroke, in its radii
const MOST_STEPS = 16; // of an edge

/** The ink. Tells "stroke" with the stroke as `detail`. */
export class Ink extends EventTarget {
  kind = "protect";
  #strokes = [];
  #points = null;
  #done = document.createElement("canvas"); // without the stroke under way

  constructor(stage) {
    super();
    Object.assign(this, { stage, brush: stage.brush });
    this.canvas = element("canvas", { class: "stage-marks", "aria-hidden": "true" });
    this.context = this.canvas.getContext("2d");
    const plane = element("div", { class: "stage-plane stage-ink" }, this.canvas);
    stage.box.insertBefore(plane, find(".stage-divider", stage.box));
    follow(stage.view, this.canvas);
    const { box } = stage;
    box.addEventListener("pointerdown", (event) => this.#press(event));
    box.addEventListener("pointermove", (event) => event.buttons && this.#follow());
    for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => this.#end());
  }

  get active() {
    return this.brush.active;
  }

  /** Begin to paint with a kind of ink, or stop (null). */
  choose(kind) {
    this.#end();
    if (kind) {
      this.kind = kind;
      this.brush.setErasing(kind === "erase");
    }
    if (this.brush.active !== Boolean(kind)) this.brush.setActive(Boolean(kind));
  }

  /** Show the strokes of a picture of a size. */
  show(width, height, strokes) {
    const scale = Math.min(1, LARGEST_SIDE / Math.max(width, height));
    const size = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      // The brush itself draws nothing.
      this.brush.open(1, 1);
    }
    this.scale = scale;
    this.#strokes = strokes;
    this.#redraw();
  }

  /** Move the brush by keys; one that is down draws. */
  step(dx, dy, factor) {
    this.brush.step(dx, dy, factor);
    this.#follow();
  }

  /** Put the brush down where it is, by keys. */
  putDown() {
    if (this.#points) return;
    this.brush.putDown();
    this.#begin();
  }

  lift() {
    this.brush.lift();
    this.#end();
  }

  #press(event) {
    // What the brush has taken is marked so.
    if (this.brush.active && event.defaultPrevented && event.button === 0 && !event.target.closest("button, [role=slider]")) {
      this.#begin();
    }
  }

  #begin() {
    this.#points = [this.#place()];
    this.#show();
  }

  #follow() {
    if (!this.#points || this.#points.length >= MOST_POINTS) return;
    const [x, y] = this.#place();
    const [lastX, lastY] = this.#points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < Math.max(0.5, this.brush.radius / 8)) return;
    this.#points.push([x, y]);
    this.#show();
  }

  #end() {
    if (!this.#points) return;
    const stroke = this.#stroke();
    this.#points = null;
    this.dispatchEvent(new CustomEvent("stroke", { detail: stroke }));
  }

  #place() {
    const { x, y } = this.brush.cursor;
    return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  }

  #stroke() {
    return { kind: this.kind, radius: this.brush.radius, points: this.#points.flat() };
  }

  #redraw() {
    const { width, height } = this.canvas;
    [this.#done.width, this.#done.height] = [width, height]; // which clears it
    const context = this.#done.getContext("2d");
    for (const stroke of this.#strokes) draw(context, stroke, this.scale);
    this.#show();
  }

  /** Show the strokes that are done, and the one under way over them. */
  #show() {
    const { canvas, context } = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.#done, 0, 0);
    if (this.#points) draw(context, this.#stroke(), this.scale);
  }
}

/**
 * Draw a stroke with its soft edge: lines of falling width, one over the other, as the server does it (marks.py). Each
 * brings what is under it from the cover of the step before to its own.
 */
function draw(context, { kind, radius, points }, scale) {
  const inner = (kind === "erase" ? 1 + SOFT : 1 - SOFT) * radius * scale;
  const wide = 2 * SOFT * radius * scale;
  const steps = Math.min(MOST_STEPS, Math.max(1, Math.round(wide)));
  context.globalCompositeOperation = kind === "erase" ? "destination-out" : "source-over";
  context.strokeStyle = COLOURS[kind] ?? "#000";
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(points[0] * scale, points[1] * scale);
  if (points.length === 2) context.lineTo(points[0] * scale, points[1] * scale);
  for (let k = 2; k < points.length; k += 2) context.lineTo(points[k] * scale, points[k + 1] * scale);
  let before = 0;
  for (let step = 1; step <= steps; step++) {
    const along = step / steps;
    const cover = along * along * (3 - 2 * along);
    context.globalAlpha = (cover - before) / (1 - before);
    context.lineWidth = Math.max(1, 2 * (inner + wide * (1 - (step - 0.5) / steps)));
    context.stroke();
    before = cover;
  }
  context.globalAlpha = 1;
  context.globalCompositeOperation = "source-over";
}
