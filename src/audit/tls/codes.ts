/** Numbers of TLS that the auditor speaks itself: versions, cipher suites by kind, curves, hashes. */

/** On the wire (RFC 8446 4.2.1); SSLv2 has a handshake of its own. */
export const VERSIONS = {
  SSLv3: 0x0300,
  'TLSv1.0': 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const;
export type Version = keyof typeof VERSIONS;

/**
 * What is wrong (or right) with a suite; each suite stands under the gravest word only. Those with
 * Diffie-Hellman over primes come last: a server that takes our order and has no such parameters
 * (Dovecot without ssl_dh) would close where it can do others.
 */
export const SUITES = {
  null: [0x0001, 0x0002, 0x003b, 0x002c, 0xc001, 0xc006, 0xc00b, 0xc010, 0xc015],
  anonymous: [
    0xc018, 0xc019, 0xc017, 0xc016, 0x0034, 0x003a, 0x006c, 0x006d, 0x00a6, 0x00a7, 0x0018, 0x001a,
    0x001b, 0x0046, 0x0089,
  ],
  export: [
    0x0003, 0x0006, 0x0008, 0x0060, 0x0061, 0x0062, 0x0064, 0x000b, 0x000e, 0x0011, 0x0014, 0x0063,
    0x0065, 0x0017, 0x0019,
  ],
  des: [0x0009, 0x000c, 0x000f, 0x0012, 0x0015],
  rc4: [0x0004, 0x0005, 0x0066, 0xc002, 0xc007, 0xc00c, 0xc011],
  tripleDes: [0x000a, 0xc012, 0xc008, 0xc003, 0xc00d, 0x0007, 0x0016, 0x0013, 0x000d, 0x0010],
  /** The key travels under the certificate's RSA key: no forward secrecy. */
  staticRsa: [
    0x009c, 0x009d, 0xc09c, 0xc09d, 0x002f, 0x0035, 0x003c, 0x003d, 0x0041, 0x0084, 0x0096, 0x00ba,
  ],
  /** CBC with a fresh key. */
  cbc: [
    0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028, 0x0033, 0x0039, 0x0067, 0x006b,
    0x0032, 0x0038, 0x0040, 0x006a,
  ],
  dhe: [0x009e, 0x009f, 0xccaa, 0x0033, 0x0039, 0x0067, 0x006b, 0x0016],
  /** Elliptic curves with AES-GCM, the longer key first. */
  good: [0xc02c, 0xc030, 0xc02b, 0xc02f],
  chacha: [0xcca9, 0xcca8],
  tls13: [0x1302, 0x1303, 0x1301],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** Offered beside the suites to say that this hello is a second try (RFC 7507 2). */
export const FALLBACK_SCSV = 0x5600;

export const GROUPS = {
  /** x25519, P-256, P-384, P-521. */
  usual: [0x001d, 0x0017, 0x0018, 0x0019],
  /** Under 224 bits: nobody should compute on these any more. */
  weak: [0x0001, 0x0002, 0x0003, 0x000f, 0x0010, 0x0011, 0x0004, 0x0005, 0x0012, 0x0013],
} as const;

export const SIGNATURES = {
  usual: [
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0203, 0x0201,
    0x0202,
  ],
  /** SHA-1 and MD5 (RFC 9155). */
  weak: [0x0203, 0x0201, 0x0202, 0x0101],
} as const;

/** Extension numbers, as IANA lists them. */
export const EXTENSION = {
  serverName: 0,
  groups: 10,
  pointFormats: 11,
  signatures: 13,
  heartbeat: 15,
  alpn: 16,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  supportedVersions: 43,
  keyShare: 51,
  renegotiation: 0xff01,
} as const;

const ALERTS: ReadonlyMap<number, string> = new Map([
  [0, 'close notify'],
  [10, 'unexpected message'],
  [20, 'bad record MAC'],
  [40, 'handshake failure'],
  [47, 'illegal parameter'],
  [50, 'decode error'],
  [70, 'protocol version'],
  [71, 'insufficient security'],
  [80, 'internal error'],
  [86, 'inappropriate fallback'],
  [109, 'missing extension'],
  [112, 'unrecognised name'],
  [120, 'no application protocol'],
]);

/** RFC 8446 6: an alert's name. */
export function alertName(description: number): string {
  return ALERTS.get(description) ?? `alert ${description}`;
}

/** A version's name; unknown ones as a number. */
export function versionName(version: number): string {
  const found = Object.entries(VERSIONS).find(([, number]) => number === version);
  return found?.[0] ?? `version 0x${version.toString(16).padStart(4, '0')}`;
}

/** A suite as IANA's registry numbers it, with its kind: `0xc030`, `0x0005 (rc4)`. */
export function suiteName(suite: number): string {
  const kind = Object.entries(SUITES).find(([, all]) => all.some((one) => one === suite))?.[0];
  const number = `0x${suite.toString(16).padStart(4, '0')}`;
  return kind === undefined ? number : `${number} (${KINDS.get(kind) ?? kind})`;
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['null', 'no encryption'],
  ['export', 'export'],
  ['des', 'DES'],
  ['rc4', 'RC4'],
  ['tripleDes', '64-bit blocks'],
  ['staticRsa', 'static RSA'],
  ['cbc', 'CBC'],
  ['dhe', 'DHE'],
  ['good', 'ECDHE, AES-GCM'],
  ['chacha', 'ECDHE, ChaCha20'],
  ['tls13', 'TLS 1.3'],
]);
