// How far the review is: on top of the page, and beside the picture how well those who judge agree.

import { get } from "/static/kit/api.js";
import { element, find, say } from "/static/kit/dom.js";
import { agreements, progressTexts } from "./facts.js";

/** The counts. */
export class Tally {
  #faults = new Set(); // of logs; told once

  constructor(toasts) {
    this.toasts = toasts;
    this.node = element("section", { class: "agreement" });
  }

  /** Ask, show, and return what the server says, with the number of open scenes. */
  async refresh() {
    const dataset = await get("/api/dataset");
    const texts = progressTexts(dataset);
    document.title = `${dataset.name}: review`;
    say(find("#dataset"), `${dataset.name} · ${dataset.reviewer}`);
    const bar = find("#progress");
    bar.max = dataset.count || 1;
    bar.value = texts.decided;
    say(find("#progress-text"), texts.progress);
    this.node.replaceChildren(...agreements(dataset));
    for (const fault of dataset.faults ?? []) {
      if (!this.#faults.has(fault)) this.toasts.fail(fault);
      this.#faults.add(fault);
    }
    return { ...dataset, open: texts.open };
  }
}
