// Taking results home: saved, downloaded, as a command line, and of all pictures at once.

import { get, send } from "/static/kit/api.js";
import { dialogOf, open } from "/static/kit/dialog.js";
import { element } from "/static/kit/dom.js";

const PAUSE = 400; // milliseconds between two questions about all pictures

/** Let the browser keep a file of an address. */
function download(address, name) {
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Save the result of a picture, and return where; null if that was not wanted after all. */
export async function save(picture, asked, looks) {
  const work = await looks.result();
  if (!picture.named) {
    download(`/api/pictures/${picture.number}/result/${work}`, picture.result);
    return picture.result;
  }
  const path = `/api/pictures/${picture.number}/save`;
  let answer = await send("POST", path, { asked });
  if (answer.there) {
    const asking = element("p", {}, `${answer.there} is there already.`);
    const buttons = [["", "Cancel"], ["yes", "Replace it", "primary"]];
    if ((await open(dialogOf("Replace the file?", asking, buttons))) !== "yes") return null;
    answer = await send("POST", path, { asked, overwrite: true });
  }
  return answer.saved;
}

/** Download the results of everything that was dropped in one file, and return what the server says of it. */
export async function takeArchive() {
  const answer = await send("POST", "/api/archive");
  download(answer.address, answer.name);
  return answer;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // not allowed here: the text can be marked and copied by hand
  }
}

/** Show the command lines that do the same, ready to be copied. */
export async function showCommand(picture, asked, toasts) {
  const path = `/api/pictures/${picture.number}/command`;
  const answer = await send("POST", path, { asked, write: picture.named });
  const line = (title, text) =>
    element(
      "section",
      { class: "command" },
      element("div", { class: "panel-line" }, element("h3", {}, title), element("button", {
        type: "button",
        class: "button small",
        onclick: async () => toasts.say((await copied(text)) ? "Copied." : "The browser does not let the page copy; mark the text."),
      }, "Copy")),
      element("code", { tabIndex: 0 }, text),
    );
  const body = [line("This photograph", answer.command), line("A folder of photographs", answer.folder)];
  if (answer.marks && picture.named) body.push(element("p", { class: "quiet" }, `The marks are in ${answer.marks}.`));
  if (answer.marks && !picture.named) {
    const take = () => send("POST", `/api/pictures/${picture.number}/marks`, { asked }).then(({ address }) => download(address, answer.marks));
    body.push(
      element("p", { class: "quiet" }, `The command reads the marks from ${answer.marks}.`),
      element("button", { type: "button", class: "button small", onclick: take }, "Save the marks"),
    );
  }
  return open(dialogOf("Command line", body, [["", "Close", "primary"]], "wide"));
}

/** Ask how the settings are to be applied to all pictures; null if they are not. */
export async function askForAll(count, drawn, named) {
  const lines = element("input", { type: "checkbox", class: "switch", id: "all-lines", checked: drawn });
  const overwrite = element("input", { type: "checkbox", class: "switch", id: "all-overwrite" });
  const body = [
    element("p", {}, `All ${count} pictures are derained with the method, strength and veil of this one. Marks stay each picture's own.`),
    element("label", { class: "check" }, lines, " The directions drawn here, too (else each picture's own)"),
    named && element("label", { class: "check" }, overwrite, " Replace results that are there already (else they are left)"),
    element("p", { class: "quiet" }, named ? "Results of named files are saved as they are made." : "Then all results can be downloaded as one ZIP file."),
  ].filter(Boolean);
  const answer = await open(dialogOf("Apply to all", body, [["", "Cancel"], ["yes", "Begin", "primary"]]));
  return answer === "yes" ? { lines: lines.checked, overwrite: overwrite.checked } : null;
}

/** Follow the work on all pictures, telling each answer, until it ends; the last answer is returned. */
export async function followAll(tell) {
  for (;;) {
    const answer = await get("/api/all");
    tell(answer);
    if (answer.state !== "running") return answer;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
