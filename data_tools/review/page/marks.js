// Regions of a scene that are no background: painted over the picture, saved as a mask, and never lost without a word.

import { send } from "/static/kit/api.js";
import { dialogOf, open } from "/static/kit/dialog.js";
import { element, find, percent } from "/static/kit/dom.js";
import { sized } from "/static/kit/pictures.js";

const GROWTH = 1.25;
const LARGEST_RADIUS = 400;

/** The tool. `saved` is told the scene when its mask is saved. */
export class Marks {
  scene = null;
  #saving = null;

  constructor(stage, pictures, saver, toasts, saved) {
    Object.assign(this, { stage, pictures, saver, toasts, saved });
    this.brush = stage.brush;
    this.size = find("#brush-size");
    find("#mark").addEventListener("click", () => this.toggle());
    find("#paint").addEventListener("click", () => this.brush.setErasing(false));
    find("#erase").addEventListener("click", () => this.brush.setErasing(true));
    find("#marks-undo").addEventListener("click", () => this.brush.undo());
    find("#marks-clear").addEventListener("click", () => this.brush.clear());
    find("#marks-leave").addEventListener("click", () => this.leave());
    find("#marks-save").addEventListener("click", () => this.save());
    // The slider is logarithmic: a small brush is set as finely as a large one.
    this.size.addEventListener("input", () => {
      this.brush.resize(LARGEST_RADIUS ** (this.size.valueAsNumber / 100) / this.brush.radius);
    });
    this.brush.addEventListener("change", () => this.#show());
  }

  get isActive() {
    return this.brush.active;
  }

  get isChanged() {
    return this.brush.isChanged;
  }

  addKeys(keys) {
    const group = "Marking a region";
    const when = () => this.isActive;
    const on = { group, when, repeat: true };
    const move = "Move the brush; with Space held down it paints";
    keys.add("ArrowLeft", move, () => this.brush.step(-1, 0, 0.5), on);
    keys.add("ArrowRight", move, () => this.brush.step(1, 0, 0.5), on);
    keys.add("ArrowUp", move, () => this.brush.step(0, -1, 0.5), on);
    keys.add("ArrowDown", move, () => this.brush.step(0, 1, 0.5), on);
    keys.add(" ", "Paint where the brush is", () => this.brush.putDown(), { group, when, release: () => this.brush.lift() });
    keys.add("e", "Paint or erase", () => this.brush.setErasing(!this.brush.erasing), { group, when });
    keys.add("[", "Smaller brush", () => this.brush.resize(1 / GROWTH), on);
    keys.add("]", "Larger brush", () => this.brush.resize(GROWTH), on);
    keys.add(["u", "Ctrl+z"], "Undo a stroke", () => this.brush.undo(), { group, when, repeat: true });
    keys.add("Enter", "Save the region", () => this.save(), { group, when });
    keys.add("Escape", "Leave the brush", () => this.leave(), { group, when });
  }

  /** Show the region of a scene, which may be none. */
  async open(scene) {
    this.scene = scene;
    if (this.isActive) this.brush.setActive(false);
    this.brush.open(1, 1); // next to no memory, and nothing to be saved
    if (!scene.invalid) return;
    try {
      const mask = await this.pictures.load(sized(scene.invalid, "full"));
      if (this.scene === scene && !this.isActive) this.brush.open(scene.width, scene.height, mask);
    } catch (error) {
      this.toasts.fail(error.message);
    }
  }

  async toggle() {
    if (this.isActive) {
      await this.leave();
      return;
    }
    if (!this.scene) return;
    const { width, height, invalid } = this.scene;
    // A canvas costs four bytes a pixel: there is one where there is something to paint.
    if (!invalid) this.brush.open(width, height);
    this.brush.setActive(true);
    document.activeElement?.blur(); // arrows and Space are the brush's
  }

  /** Save the region, and return whether that went well; until it did, the strokes are still there to be saved. */
  save() {
    this.#saving ??= this.#send().finally(() => (this.#saving = null));
    return this.#saving;
  }

  async #send() {
    const { scene, brush } = this;
    brush.setActive(false);
    if (!brush.isChanged) return true;
    try {
      const share = brush.share();
      const mask = await brush.mask();
      const answer = await this.saver.submit(() => send("PUT", `/api/scenes/${scene.number}/invalid`, mask));
      brush.saved();
      this.toasts.say(share ? `${percent(share)} of the picture marked as invalid.` : "The region is removed.");
      this.saved(answer.scene);
      return true;
    } catch (error) {
      brush.setActive(true);
      this.toasts.fail(`The region is not saved; Enter tries again. ${error.message}`);
      return false;
    }
  }

  /** Leave the brush; strokes that are not saved are asked about. Return whether the page may go on. */
  async leave() {
    if (this.#saving) return this.#saving;
    if (!this.brush.isChanged) {
      this.brush.setActive(false);
      return true;
    }
    const answers = [
      ["", "Go on painting"],
      ["discard", "Discard"],
      ["save", "Save region", "primary"],
    ];
    const text = "The region that you have marked is not saved.";
    const answer = await open(dialogOf("Save the region?", element("p", {}, text), answers));
    if (answer === "save") return this.save();
    if (answer !== "discard") return false;
    this.brush.setActive(false);
    await this.open(this.scene);
    return true;
  }

  #show() {
    const { active, erasing, radius, isChanged } = this.brush;
    find("#tools").hidden = !active;
    find("#mark").setAttribute("aria-pressed", String(active));
    find("#paint").setAttribute("aria-pressed", String(!erasing));
    find("#erase").setAttribute("aria-pressed", String(erasing));
    find("#marks-undo").disabled = !isChanged;
    find("#marks-save").disabled = !isChanged;
    find("#brush-radius").textContent = `${radius} px`;
    this.size.value = String((100 * Math.log(Math.max(1, radius))) / Math.log(LARGEST_RADIUS));
  }
}
