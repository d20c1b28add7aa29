// Wheel, pinch, drag and double click on a box move its view.

const WHEEL = 0.0018; // of the logarithm of the scale, a pixel of the wheel
const LINE = 16; // pixels, where a wheel counts lines

/**
 * Let a pointer move a view. A press that something on the box has taken (`preventDefault`) is not ours, and while
 * `isTaken` says so, a double click is two presses.
 */
export function attachGestures(box, view, isTaken = () => false) {
  const pointers = new Map();
  const at = (event) => {
    const frame = box.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };
  new ResizeObserver(() => view.setBox(box.clientWidth, box.clientHeight)).observe(box);

  box.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE;
      // A pinch on a track pad comes as small turns of the wheel with Ctrl.
      view.zoomBy(Math.exp(-pixels * (event.ctrlKey ? 5 * WHEEL : WHEEL)), at(event));
    },
    { passive: false },
  );

  box.addEventListener("pointerdown", (event) => {
    if (event.defaultPrevented || event.button > 1) return;
    pointers.set(event.pointerId, at(event));
    // Held outside the box as well; a pointer that a program made up cannot be captured, which is no reason to stop.
    try {
      box.setPointerCapture(event.pointerId);
    } catch (error) {
      if (error.name !== "NotFoundError") throw error;
    }
    box.classList.add("dragged");
  });
  box.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (!other) {
      view.panBy(now.x - before.x, now.y - before.y);
      return;
    }
    const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    view.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
    view.zoomBy(apart(now) / apart(before), middle);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (!pointers.size) box.classList.remove("dragged");
  };
  box.addEventListener("pointerup", release);
  box.addEventListener("pointercancel", release);
  box.addEventListener("dblclick", (event) => {
    if (event.defaultPrevented || isTaken()) return;
    if (view.isFitted) view.oneToOne(at(event));
    else view.fit();
  });
}
