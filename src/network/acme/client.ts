/** A client of an ACME authority (RFC 8555): account, order, challenges, certificate. */

import { parseUtf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { JsonObject } from '#base/json.ts';
import type { Web, WebResponse } from '#base/web.ts';
import type { Clock } from '#base/world.ts';
import { type AccountKey, signedRequest } from './jws.ts';

export interface AcmeOptions {
  readonly web: Web;
  readonly clock: Clock;
  /** The URL of the directory. */
  readonly directory: string;
  readonly account: AccountKey;
  /** Mail addresses; may be empty. */
  readonly contacts: readonly string[];
  /** That the operator agreed to the terms of the authority. */
  readonly termsAgreed: boolean;
  /** Between two looks at what is being worked on. Default 1,000. */
  readonly pollMs?: number;
  /** For a whole order. Default 300,000. */
  readonly orderMs?: number;
}

export interface AcmeChallenge {
  readonly kind: ChallengeKind;
  readonly name: string;
  readonly token: string;
  /** What proves that we hold the account (RFC 8555 8.1). */
  readonly keyAuthorization: string;
}

export type ChallengeKind = 'http-01' | 'tls-alpn-01';

export interface AcmeOrder {
  readonly names: readonly string[];
  readonly kind: ChallengeKind;
  /** DER of a PKCS #10 request for these names. */
  readonly csr: Uint8Array;
  /** Makes the answer to a challenge visible; what it returns takes it away again. */
  readonly answer: (challenge: AcmeChallenge) => Promise<() => void>;
  /** Told of the name for which the authority found no proof; the order fails by it. */
  readonly unproven?: (name: string) => void;
}

const ANSWER_BYTES = 1_048_576;
const REQUEST_MS = 30_000;
const POLL_MS = 1_000;
const ORDER_MS = 300_000;
const LONGEST_WAIT_MS = 60_000;
const TRIES = 5;
const JOSE = { 'content-type': 'application/jose+json' };

type Fields = ReadonlyMap<string, unknown>;

/**
 * One conversation with the authority. Failures are temporary and carry the authority's words:
 * `acme-refused`, `acme-rate-limited`, `acme-invalid` (a name was not proven), `acme-timeout`,
 * `acme-terms`, `acme-broken`, and those of the Web.
 */
export class AcmeClient {
  readonly #options: AcmeOptions;
  #directory: Fields | undefined;
  #kid: string | undefined;
  #nonce: string | undefined;

  constructor(options: AcmeOptions) {
    this.#options = options;
  }

  /** Orders a certificate; resolves with the PEM chain, the server's certificate first. */
  async order(order: AcmeOrder): Promise<string> {
    const endMs = this.#options.clock.elapsed() + (this.#options.orderMs ?? ORDER_MS);
    await this.#register();
    const identifiers = order.names.map((value) => ({ type: 'dns', value }));
    const made = await this.#post(await this.#place('newOrder'), { identifiers });
    const url = locationOf(made);
    let fields = fieldsOf(made);
    for (const authorization of textsOf(fields.get('authorizations'))) {
      await this.#prove(authorization, order, endMs);
    }
    fields = await this.#settled(url, ['ready', 'valid'], endMs);
    if (fields.get('status') === 'ready') {
      const csr = Buffer.from(order.csr).toString('base64url');
      await this.#post(textOf(fields, 'finalize'), { csr });
      fields = await this.#settled(url, ['valid'], endMs);
    }
    const answer = await this.#post(textOf(fields, 'certificate'), undefined);
    const chain = parseUtf8(answer.body);
    if (chain === undefined || !chain.includes('-----BEGIN CERTIFICATE-----')) {
      throw Failure.temporary('acme-broken', 'the authority sent no certificate');
    }
    return chain;
  }

  /** The account of our key: made, or found again (RFC 8555 7.3). */
  async #register(): Promise<void> {
    if (this.#kid !== undefined) return;
    const { contacts, termsAgreed } = this.#options;
    const url = await this.#place('newAccount');
    const meta = mapOf(this.#directory?.get('meta'));
    if (typeof meta.get('termsOfService') === 'string' && !termsAgreed) {
      const text = `the authority has terms to agree to: ${String(meta.get('termsOfService'))}`;
      throw Failure.permanent('acme-terms', text);
    }
    const response = await this.#post(url, {
      ...(termsAgreed ? { termsOfServiceAgreed: true } : {}),
      ...(contacts.length === 0 ? {} : { contact: contacts.map((one) => `mailto:${one}`) }),
    });
    this.#kid = locationOf(response);
  }

  /** Proves one name, unless the authority still remembers the last proof. */
  async #prove(url: string, order: AcmeOrder, endMs: number): Promise<void> {
    const fields = fieldsOf(await this.#post(url, undefined));
    if (fields.get('status') === 'valid') return;
    const name = textOf(mapOf(fields.get('identifier')), 'value');
    const offered = listOf(fields.get('challenges')).map(mapOf);
    const challenge = offered.find((one) => one.get('type') === order.kind);
    if (challenge === undefined) {
      throw Failure.temporary(
        'acme-refused',
        `${name}: the authority does not offer ${order.kind}`,
      );
    }
    const token = textOf(challenge, 'token');
    if (!/^[A-Za-z0-9_-]{1,200}$/.test(token)) {
      throw Failure.temporary('acme-broken', `${name}: the token is not base64url`);
    }
    const keyAuthorization = `${token}.${this.#options.account.thumbprint}`;
    const hide = await order.answer({ kind: order.kind, name, token, keyAuthorization });
    try {
      await this.#post(textOf(challenge, 'url'), {});
      await this.#settled(url, ['valid'], endMs);
    } catch (thrown) {
      if (Failure.from(thrown).code === 'acme-invalid') order.unproven?.(name);
      throw thrown;
    } finally {
      hide();
    }
  }

  /** Looks until the status is one of `wanted`; `invalid` fails with the authority's reason. */
  async #settled(url: string, wanted: readonly string[], endMs: number): Promise<Fields> {
    const { clock, pollMs = POLL_MS } = this.#options;
    for (;;) {
      const response = await this.#post(url, undefined);
      const fields = fieldsOf(response);
      const status = String(fields.get('status'));
      if (wanted.includes(status)) return fields;
      if (!['pending', 'processing', 'ready'].includes(status)) {
        throw Failure.temporary('acme-invalid', `${status}: ${reasonOf(fields)}`);
      }
      if (clock.elapsed() >= endMs) {
        throw Failure.temporary('acme-timeout', `the authority is not done: ${status}`);
      }
      const retryAfter = Number(response.headers.get('retry-after') ?? 0) * 1_000;
      const asked = Number.isFinite(retryAfter) ? Math.min(retryAfter, LONGEST_WAIT_MS) : 0;
      await this.#pause(Math.max(pollMs, asked));
    }
  }

  async #place(name: string): Promise<string> {
    if (this.#directory === undefined) {
      const { web, directory } = this.#options;
      const limits = { timeoutMs: REQUEST_MS, maxBytes: ANSWER_BYTES };
      const response = await web.send({ method: 'GET', url: directory, ...limits });
      if (response.status !== 200) throw refused(response);
      this.#directory = fieldsOf(response);
    }
    return textOf(this.#directory, name);
  }

  /** A signed request; a nonce that the authority forgot is no failure (RFC 8555 6.5). */
  async #post(url: string, payload: JsonObject | undefined): Promise<WebResponse> {
    const { web, account } = this.#options;
    for (let tried = 1; ; tried += 1) {
      const nonce = this.#nonce ?? (await this.#freshNonce());
      this.#nonce = undefined;
      const body = signedRequest(account, { url, nonce, kid: this.#kid, payload });
      const limits = { timeoutMs: REQUEST_MS, maxBytes: ANSWER_BYTES };
      const response = await web.send({ method: 'POST', url, headers: JOSE, body, ...limits });
      this.#nonce = response.headers.get('replay-nonce');
      if (response.status >= 200 && response.status < 300) return response;
      const failure = refused(response);
      if (failure.code !== 'acme-nonce' || tried >= TRIES) throw failure;
    }
  }

  async #freshNonce(): Promise<string> {
    const { web } = this.#options;
    const url = await this.#place('newNonce');
    const limits = { timeoutMs: REQUEST_MS, maxBytes: ANSWER_BYTES };
    const response = await web.send({ method: 'HEAD', url, ...limits });
    const nonce = response.headers.get('replay-nonce');
    if (nonce === undefined) throw Failure.temporary('acme-broken', 'the authority gave no nonce');
    return nonce;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(ms, resolve));
  }
}

/** A problem document (RFC 7807) as a failure. */
function refused(response: WebResponse): Failure {
  const fields = fieldsOf(response);
  const kind = String(fields.get('type') ?? '').replace('urn:ietf:params:acme:error:', '');
  const text = `the authority answered ${response.status} ${kind}: ${String(fields.get('detail'))}`;
  const codes: ReadonlyMap<string, string> = new Map([
    ['badNonce', 'acme-nonce'],
    ['rateLimited', 'acme-rate-limited'],
  ]);
  return Failure.temporary(codes.get(kind) ?? 'acme-refused', text);
}

/** Why an order or authorization is invalid: its own error, else that of a challenge. */
function reasonOf(fields: Fields): string {
  const errors = [fields, ...listOf(fields.get('challenges')).map(mapOf)].map((one) =>
    mapOf(one.get('error')),
  );
  const detail = errors.find((error) => typeof error.get('detail') === 'string');
  return String(detail?.get('detail') ?? 'no reason given').slice(0, 500);
}

function locationOf({ headers }: WebResponse): string {
  const location = headers.get('location');
  if (location === undefined) throw Failure.temporary('acme-broken', 'an answer without Location');
  return location;
}

function textOf(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (typeof value !== 'string') {
    throw Failure.temporary('acme-broken', `the authority's answer has no ${name}`);
  }
  return value;
}

function fieldsOf({ body }: WebResponse): Fields {
  try {
    return mapOf(JSON.parse(parseUtf8(body) ?? ''));
  } catch {
    return new Map();
  }
}

function mapOf(value: unknown): Fields {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return new Map(plain ? Object.entries(value) : []);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 1_000) : [];
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((one) => typeof one === 'string');
}
