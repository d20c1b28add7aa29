// Elements are built of text and properties, never of HTML: a file's name may hold any character.

/**
 * Return a new element. Properties are set as such; those that `in` does not know, such as `aria-label`, become
 * attributes; `class` and `data-*` work as in HTML. Children are elements or texts; null and false are passed over.
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Return the only element of a selector; a page that lacks it is a mistake of ours. */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Set a text without touching the document where it is there already: live regions speak only what changes. */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Return "1 scene" or "3 scenes". */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** Return a share in [0, 1] as "96 %", and never 0 % or 100 % for what is neither. */
export function percent(share) {
  const rounded = Math.round(share * 100);
  if (rounded === 100 && share < 1) return "99 %";
  if (rounded === 0 && share > 0) return "1 %";
  return `${rounded} %`;
}
