/** The gate behind a listener: at most so many connections are open, some wait, the rest go. */

/** What the gate needs of a socket. */
export interface Admitted {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/**
 * First come, first served. The runtime cannot leave connections in the kernel, so those that
 * wait are held here, unread, up to a limit of their own.
 */
export class Admission<Socket extends Admitted> {
  readonly #maxOpen: number;
  readonly #maxWaiting: number;
  readonly #admit: (socket: Socket) => void;
  readonly #waiting = new Set<Socket>();
  #open = 0;
  #closed = false;

  constructor(maxOpen: number, maxWaiting: number, admit: (socket: Socket) => void) {
    this.#maxOpen = maxOpen;
    this.#maxWaiting = maxWaiting;
    this.#admit = admit;
  }

  arrived(socket: Socket): void {
    if (this.#closed) socket.destroy();
    else if (this.#open < this.#maxOpen) this.#let(socket);
    else if (this.#waiting.size < this.#maxWaiting) this.#keep(socket);
    else socket.destroy();
  }

  /** Nobody is let in any more; who waited is sent away. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
  }

  #keep(socket: Socket): void {
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
  }

  #let(socket: Socket): void {
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#next();
    });
    this.#admit(socket);
  }

  #next(): void {
    const [socket] = this.#waiting;
    if (socket === undefined || this.#closed || this.#open >= this.#maxOpen) return;
    this.#waiting.delete(socket);
    this.#let(socket);
  }
}
