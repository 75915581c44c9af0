/** SCRAM-SHA-256 and -PLUS as a client: proves the password, and demands the server's proof. */

import { timingSafeEqual } from 'node:crypto';
import { NO_BYTES, parseUtf8, utf8 } from '#base/bytes.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import type { SaslClient, SaslClientContext, SaslReaction } from './client-exchange.ts';
import { prepareSasl } from './prepare.ts';
import { bindingData, encodeSaslName, hmac, parseAttributes } from './scram.ts';
import { saltedPassword, SCRAM_ITERATIONS, sha256, xor } from './scram.ts';

/** A server that asks for more wants our processor, not our proof. */
const ITERATIONS_LIMIT = 500_000;

export class ScramClient implements SaslClient {
  readonly mechanism: string;
  readonly initial: Uint8Array;
  readonly #context: SaslClientContext;
  readonly #header: string;
  readonly #nonce: string;
  readonly #bare: string;
  #state: 'first' | 'challenged' | 'final' | 'proven' | 'failed' = 'first';
  #serverSignature: Uint8Array = NO_BYTES;

  /** `flag`: `n`, `y` or `p=tls-exporter`. */
  constructor(mechanism: string, context: SaslClientContext, flag: string) {
    this.mechanism = mechanism;
    this.#context = context;
    this.#header = `${flag},,`;
    this.#nonce = encodeBase64(context.nonce);
    const { login } = context.credentials;
    this.#bare = `n=${encodeSaslName(prepareSasl(login) ?? login)},r=${this.#nonce}`;
    this.initial = utf8(this.#header + this.#bare);
  }

  get proven(): boolean {
    return this.#state === 'proven';
  }

  respond(challenge: Uint8Array): SaslReaction {
    const text = parseUtf8(challenge);
    if (text === undefined) return this.#abort('the challenge is not UTF-8');
    // An empty challenge asks for the initial response that was not sent along.
    if (this.#state === 'first' && text === '') {
      this.#state = 'challenged';
      return { kind: 'response', bytes: this.initial };
    }
    if (this.#state === 'first' || this.#state === 'challenged') return this.#prove(text);
    return this.#state === 'final' ? this.#judge(text) : this.#abort('unexpected challenge');
  }

  /** server-first-message to client-final-message (RFC 5802 3). */
  #prove(text: string): SaslReaction {
    const attributes = parseAttributes(text);
    const [random, salt, count] = attributes ?? [];
    if (random?.[0] !== 'r' || salt?.[0] !== 's' || count?.[0] !== 'i') {
      return this.#abort(`no server-first-message: ${text.slice(0, 80)}`);
    }
    if (!random[1].startsWith(this.#nonce) || random[1].length === this.#nonce.length) {
      return this.#abort('the server changed our nonce');
    }
    const salted = decodeBase64(salt[1]);
    const iterations = /^[1-9]\d{0,8}$/.test(count[1]) ? Number(count[1]) : 0;
    if (salted === undefined || salted.length === 0) return this.#abort('the salt is no base64');
    if (iterations < SCRAM_ITERATIONS || iterations > ITERATIONS_LIMIT) {
      return this.#abort(`${count[1].slice(0, 20)} iterations are out of bounds`);
    }
    const password = prepareSasl(this.#context.credentials.password.reveal());
    if (password === undefined) return this.#abort('the password has forbidden characters');
    const key = saltedPassword(password, salted, iterations);
    const clientKey = hmac(key, 'Client Key');
    const unproven = `c=${encodeBase64(this.#binding())},r=${random[1]}`;
    const signed = `${this.#bare},${text},${unproven}`;
    const proof = xor(clientKey, hmac(sha256(clientKey), signed));
    this.#serverSignature = hmac(hmac(key, 'Server Key'), signed);
    this.#state = 'final';
    return { kind: 'response', bytes: utf8(`${unproven},p=${encodeBase64(proof)}`) };
  }

  /** server-final-message: only one who knows our keys can have made it. */
  #judge(text: string): SaslReaction {
    if (text.startsWith('e=')) return this.#abort(`the server says ${text.slice(2, 80)}`);
    const verifier = decodeBase64(/^v=([A-Za-z0-9+/=]{1,100})(?:,|$)/.exec(text)?.[1] ?? '');
    const same =
      verifier?.length === this.#serverSignature.length &&
      timingSafeEqual(verifier, this.#serverSignature);
    if (!same) return this.#abort('the server did not prove that it knows the password');
    this.#state = 'proven';
    return { kind: 'response', bytes: NO_BYTES };
  }

  #binding(): Uint8Array {
    const header = utf8(this.#header);
    const { secure } = this.#context;
    if (!this.#header.startsWith('p=') || secure === undefined) return header;
    const data = bindingData(secure, this.#header.slice(2, -2)) ?? NO_BYTES;
    return Buffer.concat([header, data]);
  }

  #abort(why: string): SaslReaction {
    this.#state = 'failed';
    return { kind: 'abort', why };
  }
}
