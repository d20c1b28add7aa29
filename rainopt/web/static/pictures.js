// Pictures, decoded ahead: an element that is ready to be put into the page shows at once.

const PIXELS = 60e6; // decoded, of four bytes each
const LATEST = 3; // kept whatever their size: what is about to be shown

/** The pictures last asked for, by their addresses. */
export class Pictures {
  #kept = new Map();
  #later = [];
  #running = 0;

  /** `most` are kept; `atOnce` are loaded ahead at a time: a browser has six connections, and a decision needs one. */
  constructor({ most = 24, atOnce = 2 } = {}) {
    Object.assign(this, { most, atOnce });
  }

  /** Return the decoded picture of an address; what fails is asked for anew the next time. */
  load(address) {
    const kept = this.#kept.get(address) ?? this.#start(address);
    this.#kept.delete(address); // and in again: last in the order of use
    this.#kept.set(address, kept);
    this.#forget();
    return kept.ready;
  }

  /**
   * Load ahead, a few at a time, and say nothing of what fails: it is not wanted yet.
   *
   * What waits of an earlier call is given up; `show`, if there is one, is told each address when it is loaded.
   */
  prefetch(addresses, show = null) {
    this.#later = addresses.map((address) => [address, show]);
    for (let k = this.#running; k < this.atOnce; k++) this.#work();
  }

  async #work() {
    this.#running++;
    for (let next; (next = this.#later.shift()); ) {
      const [address, show] = next;
      const image = await this.load(address).catch(() => null);
      if (image) show?.(address, image);
    }
    this.#running--;
  }

  /** Let go of the oldest, where there are too many or they are too large; what is in the page stays. */
  #forget() {
    const pixels = ({ image }) => image.naturalWidth * image.naturalHeight;
    let sum = [...this.#kept.values()].reduce((total, one) => total + pixels(one), 0);
    for (const [oldest, one] of [...this.#kept].slice(0, -LATEST)) {
      if (this.#kept.size <= this.most && sum <= PIXELS) break;
      if (one.image.isConnected) continue;
      this.#kept.delete(oldest);
      sum -= pixels(one);
    }
  }

  #start(address) {
    const image = new Image();
    image.decoding = "async";
    image.draggable = false;
    image.alt = "";
    image.src = address;
    const ready = image.decode().then(
      () => image,
      () => {
        this.#kept.delete(address);
        throw new Error(`The picture ${address} cannot be shown; the terminal of the server may say why.`);
      },
    );
    return { image, ready };
  }
}

/** Return the address of a picture in a size: "thumb", "screen" or "full". */
export function sized(address, size) {
  return `${address}${address.includes("?") ? "&" : "?"}size=${size}`;
}
