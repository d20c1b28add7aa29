// The page of `raindata rate`: one picture after another, and a rating for each.

import { ApiError, get, hideToken, Saver, send } from "/static/kit/api.js";
import { help } from "/static/kit/dialog.js";
import { counted, element, find, say } from "/static/kit/dom.js";
import { Keys } from "/static/kit/keys.js";
import { Pictures } from "/static/kit/pictures.js";
import { addViewKeys, Stage } from "/static/kit/stage.js";
import { Toasts } from "/static/kit/toast.js";

const AHEAD = 3; // pictures loaded ahead
const REMEMBERED = "rater"; // of this tab, for when it is loaded again

const toasts = new Toasts(find("#toasts"));
const saver = new Saver();
const keys = new Keys();
const pictures = new Pictures({ most: 8 });
const stage = new Stage(find("#stage"), { picture: "" });
let study = null;
let rater = "";
let ratings = [];
let position = 0;
let since = 0;
let turn = 0;

function fail(error) {
  if (!(error instanceof ApiError)) console.error(error);
  toasts.fail(error.message);
}

const told = (action) => (event) => Promise.resolve(action(event)).catch(fail);

const base = () => `/api/raters/${encodeURIComponent(rater)}`;
const address = (at) => `${base()}/pictures/${at}`;
const isRating = () => !find("#rating").hidden;

function only(part) {
  for (const name of ["start", "rating", "end"]) find(`#${name}`).hidden = name !== part;
}

function showRatings() {
  const rated = ratings.filter((rating) => rating !== null).length;
  const bar = find("#progress");
  bar.max = ratings.length;
  bar.value = rated;
  say(find("#progress-text"), `${rated} of ${ratings.length} rated`);
  [...find("#points").children].forEach((button, k) => {
    button.setAttribute("aria-pressed", String(ratings[position] === k + 1));
  });
  find("#back").disabled = position === 0;
  find("#forth").disabled = position + 1 >= ratings.length;
}

/** Show the picture at a place of the order. */
async function go(to) {
  if (to < 0 || to >= ratings.length) return;
  const mine = ++turn;
  position = to;
  only("rating");
  showRatings();
  stage.waiting(true);
  try {
    const image = await pictures.load(address(to));
    if (mine !== turn) return;
    stage.show(image.naturalWidth, image.naturalHeight, { picture: image });
    stage.view.fit();
    stage.box.dataset.shown = String(to);
    since = performance.now();
    const next = Array.from({ length: AHEAD }, (_, k) => to + 1 + k).filter((at) => at < ratings.length);
    pictures.prefetch(next.map(address));
  } catch {
    if (mine !== turn) return;
    stage.set("picture", null);
    toasts.fail("This picture cannot be shown; go on with the next one.", ["Next", told(() => go(to + 1))]);
  } finally {
    if (mine === turn) stage.waiting(false);
  }
}

/** Go to the next picture without a rating, or to the end. */
async function goOn(from) {
  const after = ratings.findIndex((rating, k) => rating === null && k >= from);
  const to = after >= 0 ? after : ratings.indexOf(null);
  if (to >= 0) await go(to);
  else end();
}

function end() {
  turn++;
  only("end");
  const waits = saver.pending ? "The last ratings are being saved …" : "All your ratings are saved; this page may be closed.";
  find("#end-text").textContent = `You have rated ${counted(ratings.length, "picture")}. ${waits}`;
}

/** Rate the picture that is shown; one that is still on its way is not judged. */
async function rate(rating) {
  const at = position;
  if (stage.box.dataset.shown !== String(at)) return;
  const seconds = (performance.now() - since) / 1000;
  const before = ratings[at];
  ratings[at] = rating;
  const sent = saver.submit(() => send("POST", `${base()}/ratings`, { position: at, rating, seconds }));
  sent.catch((error) => {
    ratings[at] = before;
    only("rating");
    showRatings();
    toasts.fail(`Picture ${at + 1} is not rated. ${error.message}`, ["Show it", told(() => go(at))]);
  });
  await goOn(at + 1);
}

async function undo() {
  if (!rater) return;
  const answer = await saver.submit(() => send("POST", `${base()}/undo`));
  ratings = answer.ratings;
  toasts.say("The last rating is taken back.");
  if (answer.position === null) showRatings();
  else await go(answer.position);
}

async function begin(name) {
  const state = await send("POST", "/api/raters", { name });
  rater = state.rater;
  ratings = state.ratings;
  sessionStorage.setItem(REMEMBERED, rater);
  document.activeElement?.blur();
  await goOn(0);
}

for (const rating of [1, 2, 3, 4, 5]) {
  keys.add(String(rating), "Rate the picture", told(() => rate(rating)), { group: "Rating", when: isRating });
}
const on = { group: "Rating", when: () => Boolean(rater) };
keys.add(["u", "Ctrl+z"], "Take the last rating back", told(undo), on);
keys.add(["ArrowLeft", "Backspace"], "Picture before", told(() => go(position - 1)), { ...on, repeat: true });
keys.add("ArrowRight", "Next picture", told(() => go(position + 1)), { ...on, repeat: true });
addViewKeys(keys, stage, "z");
const note = "A picture can be rated anew: go back to it and press another number.";
const showHelp = () => help(keys, [note]);
keys.add("?", "These keys", showHelp, { group: "Rating" });

saver.addEventListener("change", () => {
  const place = find("#saving");
  say(place, saver.pending ? "saving …" : "all saved");
  place.classList.toggle("is-busy", saver.pending > 0);
  if (!find("#end").hidden) end();
});
window.addEventListener("beforeunload", (event) => {
  if (saver.pending) event.preventDefault();
});
find("#help").addEventListener("click", showHelp);
find("#back").addEventListener("click", told(() => go(position - 1)));
find("#forth").addEventListener("click", told(() => go(position + 1)));
find("#look-again").addEventListener("click", told(() => go(0)));
find("#start-form").addEventListener(
  "submit",
  told((event) => {
    event.preventDefault();
    return begin(find("#name").value);
  }),
);

async function open() {
  hideToken();
  stage.view.enlarged = 1; // what enlarging does to a picture is not to be judged
  stage.only("picture");
  study = await get("/api/study");
  document.title = "Rate pictures";
  for (const place of ["#question", "#start-question"]) find(place).textContent = study.question;
  const many = counted(study.count, "picture");
  find("#start-text").textContent = `${many}, one after another, from 1 (${study.scale[0]}) to 5 (${study.scale[4]}). You can stop at any time and go on later.`;
  find("#points").append(
    ...study.scale.map((word, k) =>
      element(
        "button",
        { type: "button", class: "button point", onclick: told(() => rate(k + 1)) },
        element("b", {}, String(k + 1)),
        element("span", {}, word),
      ),
    ),
  );
  const name = study.rater ?? sessionStorage.getItem(REMEMBERED);
  if (name) {
    await begin(name);
    return;
  }
  only("start");
  find("#name").focus();
}

open().catch(fail);
