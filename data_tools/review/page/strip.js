// The frames of a scene in a row.

import { element } from "/static/kit/dom.js";
import { sized } from "/static/kit/pictures.js";

/** Fill a strip; `choose` is told the number of a frame that is clicked. */
export function showStrip(place, frames, choose) {
  place.replaceChildren(
    ...frames.map((frame, k) =>
      element(
        "button",
        { type: "button", class: "strip-frame", title: frame.name, "aria-label": `Frame ${k + 1}: ${frame.name}`, onclick: () => choose(k) },
        element("img", { src: sized(frame.rainy, "thumb"), alt: "", loading: "lazy", decoding: "async", draggable: false }),
      ),
    ),
  );
}

/** Mark the frame that is shown. */
export function markFrame(place, chosen) {
  [...place.children].forEach((button, k) => {
    button.setAttribute("aria-pressed", String(k === chosen));
    if (k !== chosen) return;
    // Not `scrollIntoView`, which moves the page as well.
    const middle = button.offsetLeft - (place.clientWidth - button.offsetWidth) / 2;
    place.scrollTo({ left: middle });
  });
}
