// The frames of a scene in a row.

import { element } from "/static/kit/dom.js";

/** Fill a strip with places for pictures; `choose` is told the number of a frame that is clicked. */
export function showStrip(place, frames, choose) {
  place.replaceChildren(
    ...frames.map((frame, k) =>
      element("button", {
        type: "button",
        class: "strip-frame",
        title: frame.name,
        "aria-label": `Frame ${k + 1}: ${frame.name}`,
        onclick: () => choose(k),
      }),
    ),
  );
}

/** Put the small picture of a frame into its place. */
export function fillFrame(place, k, image) {
  place.children[k]?.replaceChildren(image);
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
