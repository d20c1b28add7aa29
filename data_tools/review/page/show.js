// The pictures of a scene on the stage: which frame, in which mode, and sharp where it is looked at closely.

import { find } from "/static/kit/dom.js";
import { Pictures, sized } from "/static/kit/pictures.js";
import { fillFrame, markFrame, showStrip } from "./strip.js";

const SCREEN = 1600; // longer side of pictures of the size "screen"
const SETTLED = 120; // milliseconds without zoom before full pictures are asked for

/** What is on the stage. `drawn` is told when it is there. */
export class Show {
  scene = null;
  frame = 0;
  mode = "divider";
  veiled = false;
  #turn = 0;
  #timer = null;

  constructor(stage, pictures, toasts, drawn) {
    Object.assign(this, { stage, pictures, toasts, drawn });
    this.thumbs = new Pictures({ most: 200, atOnce: 1 });
    this.strip = find("#strip");
    this.modes = [...find("#modes").children];
    for (const button of this.modes) button.addEventListener("click", () => this.setMode(button.dataset.mode));
    stage.view.addEventListener("change", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#sharpen(), SETTLED);
    });
    this.setMode("divider");
  }

  /** Show a scene from its first frame, or the frame that is shown where it is the same scene. */
  async open(scene) {
    const same = this.scene?.number === scene.number;
    this.scene = scene;
    this.frame = same ? Math.min(this.frame, scene.frames.length - 1) : 0;
    this.#fillStrip();
    for (const button of this.modes) button.disabled = !this.#address(button.dataset.mode);
    if (!same) this.stage.view.fit();
    await this.#draw();
  }

  choose(frame) {
    if (!this.scene || frame < 0 || frame >= this.scene.frames.length || frame === this.frame) return;
    this.frame = frame;
    this.#draw();
  }

  setMode(mode) {
    this.mode = mode;
    const shown = this.#shownMode();
    if (shown === "divider") this.stage.compare("rainy", "clean");
    else this.stage.only(shown);
    for (const button of this.modes) button.setAttribute("aria-pressed", String(button.dataset.mode === shown));
    if (this.scene) this.#draw();
  }

  /** Change between the rainy frame and the background. */
  flip() {
    this.setMode(this.mode === "rainy" ? "clean" : "rainy");
  }

  toggleVeil() {
    this.veiled = !this.veiled;
    this.#draw();
    return this.veiled;
  }

  /** Return the addresses of what a scene shows first; to be loaded ahead. */
  static first(scene) {
    const frame = scene.frames[0];
    return [frame?.rainy, frame?.clean].filter(Boolean).map((address) => sized(address, "screen"));
  }

  /** A scene without a background, such as a sequence, is seen by its frames alone. */
  #shownMode() {
    if (!this.scene || this.#address(this.mode)) return this.mode;
    return "rainy";
  }

  #address(mode) {
    const frame = this.scene?.frames[this.frame];
    if (mode === "divider") return frame?.clean;
    return frame?.[mode];
  }

  async #draw(quietly = false) {
    const turn = ++this.#turn;
    const { scene, stage } = this;
    const frame = scene.frames[this.frame];
    // Where no background was estimated, what is behind the frames is seen in their median.
    stage.layers.clean = frame.estimated ? "median of the frames" : "background";
    if (this.#shownMode() === this.mode) stage.caption();
    else stage.only("rainy");
    markFrame(this.strip, this.frame);
    const wanted = this.mode === "difference" ? ["rainy", "clean", "difference"] : ["rainy", "clean"];
    const layers = wanted.filter((name) => frame[name]);
    stage.waiting(!quietly);
    try {
      const size = this.#size();
      const load = (name) => this.pictures.load(sized(frame[name], size));
      const [images, mask] = await Promise.all([
        Promise.all(layers.map(load)),
        this.veiled && frame.mask ? this.pictures.load(sized(frame.mask, "screen")) : null,
      ]);
      if (turn !== this.#turn) return;
      stage.show(scene.width, scene.height, Object.fromEntries(layers.map((name, k) => [name, images[k]])));
      for (const name of ["rainy", "clean", "difference"]) if (!layers.includes(name)) stage.set(name, null);
      stage.setVeil(mask);
      stage.box.dataset.shown = `${scene.number}/${this.frame}`;
      this.drawn();
    } catch (error) {
      if (turn === this.#turn) this.toasts.fail(error.message);
    } finally {
      if (turn === this.#turn) stage.waiting(false);
    }
  }

  #size() {
    const { view } = this.stage;
    const seen = Math.max(view.width, view.height) * view.scale * (window.devicePixelRatio || 1);
    return seen > SCREEN && !view.isFitted ? "full" : "screen";
  }

  /** Where the view is closer than the pictures are large, take full ones. */
  #sharpen() {
    if (this.scene && this.#size() === "full") this.#draw(true);
  }

  /** Return the addresses of what a key may ask for next of this scene. */
  near() {
    const { frames } = this.scene;
    const frame = frames[this.frame];
    const near = [frames[this.frame + 1]?.rainy, frame.difference, frames[this.frame - 1]?.rainy];
    return near.filter(Boolean).map((address) => sized(address, "screen"));
  }

  #fillStrip() {
    const { strip, scene } = this;
    showStrip(strip, scene.frames, (k) => this.choose(k));
    const places = new Map(scene.frames.map((frame, k) => [sized(frame.rainy, "thumb"), k]));
    this.thumbs.prefetch([...places.keys()], (address, image) => {
      if (this.scene === scene) fillFrame(strip, places.get(address), image);
    });
  }
}
