// The pictures of the session and what is asked of each: which one is looked at, how more come in, and how their results
// are taken home.

import { ApiError, get, send } from "/static/kit/api.js";
import { counted, find, say } from "/static/kit/dom.js";
import { showStrip, upload } from "./gallery.js";
import { askForAll, followAll, save, showCommand, takeArchive } from "./home.js";
import { same, Story } from "./story.js";

/**
 * The album. Tells "leave" before another picture is looked at and "open" when it is, "asked" when what is asked has changed but by the page's own
 * controls, and "change" when anything else of the pictures has.
 */
export class Album extends EventTarget {
  pictures = [];
  mostBytes = 0;
  saving = false;
  #stories = new Map();
  #at = -1;

  constructor(looks, toasts, fail) {
    super();
    Object.assign(this, { looks, toasts, fail });
  }

  get current() {
    return this.pictures[this.#at] ?? null;
  }

  /** The story of the picture that is looked at. */
  get story() {
    return this.#stories.get(this.current?.number);
  }

  /** Begin with the pictures of a session. */
  begin({ pictures, most_bytes }) {
    this.mostBytes = most_bytes;
    for (const picture of pictures) this.#add(picture);
    if (pictures.length) this.choose(0);
  }

  #add(picture) {
    this.pictures.push(picture);
    this.#stories.set(picture.number, new Story(picture.asked));
  }

  step(by) {
    this.choose(this.#at + by);
  }

  choose(at) {
    if (at < 0 || at >= this.pictures.length || at === this.#at) return;
    if (this.current) this.dispatchEvent(new Event("leave")); // a stroke under way is of the picture that it was begun on
    this.#at = at;
    document.title = `${this.current.name}: rain off`;
    this.dispatchEvent(new Event("open"));
    this.showStrip();
  }

  showStrip() {
    if (!this.current) return;
    const place = this.pictures.length > 1 ? `  ${this.#at + 1} of ${this.pictures.length}` : "";
    say(find("#name"), this.current.name + place);
    showStrip(find("#strip"), this.pictures, this.#at, (at) => this.choose(at));
  }

  /** Take what was dropped or picked, and look at the first of it as soon as it is there. */
  async take(files) {
    let none = true;
    const errors = [];
    for (const file of files) {
      if (none) say(find("#state"), `reading ${file.name} …`);
      try {
        this.#add(await upload(file, this.mostBytes));
        if (none) this.choose(this.pictures.length - 1);
        else this.showStrip();
        none = false;
      } catch (error) {
        errors.push(error);
      }
    }
    // In one message, and last, as another picture begins without the errors of the one before.
    if (errors.length) this.fail(new ApiError(listed(errors.map(({ message }) => message))));
    this.dispatchEvent(new Event("change"));
  }

  #refresh(told) {
    Object.assign(this.pictures.find(({ number }) => number === told.number) ?? {}, told);
  }

  /** Note whether the result of what is asked of the picture that is looked at is there. */
  note(made) {
    if (this.current) this.current.made = made;
  }

  async save() {
    const picture = this.current;
    if (!picture || this.saving) return;
    this.saving = true;
    this.dispatchEvent(new Event("change"));
    try {
      const where = await save(picture, this.story.now, this.looks);
      if (where) {
        this.#refresh({ number: picture.number, saved: where, made: true });
        this.toasts.say(picture.named ? `Saved: ${where}` : `${where} is in your downloads.`);
        this.showStrip();
      }
    } finally {
      this.saving = false;
      this.dispatchEvent(new Event("change"));
    }
  }

  async command() {
    if (this.current) await showCommand(this.current, this.story.now, this.toasts);
  }

  /** How many pictures that were dropped have results. */
  get downloads() {
    return this.pictures.filter(({ named, made }) => !named && made).length;
  }

  /** Download the results of all that was dropped, and name what is left out. */
  async archive() {
    if (this.downloads < 2) return this.toasts.say("There is nothing to pack yet: fewer than two dropped pictures have results.");
    // What has just been changed is made first; if that fails, the server says so among what is left out.
    if (!this.current.named) await this.looks.result().catch(() => {});
    const { packed, left } = await takeArchive();
    for (const { number, name } of packed) this.#refresh({ number, saved: name });
    this.showStrip();
    this.dispatchEvent(new Event("change"));
    this.toasts.say(`${counted(packed.length, "result")} in one ZIP file, in your downloads.`);
    if (left.length) this.toasts.fail(`Left out of the ZIP file: ${listed(left.map(named))}`, null, "zip");
  }

  async applyToAll() {
    if (this.pictures.length < 2) return;
    const asked = this.story.now;
    const how = await askForAll(this.pictures.length, asked.lines !== null, this.pictures.some(({ named }) => named));
    if (!how) return;
    await send("POST", `/api/pictures/${this.current.number}/all`, { asked, ...how });
    await this.watchAll();
  }

  /** Follow the work on all pictures to its end. */
  async watchAll() {
    find("#batch").hidden = false;
    const last = await followAll(({ of, done, share, state, pictures }) => {
      find("#batch-bar").max = of || 1;
      find("#batch-bar").value = done + share;
      const failed = pictures.filter(({ error }) => error).length;
      for (const { number, error } of pictures) if (!error) this.#refresh({ number, made: true });
      this.dispatchEvent(new Event("change"));
      say(find("#batch-text"), `${done} of ${counted(of, "picture")} ${state === "running" ? "done …" : "done"}${failed ? `, ${failed} left out` : ""}`);
    });
    find("#batch").hidden = true;
    const left = last.pictures.filter(({ error }) => error);
    if (left.length) this.toasts.fail(listed(left.map(named)), null, "all");
    await this.#again();
    const done = `${last.state === "stopped" ? "Stopped: " : ""}${last.done - left.length} of ${last.of} are done.`;
    const archive = () => this.archive().catch(this.fail);
    this.toasts.say(done, this.downloads > 1 ? ["Download all (ZIP)", archive] : null);
  }

  /** Take over what the server knows of the pictures. */
  async #again() {
    const session = await get("/api/session");
    for (const picture of session.pictures) {
      this.#refresh(picture);
      const its = this.#stories.get(picture.number);
      if (its && !same(its.now, { ...its.now, ...picture.asked, strokes: its.now.strokes })) {
        its.change({ ...picture.asked, strokes: its.now.strokes });
      }
    }
    this.showStrip();
    this.dispatchEvent(new Event("asked"));
  }
}

const MOST_NAMED = 5;

/** Return why a picture is left out, with its name. */
const named = ({ name, error }) => (error.includes(name) ? error : `${name}: ${error}`);

/** Return several errors as one message. */
function listed(errors) {
  const more = errors.length > MOST_NAMED ? `; and ${errors.length - MOST_NAMED} more` : "";
  return `${errors.slice(0, MOST_NAMED).map((error) => error.replace(/\.$/, "")).join("; ")}${more}.`;
}
