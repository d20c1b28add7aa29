// What the page says for a moment; screen readers say it as well.

import { element } from "./dom.js";

const SECONDS = 5;

/** A place for messages. Errors stay until they are closed, and are spoken at once. */
export class Toasts {
  constructor(place) {
    this.calm = element("div", { class: "toasts-part", role: "status" });
    this.urgent = element("div", { class: "toasts-part", role: "alert" });
    place.classList.add("toasts");
    place.append(this.urgent, this.calm);
  }

  /** Say something; `action` is [label, function] of a button. */
  say(text, action = null) {
    this.calm.replaceChildren(); // only the latest is news
    const toast = this.#toast(text, action, "toast");
    this.calm.append(toast);
    const end = () => toast.matches(":hover, :focus-within") ? setTimeout(end, SECONDS * 1000) : toast.remove();
    setTimeout(end, SECONDS * 1000);
  }

  /** Tell an error. Of several about one thing the latest is shown, and the same one twice once. */
  fail(text, action = null, about = text) {
    for (const other of [...this.urgent.children]) if (other.dataset.about === about) other.remove();
    const toast = this.#toast(text, action, "toast toast-error");
    toast.dataset.about = about;
    this.urgent.append(toast);
  }

  #toast(text, action, kind) {
    const toast = element("div", { class: kind }, element("p", {}, text));
    const close = () => toast.remove();
    if (action) {
      const [label, run] = action;
      const act = () => {
        close();
        run();
      };
      toast.append(element("button", { type: "button", class: "button small", onclick: act }, label));
    }
    if (kind.includes("error")) {
      const cross = { type: "button", class: "button small plain", "aria-label": "Close this message", onclick: close };
      toast.append(element("button", cross, "✕"));
    }
    return toast;
  }
}
