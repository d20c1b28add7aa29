// What is known of a scene, in words.

import { counted, element, percent } from "/static/kit/dom.js";

export const VERDICTS = {
  accept: { said: "accepted", failed: "is not accepted", kind: "good" },
  reject: { said: "rejected", failed: "is not rejected", kind: "bad" },
  more: { said: "more frames", failed: "gets no more frames", kind: "unsure" },
};
const AUTOMATIC = {
  accepted: { said: "would accept it", kind: "good" },
  review: { said: "is not sure", kind: "unsure" },
  refused: { said: "would refuse it", kind: "bad" },
};
const AGAIN = { waiting: "More frames: waiting", running: "More frames", done: "More frames: done", failed: "More frames: failed" };

/** Return a number of a measure as it is read: three digits, or all of a whole one. */
export function figure(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "–" : String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function chip({ said, kind }) {
  return element("span", { class: `chip ${kind}` }, said);
}

function state(entry, saving) {
  if (saving) return element("span", { class: "chip" }, `saving: ${VERDICTS[saving].said} …`);
  if (!entry.decision) return element("span", { class: "chip" }, "open");
  return chip(VERDICTS[entry.decision.verdict] ?? { said: entry.decision.verdict, kind: "" });
}

/** Return the progress of "more frames", or nothing. */
export function again(scene) {
  if (!scene.again) return null;
  const { state: now, share = 0, text = "" } = scene.again;
  const bar = element("progress", { max: 1, "aria-label": AGAIN[now] });
  if (now === "running" || now === "done") bar.value = share ?? 0;
  return element(
    "section",
    { class: "again" },
    element("p", {}, `${AGAIN[now] ?? now}${text ? `: ${text}` : ""}`),
    now === "failed" || now === "done" ? null : bar,
  );
}

function others(list) {
  if (!list?.length) return null;
  return element(
    "p",
    { class: "quiet" },
    "Others: ",
    list.map(({ by, verdict }) => `${by} ${VERDICTS[verdict]?.said ?? verdict}`).join(", "),
  );
}

/** Write the facts of a scene into their place; the note, which is written in, is left alone. */
export function showFacts(place, scene, { entry, saving, position, count }) {
  const automatic = AUTOMATIC[scene.automatic] ?? { said: scene.automatic, kind: "" };
  const measures = Object.entries(scene.measures ?? {});
  place.replaceChildren(
    element(
      "header",
      { class: "facts-head" },
      element("p", { class: "quiet" }, `Scene ${(position + 1).toLocaleString("en")} of ${count.toLocaleString("en")} `, state(entry, saving)),
      element("h2", {}, scene.id),
      others(scene.others),
    ),
    ...[again(scene)].filter(Boolean),
    element(
      "section",
      {},
      element("h3", {}, "The automatic measure"),
      element("p", { class: "facts-verdict" }, chip(automatic), element("span", {}, `score ${figure(scene.score)}`)),
      scene.doubts?.length
        ? element("ul", { class: "doubts" }, scene.doubts.map((doubt) => element("li", {}, doubt)))
        : element("p", { class: "quiet" }, "It has no doubts to name."),
    ),
    ...(measures.length
      ? [
          element(
            "section",
            {},
            element("h3", {}, "Measures"),
            element(
              "dl",
              { class: "measures" },
              measures.map(([name, value]) => [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, figure(value))]),
            ),
          ),
        ]
      : []),
  );
}

/** Return how far the review is: numbers, and a sentence. */
export function progressTexts({ count, decided }) {
  const open = decided.none ?? count - decided.accept - decided.reject - decided.more;
  return { open, decided: count - open, progress: `${(count - open).toLocaleString("en")} of ${counted(count, "scene")} decided` };
}

/** Return what tells how well this reviewer, the measure and other reviewers agree so far. */
export function agreements({ agreement, automatic }) {
  const lines = [];
  if (automatic?.of) lines.push(["The measure", `${percent(automatic.agree / automatic.of)} of ${counted(automatic.of, "scene")}`]);
  for (const [name, { kappa, scenes }] of Object.entries(agreement?.with ?? {})) {
    const value = kappa === null || kappa === undefined ? "undefined" : kappa.toFixed(2);
    lines.push([name, `κ ${value}, ${counted(scenes, "scene")}`]);
  }
  if (!lines.length) return [];
  const list = lines.map(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
  return [element("h3", {}, "Agreement so far"), element("dl", { class: "measures" }, list)];
}
