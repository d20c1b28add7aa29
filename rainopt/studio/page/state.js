// What the page says of what is seen: whether it is the full size, and by which method where it is not.

import { percent } from "/static/kit/dom.js";

/** The name of a method as the command line has it: "refine", "udgnet-small". */
const nameOf = (method) => method.split(":").at(-1);

/** Return the line of state of what the looks have told, have shown, and how far the full size is. */
export function stateText({ told, seen, full }) {
  if (!told) return "";
  const size = `${told.width} × ${told.height}`;
  if (told.exact) return `${size}, full size`;
  const share = full === null ? "" : `, full size ${percent(full)}`;
  if (told.by === told.method) return `${size}, preview by ${nameOf(told.by)}${share}`;
  const still = seen ? `, still showing ${seen.exact ? "the full size" : "the preview"} by ${nameOf(seen.by)}` : "";
  return `${size}, ${nameOf(told.method)} at work${share}${still}`;
}
