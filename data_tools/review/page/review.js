// The page of `raindata review`: what the keys and buttons do, one scene after another.

import { ApiError, hideToken, Saver, send } from "/static/kit/api.js";
import { help } from "/static/kit/dialog.js";
import { counted, element, find, say } from "/static/kit/dom.js";
import { Keys } from "/static/kit/keys.js";
import { Pictures } from "/static/kit/pictures.js";
import { addViewKeys, Stage } from "/static/kit/stage.js";
import { Toasts } from "/static/kit/toast.js";
import { inTurn } from "/static/kit/turns.js";
import { acceptAbove } from "./above.js";
import { watch } from "./changes.js";
import { showFacts, VERDICTS } from "./facts.js";
import { Marks } from "./marks.js";
import { Note } from "./note.js";
import { Scenes } from "./scenes.js";
import { Show } from "./show.js";
import { Tally } from "./tally.js";

const AHEAD = 3; // scenes whose pictures are loaded ahead

const toasts = new Toasts(find("#toasts"));
const saver = new Saver();
const keys = new Keys();
const pictures = new Pictures();
const scenes = new Scenes();
const stage = new Stage(find("#stage"), { difference: "rain", clean: "background", rainy: "rainy" });
const show = new Show(stage, pictures, toasts, () => ahead());
const marks = new Marks(stage, pictures, saver, toasts, (scene) => took(scene));
const facts = element("div", { class: "facts-text" });
const tally = new Tally(toasts);
const counts = () => tally.refresh();
const note = new Note(saver, toasts, (scene) => took(scene));
const filter = find("#filter");
let position = -1;
let current = null;
let turn = 0;
let silent = false;

find("#facts").append(facts, note.node, tally.node);

function fail(error) {
  if (!(error instanceof ApiError)) console.error(error);
  toasts.fail(error.message);
}

const told = inTurn(fail);

// Where the review is.

function showSaving() {
  const place = find("#saving");
  const waits = saver.pending ? `saving ${saver.pending > 1 ? `${saver.pending} ` : ""}…` : "all saved";
  say(place, silent ? "the server does not answer" : waits);
  place.classList.toggle("is-busy", saver.pending > 0 || silent);
}

async function refreshFacts() {
  if (position < 0 || !current) return;
  const entry = await scenes.entry(position);
  if (!entry || entry.number !== current.number) return;
  const saving = scenes.savingOf(entry.number);
  showFacts(facts, current, { entry, saving, position, count: scenes.count });
  for (const [verdict, { kind }] of Object.entries(VERDICTS)) {
    find(`#${verdict}`).setAttribute("aria-pressed", String((saving ?? entry.decision?.verdict) === verdict));
    find(`#${verdict}`).classList.add(kind);
  }
}

/** Show the scene at a position, and load the next ones ahead. */
async function go(to) {
  const mine = ++turn;
  const entry = await scenes.entry(to);
  if (!entry) return;
  const scene = await scenes.detail(entry.number);
  if (mine !== turn) return;
  position = to;
  current = scene;
  note.open(scene);
  await Promise.all([refreshFacts(), marks.open(scene), show.open(scene)]);
  facts.parentElement.scrollTop = 0;
}

/** Load what the next keys may ask for. */
async function ahead() {
  const mine = turn;
  const wanted = show.near();
  try {
    let at = position;
    for (let k = 0; k < AHEAD; k++) {
      at = await scenes.seek(at, 1, filter.value);
      if (at < 0 || mine !== turn) break;
      // The next scene goes first, then more of this one, then those behind it.
      const first = Show.first(await scenes.detail((await scenes.entry(at)).number));
      if (k === 0) wanted.unshift(...first);
      else wanted.push(...first);
    }
  } catch {
    // Not wanted yet; whoever goes there is told.
  }
  if (mine === turn) pictures.prefetch(wanted);
}

/** Go on in a direction; from the last scene that is shown, to none. */
async function step(direction) {
  if (!(await marks.leave())) return;
  const to = await scenes.seek(position, direction, filter.value);
  if (to >= 0) {
    await go(to);
    return;
  }
  const which = filter.value === "all" ? "scene" : `${filter.value} scene`;
  toasts.say(`There is no ${which} ${direction > 0 ? "after" : "before"} this one.`);
}

// Decisions.

/** Take what the server says of a scene, wherever it is shown. */
function took(scene) {
  scenes.update(scene);
  counts().catch(fail);
  if (current?.number === scene.number) again().catch(fail);
}

/** Show the present scene as it is now. */
async function again() {
  const scene = await scenes.detail(current.number);
  if (current?.number !== scene.number) return;
  const before = current;
  current = scene;
  note.update(scene);
  if (JSON.stringify(before.frames) !== JSON.stringify(scene.frames)) await show.open(scene);
  if (before.invalid !== scene.invalid && !marks.isActive && !marks.isChanged) await marks.open(scene);
  else marks.scene = scene;
  await refreshFacts();
}

async function decide(verdict) {
  if (!current || !(await marks.leave())) return;
  const scene = current;
  const at = position;
  scenes.setSaving(scene.number, verdict);
  const sent = saver.submit(() => send("POST", `/api/scenes/${scene.number}/decision`, { verdict, round: scene.round }));
  sent.then(
    (answer) => {
      scenes.setSaving(scene.number, null);
      took(answer.scene);
    },
    (error) => {
      scenes.setSaving(scene.number, null);
      refreshFacts().catch(fail);
      const show = () => go(at).catch(fail);
      toasts.fail(`${scene.id} ${VERDICTS[verdict].failed}. ${error.message}`, ["Show it", show]);
    },
  );
  // Scenes that are gone through one by one go on one by one; else to the next that is open.
  const next = await scenes.seek(at, 1, filter.value === "decided" ? "decided" : "open");
  if (next >= 0) {
    await go(next);
    return;
  }
  await refreshFacts();
  sent.then(finished, () => {});
}

async function finished() {
  const { open, count } = await counts();
  if (!open) toasts.say(`All ${counted(count, "scene")} are decided.`);
  else if (filter.value !== "decided") toasts.say(`The end of the list; ${counted(open, "scene")} before it ${open === 1 ? "is" : "are"} open.`);
}

async function undo() {
  if (!(await marks.leave())) return;
  const { scene, scenes: many } = await saver.submit(() => send("POST", "/api/undo"));
  if (!scene) {
    // What one key did to many scenes.
    await scenes.refresh();
    await counts();
    await go(position);
    toasts.say(`Undone for ${counted(many, "scene")}.`);
    return;
  }
  scenes.update(scene);
  await counts();
  await go(scenes.positionOf(scene.number));
  toasts.say(`Undone; ${scene.id} is ${scene.decision ? VERDICTS[scene.decision.verdict].said : "open"}.`);
}

async function above() {
  if (!current || !(await marks.leave())) return;
  const count = await acceptAbove(current.score, saver);
  if (count === null) return;
  toasts.say(`${counted(count, "scene")} accepted.`, ["Undo", told(undo)]);
  await scenes.refresh();
  const { open } = await counts();
  await go(open && filter.value !== "all" ? await scenes.firstOpen() : position);
}

// News of the server.

async function news({ scenes: changed = [], again: reruns = {}, everything }) {
  const numbers = [...new Set([...changed, ...Object.keys(reruns).map(Number)])];
  if (!everything && !numbers.length) return;
  const before = current;
  await scenes.refresh(everything ? null : numbers);
  await counts();
  if (!before || before !== current) return;
  if (everything || changed.includes(current.number)) await again();
  else if (reruns[current.number]) {
    current = { ...current, again: reruns[current.number] };
    await refreshFacts();
  }
}

function away(gone) {
  silent = gone;
  showSaving();
  if (!gone) toasts.say("The server answers again.");
}

// Keys and buttons.

const judging = "Judging";
const looking = "Looking";
keys.add("a", "Accept the background", told(() => decide("accept")), { group: judging });
keys.add("r", "Reject it", told(() => decide("reject")), { group: judging });
keys.add("m", "Estimate it again with more frames", told(() => decide("more")), { group: judging });
keys.add(["u", "Ctrl+z"], "Undo the last change", told(undo), { group: judging });
keys.add("n", "Write a note; Esc saves it", () => note.focus(), { group: judging });
keys.add("b", "Mark a region that is no background", told(() => marks.toggle()), { group: judging });
keys.add("g", "Accept the rest above a score", told(above), { group: judging });
keys.add(["f", " "], "Flip between rainy frame and background", () => show.flip(), { group: looking });
keys.add("c", "Compare both under the divider", () => show.setMode("divider"), { group: looking });
keys.add("d", "Rain: the difference of both", () => show.setMode("difference"), { group: looking });
keys.add("v", "Darken what is no valid background", () => show.toggleVeil(), { group: looking });
keys.add("[", "Divider to the left", () => stage.divider.moveBy(-5), { group: looking, repeat: true });
keys.add("]", "Divider to the right", () => stage.divider.moveBy(5), { group: looking, repeat: true });
keys.add("ArrowRight", "Next frame", () => show.choose(show.frame + 1), { group: looking, repeat: true });
keys.add("ArrowLeft", "Previous frame", () => show.choose(show.frame - 1), { group: looking, repeat: true });
keys.add(["j", "ArrowDown"], "Next scene", told(() => step(1)), { group: "Going on", repeat: true });
keys.add(["k", "ArrowUp"], "Previous scene", told(() => step(-1)), { group: "Going on", repeat: true });
keys.add("o", "Open scenes alone, or all", () => setFilter(filter.value === "open" ? "all" : "open"), { group: "Going on" });
addViewKeys(keys, stage);
marks.addKeys(keys);
const showHelp = () => help(keys, ["A decision counts once the page says that all is saved. Double click: 1:1 and back."]);
keys.add("?", "These keys", showHelp, { group: "Going on" });

function setFilter(value) {
  filter.value = value;
  told(filtered)();
}

async function filtered() {
  const shown = filter.selectedOptions[0].textContent;
  const entry = await scenes.entry(position);
  const there = entry && (await scenes.seek(position - 1, 1, filter.value)) === position;
  toasts.say(`Going through ${shown}.`);
  if (there || !(await marks.leave())) return ahead();
  for (const direction of [1, -1]) {
    const to = await scenes.seek(position, direction, filter.value);
    if (to >= 0) return go(to);
  }
  toasts.say(`There are no ${shown}.`);
}

for (const verdict of Object.keys(VERDICTS)) find(`#${verdict}`).addEventListener("click", told(() => decide(verdict)));
find("#undo").addEventListener("click", told(undo));
find("#above").addEventListener("click", told(above));
find("#help").addEventListener("click", showHelp);
find("#next").addEventListener("click", told(() => step(1)));
find("#previous").addEventListener("click", told(() => step(-1)));
filter.addEventListener("change", () => {
  filter.blur();
  told(filtered)();
});
saver.addEventListener("change", showSaving);
window.addEventListener("beforeunload", (event) => {
  if (marks.isChanged || note.isChanged || saver.pending) event.preventDefault();
});

async function begin() {
  const [dataset, first] = await Promise.all([counts(), scenes.firstOpen(), scenes.entry(0)]);
  if (!dataset.count) {
    facts.replaceChildren(element("p", {}, "This dataset has no scene to judge. `raindata build` makes some."));
    return;
  }
  if (!dataset.open) filter.value = "all";
  await go(first);
}

hideToken();
watch(news, away);
told(begin)();
