// "Accept the rest above this score": what it would do, and how far the measure can be trusted there, before it is done.

import { get, send } from "/static/kit/api.js";
import { dialogOf, open } from "/static/kit/dialog.js";
import { counted, element, percent } from "/static/kit/dom.js";

const WAIT = 150; // milliseconds of no typing

function sentences({ count, agree, of }, score) {
  const open = count
    ? `${counted(count, "open scene")} ${count === 1 ? "has" : "have"} a score of at least ${score}.`
    : `No open scene has a score of at least ${score}.`;
  const so = of
    ? `Of ${counted(of, "scene")} above it that you have judged, the measure and you agreed on ${agree} (${percent(agree / of)}).`
    : "You have judged no scene above it yet, so nothing tells whether the measure can be trusted there.";
  return [open, so];
}

/** Ask, send, and return how many were accepted; null where nothing was done. */
export async function acceptAbove(score, saver) {
  const input = element("input", { type: "number", id: "above-score", step: "any", value: String(score) });
  const tells = [element("p", { role: "status" }), element("p", { class: "quiet" })];
  const body = [
    element("label", { htmlFor: "above-score" }, "Accept every open scene with at least this score"),
    input,
    ...tells,
    element("p", { class: "quiet" }, "One undo takes all of it back."),
  ];
  const dialog = dialogOf("Accept the rest", body, [["", "Cancel"], ["yes", "Accept", "primary"]]);
  const yes = dialog.querySelector("button[value=yes]");
  let known = null;
  let timer = null;
  const forget = () => {
    known = null;
    yes.disabled = true;
    yes.textContent = "Accept";
    tells[0].textContent = "Counting …";
    tells[1].textContent = "";
  };
  const ask = async () => {
    const asked = input.value;
    forget();
    if (asked === "" || !input.validity.valid) {
      tells[0].textContent = "Type a number.";
      return;
    }
    try {
      const answer = await get(`/api/above?score=${encodeURIComponent(asked)}`);
      if (asked !== input.value) return; // typed on meanwhile
      known = { ...answer, score: Number(asked) };
      sentences(answer, asked).forEach((text, k) => (tells[k].textContent = text));
      yes.disabled = !answer.count;
      yes.textContent = answer.count ? `Accept ${counted(answer.count, "scene")}` : "Accept";
    } catch (error) {
      tells[0].textContent = error.message;
    }
  };
  input.addEventListener("input", () => {
    forget();
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !yes.disabled) dialog.close("yes");
  });
  // The answer is by the number that was shown, whatever has changed behind the dialog.
  ask();
  const answer = await open(dialog);
  clearTimeout(timer);
  if (answer !== "yes" || !known?.count) return null;
  const { score: above, count } = known;
  return (await saver.submit(() => send("POST", "/api/above", { score: above, count }))).count;
}
