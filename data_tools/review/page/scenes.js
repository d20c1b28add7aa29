// The scenes as this page knows them: their list, in parts as they are needed, and all about those that are looked at.

import { get } from "/static/kit/api.js";

const PART = 50;
const DETAILS = 40; // scenes whose details are kept

/** The list. */
export class Scenes {
  count = 0;
  #saving = new Map(); // verdicts on their way, by the numbers of scenes
  #entries = [];
  #parts = new Map();
  #details = new Map();
  #positions = new Map();

  /** Return the entry at a position of the list. */
  async entry(position) {
    const part = Math.floor(position / PART);
    if (!this.#entries[position]) {
      if (!this.#parts.has(part)) this.#parts.set(part, this.#fetch(part));
      try {
        await this.#parts.get(part);
      } finally {
        this.#parts.delete(part);
      }
    }
    return this.#entries[position];
  }

  /** Note a verdict that is on its way, or (null) no longer. */
  setSaving(number, verdict) {
    if (verdict) this.#saving.set(number, verdict);
    else this.#saving.delete(number);
  }

  savingOf(number) {
    return this.#saving.get(number) ?? null;
  }

  /** Whether a scene belongs to what is shown. A verdict on its way counts as one. */
  belongs(entry, filter) {
    const decided = Boolean(this.savingOf(entry.number) ?? entry.decision);
    return filter === "all" || decided === (filter === "decided");
  }

  /** Return the position of the first open scene, 0 where none is left. */
  async firstOpen() {
    const { count, scenes } = await get("/api/scenes?which=open&from=0&count=1");
    if (!count || !scenes.length) return 0;
    return this.positionOf(scenes[0].number);
  }

  /** Return where a scene is in the list: where its number says, unless the list says otherwise. */
  positionOf(number) {
    return this.#positions.get(number) ?? number;
  }

  /** Return the nearest position after one, in the direction of `step`, whose scene belongs to the filter, else -1. */
  async seek(position, step, filter) {
    for (let k = position + step; k >= 0 && k < this.count; k += step) {
      const entry = await this.entry(k);
      if (entry && this.belongs(entry, filter)) return k;
    }
    return -1;
  }

  /** Return all about a scene. */
  detail(number) {
    const kept = this.#details.get(number) ?? get(`/api/scenes/${number}`);
    this.#details.delete(number);
    this.#details.set(number, kept);
    kept.catch(() => this.#details.delete(number));
    if (this.#details.size > DETAILS) this.#details.delete(this.#details.keys().next().value);
    return kept;
  }

  /** Take what the server says of a scene now. */
  update(scene) {
    const position = this.positionOf(scene.number);
    const { decision, score, uncertainty, automatic, doubts } = scene;
    const entry = this.#entries[position];
    if (entry) Object.assign(entry, { decision, score, uncertainty, automatic, doubts });
    // A change answers with the summary at least; what it lacks is asked for.
    if (scene.frames) this.#details.set(scene.number, Promise.resolve(scene));
    else this.#details.delete(scene.number);
  }

  /** Forget what is known of some scenes, or of all, and of the list where it is loaded. */
  async refresh(numbers = null) {
    if (numbers === null) {
      this.#details.clear();
      this.#entries = [];
      return;
    }
    for (const number of numbers) this.#details.delete(number);
    const parts = new Set(
      numbers.map((number) => this.positionOf(number)).filter((k) => this.#entries[k]).map((k) => Math.floor(k / PART)),
    );
    await Promise.all([...parts].map((part) => this.#fetch(part)));
  }

  async #fetch(part) {
    const { count, scenes } = await get(`/api/scenes?which=all&from=${part * PART}&count=${PART}`);
    this.count = count;
    scenes.forEach((scene, k) => {
      const position = part * PART + k;
      this.#entries[position] = scene;
      this.#positions.set(scene.number, position);
    });
  }
}
