// The page of `rainopt studio`: what keys, buttons and the pointer do, one picture after another.

import { ApiError, get, hideToken, send } from "/static/kit/api.js";
import { help } from "/static/kit/dialog.js";
import { counted, find, say } from "/static/kit/dom.js";
import { Keys } from "/static/kit/keys.js";
import { Pictures } from "/static/kit/pictures.js";
import { Stage } from "/static/kit/stage.js";
import { Toasts } from "/static/kit/toast.js";
import { showStrip, takeDrops, upload } from "./gallery.js";
import { askForAll, followAll, save, showCommand } from "./home.js";
import { Ink } from "./ink.js";
import { addKeys } from "./keys.js";
import { Lines } from "./lines.js";
import { Looks } from "./looks.js";
import { Panel } from "./panel.js";
import { stateText } from "./state.js";
import { same, Story, USUAL } from "./story.js";

const BRUSH_TOP = 400; // pixels of the picture, radius at the end of the slider

const toasts = new Toasts(find("#toasts"));
const keys = new Keys();
const stage = new Stage(find("#stage"), { rain: "rain, four times as bright", derained: "derained", rainy: "rainy" });
const looks = new Looks(stage, new Pictures({ most: 16 }), fail);
const lines = new Lines(stage);
const ink = new Ink(stage);
const panel = new Panel((update, how) => change(update, how));
const page = { pictures: [], stories: new Map(), at: -1, mode: "divider", mostBytes: 0, saving: false };

function fail(error) {
  if (!(error instanceof ApiError)) console.warn(error);
  toasts.fail(error.message);
}

/** Run what a key or a button asks for; whatever goes wrong is told. */
const told = (action) => (event) => Promise.resolve(action(event)).catch(fail);

const current = () => page.pictures[page.at] ?? null;
const story = () => page.stories.get(current()?.number);

// What is asked.

function change(update, { quick = false, merge = null, done = false } = {}) {
  const now = story();
  if (!now) return;
  const next = { ...now.now, ...update };
  if (!same(next, now.now)) now.change(update, merge);
  if (done) now.rest();
  show(quick);
}

function show(quick = false) {
  const now = story();
  if (!now) return;
  looks.ask(now.now, quick);
  showControls();
}

function showControls() {
  const now = story();
  if (!now) return;
  const asked = now.now;
  panel.show(asked);
  const drawn = panel.showLines(asked, looks.told);
  const most = panel.methodOf(asked).directions;
  lines.show(drawn.lines.slice(0, most), drawn.found);
  if (looks.told) ink.show(looks.told.width, looks.told.height, panel.methodOf(asked).marks ? asked.strokes : []);
  if (ink.active && !panel.methodOf(asked).marks) chooseInk(null);
  find("#undo").disabled = !now.canUndo;
  find("#redo").disabled = !now.canRedo;
  find("#reset").disabled = same(asked, USUAL);
  find("#save").disabled = page.saving;
  find("#all").disabled = page.pictures.length < 2;
  const { named, target, saved } = current();
  const where = named ? `to ${target}` : "as a download";
  say(find("#save-where"), saved ? `Saved ${named ? `in ${saved}` : "as a download"}.` : `Goes ${where}; the file's kind, depth and data are kept.`);
}

function undo() {
  if (story()?.undo()) show();
}

function redo() {
  if (story()?.redo()) show();
}

function reset() {
  change(USUAL);
  toasts.say("All settings of this picture are as usual.", ["Undo", undo]);
}

function addLine() {
  const asked = story()?.now;
  if (!asked || !looks.told) return;
  const now = panel.linesOf(asked, looks.told);
  if (now.length >= panel.methodOf(asked).directions) return;
  const guess = now.length ? now[0].angle + (now[0].angle > 0 ? -25 : 25) : looks.told.guess;
  change({ lines: [...now, { angle: Math.round(guess), on: true }] });
  showLinesSeen(true);
}

function turnLine({ index, angle, done }) {
  const asked = story()?.now;
  if (!asked) return;
  const now = panel.linesOf(asked, looks.told).map((one, k) => (k === index ? { angle, on: true } : one));
  change({ lines: now }, { quick: !done, merge: `line ${index}`, done });
}

function showLinesSeen(seen) {
  find("#lines-seen").checked = seen;
  lines.setSeen(seen && !ink.active);
}

function chooseInk(kind) {
  ink.choose(kind);
  for (const button of find("#inks").children) button.setAttribute("aria-pressed", String((button.dataset.ink || null) === kind));
  find("#ink-size-line").hidden = find("#ink-size").hidden = !kind;
  showLinesSeen(find("#lines-seen").checked);
  showRadius();
}

function showRadius() {
  const { radius } = stage.brush;
  say(find("#ink-radius"), counted(radius, "pixel"));
  find("#ink-size").value = String(100 * (Math.log(radius) / Math.log(BRUSH_TOP)));
}

function setMode(mode) {
  page.mode = mode;
  if (mode === "divider") stage.compare("rainy", "derained");
  else stage.only(mode);
  for (const button of find("#modes").children) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  looks.again();
}

/** Show the rainy picture as long as something is held. */
function peek(holds) {
  if (holds) stage.only("rainy");
  else setMode(page.mode);
}

// What is seen.

function showState() {
  say(find("#state"), stateText(looks));
}

looks.addEventListener("told", () => {
  showControls();
  showState();
});
looks.addEventListener("full", showState);
lines.addEventListener("turn", ({ detail }) => turnLine(detail));
ink.addEventListener("stroke", ({ detail }) => change({ strokes: [...story().now.strokes, detail] }));
stage.brush.addEventListener("change", showRadius);
window.addEventListener("resize", () => looks.again());

// Pictures.

function choose(at) {
  if (at < 0 || at >= page.pictures.length || at === page.at) return;
  page.at = at;
  const picture = current();
  find("#work").hidden = false;
  find("#start").hidden = true;
  document.title = `${picture.name}: rain off`;
  const place = page.pictures.length > 1 ? `  ${at + 1} of ${page.pictures.length}` : "";
  say(find("#name"), picture.name + place);
  find("#toasts [role=alert]").replaceChildren();
  chooseInk(null);
  looks.open(picture, story().now);
  showControls();
  showState();
  showStrip(find("#strip"), page.pictures, at, choose);
}

function taken(picture) {
  page.pictures.push(picture);
  page.stories.set(picture.number, new Story(picture.asked));
}

async function take(files) {
  await begun;
  let first = null;
  for (const file of files) {
    say(find("#state"), `reading ${file.name} …`);
    try {
      taken(await upload(file, page.mostBytes));
      first ??= page.pictures.length - 1;
    } catch (error) {
      fail(error);
    }
  }
  showState();
  if (first !== null) choose(first);
}

function refreshPicture(told_) {
  Object.assign(page.pictures.find(({ number }) => number === told_.number) ?? {}, told_);
}

async function saveIt() {
  const picture = current();
  if (!picture || page.saving) return;
  page.saving = true;
  find("#save").disabled = true;
  try {
    const where = await save(picture, story().now, looks);
    if (where) {
      refreshPicture({ number: picture.number, saved: where });
      toasts.say(picture.named ? `Saved: ${where}` : `${where} is in your downloads.`);
      showStrip(find("#strip"), page.pictures, page.at, choose);
    }
  } finally {
    page.saving = false;
    showControls();
  }
}

async function command() {
  if (current()) await showCommand(current(), story().now, toasts);
}

async function applyToAll() {
  if (page.pictures.length < 2) return;
  const asked = story().now;
  const how = await askForAll(page.pictures.length, asked.lines !== null, page.pictures.some(({ named }) => named));
  if (!how) return;
  await send("POST", `/api/pictures/${current().number}/all`, { asked, ...how });
  await watchAll();
}

async function watchAll() {
  find("#batch").hidden = false;
  const last = await followAll(({ of, done, share, state, pictures }) => {
    find("#batch-bar").max = of || 1;
    find("#batch-bar").value = done + share;
    const failed = pictures.filter(({ error }) => error).length;
    say(find("#batch-text"), `${done} of ${counted(of, "picture")} ${state === "running" ? "done …" : "done"}${failed ? `, ${failed} left out` : ""}`);
  });
  find("#batch").hidden = true;
  for (const { name, error } of last.pictures.filter((one) => one.error)) toasts.fail(error.includes(name) ? error : `${name}: ${error}`);
  toasts.say(last.state === "stopped" ? `Stopped: ${last.done} of ${last.of} are done.` : `${last.done} of ${last.of} are done.`);
  const session = await get("/api/session");
  for (const picture of session.pictures) {
    refreshPicture(picture);
    const its = page.stories.get(picture.number);
    if (its && !same(its.now, { ...its.now, ...picture.asked, strokes: its.now.strokes })) {
      its.change({ ...picture.asked, strokes: its.now.strokes });
    }
  }
  showStrip(find("#strip"), page.pictures, page.at, choose);
  show();
}

// Buttons and keys.

for (const [id, run] of Object.entries({
  undo, redo, reset, save: saveIt, command, all: applyToAll,
  "lines-add": addLine,
  "lines-find": () => change({ lines: null }),
  "ink-clear": () => change({ strokes: [] }),
  fit: () => stage.view.fit(),
  one: () => stage.view.oneToOne(),
  help: () => help(keys),
  "start-pick": () => find("#pick").click(),
  "batch-stop": () => send("POST", "/api/all/stop"),
})) {
  find(`#${id}`).addEventListener("click", told(run));
}
find("#modes").addEventListener("click", ({ target }) => target.dataset.mode && setMode(target.dataset.mode));
find("#inks").addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (button) chooseInk(button.dataset.ink || null);
});
find("#lines-seen").addEventListener("change", (event) => showLinesSeen(event.target.checked));
find("#ink-size").addEventListener("input", (event) => {
  stage.brush.resize(BRUSH_TOP ** (Number(event.target.value) / 100) / stage.brush.radius);
});
find("#pick").addEventListener("change", told(async (event) => {
  await take([...event.target.files]);
  event.target.value = "";
}));
takeDrops(find("#drop"), told(take));
addKeys(keys, {
  stage, ink, told, setMode, peek, undo, redo, reset, saveIt, command, applyToAll, addLine, chooseInk, showLinesSeen,
  pick: () => find("#pick").click(),
  help: () => help(keys),
  stronger: (by) => {
    const slider = find("#strength");
    slider.value = String(Number(slider.value) + by);
    slider.dispatchEvent(new Event("input"));
    slider.dispatchEvent(new Event("change"));
  },
  turn: (by) => lines.turnBy(0, by),
  veil: () => !find("#veil-part").hidden && change({ veil: !story().now.veil }),
  find: () => change({ lines: null }),
  step: (by) => choose(page.at + by),
  has: () => current() !== null,
  toggleLines: () => showLinesSeen(!find("#lines-seen").checked),
});

async function begin() {
  hideToken();
  setMode("divider");
  chooseInk(null);
  const session = await get("/api/session");
  page.mostBytes = session.most_bytes;
  panel.setMethods(session.methods);
  session.pictures.forEach(taken);
  if (page.pictures.length) choose(0);
  document.body.dataset.ready = "true";
  if (session.batch?.state === "running") watchAll().catch(fail);
}

const begun = begin().catch(fail);
