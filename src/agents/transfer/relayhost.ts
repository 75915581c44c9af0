/** Routes that are configured instead of looked up: smarthosts, for all domains or for some. */

import type { Domain } from '#base/brand.ts';
import {
  isIpv4,
  literalAddress,
  normalIpv6,
  parseAddressLiteral,
  parseDomain,
} from '#base/domain.ts';
import { Failure } from '#base/failure.ts';
import type { SaslCredentials } from '#protocol/sasl/client-exchange.ts';

/** A next hop by configuration. */
export interface Smarthost {
  /** A name, or an IP address. */
  readonly host: string;
  readonly port: number;
  /** Whether the name's MX records are followed (Postfix: no square brackets). */
  readonly mx: boolean;
  /** Default `opportunistic`; with a login `require`. */
  readonly tls?: 'never' | 'opportunistic' | 'require' | 'implicit';
  /** Whether the certificate must be good; default: yes where TLS is a must. */
  readonly verify?: boolean;
  readonly credentials?: SaslCredentials;
  /** RFC 2033 instead of SMTP. */
  readonly lmtp?: boolean;
}

/** Domains, `.parent` for all below it; `direct` goes by MX although a relayhost is set. */
export type Routes = ReadonlyMap<string, Smarthost | 'direct'>;

const SMTP_PORT = 25;

/**
 * `[host]:port` without and `host:port` with MX lookup, as Postfix' relayhost writes it; an
 * address only in brackets. Fails, permanently, with `bad-relayhost`.
 */
export function parseRelayhost(text: string): Pick<Smarthost, 'host' | 'port' | 'mx'> {
  const [, bracketed, bare, digits] =
    /^(?:\[([^\]]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? SMTP_PORT : Number(digits);
  const host = bracketed === undefined ? parseDomain(bare ?? '') : hostInBrackets(bracketed);
  if (host === undefined || port < 1 || port > 65_535) {
    const cure = 'write [mail.example.com]:587, or example.com to follow its MX records';
    throw Failure.permanent('bad-relayhost', `"${text}" is no next hop: ${cure}`);
  }
  return { host, port, mx: bracketed === undefined };
}

/** The route for a domain: its own, then that of the nearest `.parent`, then the relayhost. */
export function routeFor(
  domain: Domain,
  options: { readonly relayhost?: Smarthost | undefined; readonly routes?: Routes | undefined },
): Smarthost | undefined {
  const { routes, relayhost } = options;
  let found = routes?.get(domain);
  let dot = domain.startsWith('[') ? -1 : domain.indexOf('.');
  while (found === undefined && dot >= 0) {
    found = routes?.get(domain.slice(dot));
    dot = domain.indexOf('.', dot + 1);
  }
  found ??= relayhost;
  return found === 'direct' ? undefined : found;
}

function hostInBrackets(text: string): string | undefined {
  if (isIpv4(text)) return text;
  const literal = parseAddressLiteral(`[${text}]`);
  if (literal !== undefined) return literalAddress(literal);
  return normalIpv6(text) ?? parseDomain(text);
}
