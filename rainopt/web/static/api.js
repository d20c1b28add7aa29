// The way to the server. Questions are asked again when the line is bad; a change is sent once, and has happened only when
// the server says so.

const TRIES = 3;
const WAIT = 300; // milliseconds before the second try
const SILENT = "The server does not answer. Check that the command is still running in its terminal, then try again.";
const STATUS = {
  401: "The server does not know this browser. Open the address that the command printed, with its token.",
  403: "The server refuses this page. Open the very address that the command printed.",
  413: "That is larger than the server takes.",
};

/** What went wrong, as a sentence that says what to do; `status` is 0 where there was no answer. */
export class ApiError extends Error {
  constructor(message, status = 0) {
    // Messages of programs begin small and have no end.
    super(`${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, "")}.`);
    this.status = status;
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function answered(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", redirect: "error", priority: "high", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(SILENT);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  const known = typeof body.error === "string" ? body.error : STATUS[response.status];
  const message = known ?? `The server could not do that (status ${response.status}); its terminal may say why.`;
  throw new ApiError(message, response.status);
}

async function json(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(SILENT);
  }
}

/** Ask for JSON; silence and errors of the server are tried again, refusals are not. */
export async function get(path, { signal = null, tries = TRIES } = {}) {
  for (let k = 1; ; k++) {
    try {
      return await json(await answered(path, { signal }));
    } catch (error) {
      const hopeless = !(error instanceof ApiError) || (error.status > 0 && error.status < 500);
      if (hopeless || k >= tries) throw error;
      await pause(WAIT * k * k);
    }
  }
}

/** Send a change, once: `body` is a Blob or what becomes JSON. */
export async function send(method, path, body = {}) {
  const type = body instanceof Blob ? body.type : "application/json";
  const headers = { "Content-Type": type };
  return json(await answered(path, { method, headers, body: body instanceof Blob ? body : JSON.stringify(body) }));
}

/** Changes on their way, sent one after another. Tells "change" when their number is another. */
export class Saver extends EventTarget {
  #last = Promise.resolve();
  #failed = null;
  pending = 0;

  /**
   * Send when all before has been confirmed, and return the answer.
   *
   * Where one fails, those that wait behind it fail too: they were meant for what it would have made.
   */
  submit(job) {
    this.#count(1);
    const turn = this.#last.then(async () => {
      if (this.#failed) throw new ApiError(`Not saved, as a change before it was not: ${this.#failed.message}`);
      try {
        return await job();
      } catch (error) {
        if (this.pending > 1) this.#failed = error;
        throw error;
      }
    });
    this.#last = turn
      .catch(() => {})
      .finally(() => {
        this.#count(-1);
        if (!this.pending) this.#failed = null;
      });
    return turn;
  }

  #count(by) {
    this.pending += by;
    this.dispatchEvent(new Event("change"));
  }
}

/** Take the token out of the address line: the browser keeps it as a cookie, and whoever looks on needs not see it. */
export function hideToken() {
  const address = new URL(location.href);
  if (!address.searchParams.has("token")) return;
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
