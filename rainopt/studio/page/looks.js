// From what is asked to what is seen: the whole picture at the size of the screen, the part that is looked at closely,
// and, when nothing has changed for a moment, the result at full size in their place. What a method cannot show at once
// is looked at by it first: what was seen before stays until then, and `seen` says by what method it is.

import { get, send } from "/static/kit/api.js";
import { element } from "/static/kit/dom.js";

const REST = 700; // milliseconds without a change, before the full size is begun
const MOVED = 120; // milliseconds after the view was moved
const AGAIN = 60; // milliseconds before what another page has pushed aside is asked for again
const AROUND = 0.1; // of the part that is seen, on all sides
const GRID = 32; // pixels, so that a small move asks for the same part
const LAYERS = ["rain", "derained", "rainy"];

/** Looks. Tells "told" (what the server said of the last one) and "full" (how far the full size is: a share or null). */
export class Looks extends EventTarget {
  picture = null;
  told = null;
  #layers = new Map();
  #wanted = null;
  #busy = false;
  #turn = 0;
  #shown = null;
  #look = null;
  #failed = null;
  #timers = {};

  constructor(stage, pictures, fail) {
    super();
    Object.assign(this, { stage, pictures, fail });
    for (const name of LAYERS) {
      const node = element("div", { class: "look" });
      this.#layers.set(name, node);
      stage.set(name, node);
    }
    stage.view.addEventListener("change", () => this.#later("moved", MOVED, () => this.#moved()));
  }

  /** Show a picture; what was seen of another goes when this one is there. */
  open(picture, asked) {
    this.picture = picture;
    this.told = null;
    this.ask(asked, false);
  }

  /** Show what is asked for; `quick` takes what is near, as long as something is dragged. */
  ask(asked, quick) {
    this.asked = asked;
    this.quick = quick;
    this.#turn++;
    clearTimeout(this.#timers.rest);
    this.#tellFull(null);
    this.#want({});
  }

  /** Ask again for what is asked, as when another layer is to be seen. */
  again() {
    if (this.picture) this.#want({});
  }

  /** Return the number of the work whose result is what is asked, made if need be; throws what the server says. */
  async result() {
    clearTimeout(this.#timers.rest);
    const { picture, asked } = this;
    const answer = await this.#made(picture, asked, () => true);
    if (answer.state === "stopped") throw new Error("The work was given up, as something else was asked for.");
    if (answer.state === "failed") throw new Error(answer.error);
    if (this.picture === picture && this.asked === asked) this.#want({});
    return answer.work;
  }

  /** Whether nothing is on its way. */
  get rests() {
    return !this.#busy && !this.#wanted;
  }

  /** By which method the derained picture is that is seen, and whether it is the full size; null where there is none. */
  get seen() {
    const node = this.#layers.get("derained");
    const image = (this.#part() && node.querySelector(".look-part")) || node.querySelector(".look-base");
    if (!image || this.#shown !== this.picture) return null;
    return { by: image.dataset.by, exact: image.dataset.exact === "true" };
  }

  #later(name, wait, run) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(run, wait);
  }

  #tellFull(share) {
    this.full = share;
    this.dispatchEvent(new Event("full"));
  }

  #moved() {
    if (!this.picture || !this.told) return;
    const box = this.#part();
    if (String(box) !== String(this.box ?? null)) this.#want({ onlyPart: box !== null });
  }

  async #want(wish) {
    this.#wanted = wish;
    if (this.#busy) return;
    this.#busy = true;
    this.stage.waiting(true);
    try {
      while (this.#wanted) {
        const next = this.#wanted;
        this.#wanted = null;
        await this.#serve(next);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.#busy = false;
      this.stage.waiting(false);
      if (this.#wanted) this.#want(this.#wanted);
    }
  }

  async #serve({ onlyPart = false }) {
    const { picture, asked, quick } = this;
    const turn = this.#turn;
    const part = this.told ? this.#part() : null;
    // Dragging is seen where one looks; the rest of the picture follows.
    for (const box of part && (quick || onlyPart) ? [part] : part ? [part, null] : [null]) {
      const told = await send("POST", `/api/pictures/${picture.number}/view`, { asked, box, quick, stand_in: !this.seen });
      if (told.superseded) {
        if (!this.#wanted) {
          await new Promise((resolve) => setTimeout(resolve, AGAIN));
          this.#wanted ??= { onlyPart };
        }
        return;
      }
      const seen = this.stage.seen;
      const wanted = LAYERS.filter((name) => told[name] && (name !== "rain" || seen.includes("rain")));
      const images = await Promise.all(wanted.map((name) => this.pictures.load(told[name])));
      if (picture !== this.picture) return;
      if (this.#shown !== picture) this.#clear();
      this.#shown = picture;
      this.stage.view.setPicture(told.width, told.height);
      for (const image of images) Object.assign(image.dataset, { by: told.by, exact: told.exact });
      wanted.forEach((name, k) => this.#put(name, images[k], box && told));
      if (!box && !this.#part()) this.#drop();
      this.box = box ?? (part ? this.box : null);
      this.told = told;
      this.stage.box.dataset.shown = `${picture.number}`;
      this.stage.box.dataset.exact = String(told.exact);
      this.stage.box.dataset.by = this.seen?.by ?? "";
      this.dispatchEvent(new Event("told"));
      if (this.#wanted) return;
      // One look at a time: where a part is seen, the whole is looked at when it is.
      if (!told.live && !told.exact) break;
    }
    const { look, exact } = this.told;
    this.#look = look?.state === "running" ? look.look : null;
    if (this.#look) this.#follow(this.#look, onlyPart);
    if (look?.state === "failed") this.#failing(look);
    if (!quick && turn === this.#turn && !exact && !this.#look) this.#later("rest", REST, () => this.#full());
    // A first look shows the whole; where the view was closer, its part comes after.
    if (!part && this.#part()) this.#wanted ??= { onlyPart: true };
  }

  /** Wait for a look of a method that shows nothing at once, and show it; then comes the full size. */
  async #follow(number, onlyPart) {
    const turn = this.#turn;
    const wanted = () => this.#look === number && turn === this.#turn;
    try {
      let answer;
      do answer = await get(`/api/looks/${number}`);
      while (answer.state === "running" && wanted());
      if (!wanted()) return;
      this.#look = null;
      if (answer.state === "done") return this.#want({ onlyPart });
      if (answer.state === "failed") this.#failing(answer);
      this.#later("rest", REST, () => this.#full());
    } catch (error) {
      if (wanted()) this.fail(error);
    }
  }

  /** Tell that a look has failed, once. */
  #failing({ look, error }) {
    if (this.#failed !== look) this.fail(new Error(error));
    this.#failed = look;
  }

  /** Put an image into a layer: all of it, or the part that `told` names. */
  #put(name, image, told) {
    const node = this.#layers.get(name);
    const kind = told ? "look-part" : "look-base";
    image.classList.remove("look-part", "look-base");
    image.classList.add(kind);
    if (told) {
      const [left, top, width, height] = told.box;
      const share = (value, whole) => `${(100 * value) / whole}%`;
      Object.assign(image.style, {
        left: share(left, told.width),
        top: share(top, told.height),
        width: share(width, told.width),
        height: share(height, told.height),
      });
    } else {
      image.removeAttribute("style");
    }
    const before = node.querySelector(`.${kind}`);
    if (before === image) return;
    if (before) before.replaceWith(image);
    else if (told) node.append(image);
    else node.prepend(image);
  }

  /** Take all away, as another picture is to be seen. */
  #clear() {
    for (const node of this.#layers.values()) node.replaceChildren();
  }

  /** Take the parts away. */
  #drop() {
    for (const node of this.#layers.values()) node.querySelector(".look-part")?.remove();
  }

  /** Return the part that is seen, where that is closer than the picture of the whole is sharp; else null. */
  #part() {
    const { view } = this.stage;
    const base = this.#layers.get("rainy").querySelector(".look-base");
    const sharp = base ? base.naturalWidth / view.width : 1;
    if (sharp >= 1 || view.scale / view.unit <= 1.02 * sharp) return null;
    const first = view.toPicture({ x: 0, y: 0 });
    const last = view.toPicture({ x: view.boxWidth, y: view.boxHeight });
    const span = (from, to, whole) => {
      const more = AROUND * (to - from);
      const begin = Math.max(0, Math.floor((from - more) / GRID) * GRID);
      return [begin, Math.max(1, Math.min(whole, Math.ceil((to + more) / GRID) * GRID) - begin)];
    };
    const [left, width] = span(first.x, last.x, view.width);
    const [top, height] = span(first.y, last.y, view.height);
    return [left, top, width, height];
  }

  async #full() {
    const { picture, asked } = this;
    const turn = this.#turn;
    const wanted = () => turn === this.#turn && picture === this.picture;
    try {
      const answer = await this.#made(picture, asked, wanted);
      if (!wanted()) return;
      this.#tellFull(null);
      if (answer.state === "failed") throw new Error(answer.error);
      if (answer.state === "done") this.#want({});
    } catch (error) {
      if (wanted()) this.fail(error);
    }
  }

  /** Have a result made, and follow it as long as it is wanted. */
  async #made(picture, asked, wanted) {
    let answer = await send("POST", `/api/pictures/${picture.number}/full`, { asked });
    while (answer.state === "running" && wanted()) {
      this.#tellFull(answer.share);
      answer = await get(`/api/work/${answer.work}`);
    }
    return answer;
  }
}
