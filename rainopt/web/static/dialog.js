// Dialogs: questions, and the help that is written from the table of keys.

import { element } from "./dom.js";

/** Show a dialog and return what it was closed with, "" for Escape. The focus goes back to where it was. */
export function open(dialog) {
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(""); // beside it
    });
    dialog.showModal();
    dialog.scrollTop = 0; // a long one is read from its beginning, wherever the focus is
  });
}

/** Return a dialog with a heading, a body, and buttons [value, label, class]; the last has the focus. */
export function dialogOf(title, body, buttons, name = "") {
  const dialog = element("dialog", { class: `dialog ${name}`, "aria-labelledby": "dialog-title" });
  const answers = buttons.map(([value, label, kind = ""]) =>
    element("button", { type: "button", class: `button ${kind}`, value, onclick: () => dialog.close(value) }, label),
  );
  answers.at(-1)?.setAttribute("autofocus", "");
  dialog.append(
    element("h2", { id: "dialog-title" }, title),
    element("div", { class: "dialog-body" }, ...[body].flat()),
    element("div", { class: "dialog-answers" }, ...answers),
  );
  return dialog;
}

/** Show the keys of a page. */
export function help(keys, more = []) {
  const groups = [...keys.table()].map(([group, lines]) =>
    element(
      "section",
      {},
      element("h3", {}, group),
      element(
        "dl",
        { class: "key-list" },
        lines.map(({ keys: names, label }) => [
          element("dt", {}, names.map((name) => element("kbd", {}, name))),
          element("dd", {}, label),
        ]),
      ),
    ),
  );
  const body = [element("div", { class: "key-groups" }, ...groups), ...more.map((text) => element("p", {}, text))];
  return open(dialogOf("Keys", body, [["", "Close", "primary"]], "help"));
}
