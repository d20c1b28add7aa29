// The pictures of the session: a strip of them, and how more come in by dropping and picking.

import { ApiError, send } from "/static/kit/api.js";
import { element, find } from "/static/kit/dom.js";

/** Fill the strip; one picture alone needs none. */
export function showStrip(strip, pictures, at, choose) {
  strip.hidden = pictures.length < 2;
  if (strip.hidden) return strip.replaceChildren();
  if (strip.childElementCount !== pictures.length) {
    strip.replaceChildren(
      ...pictures.map(({ number, name }, k) =>
        element(
          "button",
          { type: "button", class: "strip-one", "aria-label": name, title: name, onclick: () => choose(k) },
          element("img", { src: `/api/pictures/${number}/thumb`, alt: "", loading: "lazy", draggable: false }),
          element("span", { class: "strip-done", hidden: true, title: "saved" }, "✓"),
        ),
      ),
    );
  }
  pictures.forEach((picture, k) => {
    const one = strip.children[k];
    one.setAttribute("aria-pressed", String(k === at));
    find(".strip-done", one).hidden = !picture.saved;
    if (k === at) one.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

/** Let files be dropped on the whole page. */
export function takeDrops(cover, take) {
  let depth = 0;
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (by) => {
    depth = Math.max(0, depth + by);
    cover.hidden = depth === 0;
  };
  window.addEventListener("dragenter", (event) => holdsFiles(event) && show(1));
  window.addEventListener("dragleave", (event) => holdsFiles(event) && show(-1));
  window.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  window.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    show(-depth);
    take([...event.dataTransfer.files]);
  });
}

/** Send a file and return its picture. */
export async function upload(file, mostBytes) {
  if (file.size > mostBytes) {
    throw new ApiError(`'${file.name}' has more than ${mostBytes >> 20} MiB, which is what the page takes; use rainopt derain.`);
  }
  const body = new Blob([file], { type: "application/octet-stream" });
  return send("POST", `/api/pictures?name=${encodeURIComponent(file.name)}`, body);
}
