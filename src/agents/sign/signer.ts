/** Signs what our users send (DKIM), and seals what is passed on for others (ARC). */

import type { Domain } from '#base/brand.ts';
import { concat, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import type { Log } from '#base/world.ts';
import type { FieldText } from '#message/field-text.ts';
import { shiftPart } from '#message/tree.ts';
import { type BodyDigests, BodyHashes, hashBody } from '#trust/dkim/body.ts';
import { SIGNING_WANT, type SigningKey } from '#trust/dkim/sign.ts';
import { readAuthor } from '#trust/dmarc/author.ts';
import { type Signatures, signaturesHere } from '#trust/signatures.ts';
import type { Content } from '#store/content.ts';
import type { Reader } from '../arrival.ts';
import type { NewMail } from '../mail.ts';
import type { Outline } from '../mda.ts';
import type { Verified } from '../verify/transaction.ts';
import { type SigningKeys, keysFor } from './keys.ts';

/** A message that is complete but for fields in front. */
export interface Signable {
  readonly content: Content;
  readonly structure: Outline | undefined;
}

export type Signed<T extends Signable> = T & { readonly signed?: JsonObject };

export interface SignerOptions {
  readonly keys: SigningKeys;
  readonly signatures: Signatures;
  readonly log: Log;
}

/** Hashes a body for signing while it passes. */
export class BodyReader implements Reader {
  readonly #hashes = new BodyHashes([SIGNING_WANT]);
  #body: BodyDigests | undefined;

  head(): void {}

  body(octets: Uint8Array): void {
    this.#hashes.write(octets);
  }

  digests(): BodyDigests {
    return (this.#body ??= this.#hashes.finish());
  }
}

export class Signer {
  readonly #options: SignerOptions;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /** For a body that will be signed; undefined while there is no key at all. */
  reader(): BodyReader | undefined {
    return this.#options.keys.hasAny() ? new BodyReader() : undefined;
  }

  /** Whether mail to one of these domains could be sealed when it is passed on. */
  canSeal(domains: readonly Domain[]): boolean {
    return this.#sealKey(domains) !== undefined;
  }

  /**
   * One signature in front for each key of the author's domain; the same message where there is
   * none. `body` may be left out for a body in memory. Should the signatures' thread fail, it is
   * done here: mail that nobody signed would be refused elsewhere.
   */
  async sign<T extends Signable>(message: T, atMs: number, body?: BodyDigests): Promise<Signed<T>> {
    const { signatures } = this.#options;
    const task = this.#task(message, atMs, body);
    if (task === undefined) return message;
    let fields: readonly FieldText[];
    try {
      fields = await signatures.sign(task);
    } catch (thrown) {
      this.#tell(thrown);
      fields = signaturesHere.sign(task);
    }
    return signedBy(message, fields, task.keys);
  }

  /** A notice of ours, in this thread: there are few, and their way does not wait. */
  signNotice(mail: NewMail, atMs: number): NewMail {
    const task = this.#task(mail, atMs, undefined);
    if (task === undefined) return mail;
    const { signed, ...done } = signedBy(mail, signaturesHere.sign(task), task.keys);
    return { ...done, facts: { ...mail.facts, ...signed } };
  }

  /**
   * The content as it is passed on, sealed by the first of `domains` that has a key (RFC 8617 5);
   * undefined where it cannot be sealed: then it goes as it is.
   */
  async seal(
    content: Content,
    seal: Verified['seal'],
    domains: readonly Domain[],
    atMs: number,
  ): Promise<{ readonly content: Content; readonly by: JsonObject } | undefined> {
    const key = this.#sealKey(domains);
    const body = seal.body ?? digestsOf(content);
    if (key === undefined || body === undefined) return undefined;
    const { report, results } = seal;
    const { head } = content;
    try {
      const task = { head, body, key, atMs, report, results };
      const fields = await this.#options.signatures.seal(task);
      if (fields === undefined) return undefined;
      const { domain, selector } = key;
      const front = utf8(fields.join(''));
      return { content: { ...content, head: concat([front, head]) }, by: { domain, selector } };
    } catch (thrown) {
      this.#tell(thrown);
      return undefined;
    }
  }

  #task({ content }: Signable, atMs: number, known: BodyDigests | undefined) {
    if (!this.#options.keys.hasAny()) return undefined;
    const author = readAuthor(content.head);
    if (author.kind !== 'author') return undefined;
    const keys = keysFor(this.#options.keys, author.domain);
    const body = keys.length === 0 ? undefined : (known ?? digestsOf(content));
    return body && { head: content.head, body, keys, atMs };
  }

  /** RFC 8617 knows ed25519 only by way of RFC 8463, and validators hardly know it: RSA first. */
  #sealKey(domains: readonly Domain[]): SigningKey | undefined {
    for (const domain of domains) {
      const keys = keysFor(this.#options.keys, domain);
      const key = keys.find(({ algorithm }) => algorithm === 'rsa-sha256') ?? keys[0];
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #tell(thrown: unknown): void {
    const why = Failure.from(thrown).message;
    this.#options.log.event('error', 'signatures-failed', { why });
  }
}

function digestsOf({ body }: Content): BodyDigests | undefined {
  return body instanceof Uint8Array ? hashBody(body, [SIGNING_WANT]) : undefined;
}

function signedBy<T extends Signable>(
  message: T,
  fields: readonly FieldText[],
  keys: readonly SigningKey[],
): Signed<T> {
  const front = utf8(fields.join(''));
  const { content, structure } = message;
  return {
    ...message,
    content: { ...content, head: concat([front, content.head]) },
    structure: structure && { ...structure, root: shiftPart(structure.root, front.length) },
    signed: {
      signed: keys.map(({ domain, selector, algorithm }) => ({ domain, selector, algorithm })),
    },
  };
}
