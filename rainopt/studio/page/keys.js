// The keys of the page.

import { addViewKeys } from "/static/kit/stage.js";

/** Add all keys; `acts` are what they do. */
export function addKeys(keys, acts) {
  const { stage, ink, told } = acts;
  const when = acts.has;
  const add = (names, label, run, group, more = {}) => keys.add(names, label, told(run), { group, when, ...more });

  const pictures = "Pictures";
  add("ArrowRight", "Next picture", () => acts.step(1), pictures);
  add("ArrowLeft", "Previous picture", () => acts.step(-1), pictures);
  keys.add("o", "Open photographs", told(acts.pick), { group: pictures });
  add(["Ctrl+s", "s"], "Save the result", acts.save, pictures);
  add("c", "Command line", acts.command, pictures);
  add("Shift+a", "Apply to all", acts.applyToAll, pictures);
  add("z", "Download all results (ZIP)", acts.archive, pictures);

  const looking = "Looking";
  add("b", "Both, under the divider", () => acts.setMode("divider"), looking);
  add("y", "The rainy picture", () => acts.setMode("rainy"), looking);
  add("d", "The derained picture", () => acts.setMode("derained"), looking);
  add("n", "The rain", () => acts.setMode("rain"), looking);
  add(" ", "The rainy picture, while held", () => acts.peek(true), looking, {
    release: () => acts.peek(false),
    when: () => when() && !ink.active,
  });
  add(",", "Divider to the left", () => stage.divider.moveBy(-5), looking, { repeat: true });
  add(".", "Divider to the right", () => stage.divider.moveBy(5), looking, { repeat: true });

  const rain = "Rain";
  add("ArrowUp", "Stronger", () => acts.stronger(2), rain, { repeat: true });
  add("ArrowDown", "Weaker", () => acts.stronger(-2), rain, { repeat: true });
  add("v", "Veil on or off", acts.veil, rain);
  add("a", "Add a direction", acts.addLine, rain);
  add("q", "Turn the first direction to the left", () => acts.turn(-1), rain, { repeat: true });
  add("w", "Turn the first direction to the right", () => acts.turn(1), rain, { repeat: true });
  add("f", "Find the directions again", acts.find, rain);
  add("l", "Show or hide the lines", acts.toggleLines, rain);

  const brush = "Brush";
  add("p", "Protect with the brush", () => acts.chooseInk("protect"), brush);
  add("r", "Mark rain with the brush", () => acts.chooseInk("rain"), brush);
  add("e", "Erase marks", () => acts.chooseInk("erase"), brush);
  add("[", "Smaller brush", () => stage.brush.resize(0.8), brush, { repeat: true });
  add("]", "Larger brush", () => stage.brush.resize(1.25), brush, { repeat: true });
  const painting = { when: () => when() && ink.active };
  for (const [key, dx, dy] of [["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]]) {
    add(key, "Move the brush", () => ink.step(dx, dy, 0.5), brush, { ...painting, repeat: true });
  }
  add(" ", "Paint, while held", () => ink.putDown(), brush, { ...painting, release: () => ink.lift() });
  add("Escape", "Put the brush away", () => acts.chooseInk(null), brush, painting);

  addViewKeys(keys, stage);

  const all = "All";
  add(["u", "Ctrl+z"], "Undo", acts.undo, all);
  add(["Shift+u", "Ctrl+Shift+z"], "Redo", acts.redo, all);
  add("x", "Reset the settings of this picture", acts.reset, all);
  keys.add("?", "This help", told(acts.help), { group: all });
}
