// The keys of a page: one table that acts on them and that the help is written from.

const TYPED = "input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]";
const NAMES = {
  " ": "Space",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  PageUp: "Page ↑",
  PageDown: "Page ↓",
};

/** Return what a key event is called in the table: "a", "Shift+ArrowLeft", "Ctrl+z" (⌘ counts as Ctrl), "?". */
function spelt(event) {
  const letter = event.key.length === 1;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  // Of signs, such as "?", Shift is a part already; "A" is "a" with it.
  const shifted = event.shiftKey && (!letter || event.key.toLowerCase() !== event.key.toUpperCase() || event.key === " ");
  if (shifted) parts.push("Shift");
  parts.push(letter ? event.key.toLowerCase() : event.key);
  return parts.join("+");
}

/** Return a key of the table as people know it. */
export function shown(key) {
  // The plus sign is a key itself.
  return key
    .split(/(?<=.)\+/)
    .map((part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(" + ");
}

/** The table. Bindings that were added later go first, so that a mode can take keys of the page for itself. */
export class Keys {
  bindings = [];

  constructor(target = window) {
    target.addEventListener("keydown", (event) => this.#act(event));
    target.addEventListener("keyup", (event) => this.#release(event));
    // A button that was clicked keeps no focus: the space bar is the page's again. One that Tab has reached does.
    target.addEventListener("click", (event) => event.detail > 0 && event.target.closest?.("button")?.blur());
  }

  /**
   * Add a binding.
   *
   * `keys` all do the same; `label` is its line in the help, none if empty; `when` says whether it holds now; `run` acts,
   * and `release`, if there is one, at the end; `repeat` allows a key that is held down.
   */
  add(keys, label, run, { group = "", when = () => true, release = null, repeat = false } = {}) {
    this.bindings.push({ keys: [keys].flat(), label, run, group, when, release, repeat });
  }

  /** Return {group: [{keys, label}]} in the order in which they were added; what has one label has one line. */
  table() {
    const groups = new Map();
    for (const { keys, label, group } of this.bindings) {
      if (!label) continue;
      if (!groups.has(group)) groups.set(group, []);
      const lines = groups.get(group);
      const names = keys.map(shown);
      if (lines.at(-1)?.label === label) lines.at(-1).keys.push(...names);
      else lines.push({ keys: names, label });
    }
    return groups;
  }

  #found(event) {
    const target = event.target instanceof Element ? event.target : document.body;
    if (document.querySelector("dialog[open]")) return null;
    if (target.closest(TYPED)) return null;
    // Space and Enter are a button's own.
    if ((event.key === " " || event.key === "Enter") && target.closest("button, a, summary, label, input")) return null;
    // So are arrows a slider's.
    if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key)) return null;
    const name = spelt(event);
    return this.bindings.findLast(({ keys, when }) => keys.includes(name) && when()) ?? null;
  }

  #act(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const found = this.#found(event);
    if (!found) return;
    event.preventDefault();
    if (!event.repeat || found.repeat) found.run(event);
  }

  #release(event) {
    this.#found(event)?.release?.(event);
  }
}
