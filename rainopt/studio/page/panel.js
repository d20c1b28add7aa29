// The panel: what is asked, shown in its controls, and what the controls ask.

import { element, find, percent, say } from "/static/kit/dom.js";
import { lineRow } from "./lines.js";

const MOST = 4; // of the slider; the command takes more
const MIDDLE = 50;

/** The strength at a place of the slider: 0 to 1 in its lower half, 1 to `MOST` in its upper, by ratio. */
export function strengthAt(place) {
  const strength = place <= MIDDLE ? place / MIDDLE : MOST ** ((place - MIDDLE) / MIDDLE);
  return Math.round(strength * 100) / 100;
}

export function placeOf(strength) {
  return strength <= 1 ? MIDDLE * strength : Math.min(100, MIDDLE + (MIDDLE * Math.log(strength)) / Math.log(MOST));
}

/** The controls. `change(update, {quick, merge})` is told what they ask. */
export class Panel {
  constructor(change) {
    this.change = change;
    const slider = find("#strength");
    const merge = "strength";
    slider.addEventListener("input", () => change({ strength: strengthAt(Number(slider.value)) }, { quick: true, merge }));
    slider.addEventListener("change", () => change({ strength: strengthAt(Number(slider.value)) }, { merge, done: true }));
    find("#veil").addEventListener("change", (event) => change({ veil: event.target.checked }));
    find("#method").addEventListener("change", (event) => change({ method: event.target.value }));
  }

  /** Fill the list of methods. */
  setMethods(methods) {
    this.methods = methods;
    const options = methods.map(({ name, title, missing }) =>
      element("option", { value: name, disabled: Boolean(missing) }, missing ? `${title} (not installed)` : title),
    );
    find("#method").replaceChildren(...options);
  }

  methodOf(asked) {
    return this.methods.find(({ name }) => name === asked.method) ?? this.methods[0];
  }

  /** Show what is asked. */
  show(asked) {
    const method = this.methodOf(asked);
    find("#method").value = method.name;
    const missing = this.methods.filter((other) => other.missing).map((other) => `${other.title}: ${other.missing}`);
    say(find("#method-about"), method.about);
    find("#method").title = missing.join("\n");
    const slider = find("#strength");
    const text = `${asked.strength.toFixed(2).replace(/0$/, "")} ×`;
    if (document.activeElement !== slider || strengthAt(Number(slider.value)) !== asked.strength) {
      slider.value = String(placeOf(asked.strength));
    }
    slider.setAttribute("aria-valuetext", text);
    say(find("#strength-value"), text);
    find("#veil").checked = asked.veil;
    find("#strength-part").hidden = !method.strength;
    find("#veil-part").hidden = !method.veil;
    find("#ink-part").hidden = !method.marks;
    find("#lines-part").hidden = !method.directions;
    find("#ink-clear").disabled = asked.strokes.length === 0;
  }

  /** Return the lines: those drawn, or those found, as many as the method takes by itself. */
  linesOf(asked, told) {
    return asked.lines ?? foundLines(told).slice(0, this.methodOf(asked).found);
  }

  /** Show the lines: those drawn, or those that were found. */
  showLines(asked, told) {
    const found = asked.lines === null;
    const lines = this.linesOf(asked, told);
    const most = this.methodOf(asked).directions;
    say(find("#lines-said"), linesText(asked, told));
    const rows = lines.map((line, index) =>
      lineRow(line, index, {
        onSwitch: (k, on) => this.change({ lines: lines.map((one, j) => (j === k ? { ...one, on } : one)) }),
        onAngle: (k, angle) => {
          if (!Number.isFinite(angle) || angle <= -90 || angle > 90) return this.showLines(asked, told);
          return this.change({ lines: lines.map((one, j) => (j === k ? { ...one, angle } : one)) });
        },
        onRemove: (k) => this.change({ lines: lines.filter((_, j) => j !== k) }),
      }),
    );
    const list = find("#lines");
    // A row that is being typed in stays.
    const held = list.contains(document.activeElement);
    const text = JSON.stringify(lines);
    if (list.dataset.lines !== text || list.childElementCount !== rows.length) {
      const at = held ? [...list.querySelectorAll("input, button")].indexOf(document.activeElement) : -1;
      list.replaceChildren(...rows);
      list.dataset.lines = text;
      if (at >= 0) list.querySelectorAll("input, button")[at]?.focus();
    }
    find("#lines-add").disabled = lines.length >= most;
    find("#lines-find").disabled = found;
    return { lines, found };
  }
}

/** Return the lines that were found in a picture, as lines that could have been drawn. */
function foundLines(told) {
  return (told?.estimate ?? []).map(({ angle }) => ({ angle: Math.round(angle * 10) / 10, on: true }));
}

/** Return a direction that is none of the lines and lies apart from all of them, degrees; the guess where there are none. */
export function newAngle(lines, guess) {
  if (!lines.length) return Math.round(guess);
  const apart = (a, b) => Math.min(Math.abs(a - b), 180 - Math.abs(a - b));
  const away = lines[0].angle > 0 ? -25 : 25;
  const tried = [1, -1, 2, -2, 3].map((step) => Math.round(lines[0].angle + step * away)).map((a) => (a > 90 ? a - 180 : a <= -90 ? a + 180 : a));
  return tried.find((angle) => lines.every((line) => apart(line.angle, angle) > 12)) ?? tried[0];
}

function linesText(asked, told) {
  if (!told) return "";
  if (asked.lines !== null) return asked.lines.length ? "Drawn by you." : "None: no streak is taken off.";
  const sure = percent(told.confidence);
  if (told.estimate.length) return `Found, ${sure} sure.`;
  return `No rain is seen: there is some with a chance of ${sure}. If you see it, press Add, and turn the line along it.`;
}
