// Pictures, decoded ahead: an element that is ready to be put into the page shows at once.

/** The pictures last asked for, by their addresses. */
export class Pictures {
  #kept = new Map();

  constructor(most = 24) {
    this.most = most;
  }

  /** Return the decoded picture of an address; what fails is asked for anew the next time. */
  load(address) {
    const kept = this.#kept.get(address) ?? this.#start(address);
    this.#kept.delete(address); // and in again: last in the order of use
    this.#kept.set(address, kept);
    for (const [oldest, { image }] of this.#kept) {
      if (this.#kept.size <= this.most) break;
      if (!image.isConnected) this.#kept.delete(oldest);
    }
    return kept.ready;
  }

  /** Load ahead, and say nothing of what fails: it is not wanted yet. */
  prefetch(addresses) {
    for (const address of addresses) this.load(address).catch(() => {});
  }

  forget(part) {
    for (const address of this.#kept.keys()) if (address.includes(part)) this.#kept.delete(address);
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
