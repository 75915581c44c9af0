/** Contents that were just written and are about to be sent on: memory answers, not the disk. */

import type { ContentId } from '#base/brand.ts';
import { concat } from '#base/bytes.ts';
import type { Content } from '#store/content.ts';

/**
 * Octets by content, the oldest forgotten first; what is not here is on disk. An id is never used
 * a second time (AUTOINCREMENT), so what is here cannot be another content's.
 */
export class FreshContents {
  readonly #limitBytes: number;
  readonly #contents = new Map<ContentId, Uint8Array>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A copy that pins no buffer of a connection; undefined when it is not worth the memory. */
  copy({ head, body }: Content): Uint8Array | undefined {
    if (!(body instanceof Uint8Array)) return undefined;
    // One large content shall not push out a hundred small ones.
    return head.length + body.length > this.#limitBytes / 64 ? undefined : concat([head, body]);
  }

  /** After the commit. */
  put(content: ContentId, octets: Uint8Array): void {
    this.#contents.set(content, octets);
    this.#bytes += octets.length;
    for (const oldest of this.#contents.keys()) {
      if (this.#bytes <= this.#limitBytes) return;
      this.#forget(oldest);
    }
  }

  /** Octets as `MailReader.octets`; once the last of them was read, the disk is asked. */
  read(content: ContentId, from: number, lengthBytes: number): Uint8Array | undefined {
    const octets = this.#contents.get(content);
    if (octets !== undefined && from + lengthBytes >= octets.length) this.#forget(content);
    return octets?.subarray(from, from + lengthBytes);
  }

  #forget(content: ContentId): void {
    this.#bytes -= this.#contents.get(content)?.length ?? 0;
    this.#contents.delete(content);
  }
}
