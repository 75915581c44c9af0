/** The web for real: one request a connection, names by our resolver, certificates always verified. */

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { concat } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Web, WebRequest, WebResponse } from '#base/web.ts';
import type { Resolver } from '#base/world.ts';
import { systemClock } from '../clock.ts';
import { systemCode } from '../failures.ts';

export interface WebOptions {
  readonly resolver: Resolver;
  /** PEM of the only authorities to trust; undefined: the system's. */
  readonly authorities?: string | undefined;
  /** Where https is spoken when the URL names no port; another one than 443 is for tests. */
  readonly httpsPort?: number;
  /** Addresses that nothing is asked of: the machine itself, when a stranger names them. */
  readonly isForbidden?: (address: string) => boolean;
  /** In this order. Default IPv4 first. */
  readonly families?: readonly ('ipv4' | 'ipv6')[];
}

const USER_AGENT = 'postern';
const HEADERS_BYTES = 16_384;
const ADDRESSES = 4;

/** A Web over this machine's sockets. */
export function systemWeb(options: WebOptions): Web {
  return { send: (request) => send(request, options) };
}

async function send(request: WebRequest, options: WebOptions): Promise<WebResponse> {
  const url = urlOf(request.url);
  const endMs = systemClock.elapsed() + request.timeoutMs;
  const addresses = await inTime(addressesOf(url.hostname, options), request.timeoutMs);
  let last: Failure | undefined;
  for (const address of addresses.slice(0, ADDRESSES)) {
    const leftMs = endMs - systemClock.elapsed();
    if (leftMs <= 0) break;
    try {
      return await exchange(request, url, address, leftMs, options);
    } catch (thrown) {
      const failure = Failure.from(thrown);
      // Another address of the same name may do where this one cannot be reached, no more.
      if (failure.code !== 'unreachable') throw failure;
      last = failure;
    }
  }
  throw last ?? Failure.temporary('timeout', `${url.hostname} did not answer in time`);
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password !== '') {
    throw Failure.permanent('bad-url', 'not an http or https address');
  }
  return url;
}

/** Loaded with the first request: HTTP in Node brings along a second client and HTTP/2. */
async function requester(secure: boolean) {
  return (secure ? await import('node:https') : await import('node:http')).request;
}

async function addressesOf(host: string, options: WebOptions): Promise<readonly string[]> {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const { resolver, families = ['ipv4', 'ipv6'] } = options;
  const found: string[] = isIP(bare) > 0 ? [bare] : [];
  let reason = 'the name has no address';
  if (found.length === 0) {
    for (const family of families) {
      const lookup = await (family === 'ipv4' ? resolver.a(bare) : resolver.aaaa(bare));
      if (lookup.kind === 'found') found.push(...lookup.records);
      if (lookup.kind === 'failed') reason = lookup.reason;
    }
  }
  const fine = found.filter((address) => options.isForbidden?.(address) !== true);
  if (fine.length > 0) return fine;
  if (found.length > 0) reason = 'its addresses are not to be asked';
  throw Failure.temporary('name-not-found', `${host}: ${reason}`);
}

async function exchange(
  request: WebRequest,
  url: URL,
  address: string,
  leftMs: number,
  options: WebOptions,
): Promise<WebResponse> {
  const secure = url.protocol === 'https:';
  const open = await requester(secure);
  const { promise, resolve, reject } = Promise.withResolvers<WebResponse>();
  const clear = {
    method: request.method,
    host: address,
    port: url.port === '' ? (secure ? (options.httpsPort ?? 443) : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: headersOf(request, url),
    agent: false as const,
    maxHeaderSize: HEADERS_BYTES,
  };
  const made = open(secure ? { ...clear, ...tlsOptions(url.hostname, options) } : clear);
  const fail = (failure: Failure): void => {
    timer.cancel();
    made.destroy();
    reject(failure);
  };
  const timer = systemClock.after(leftMs, () =>
    fail(Failure.temporary('timeout', `${url.hostname} did not answer in time`)),
  );
  made.on('error', (error) => fail(webFailure(error, url.hostname)));
  made.on('response', (response) => {
    collect(response, request.maxBytes, fail, (body) => {
      timer.cancel();
      made.destroy();
      resolve({ status: response.statusCode ?? 0, headers: headersFrom(response), body });
    });
  });
  made.end(request.body);
  return await promise;
}

function tlsOptions(host: string, { authorities }: WebOptions) {
  return {
    // The socket goes to an address that we looked up; the name is what must be certified.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.2' as const,
    rejectUnauthorized: true,
    ...(authorities === undefined ? {} : { ca: authorities }),
  };
}

function headersOf(request: WebRequest, url: URL): Record<string, string | number> {
  return {
    host: url.host,
    'user-agent': USER_AGENT,
    connection: 'close',
    ...request.headers,
    ...(request.body === undefined ? {} : { 'content-length': request.body.length }),
  };
}

function collect(
  response: IncomingMessage,
  maxBytes: number,
  fail: (failure: Failure) => void,
  done: (body: Uint8Array) => void,
): void {
  const pieces: Uint8Array[] = [];
  let received = 0;
  response.on('data', (piece: Uint8Array) => {
    received += piece.length;
    if (received > maxBytes) {
      fail(Failure.temporary('too-large', `the answer has more than ${maxBytes} octets`));
    } else pieces.push(piece);
  });
  response.on('error', (error) => fail(Failure.temporary('bad-answer', error.message, error)));
  response.on('aborted', () => fail(Failure.temporary('bad-answer', 'the answer was cut off')));
  response.on('end', () => {
    if (response.complete) done(concat(pieces));
  });
}

function headersFrom(response: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(response.headersDistinct)) {
    if (value !== undefined) headers.set(name, value.join(', '));
  }
  return headers;
}

/** Certificates are what most of the codes are about, so those that are not are listed. */
function webFailure(error: Error, host: string): Failure {
  const code = systemCode(error);
  const text = `${host}: ${error.message}`;
  if (/^(?:ECONN|EHOST|ENET|EADDR|ETIMEDOUT|EPIPE|EACCES)/.test(code)) {
    return Failure.temporary('unreachable', text, error);
  }
  if (/^(?:HPE_|ERR_HTTP)/.test(code) || error.message === 'socket hang up') {
    return Failure.temporary('bad-answer', text, error);
  }
  if (/^(?:CERT_|ERR_TLS_CERT|DEPTH_|SELF_SIGNED|UNABLE_TO|INVALID_CA|HOSTNAME|PATH_)/.test(code)) {
    return Failure.temporary('tls-unverified', text, error);
  }
  return Failure.temporary(/SSL|TLS/.test(code) ? 'tls-handshake' : 'unreachable', text, error);
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = systemClock.after(ms, () =>
    reject(Failure.temporary('timeout', 'the name was not resolved in time')),
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
