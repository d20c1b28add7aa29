// What is marked in a picture: strokes that protect, strokes where rain is, and strokes that take either back. The kit's
// brush leads the pointer and the keys; the strokes are the picture's own, and drawn here.

import { element, find } from "/static/kit/dom.js";
import { follow } from "/static/kit/view.js";

const LARGEST_SIDE = 2048; // pixels of the canvas: marks need not be sharper
const COLOURS = { protect: "#2f9e44", rain: "#1c7ed6" };
const MOST_POINTS = 4000; // of one stroke

/** The ink. Tells "stroke" with the stroke as `detail`. */
export class Ink extends EventTarget {
  kind = "protect";
  #strokes = [];
  #points = null;

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
    this.#draw(this.#stroke());
  }

  #follow() {
    if (!this.#points || this.#points.length >= MOST_POINTS) return;
    const [x, y] = this.#place();
    const [lastX, lastY] = this.#points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < Math.max(0.5, this.brush.radius / 8)) return;
    this.#points.push([x, y]);
    this.#draw(this.#stroke());
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
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const stroke of this.#strokes) this.#draw(stroke);
    if (this.#points) this.#draw(this.#stroke());
  }

  #draw({ kind, radius, points }) {
    const { context, scale } = this;
    context.globalCompositeOperation = kind === "erase" ? "destination-out" : "source-over";
    context.strokeStyle = COLOURS[kind] ?? "#000";
    context.lineWidth = Math.max(1, 2 * radius * scale);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(points[0] * scale, points[1] * scale);
    if (points.length === 2) context.lineTo(points[0] * scale, points[1] * scale);
    for (let k = 2; k < points.length; k += 2) context.lineTo(points[k] * scale, points[k + 1] * scale);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }
}
