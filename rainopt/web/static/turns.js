// What keys and buttons ask for, one after another: a key that follows quickly means what comes, not what goes.

/** Return what makes an action one of a row. `fail` is told what goes wrong; a key that is held down waits for nothing. */
export function inTurn(fail) {
  let last = Promise.resolve();
  let waiting = 0;
  return (action) => (event) => {
    if (event?.repeat && waiting) return;
    waiting++;
    last = last
      .then(() => action(event))
      .catch(fail)
      .finally(() => waiting--);
  };
}
