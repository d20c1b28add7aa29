// Where labels go that stand beside points: inside the box, clear of the points, and of one another.

const GAP = 7; // pixels between a point's rim and its label
const MARGIN = 4; // pixels to the edge of the box

/** Return how much of two rectangles {left, top, width, height} is shared, in pixels. */
function shared(one, other) {
  const across = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const down = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  return across > 0 && down > 0 ? across * down : 0;
}

/** The places beside a point, the usual ones first. */
function* beside({ x, y }, { width, height }, radius) {
  const [away, half] = [radius + GAP, height / 2];
  for (const [left, top] of [
    [x + away, y - half],
    [x - away - width, y - half],
    [x - width / 2, y + away],
    [x - width / 2, y - away - height],
    [x + away, y + half],
    [x - away - width, y + half],
    [x + away, y - half - height],
    [x - away - width, y - half - height],
  ]) {
    yield { left, top, width, height };
  }
}

/**
 * Return a rectangle for each label, in order.
 *
 * `labels` are {width, height, points}: a label stands beside one of its points, the first where that is free. `points`
 * of all labels, circles of a radius, are kept clear, and so are the rectangles `taken`.
 */
export function placed(labels, radius, box, taken = []) {
  const circles = labels.flatMap(({ points }) => points).map(({ x, y }) => ({ left: x - radius, top: y - radius, width: 2 * radius, height: 2 * radius }));
  const there = [...taken];
  return labels.map(({ width, height, points }) => {
    let best = null;
    for (const point of points) {
      for (const place of beside(point, { width, height }, radius)) {
        const left = Math.max(MARGIN, Math.min(box.width - width - MARGIN, place.left));
        const top = Math.max(MARGIN, Math.min(box.height - height - MARGIN, place.top));
        const moved = { left, top, width, height };
        const covered = [...there, ...circles].reduce((sum, other) => sum + shared(moved, other), 0);
        if (best === null || covered < best.covered) best = { covered, moved };
        if (covered === 0) break;
      }
      if (best.covered === 0) break;
    }
    there.push(best.moved);
    return best.moved;
  });
}
