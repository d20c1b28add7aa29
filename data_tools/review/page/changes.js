// News of other tabs, other reviewers and of the worker: one question that the server answers when something happened.

import { ApiError, get } from "/static/kit/api.js";

const SLOWEST = 10000; // milliseconds between tries while the server is away

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Ask for ever. `news` is told what changed, `away` whether the server is silent; after silence all may have changed. */
export async function watch(news, away) {
  let last = null;
  let wait = 500;
  let silent = false;
  for (;;) {
    try {
      const since = last === null ? "" : `?since=${encodeURIComponent(last)}`;
      const answer = await get(`/api/changes${since}`, { tries: 1 });
      const everything = silent;
      if (silent) away((silent = false));
      wait = 500;
      if (last !== null || everything) await news({ ...answer, everything });
      // An answer that is always at once would otherwise be a storm of questions.
      if (last === answer.last && last !== null) await pause(100);
      last = answer.last;
    } catch (error) {
      if (!(error instanceof ApiError)) console.error(error);
      if (error.status === 0 && !silent) away((silent = true));
      await pause(wait);
      wait = Math.min(2 * wait, SLOWEST);
    }
  }
}
