// A box in which pictures of one size lie on one another, under one view, one divider and one brush.

import { Brush } from "./brush.js";
import { Divider } from "./divider.js";
import { element, say } from "./dom.js";
import { attachGestures } from "./gestures.js";
import { follow, View } from "./view.js";

const PATIENCE = 250; // milliseconds

/** The box. `layers` are {name: caption}, from back to front; one is seen alone, or two on both sides of the divider. */
export class Stage {
  #planes = new Map();
  #pair = null;
  #alone = null;

  constructor(box, layers) {
    this.box = box;
    this.view = new View();
    this.layers = layers;
    box.classList.add("stage");
    box.tabIndex = 0;
    for (const name of Object.keys(layers)) this.#planes.set(name, this.#plane(name));
    this.veil = this.#plane("veil");
    this.veil.plane.classList.add("stage-veil");
    const canvas = element("canvas", { class: "stage-marks", "aria-hidden": "true" });
    const marks = element("div", { class: "stage-plane stage-ink" }, canvas);
    const ring = element("div", { class: "stage-ring", hidden: true });
    const handle = element("div", { class: "stage-divider" }, element("span", { class: "stage-grip" }));
    this.left = element("span", { class: "stage-caption left" });
    this.right = element("span", { class: "stage-caption right" });
    this.wait = element("div", { class: "stage-wait", hidden: true }, "loading …");
    box.append(marks, ring, handle, this.left, this.right, this.wait);
    follow(this.view, canvas);

    this.brush = new Brush(box, canvas, ring, this.view);
    attachGestures(box, this.view, () => this.brush.active);
    const first = this.#planes.values().next().value;
    const text = (share) => (this.#pair ? `${share} % ${layers[this.#pair[0]]}` : `${share} %`);
    this.divider = new Divider(box, first.plane, handle, { label: "Divider", text });
    // Keys are the page's again once the picture is touched, and no longer those of a text.
    box.addEventListener("pointerdown", () => document.activeElement?.blur(), { capture: true });
  }

  /** Put pictures (image elements by the names of layers) into the box; all have this size or stand for it. */
  show(width, height, images) {
    this.view.setPicture(width, height);
    for (const [name, image] of Object.entries(images)) this.set(name, image);
  }

  /** Put one picture into its layer, or none. */
  set(name, image) {
    const { holder } = this.#planes.get(name);
    if (image === null) holder.replaceChildren();
    else if (holder.firstChild !== image) holder.replaceChildren(image);
  }

  /** Darken the pictures where a mask is black; null takes it away. */
  setVeil(mask) {
    if (mask) this.veil.holder.replaceChildren(mask);
    else this.veil.holder.replaceChildren();
  }

  /** Show one layer to the left of the divider and another to the right. */
  compare(front, back) {
    this.#pair = [front, back];
    this.#alone = null;
    for (const [name, { plane }] of this.#planes) {
      plane.classList.toggle("unseen", name !== front && name !== back);
      plane.classList.toggle("front", name === front);
      if (name !== front) plane.style.clipPath = "none";
    }
    this.divider.curtain = this.#planes.get(front).plane;
    this.divider.show(true);
    this.caption();
  }

  /** Show one layer alone. */
  only(name) {
    this.#alone = name;
    this.#pair = null;
    for (const [other, { plane }] of this.#planes) {
      plane.classList.toggle("unseen", other !== name);
      plane.style.clipPath = "none";
    }
    this.divider.curtain = this.#planes.get(name).plane;
    this.divider.show(false);
    this.caption();
  }

  /** The names of the layers that are seen. */
  get seen() {
    return this.#pair ?? [this.#alone];
  }

  /** Say that a picture is on its way, and dim the one before; what is quick needs no word. */
  waiting(waits) {
    clearTimeout(this.later);
    const show = (shown) => {
      this.wait.hidden = !shown;
      this.box.classList.toggle("waits", shown);
    };
    if (waits) this.later = setTimeout(() => show(true), PATIENCE);
    else show(false);
  }

  #plane(name) {
    const holder = element("div", { class: "stage-picture" });
    const plane = element("div", { class: "stage-plane", "data-layer": name }, holder);
    this.box.append(plane);
    follow(this.view, holder);
    return { plane, holder };
  }

  /** Say what is seen, by the names that `layers` has now. */
  caption() {
    const [left, right = ""] = this.seen.map((name) => this.layers[name] ?? "");
    say(this.left, left);
    say(this.right, right);
    this.left.hidden = !left;
    this.right.hidden = !right;
    const seen = right ? `${left}, and ${right} to the right of the divider` : left;
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", seen ? `Picture: ${seen}` : "Picture");
  }
}

/** Add the keys of zoom and pan, which are the same on every page, but for that of 1:1 where numbers mean something. */
export function addViewKeys(keys, stage, unit = "1") {
  const { view } = stage;
  const group = "Zoom and pan";
  const step = (dx, dy) => view.panBy((dx * view.boxWidth) / 8, (dy * view.boxHeight) / 8);
  keys.add(["+", "="], "Closer", () => view.zoomBy(1.25), { group, repeat: true });
  keys.add("-", "Further away", () => view.zoomBy(0.8), { group, repeat: true });
  keys.add("0", "The whole picture", () => view.fit(), { group });
  keys.add(unit, "One pixel to one of the screen", () => view.oneToOne(), { group });
  keys.add("Shift+ArrowLeft", "Move the view", () => step(1, 0), { group, repeat: true });
  keys.add("Shift+ArrowRight", "Move the view", () => step(-1, 0), { group, repeat: true });
  keys.add("Shift+ArrowUp", "Move the view", () => step(0, 1), { group, repeat: true });
  keys.add("Shift+ArrowDown", "Move the view", () => step(0, -1), { group, repeat: true });
}
