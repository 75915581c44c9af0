/** An ACME authority as a Web: it believes every name but those that are told to fail (RFC 8555). */

import type { JsonObject } from '#base/json.ts';
import type { Web, WebRequest, WebResponse } from '#base/web.ts';
import { testAuthority, testCertificate } from './certificates.ts';

const ROOT = 'https://acme.test/';

export class AcmeAuthority implements Web {
  readonly directory = `${ROOT}directory`;
  /** Names that nobody can prove. */
  readonly broken = new Set<string>();
  /** The names of each order. */
  readonly orders: (readonly string[])[] = [];
  readonly #authority = testAuthority();
  readonly #tried = new Set<string>();

  send(request: WebRequest): Promise<WebResponse> {
    const path = request.url.slice(ROOT.length);
    const [what = '', order = '0', name = ''] = path.split('/');
    const answer = this.#answer(what, Number(order), name, payloadOf(request));
    const { location, ...fields } = answer;
    const headers = new Map([['replay-nonce', 'nonce']]);
    if (typeof location === 'string') headers.set('location', location);
    const text = typeof fields['pem'] === 'string' ? fields['pem'] : JSON.stringify(fields);
    return Promise.resolve({ status: 200, headers, body: Buffer.from(text) });
  }

  #answer(what: string, order: number, name: string, payload: unknown): JsonObject {
    const names = this.orders[order] ?? [];
    switch (what) {
      case 'directory':
        return { newNonce: `${ROOT}nonce`, newAccount: `${ROOT}account`, newOrder: `${ROOT}new` };
      case 'account':
        return { location: `${ROOT}account/1` };
      case 'new':
        this.orders.push(identifiersOf(payload));
        return this.#answer('order', this.orders.length - 1, '', undefined);
      case 'order': {
        const here = (path: string) => `${ROOT}${path}/${order}`;
        const proven = names.every((one) => this.#statusOf(order, one) === 'valid');
        return {
          location: here('order'),
          status: proven ? 'valid' : 'pending',
          authorizations: names.map((one) => `${here('authorization')}/${one}`),
          finalize: here('finalize'),
          certificate: here('certificate'),
        };
      }
      case 'authorization': {
        const url = `${ROOT}challenge/${order}/${name}`;
        return {
          status: this.#statusOf(order, name),
          identifier: { type: 'dns', value: name },
          challenges: [{ type: 'http-01', token: 'token', url, error: { detail: 'no such host' } }],
        };
      }
      case 'challenge':
        this.#tried.add(`${order} ${name}`);
        return {};
      default:
        return { pem: testCertificate({ names, issuer: this.#authority }).certificate };
    }
  }

  #statusOf(order: number, name: string): string {
    if (!this.#tried.has(`${order} ${name}`)) return 'pending';
    return this.broken.has(name) ? 'invalid' : 'valid';
  }
}

function payloadOf({ body }: WebRequest): unknown {
  if (body === undefined) return undefined;
  const { payload } = JSON.parse(Buffer.from(body).toString()) as { payload: string };
  return payload === '' ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString());
}

function identifiersOf(payload: unknown): readonly string[] {
  const { identifiers } = payload as { identifiers: readonly { value: string }[] };
  return identifiers.map(({ value }) => value);
}
