/** Recipients that a probe may name: nobody's, the target's own, or our canary; proved by a type. */

import { Failure } from '#base/failure.ts';
import { parseIp } from '#base/ip.ts';
import { isWithin, plainName } from '#trust/names.ts';

export interface KnownNames {
  /** Names of the target: as asked for, its domains, and as it calls itself. */
  readonly own: readonly string[];
  /** Its addresses, for address literals. */
  readonly addresses: readonly string[];
  /** The domain whose mail our canary receives. */
  readonly canary: string | undefined;
}

/** A recipient no third party stands behind: only `Recipients` makes one. */
export class SafeRecipient {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** The path without angle brackets, any syntax; a permanent Failure `third-party` otherwise. */
  static of(text: string, names: KnownNames): SafeRecipient {
    const foreign = foreignHost(text, names);
    if (foreign === undefined) return new SafeRecipient(text);
    throw Failure.permanent('third-party', `a probe must not address ${foreign}`);
  }

  /** As it stands between the angle brackets. */
  get text(): string {
    return this.#text;
  }
}

/** Domains that can belong to nobody (RFC 2606 2, RFC 6761 6). */
const NOBODYS = ['invalid', 'test', 'example', 'localhost'];

/** Makes recipients for one target. */
export class Recipients {
  readonly #names: KnownNames;

  constructor(names: KnownNames) {
    this.#names = names;
  }

  /** Names of the target, the domain it was asked for first. */
  get own(): readonly string[] {
    return this.#names.own;
  }

  get canaryDomain(): string | undefined {
    return this.#names.canary;
  }

  /** Somebody at a domain that cannot exist: `nobody@a1b2.invalid`. */
  foreign(local: string, label: string, top: 'invalid' | 'test' | 'example' = 'invalid') {
    return this.form(`${local}@${label}.${top}`);
  }

  /** A mailbox at the target. */
  here(local: string, domain: string): SafeRecipient {
    return this.form(`${local}@${domain}`);
  }

  /** A mailbox at our canary; undefined without one. */
  canary(local: string): SafeRecipient | undefined {
    const { canary } = this.#names;
    return canary === undefined ? undefined : this.form(`${local}@${canary}`);
  }

  /** Any text that would stand between `<` and `>`; fails with `third-party`. */
  form(text: string): SafeRecipient {
    return SafeRecipient.of(text, this.#names);
  }

  /** Whether a line of SMTP names nobody else as recipient; the guard asks for every line. */
  allowsLine(line: string): boolean {
    const at = /rcpt[\s\0]{1,16}to/i.exec(line);
    if (at === null) return true;
    return foreignHost(line.slice(at.index + at[0].length), this.#names) === undefined;
  }
}

/**
 * The first host in a path that is neither nobody's nor the target's nor the canary's. Hosts are
 * what routes in any dialect: behind `@` or `%`, before `!`; full-width signs count as plain.
 */
function foreignHost(path: string, names: KnownNames): string | undefined {
  const plain = wide(path).normalize('NFKC').replaceAll('\u3002', '.');
  const literals = [...plain.matchAll(LITERAL)].map(([, inner = '']) => inner);
  const other = literals.find((inner) => !isOwnLiteral(inner, names));
  if (other !== undefined) return other;
  const text = plain.replace(LITERAL, 'literal');
  const parts = text.split(/([@%!])|[\s<>()"',;:\\\0]/).filter((part) => part !== undefined);
  for (const [index, part] of parts.entries()) {
    if (part !== '@' && part !== '%' && part !== '!') continue;
    const host = part === '!' ? parts[index - 1] : parts[index + 1];
    if (host !== undefined && !isAllowed(host, names)) return host;
  }
  return undefined;
}

/** The line came as one character an octet: read UTF-8 again where it is that. */
function wide(path: string): string {
  if (!/[\x80-\xff]/.test(path) || /[^\x00-\xff]/.test(path)) return path;
  return Buffer.from(path, 'latin1').toString('utf8');
}

const LITERAL = /\[([^\][\s]{0,80})\]/g;

function isAllowed(host: string, names: KnownNames): boolean {
  const name = plainName(host);
  if (parseIp(name) !== undefined) return isOwnAddress(name, names);
  // A single label is no name of the public DNS (RFC 5321 2.3.5).
  if (!name.includes('.')) return true;
  if (NOBODYS.some((top) => isWithin(name, top))) return true;
  if (names.canary !== undefined && isWithin(name, plainName(names.canary))) return true;
  return names.own.some((own) => isWithin(name, plainName(own)) || isWithin(plainName(own), name));
}

function isOwnLiteral(inner: string, names: KnownNames): boolean {
  const ip = parseIp(inner.replace(/^ipv6:/i, ''));
  return ip !== undefined && isOwnAddress(ip.text, names);
}

/** The target's, this machine's, and those of documentation, which nobody has (RFC 5737, RFC 3849). */
function isOwnAddress(address: string, names: KnownNames): boolean {
  if (names.addresses.includes(address)) return true;
  if (address === '::1' || address.startsWith('2001:db8:')) return true;
  return /^(?:127\.|192\.0\.2\.|198\.51\.100\.)/.test(address);
}
