/** Kinds of values that name places: listeners, networks, next hops, resolvers. */

import * as v from 'valibot';
import { isIpv4, normalIpv6, parseDomain } from '#base/domain.ts';
import type { ValueType } from './declare.ts';
import { textual } from './values.ts';

/** Where a listener listens; `host` undefined: on the addresses of inet_interfaces. */
export interface ListenPlace {
  readonly host: string | undefined;
  readonly port: number;
}

/** The next host of a route. */
export interface NextHop {
  /** A name or an IP address. */
  readonly host: string;
  readonly port: number | undefined;
  /** Whether MX records of `host` are asked for; square brackets say no, as in Postfix. */
  readonly mx: boolean;
}

/** `25`, `127.0.0.1:25`, `[::1]:25`. */
export function listenPlace(): ValueType<ListenPlace> {
  const form = 'a port or address and port such as "25", "127.0.0.1:25" or "[::1]:25"';
  const places = textual<ListenPlace>(form, (text) => {
    const split = splitPort(text);
    const bare = parsePort(text);
    if (bare !== undefined) return { value: { host: undefined, port: bare } };
    const host = split === undefined ? undefined : normalAddress(split.host);
    if (split?.port === undefined || host === undefined) {
      return { problem: `must be ${form}, not "${text.slice(0, 60)}"` };
    }
    return { value: { host, port: split.port } };
  });
  const schema = v.pipe(v.unknown(), v.transform(portAsText), places);
  return { name: 'listening place', form, schema };
}

/** An IP address. */
export function ipAddress(): ValueType<string> {
  const form = 'an IP address such as "192.0.2.1" or "2001:db8::1"';
  const schema = textual<string>(form, (text) => {
    const value = normalAddress(text);
    return value === undefined
      ? { problem: `must be ${form}, not "${text.slice(0, 60)}"` }
      : { value };
  });
  return { name: 'IP address', form, schema };
}

/** `192.0.2.53`, `127.0.0.1:5353`, `[::1]:53`: a DNS server. */
export function resolverPlace(): ValueType<{ readonly address: string; readonly port: number }> {
  const form = 'an address of a DNS server such as "127.0.0.1" or "[::1]:5353"';
  const schema = textual<{ readonly address: string; readonly port: number }>(form, (text) => {
    const bare = normalAddress(text);
    if (bare !== undefined) return { value: { address: bare, port: 53 } };
    const split = splitPort(text);
    const address = split === undefined ? undefined : normalAddress(split.host);
    return address === undefined
      ? { problem: `must be ${form}, not "${text.slice(0, 60)}"` }
      : { value: { address, port: split?.port ?? 53 } };
  });
  return { name: 'DNS server', form, schema };
}

/** Empty: no next hop. `example.org` (by MX), `[mail.example.org]:587` (that host). */
export function nextHop(): ValueType<NextHop | undefined> {
  const form = 'a next hop such as "example.org" (its MX hosts) or "[mail.example.org]:587"';
  const schema = textual<NextHop | undefined>(form, (text) => {
    if (text === '') return { value: undefined };
    const split = splitPort(text);
    const host = split === undefined ? undefined : hostOf(split.host);
    if (split === undefined || host === undefined) {
      return { problem: `must be ${form}, not "${text.slice(0, 60)}"` };
    }
    return { value: { host, port: split.port, mx: !split.bracketed && !isAddress(host) } };
  });
  return { name: 'next hop', form, schema };
}

/** A port may stand without quotes. */
function portAsText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}

export interface HostAndPort {
  /** As written. */
  readonly host: string;
  readonly port: number | undefined;
  readonly bracketed: boolean;
}

/** `host`, `host:port`, `[host]:port`; undefined where a colon or a bracket stands elsewhere. */
export function splitPort(text: string): HostAndPort | undefined {
  const match = /^(?:\[([^\][]{1,255})\]|([^:\][]{1,255}))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (match === null || host === undefined) return undefined;
  const port = match[3] === undefined ? undefined : parsePort(match[3]);
  if (match[3] !== undefined && port === undefined) return undefined;
  return { host, port, bracketed: match[1] !== undefined };
}

function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  return Number(text) <= 65_535 ? Number(text) : undefined;
}

/** A host's name or its IP address, in normal form. */
export function hostOf(text: string): string | undefined {
  return normalAddress(text) ?? parseDomain(text);
}

function isAddress(host: string): boolean {
  return isIpv4(host) || host.includes(':');
}

/** An IP address in its normal form. */
export function normalAddress(text: string): string | undefined {
  return isIpv4(text) ? text : normalIpv6(text);
}
