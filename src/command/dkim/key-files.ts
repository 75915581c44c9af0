/** Signing keys on disk: one file each below `dkim/` of the data directory, for the server's eyes. */

import { chownSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Domain } from '#base/brand.ts';
import { parseDomain } from '#base/domain.ts';
import { Secret } from '#base/secret.ts';
import { makeDirectory, syncDirectory } from '#engine/directories.ts';
import { keyName } from '#trust/dkim/keys.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import { CommandError, EXIT, isSystemError } from '../exit.ts';
import { writeWhole } from '../files.ts';

/** `waiting`: its record is to be published. `retired`: its record stays for mail on its way. */
export type KeyState = 'waiting' | 'signing' | 'retired';

export interface StoredKey {
  readonly domain: Domain;
  readonly selector: string;
  readonly algorithm: SigningKey['algorithm'];
  readonly state: KeyState;
  readonly createdMs: number;
  /** Since when it is in that state. */
  readonly changedMs: number;
  /** What is published. */
  readonly record: string;
  /** PKCS #8; undefined once it is retired: what is gone cannot leak. */
  readonly pem: Secret<string> | undefined;
}

const FOLDER = 'dkim';
const SUFFIX = '.json';
/** `selector._domainkey.domain`: the name under which the record is published. */
const FILE = /^([a-z0-9_-]{1,63})\._domainkey\.([a-z0-9._-]{1,180})\.json$/;
const KEYS = 10_000;
const FILE_BYTES = 65_536;
const STATES: ReadonlySet<unknown> = new Set(['waiting', 'signing', 'retired']);
const ALGORITHMS: ReadonlySet<unknown> = new Set(['rsa-sha256', 'ed25519-sha256']);

/** The directory of the keys, whether it exists or not. */
export function keyDirectory(dataDirectory: string): string {
  return join(dataDirectory, FOLDER);
}

/** All keys whose files are named as they should be, by domain, the oldest first. */
export function listKeys(dataDirectory: string, domain?: Domain): readonly StoredKey[] {
  const keys = keyFileNames(dataDirectory)
    .filter((one) => domain === undefined || one.domain === domain)
    .map((one) => readKey(dataDirectory, one));
  return keys.toSorted((a, b) => {
    if (a.domain !== b.domain) return a.domain < b.domain ? -1 : 1;
    return a.createdMs - b.createdMs || (a.selector < b.selector ? -1 : 1);
  });
}

/** Which keys there are, by the names of their files alone. */
export function keyFileNames(
  dataDirectory: string,
): readonly Pick<StoredKey, 'domain' | 'selector'>[] {
  return namesIn(keyDirectory(dataDirectory)).flatMap((name) => {
    const [, selector, host = ''] = FILE.exec(name) ?? [];
    const domain = parseDomain(host);
    return selector === undefined || domain === undefined ? [] : [{ domain, selector }];
  });
}

/** Reads one. Fails when it is damaged, or when others may read it. */
export function readKey(
  dataDirectory: string,
  name: Pick<StoredKey, 'domain' | 'selector'>,
): StoredKey {
  const file = fileOf(dataDirectory, name);
  const { mode, size } = statSync(file);
  if ((mode & 0o077) !== 0) {
    const cure = `Run chmod 600 ${file}; who may have read it can sign as ${name.domain}.`;
    throw new CommandError(EXIT.noPermission, `${file}: others may read this key`, cure);
  }
  const key = size > FILE_BYTES ? undefined : parseKey(readFileSync(file, 'utf8'), name);
  if (key !== undefined) return key;
  throw new CommandError(EXIT.data, `${file} is damaged`, 'Remove it, and make another key.');
}

/** Writes one, whole or not at all, mode 0600, owned like the directory it lies in. */
export function writeKey(dataDirectory: string, key: StoredKey): void {
  const { domain, selector, pem, ...rest } = key;
  const folder = keyDirectory(dataDirectory);
  makeDirectory(folder);
  const file = fileOf(dataDirectory, key);
  const value = { domain, selector, ...rest, pem: pem?.reveal() ?? null };
  writeWhole(file, `${JSON.stringify(value, undefined, 2)}\n`, 0o600);
  // The administrator is root, the server is not: it must be able to read what it signs with.
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(dataDirectory);
    for (const path of [folder, file]) chownSync(path, uid, gid);
  }
}

/** Forgets one for good. */
export function removeKey(
  dataDirectory: string,
  name: Pick<StoredKey, 'domain' | 'selector'>,
): void {
  rmSync(fileOf(dataDirectory, name));
  syncDirectory(keyDirectory(dataDirectory));
}

/** Whether a name fits into a file's name. */
export function fitsFile(name: Pick<StoredKey, 'domain' | 'selector'>): boolean {
  return FILE.test(`${keyName(name)}${SUFFIX}`);
}

function fileOf(dataDirectory: string, name: Pick<StoredKey, 'domain' | 'selector'>): string {
  return join(keyDirectory(dataDirectory), `${keyName(name)}${SUFFIX}`);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).slice(0, KEYS);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw error;
  }
}

function parseKey(
  text: string,
  { domain, selector }: Pick<StoredKey, 'domain' | 'selector'>,
): StoredKey | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [algorithm, state, createdMs, changedMs, record, pem] = [
    'algorithm',
    'state',
    'createdMs',
    'changedMs',
    'record',
    'pem',
  ].map((name) => fields.get(name));
  const sound =
    fields.get('domain') === domain &&
    fields.get('selector') === selector &&
    ALGORITHMS.has(algorithm) &&
    STATES.has(state) &&
    typeof createdMs === 'number' &&
    typeof changedMs === 'number' &&
    typeof record === 'string' &&
    (pem === null ? state === 'retired' : typeof pem === 'string');
  if (!sound) return undefined;
  return {
    domain,
    selector,
    algorithm: algorithm as StoredKey['algorithm'],
    state: state as KeyState,
    createdMs,
    changedMs,
    record,
    pem: typeof pem === 'string' ? new Secret(pem) : undefined,
  };
}
