/** Who may be audited: our own networks, who authorised it in words, or a domain that says so in the DNS. */

import type { Resolver } from '#base/world.ts';
import { inNetwork, type IpAddress, parseIp } from '#base/ip.ts';
import { parentName, plainName } from '#trust/names.ts';
import { allows, type Level, LEVELS } from '../check.ts';

/** On what ground a run is allowed; it stands in the report. */
export type PermitGround =
  | { readonly kind: 'own-network' }
  | { readonly kind: 'authorised'; readonly by: string }
  | { readonly kind: 'published'; readonly name: string; readonly record: string };

export type Permission =
  | { readonly kind: 'permitted'; readonly permit: AuditPermit }
  | { readonly kind: 'refused'; readonly why: string };

export interface PermissionQuestion {
  /** The name that the addresses belong to; what the DNS is asked about. */
  readonly host: string;
  /** All that would be connected to. */
  readonly addresses: readonly string[];
  readonly level: Level;
  /** `--authorised-by`: name and reference, as a person gave them. */
  readonly authorisedBy: string | undefined;
  /** Milliseconds since 1970, for the end of a published permission. */
  readonly now: number;
}

/** Proof that these addresses may be audited up to a level: only `permission` makes one. */
export class AuditPermit {
  readonly #addresses: ReadonlySet<string>;
  readonly ground: PermitGround;
  readonly level: Level;

  private constructor(addresses: readonly string[], ground: PermitGround, level: Level) {
    this.#addresses = new Set(addresses);
    this.ground = ground;
    this.level = level;
  }

  /** Decides; the refusal says what would help. A DNS that fails is no permission. */
  static async ask(question: PermissionQuestion, resolver: Resolver): Promise<Permission> {
    const { addresses, level, authorisedBy } = question;
    const permitted = (ground: PermitGround): Permission => ({
      kind: 'permitted',
      permit: new AuditPermit(addresses, ground, level),
    });
    if (addresses.length > 0 && addresses.every(isOwnNetwork)) {
      return permitted({ kind: 'own-network' });
    }
    if (authorisedBy !== undefined) {
      if (isNamed(authorisedBy)) return permitted({ kind: 'authorised', by: authorisedBy.trim() });
      return refused('--authorised-by needs a name and a reference: "Jane Doe, contract 12"');
    }
    const published = await publishedAt(question, resolver);
    if (published !== undefined) return permitted(published);
    const name = `${TOKEN_LABEL}.${plainName(question.host)}`;
    return refused(
      `${question.host} is neither loopback nor private: give --authorised-by "name, reference", ` +
        `or publish TXT ${name} "${TOKEN}; level=${level}"`,
    );
  }

  /** Whether this address may be connected to. */
  covers(address: string): boolean {
    return this.#addresses.has(address);
  }
}

const TOKEN_LABEL = '_mailaudit';
const TOKEN = 'v=mailaudit1';
const MOST_PARENTS = 4;

/**
 * Loopback, private use and link-local (RFC 1122 3.2.1.3, RFC 1918, RFC 3927, RFC 4193, RFC 4291);
 * not the shared addresses of RFC 6598, behind which others live as well.
 */
const OWN: readonly { readonly network: IpAddress; readonly bits: number }[] = [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
].flatMap(([text, bits]) => {
  const network = parseIp(String(text));
  return network === undefined ? [] : [{ network, bits: Number(bits) }];
});

/** Whether an address is loopback or of private use: nobody else's. */
export function isOwnNetwork(address: string): boolean {
  const ip = parseIp(address);
  return ip !== undefined && isWithinOwnNetwork(ip, ip.octets.length * 8);
}

/** The same of all addresses that begin with the first `bits` bits of this one. */
export function isWithinOwnNetwork(first: IpAddress, bits: number): boolean {
  return OWN.some((own) => bits >= own.bits && inNetwork(first, own.network, own.bits));
}

/** A name of at least two letters, a comma, something to look it up by. */
function isNamed(text: string): boolean {
  const comma = text.indexOf(',');
  if (comma < 0 || text.length > 200) return false;
  return text.slice(0, comma).trim().length > 1 && text.slice(comma + 1).trim() !== '';
}

/**
 * The record at the name itself or one of those above it that still have two labels. The name is
 * the MX host's, never that of the domain that points to it: whoever points at somebody else's
 * server must not be able to permit anything there.
 */
async function publishedAt(
  { host, level, now }: PermissionQuestion,
  resolver: Resolver,
): Promise<PermitGround | undefined> {
  let name: string | undefined = plainName(host);
  for (let up = 0; up < MOST_PARENTS && name?.includes('.') === true; up++) {
    if (parseIp(name) !== undefined) return undefined;
    const asked = `${TOKEN_LABEL}.${name}`;
    const answer = await resolver.txt(asked);
    const records = answer.kind === 'found' ? answer.records : [];
    const record = records.find((text) => permits(text, level, now));
    if (record !== undefined) return { kind: 'published', name: asked, record };
    name = parentName(name);
  }
  return undefined;
}

/** `v=mailaudit1; level=active; until=2027-01-31`: level is `safe` if not said, no end likewise. */
function permits(record: string, level: Level, now: number): boolean {
  const [version, ...fields] = record.split(';').map((field) => field.trim());
  if (version !== TOKEN) return false;
  const values = new Map(
    fields.map((field): [string, string] => {
      const [name = '', value = ''] = field.split('=', 2);
      return [name.trim().toLowerCase(), value.trim()];
    }),
  );
  const until = values.get('until');
  if (until !== undefined && !(Date.parse(`${until}T23:59:59Z`) >= now)) return false;
  const granted = LEVELS.find((one) => one === (values.get('level') ?? 'safe'));
  return granted !== undefined && allows(granted, level);
}

function refused(why: string): Permission {
  return { kind: 'refused', why };
}
