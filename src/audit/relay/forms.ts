/** Every known form of asking for a relay: nmap's sixteen, and R17 to R36. */

import type { Secret } from '#base/secret.ts';
import { around, literal, type Place } from './place.ts';

/** One way to write it. */
export interface Attempt {
  /** Tells variants of a form apart; empty when there is one. */
  readonly variant: string;
  /** Behind MAIL FROM: with brackets and parameters. */
  readonly mail: string;
  /** Behind RCPT TO:, in order; the last is the one that matters. */
  readonly rcpt: readonly string[];
  readonly helo?: string;
  /** Octets before anything else (PROXY). */
  readonly prologue?: Uint8Array;
  /** Lines between EHLO and MAIL; `must` begins the reply, else the attempt is refused there. */
  readonly before?: readonly { readonly line: string; readonly must?: string }[];
  /** Between the recipients: RSET and MAIL again. */
  readonly reset?: boolean;
  readonly startTls?: boolean;
  /** EHLO has to offer it, else the attempt makes no sense. */
  readonly needs?: string;
  /** What of the lines must not stand in the evidence. */
  readonly conceal?: Secret<Uint8Array>;
  /** How content is sent, if it comes to that. Default DATA. */
  readonly by?: 'data' | 'bdat';
  /**
   * The server may well take it for a mailbox of its own with an odd name: that it accepts then
   * says something only if it refuses names that nobody has.
   */
  readonly mayBeLocal: boolean;
}

export interface Form {
  readonly id: string;
  readonly title: string;
  /** Which level of a run it needs; `safe` asks and sends nothing. */
  readonly level: 'safe' | 'active';
  attempts(place: Place): readonly Attempt[];
}

/** A form with one attempt. */
function one(
  id: string,
  title: string,
  mayBeLocal: boolean,
  paths: (place: Place, at: Names) => readonly [mail: string, rcpt: string] | undefined,
): Form {
  return {
    id,
    title,
    level: 'safe',
    attempts: (place) => {
      const made = paths(place, namesOf(place));
      if (made === undefined) return [];
      const [mail, rcpt] = made;
      return [{ variant: '', mail: `<${mail}>`, rcpt: [`<${rcpt}>`], mayBeLocal }];
    },
  };
}

interface Names {
  readonly f: string;
  readonly t: string;
  readonly d: string;
  readonly ip: string;
  readonly s: string;
}

function namesOf(place: Place): Names {
  const { foreign: d, token, address, server: s } = place;
  return { f: 'antispam', t: token, d, ip: literal(address), s };
}

/** smtp-open-relay of nmap, in its order. */
export const NMAP_FORMS: readonly Form[] = [
  one('N1', 'null sender', false, (_, { t, d }) => ['', `${t}@${d}`]),
  one('N2', 'foreign to foreign', false, (_, { f, t, d }) => [`${f}@${d}`, `${t}@${d}`]),
  one('N3', "sender in the server's name", false, (_, { f, t, d, s }) => [
    `${f}@${s}`,
    `${t}@${d}`,
  ]),
  one('N4', "sender at the server's address", false, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `${t}@${d}`,
  ]),
  one('N5', 'percent hack at the address', true, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `${t}%${d}@${ip}`,
  ]),
  one('N6', 'percent hack at the name', true, (_, { f, t, d, ip, s }) => [
    `${f}@${ip}`,
    `${t}%${d}@${s}`,
  ]),
  one('N7', 'quoted address', true, (_, { f, t, d, ip }) => [`${f}@${ip}`, `"${t}@${d}"`]),
  one('N8', 'quoted percent hack', true, (_, { f, t, d, ip }) => [`${f}@${ip}`, `"${t}%${d}"`]),
  one('N9', 'two at signs, address', true, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `${t}@${d}@${ip}`,
  ]),
  one('N10', 'quoted address at the address', true, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `"${t}@${d}"@${ip}`,
  ]),
  one('N11', 'two at signs, name', true, (_, { f, t, d, ip, s }) => [
    `${f}@${ip}`,
    `${t}@${d}@${s}`,
  ]),
  one('N12', 'source route by address', false, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `@${ip}:${t}@${d}`,
  ]),
  one('N13', 'source route by name', false, (_, { f, t, d, ip, s }) => [
    `${f}@${ip}`,
    `@${s}:${t}@${d}`,
  ]),
  one('N14', 'bang path', true, (_, { f, t, d, ip }) => [`${f}@${ip}`, `${d}!${t}`]),
  one('N15', 'bang path at the address', true, (_, { f, t, d, ip }) => [
    `${f}@${ip}`,
    `${d}!${t}@${ip}`,
  ]),
  one('N16', 'bang path at the name', true, (_, { f, t, d, ip, s }) => [
    `${f}@${ip}`,
    `${d}!${t}@${s}`,
  ]),
];

const SENDER = 'antispam';

/** Attempts by variants of the recipient alone. */
function recipients(
  id: string,
  title: string,
  mayBeLocal: boolean,
  make: (place: Place) => readonly (readonly [variant: string, path: string])[],
): Form {
  return {
    id,
    title,
    level: 'safe',
    attempts: (place) =>
      make(place).map(([variant, path]) => ({
        variant,
        mail: `<${SENDER}@${place.other}>`,
        rcpt: [`<${path}>`],
        mayBeLocal,
      })),
  };
}

/** Odd recipients that nmap does not know. */
export const RECIPIENT_FORMS: readonly Form[] = [
  recipients(
    'R17',
    'percent hack at domains it takes mail for',
    true,
    ({ token, foreign, domains }) =>
      around(domains, token).map((domain) => [domain, `${token}%${foreign}@${domain}`]),
  ),
  recipients(
    'R18',
    'source route through two of its domains',
    false,
    ({ token, foreign, domains }) => {
      const [first, second = first] = domains;
      return first === undefined ? [] : [['', `@${first},@${second}:${token}@${foreign}`]];
    },
  ),
  recipients('R19', 'quoted address at its domains', true, ({ token, foreign, domains }) =>
    domains.map((domain) => [domain, `"${token}@${foreign}"@${domain}`]),
  ),
  recipients('R20', 'two percent hacks', true, ({ token, foreign, domains }) =>
    domains.map((domain) => [domain, `${token}%${foreign}%${domain}@${domain}`]),
  ),
  recipients('R21', 'bang path and percent together', true, ({ token, foreign, domains }) =>
    domains.flatMap((domain) => [
      [`percent ${domain}`, `${foreign}!${token}%${domain}`] as const,
      [`bang ${domain}`, `${token}@${foreign}!${domain}`] as const,
    ]),
  ),
  recipients('R22', 'dot behind the domain', false, ({ token, foreign }) => [
    ['', `${token}@${foreign}.`],
  ]),
  recipients('R23', 'an empty second domain', true, ({ token, foreign }) => [
    ['', `${token}@${foreign}@`],
  ]),
  recipients('R24', 'address literals of documentation networks', false, ({ token }) => [
    ['IPv4', `${token}@[192.0.2.77]`],
    ['IPv6', `${token}@[IPv6:2001:db8::77]`],
  ]),
  {
    id: 'R25',
    title: 'signs of other scripts that look like @ and dot',
    level: 'safe',
    attempts: ({ token, foreign, domains, other }) => {
      const [domain = 'localhost'] = domains;
      const paths = [
        ['wide at', `${token}\uff20${foreign}@${domain}`],
        ['wide dot', `${token}@${foreign.replaceAll('.', '\u3002')}`],
        ['wide percent', `${token}\uff05${foreign}@${domain}`],
      ] as const;
      return paths.map(([variant, path]) => ({
        variant,
        mail: `<${SENDER}@${other}> SMTPUTF8`,
        rcpt: [`<${Buffer.from(path).toString('latin1')}>`],
        needs: 'SMTPUTF8',
        mayBeLocal: variant !== 'wide dot',
      }));
    },
  },
  recipients(
    'R36',
    'a domain that begins with one of its own (a pattern without an end)',
    false,
    ({ token, foreign, domains }) =>
      domains.map((domain) => [domain, `${token}@${domain}.${foreign}`]),
  ),
];
