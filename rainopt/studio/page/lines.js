// The directions of the rain, drawn over the picture: a line each, with handles to turn it.

import { element, find } from "/static/kit/dom.js";
import { placed } from "./labels.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 1; // degrees
const LARGE_STEP = 5;
const KNOB = 11; // pixels, radius of a handle
const LABEL_HEIGHT = 18; // pixels

/** Bring degrees into (-90, 90], to a tenth: a line has no front. */
export function turned(degrees) {
  const rounded = Math.round(degrees * 10) / 10;
  const line = (((rounded + 90) % 180) + 180) % 180;
  return Math.round((line === 0 ? 90 : line - 90) * 10) / 10;
}

/** Return degrees as text, such as "+12.5°". */
export function degrees(angle) {
  return `${angle > 0 ? "+" : angle < 0 ? "−" : ""}${Math.abs(angle).toFixed(1)}°`;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** The lines. Tells "turn" with `detail` {index, angle, done} when one is turned. */
export class Lines extends EventTarget {
  #lines = [];
  #drawn = [];
  #held = null;

  constructor(stage) {
    super();
    Object.assign(this, { stage, view: stage.view });
    this.node = shape("svg", { class: "lines", role: "group", "aria-label": "Directions of the rain" });
    stage.box.insertBefore(this.node, find(".stage-divider", stage.box));
    this.view.addEventListener("change", () => this.#place());
  }

  /** Show lines {angle, on}; `found` says that they were found, and not drawn. */
  show(lines, found) {
    this.node.classList.toggle("found", found);
    this.#lines = lines;
    if (lines.length !== this.#drawn.length) this.#draw();
    this.#place();
  }

  setSeen(seen) {
    this.node.classList.toggle("unseen", !seen);
    this.#place(); // what is not drawn has no width
  }

  /** Turn a line by some degrees, as keys do. */
  turnBy(index, by) {
    if (this.#lines[index]) this.#turn(index, this.#lines[index].angle + by, true);
  }

  #draw() {
    this.#drawn = this.#lines.map((_, index) => {
      const group = shape("g", { class: "line" });
      const back = shape("line", { class: "line-back" });
      const front = shape("line", { class: "line-front" });
      const label = shape("text", { class: "line-label", "aria-hidden": "true" });
      const knobs = [1, -1].map((side) => {
        const knob = shape("circle", { class: "line-knob", r: String(KNOB) });
        if (side === 1) {
          knob.setAttribute("tabindex", "0");
          knob.setAttribute("role", "slider");
          knob.setAttribute("aria-valuemin", "-90");
          knob.setAttribute("aria-valuemax", "90");
          knob.setAttribute("aria-label", `Direction ${index + 1}`);
        } else {
          knob.setAttribute("aria-hidden", "true");
        }
        knob.addEventListener("pointerdown", (event) => this.#press(event, index, side));
        knob.addEventListener("pointermove", (event) => this.#move(event));
        for (const end of ["pointerup", "pointercancel"]) knob.addEventListener(end, () => this.#release());
        knob.addEventListener("keydown", (event) => this.#key(event, index));
        return knob;
      });
      group.append(back, front, label, ...knobs);
      return { group, back, front, label, knobs };
    });
    this.node.replaceChildren(...this.#drawn.map(({ group }) => group));
  }

  /** The middle of what is seen of the picture, in the box. */
  #middle() {
    const { view } = this;
    const from = view.toBox({ x: 0, y: 0 });
    const to = view.toBox({ x: view.width, y: view.height });
    const middle = (a, b, box) => (Math.max(0, a) + Math.min(box, b)) / 2;
    return { x: middle(from.x, to.x, view.boxWidth), y: middle(from.y, to.y, view.boxHeight) };
  }

  #place() {
    const { x, y } = this.#middle();
    this.#drawn.forEach(({ group, back, front, label, knobs }, index) => {
      const { angle, on } = this.#lines[index];
      // Lines of nearly one direction keep their handles apart.
      const length = Math.min(this.view.boxWidth, this.view.boxHeight) * (0.36 - 0.07 * index);
      const radians = (angle * Math.PI) / 180;
      const [dx, dy] = [Math.sin(radians) * length, Math.cos(radians) * length];
      group.classList.toggle("off", !on);
      for (const line of [back, front]) {
        line.setAttribute("x1", x - dx);
        line.setAttribute("y1", y - dy);
        line.setAttribute("x2", x + dx);
        line.setAttribute("y2", y + dy);
      }
      knobs.forEach((knob, k) => {
        const side = k === 0 ? 1 : -1;
        knob.setAttribute("cx", x + side * dx);
        knob.setAttribute("cy", y + side * dy);
      });
      label.textContent = degrees(angle);
      knobs[0].setAttribute("aria-valuenow", String(angle));
      knobs[0].setAttribute("aria-valuetext", `${degrees(angle)}${on ? "" : ", off"}`);
    });
    this.#placeLabels();
  }

  /** Put the labels where they can be read: near lines would have theirs in one place. */
  #placeLabels() {
    const labels = this.#drawn.map(({ label, knobs }) => ({
      width: label.getComputedTextLength(),
      height: LABEL_HEIGHT,
      points: knobs.map((knob) => ({ x: Number(knob.getAttribute("cx")), y: Number(knob.getAttribute("cy")) })),
    }));
    const { boxWidth: width, boxHeight: height } = this.view;
    placed(labels, KNOB, { width, height }).forEach(({ left, top }, k) => {
      const { label } = this.#drawn[k];
      label.setAttribute("x", left);
      label.setAttribute("y", top + LABEL_HEIGHT / 2);
    });
  }

  #press(event, index, side) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    event.target.setPointerCapture(event.pointerId);
    this.#drawn[index].knobs[0].focus({ preventScroll: true });
    this.#held = { index, side };
  }

  #move(event) {
    if (!this.#held) return;
    const { index, side } = this.#held;
    const frame = this.stage.box.getBoundingClientRect();
    const { x, y } = this.#middle();
    const [dx, dy] = [event.clientX - frame.left - x, event.clientY - frame.top - y];
    if (Math.hypot(dx, dy) < 8) return; // too near to point anywhere
    this.#turn(index, (Math.atan2(side * dx, side * dy) * 180) / Math.PI, false);
  }

  #release() {
    if (!this.#held) return;
    const { index } = this.#held;
    this.#held = null;
    this.#turn(index, this.#lines[index]?.angle ?? 0, true);
  }

  #key(event, index) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const by = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.turnBy(index, by);
  }

  #turn(index, angle, done) {
    if (!this.#lines[index]) return;
    this.dispatchEvent(new CustomEvent("turn", { detail: { index, angle: turned(angle), done } }));
  }
}

/** Return the row of a line in the panel: a switch, its degrees, and a button that takes it away. */
export function lineRow(line, index, { onSwitch, onAngle, onRemove }) {
  const name = `Direction ${index + 1}`;
  return element(
    "li",
    { class: "line-row" },
    element("input", { type: "checkbox", class: "switch", checked: line.on, "aria-label": `${name} on`, onchange: (event) => onSwitch(index, event.target.checked) }),
    element("input", {
      type: "number",
      min: "-89.9",
      max: "90",
      step: "0.5",
      value: String(line.angle),
      "aria-label": `${name}, degrees`,
      onchange: (event) => onAngle(index, Number(event.target.value)),
    }),
    element("span", { class: "quiet", "aria-hidden": "true" }, "°"),
    element("button", { type: "button", class: "button small plain", "aria-label": `Take ${name.toLowerCase()} away`, onclick: () => onRemove(index) }, "✕"),
  );
}
