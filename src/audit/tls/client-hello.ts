/** ClientHello by hand: a library would refuse to say what we want to hear the answer to. */

import { concat, fromLatin1 } from '#base/bytes.ts';
import type { Random } from '#base/world.ts';
import { parseIp } from '#base/ip.ts';
import { EXTENSION, GROUPS, SIGNATURES, SUITES, type Version, VERSIONS } from './codes.ts';

export interface HelloQuestion {
  /** The highest version that is offered; below TLS 1.3 the server may choose any older one. */
  readonly version: Version;
  readonly suites: readonly number[];
  /** For SNI; an address is left out (RFC 6066 3). */
  readonly serverName?: string | undefined;
  readonly groups?: readonly number[];
  readonly signatures?: readonly number[];
  readonly alpn?: readonly string[];
  /** DEFLATE beside no compression. */
  readonly compression?: boolean;
  /** Values that mean nothing, which a server must pass over (RFC 8701). */
  readonly grease?: boolean;
}

const GREASE = 0x5a5a;
const RECORD_HANDSHAKE = 22;

/** A record with a ClientHello (RFC 5246 7.4.1.2, RFC 8446 4.1.2). SSLv3 gets no extensions. */
export function clientHello(question: HelloQuestion, random: Random): Uint8Array {
  const { version, grease = false } = question;
  const number = VERSIONS[version];
  const suites = grease ? [GREASE, ...question.suites] : question.suites;
  const body = concat([
    word(Math.min(number, VERSIONS['TLSv1.2'])),
    random.bytes(32),
    // TLS 1.3 through boxes on the way that want a session id (RFC 8446 D.4).
    version === 'TLSv1.3' ? sized(1, random.bytes(32)) : Uint8Array.of(0),
    sized(2, words(suites)),
    question.compression === true ? Uint8Array.of(2, 1, 0) : Uint8Array.of(1, 0),
    ...(version === 'SSLv3' ? [] : [sized(2, extensions(question, random))]),
  ]);
  const message = concat([Uint8Array.of(1), sized(3, body)]);
  // The record's own version: what the oldest server can read (RFC 8446 5.1).
  const record = word(version === 'SSLv3' ? VERSIONS.SSLv3 : VERSIONS['TLSv1.0']);
  return concat([Uint8Array.of(RECORD_HANDSHAKE), record, sized(2, message)]);
}

/** SSLv2's CLIENT-HELLO with all its ciphers, saying that we speak nothing else. */
export function sslv2Hello(random: Random): Uint8Array {
  const ciphers = [0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0];
  const specs = Uint8Array.from(ciphers.flatMap((one) => [one >> 16, (one >> 8) & 255, one & 255]));
  const challenge = random.bytes(16);
  const body = concat([
    Uint8Array.of(1, 0, 2),
    word(specs.length),
    word(0),
    word(challenge.length),
    specs,
    challenge,
  ]);
  return concat([word(0x8000 | body.length), body]);
}

function extensions(question: HelloQuestion, random: Random): Uint8Array {
  const { version, serverName, grease = false } = question;
  const groups = question.groups ?? GROUPS.usual;
  const all: Uint8Array[] = [];
  const add = (number: number, content: Uint8Array): void => {
    all.push(concat([word(number), sized(2, content)]));
  };
  if (grease) add(GREASE, Uint8Array.of());
  if (serverName !== undefined && parseIp(serverName) === undefined) {
    const name = concat([Uint8Array.of(0), sized(2, fromLatin1(serverName))]);
    add(EXTENSION.serverName, sized(2, name));
  }
  add(EXTENSION.groups, sized(2, words(grease ? [GREASE, ...groups] : groups)));
  add(EXTENSION.pointFormats, Uint8Array.of(1, 0));
  add(EXTENSION.signatures, sized(2, words(question.signatures ?? SIGNATURES.usual)));
  add(EXTENSION.extendedMasterSecret, Uint8Array.of());
  add(EXTENSION.renegotiation, Uint8Array.of(0));
  add(EXTENSION.sessionTicket, Uint8Array.of());
  if (question.alpn !== undefined) {
    const names = question.alpn.map((name) => sized(1, fromLatin1(name)));
    add(EXTENSION.alpn, sized(2, concat(names)));
  }
  if (version === 'TLSv1.3') {
    add(EXTENSION.supportedVersions, sized(1, words([VERSIONS['TLSv1.3'], VERSIONS['TLSv1.2']])));
    // Any 32 octets are a point of x25519: nobody will compute the secret.
    const share = concat([word(GROUPS.usual[0]), sized(2, random.bytes(32))]);
    add(EXTENSION.keyShare, sized(2, share));
  } else {
    add(EXTENSION.heartbeat, Uint8Array.of(1));
    add(EXTENSION.encryptThenMac, Uint8Array.of());
  }
  return concat(all);
}

/** Suites of an ordinary client up to TLS 1.2, the strongest first. */
export const ORDINARY: readonly number[] = [
  ...SUITES.good,
  ...SUITES.chacha,
  ...SUITES.cbc,
  ...SUITES.dhe,
  ...SUITES.staticRsa,
];

/** Elliptic curves and static RSA alone, for servers that fail at other Diffie-Hellman. */
export const WITHOUT_PRIMES: readonly number[] = [
  ...SUITES.good,
  ...SUITES.cbc.filter((suite) => suite >= 0xc000),
  ...SUITES.staticRsa,
  ...SUITES.tripleDes.filter((suite) => suite === 0x000a || suite === 0xc012),
  ...SUITES.rc4.filter((suite) => suite === 0x0004 || suite === 0x0005),
];

/** All that anybody ever offered: to see whether a version is spoken at all. */
export const EVERYTHING: readonly number[] = [
  ...new Set([
    ...ORDINARY,
    ...SUITES.tripleDes,
    ...SUITES.rc4,
    ...SUITES.des,
    ...SUITES.export,
    ...SUITES.anonymous,
    ...SUITES.null,
  ]),
];

function word(number: number): Uint8Array {
  return Uint8Array.of((number >> 8) & 255, number & 255);
}

function words(numbers: readonly number[]): Uint8Array {
  return Uint8Array.from(numbers.flatMap((one) => [(one >> 8) & 255, one & 255]));
}

/** Octets behind their count, in so many octets. */
function sized(octets: 1 | 2 | 3, content: Uint8Array): Uint8Array {
  const { length } = content;
  const count = [(length >> 16) & 255, (length >> 8) & 255, length & 255].slice(3 - octets);
  return concat([Uint8Array.from(count), content]);
}
