// A curtain over a box: what is in front is seen to the left of a line that pointer and keys move.

const STEP = 2; // per cent
const LARGE_STEP = 10;

/** The line. `curtain` is the element in front, which covers the box; `share` is how much of the box it shows. */
export class Divider {
  share = 0.5;

  constructor(box, curtain, handle, { label, text }) {
    Object.assign(this, { box, curtain, handle, text });
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", label);
    handle.setAttribute("aria-orientation", "horizontal");
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", "100");
    handle.tabIndex = 0;
    handle.addEventListener("keydown", (event) => this.#key(event));
    handle.addEventListener("pointerdown", (event) => {
      // Taken: the view under the line must not move with it.
      event.preventDefault();
      event.stopPropagation();
      handle.focus({ preventScroll: true });
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const frame = box.getBoundingClientRect();
      this.set((event.clientX - frame.left) / frame.width);
    });
    handle.addEventListener("dblclick", (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.set(0.5);
    });
    this.show(true);
  }

  /** Draw the curtain to a line, or wholly open (`front` true) or shut, without a line. */
  show(divided, front = true) {
    this.handle.hidden = !divided;
    this.divided = divided;
    this.front = front;
    this.set(this.share);
  }

  set(share) {
    this.share = Math.min(1, Math.max(0, share));
    const seen = this.divided ? this.share : Number(this.front);
    const at = `${(this.share * 100).toFixed(3)}%`;
    this.curtain.style.clipPath = `inset(0 ${(100 - seen * 100).toFixed(3)}% 0 0)`;
    this.handle.style.left = at;
    this.handle.setAttribute("aria-valuenow", String(Math.round(this.share * 100)));
    this.handle.setAttribute("aria-valuetext", this.text(Math.round(this.share * 100)));
  }

  moveBy(percent) {
    this.set(this.share + percent / 100);
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    if (event.key === "ArrowLeft" || event.key === "ArrowDown") this.moveBy(-step);
    else if (event.key === "ArrowRight" || event.key === "ArrowUp") this.moveBy(step);
    else if (event.key === "Home") this.set(0);
    else if (event.key === "End") this.set(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
