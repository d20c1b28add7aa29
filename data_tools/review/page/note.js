// What the reviewer has to say of a scene; saved when the field is left.

import { send } from "/static/kit/api.js";
import { element } from "/static/kit/dom.js";

/** The field. `saved` is told the scene when its note is saved. */
export class Note {
  #scene = null;
  #known = "";

  constructor(saver, toasts, saved) {
    Object.assign(this, { saver, toasts, saved });
    this.field = element("textarea", { id: "note", rows: 3, maxLength: 2000, placeholder: "N to write, Esc to save" });
    this.node = element("section", { class: "note" }, element("label", { htmlFor: "note" }, "Note"), this.field);
    this.field.addEventListener("change", () => this.#save());
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && !(event.key === "Enter" && event.ctrlKey)) return;
      event.preventDefault();
      this.field.blur(); // which saves
    });
  }

  get isChanged() {
    return this.field.value !== this.#known;
  }

  focus() {
    this.field.focus();
  }

  open(scene) {
    // A field that is written in when the scene changes has not told of it yet.
    if (this.#scene && this.isChanged) this.#save();
    this.#scene = scene;
    this.#known = scene.decision?.note ?? scene.note ?? "";
    this.field.value = this.#known;
  }

  /** Take what the server says, unless somebody is writing. */
  update(scene) {
    if (this.isChanged) this.#scene = scene;
    else this.open(scene);
  }

  async #save() {
    const scene = this.#scene;
    const note = this.field.value;
    if (!scene || note === this.#known) return;
    const before = this.#known;
    this.#known = note;
    try {
      const answer = await this.saver.submit(() => send("POST", `/api/scenes/${scene.number}/note`, { note }));
      this.toasts.say("The note is saved.");
      this.saved(answer.scene);
    } catch (error) {
      if (this.#scene?.number === scene.number) this.#known = before; // and is sent again
      this.toasts.fail(`The note on ${scene.id} is not saved: “${note}”. ${error.message}`);
    }
  }
}
