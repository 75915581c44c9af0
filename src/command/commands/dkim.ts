/** `postern dkim`: the keys that mail is signed with, and the records that publish them. */

import type { Domain } from '#base/brand.ts';
import { parseDomain } from '#base/domain.ts';
import type { SigningKey } from '#trust/dkim/sign.ts';
import type { Command, Context } from '../command.ts';
import { answer, argument, option, withStore } from '../command.ts';
import type { StoredKey } from '../dkim/key-files.ts';
import { CommandError, EXIT } from '../exit.ts';
import { columns } from '../io.ts';
import { namedDomain, noSuchDomain } from '../subjects.ts';

const DOMAIN = { name: 'domain', summary: 'a domain of this server, or its own name' };
const SELECTOR = { name: 'selector', summary: 'a key, as `postern dkim list` shows it' };
const FORCE = { flags: '--force', summary: 'without looking whether the record is published' };
const ZONE = { flags: '--zone', summary: 'print lines for a zone file' };

export const dkim: Command = {
  name: 'dkim',
  summary: 'make, list, rotate and retire the keys that mail is signed with',
  commands: [
    {
      name: 'create',
      summary: 'make the first key of a domain, and print the record to publish',
      details:
        'Make the first key of a domain and print the DNS record to publish. Mail is signed with ' +
        'it at once. RSA of 2048 bits unless told otherwise; large receivers still report ' +
        'ed25519 signatures as failures, so that is for beside an RSA key.',
      arguments: [DOMAIN],
      options: [
        { flags: '--algorithm <name>', summary: 'rsa (the default) or ed25519' },
        { flags: '--bits <count>', summary: 'of an RSA key: 2048 (the default) to 4096' },
        { flags: '--selector <name>', summary: 'the name of the key in the DNS' },
        ZONE,
      ],
      run: create,
    },
    {
      name: 'list',
      summary: 'list keys and their states',
      arguments: [{ ...DOMAIN, optional: true }],
      run: list,
    },
    {
      name: 'rotate',
      summary: 'replace the keys of a domain, in two steps',
      details:
        'Replace the keys of a domain. The first call makes new keys and prints their records; ' +
        'once these are published, the second call lets the new keys sign and retires the old.',
      arguments: [DOMAIN],
      options: [FORCE, ZONE],
      run: rotate,
    },
    {
      name: 'retire',
      summary: 'sign with a key no more; a second time: forget it',
      details:
        'Sign with a key no more: its private half is deleted, its record stays in the DNS for ' +
        'mail that is still on its way. Retire it once more to forget it.',
      arguments: [DOMAIN, SELECTOR],
      run: retire,
    },
    {
      name: 'record',
      summary: 'print the DNS records that publish the keys of a domain',
      arguments: [DOMAIN],
      options: [ZONE],
      run: record,
    },
  ],
};

async function create(context: Context): Promise<void> {
  const { algorithm, bits } = kindOf(context);
  const { listKeys, writeKey, fitsFile } = await import('../dkim/key-files.ts');
  const { freeSelector, newKey } = await import('../dkim/steps.ts');
  const domain = await ownDomain(context);
  const directory = await context.dataDirectory();
  const keys = listKeys(directory, domain);
  const busy = keys.find((key) => key.algorithm === algorithm && key.state !== 'retired');
  if (busy !== undefined) {
    const cause = `${domain} has the key ${busy.selector} already`;
    throw new CommandError(EXIT.cannotCreate, cause, `See \`postern dkim rotate ${domain}\`.`);
  }
  const nowMs = context.now();
  const taken = keys.map((key) => key.selector);
  const selector = option(context, 'selector') ?? freeSelector(taken, algorithm, nowMs);
  const name = parseDomain(`${selector}.x`)?.slice(0, -2);
  if (name === undefined || name.includes('.') || !fitsFile({ domain, selector: name })) {
    const cure = 'Write letters, digits and hyphens, such as mail2026.';
    throw new CommandError(EXIT.data, `"${selector}" is no selector`, cure);
  }
  if (taken.includes(name)) {
    throw new CommandError(EXIT.cannotCreate, `${domain} has had a key ${name}`, 'Name another.');
  }
  const key = await newKey(domain, name, { algorithm, bits, state: 'signing', nowMs });
  writeKey(directory, key);
  await tellRecords(context, [key], `mail from ${domain} is signed from now on; publish:\n`);
}

async function list(context: Context): Promise<void> {
  const { listKeys } = await import('../dkim/key-files.ts');
  const { RETIRED_MS } = await import('../dkim/steps.ts');
  const text = context.given.get('domain');
  const domain = text === undefined ? undefined : namedDomain(text);
  const keys = listKeys(await context.dataDirectory(), domain);
  const until = (key: StoredKey): string =>
    new Date(key.changedMs + RETIRED_MS).toISOString().slice(0, 10);
  const words = (key: StoredKey): string => {
    if (key.state === 'signing') return 'signs';
    if (key.state === 'waiting') return 'waits for its record and `postern dkim rotate`';
    return `retired; keep its record until ${until(key)}`;
  };
  answer(
    context,
    keys.map((key) => ({
      domain: key.domain,
      selector: key.selector,
      algorithm: key.algorithm,
      state: key.state,
      created: new Date(key.createdMs).toISOString(),
      recordUntil: key.state === 'retired' ? until(key) : null,
    })),
    () =>
      keys.length === 0
        ? 'there is no key: mail is not signed\n'
        : columns(keys.map((key) => [key.domain, key.selector, key.algorithm, words(key)])),
  );
}

async function rotate(context: Context): Promise<void> {
  const { listKeys } = await import('../dkim/key-files.ts');
  const domain = await ownDomain(context);
  const keys = listKeys(await context.dataDirectory(), domain);
  const waiting = keys.filter(({ state }) => state === 'waiting');
  if (waiting.length > 0) await finishRotation(context, keys, waiting);
  else await beginRotation(context, domain, keys);
}

async function beginRotation(
  context: Context,
  domain: Domain,
  keys: readonly StoredKey[],
): Promise<void> {
  const { writeKey } = await import('../dkim/key-files.ts');
  const { freeSelector, newKey } = await import('../dkim/steps.ts');
  const { createPrivateKey } = await import('node:crypto');
  const signing = keys.filter(({ state }) => state === 'signing');
  if (signing.length === 0) {
    const cure = `Make one: \`postern dkim create ${domain}\`.`;
    throw new CommandError(EXIT.data, `${domain} has no key to rotate`, cure);
  }
  const nowMs = context.now();
  const taken = keys.map(({ selector }) => selector);
  const made: StoredKey[] = [];
  for (const { algorithm, pem } of signing) {
    const old = pem === undefined ? undefined : createPrivateKey(pem.reveal());
    const bits = Math.max(old?.asymmetricKeyDetails?.modulusLength ?? 0, RSA_BITS);
    const selector = freeSelector(taken, algorithm, nowMs);
    taken.push(selector);
    made.push(await newKey(domain, selector, { algorithm, bits, state: 'waiting', nowMs }));
  }
  const directory = await context.dataDirectory();
  for (const key of made) writeKey(directory, key);
  const next = `then run \`postern dkim rotate ${domain}\` again:\n`;
  await tellRecords(context, made, `the old keys go on signing; publish this, ${next}`);
}

async function finishRotation(
  context: Context,
  keys: readonly StoredKey[],
  waiting: readonly StoredKey[],
): Promise<void> {
  const { writeKey } = await import('../dkim/key-files.ts');
  const { inState } = await import('../dkim/steps.ts');
  if (!context.options.has('force')) await published(context, waiting);
  const directory = await context.dataDirectory();
  const nowMs = context.now();
  const renewed = new Set(waiting.map(({ algorithm }) => algorithm));
  const old = keys.filter(({ state, algorithm }) => state === 'signing' && renewed.has(algorithm));
  // The new ones first: no mail leaves without a signature in between.
  for (const key of waiting) writeKey(directory, inState(key, 'signing', nowMs));
  for (const key of old) writeKey(directory, inState(key, 'retired', nowMs));
  answer(context, { signing: names(waiting), retired: names(old) }, () => {
    const kept = `the records of ${names(old).join(', ')} must stay published for a week`;
    return `${names(waiting).join(', ')} signs from now on; ${kept}\n`;
  });
}

function names(keys: readonly StoredKey[]): readonly string[] {
  return keys.map(({ selector }) => selector);
}

/** Asks the name servers of the settings. */
async function published(context: Context, waiting: readonly StoredKey[]): Promise<void> {
  const { systemResolver } = await import('../serve/world.ts');
  const { notPublished } = await import('../dkim/steps.ts');
  const { keyName } = await import('#trust/dkim/keys.ts');
  const resolver = systemResolver(await context.settings());
  for (const key of waiting) {
    const why = notPublished(key, await resolver.txt(keyName(key)));
    if (why === undefined) continue;
    const cure = `See \`postern dkim record ${key.domain}\`; --force does not look.`;
    throw new CommandError(EXIT.unavailable, why, cure);
  }
}

async function retire(context: Context): Promise<void> {
  const { listKeys, removeKey, writeKey } = await import('../dkim/key-files.ts');
  const { inState } = await import('../dkim/steps.ts');
  const domain = namedDomain(argument(context, 'domain'));
  const selector = argument(context, 'selector');
  const directory = await context.dataDirectory();
  const keys = listKeys(directory, domain);
  const key = keys.find((one) => one.selector === selector);
  if (key === undefined) {
    const cure = `See \`postern dkim list ${domain}\`.`;
    throw new CommandError(EXIT.data, `${domain} has no key "${selector}"`, cure);
  }
  if (key.state === 'retired') {
    removeKey(directory, key);
    answer(context, { forgotten: selector }, () => `${selector} is forgotten\n`);
    return;
  }
  writeKey(directory, inState(key, 'retired', context.now()));
  const rest = keys.some((one) => one.state === 'signing' && one !== key);
  if (!rest) context.io.warn(`postern: mail from ${domain} is not signed any more.\n`);
  answer(context, { retired: selector }, () => {
    return `${selector} signs no more; its record must stay published for a week\n`;
  });
}

async function record(context: Context): Promise<void> {
  const { listKeys } = await import('../dkim/key-files.ts');
  const domain = namedDomain(argument(context, 'domain'));
  const keys = listKeys(await context.dataDirectory(), domain);
  if (keys.length === 0) {
    const cure = `Make one: \`postern dkim create ${domain}\`.`;
    throw new CommandError(EXIT.data, `${domain} has no key`, cure);
  }
  await tellRecords(context, keys, '');
}

/** As a table, as lines of a zone, or as JSON. */
async function tellRecords(
  context: Context,
  keys: readonly StoredKey[],
  opening: string,
): Promise<void> {
  const { recordOf } = await import('../dkim/steps.ts');
  const records = keys.map((key) => ({ ...recordOf(key), state: key.state }));
  answer(context, records, () => {
    if (context.options.has('zone')) return records.map(({ zone }) => `${zone}\n`).join('');
    return opening + columns(records.map(({ name, type, value }) => [name, type, value]));
  });
}

/** A local domain, or the name of this host, which notices are from. */
async function ownDomain(context: Context): Promise<Domain> {
  const domain = namedDomain(argument(context, 'domain'));
  const { myhostname } = await context.settings();
  if (domain === parseDomain(myhostname)) return domain;
  return withStore(context, async ({ directory }) => {
    if (directory.domain(domain) !== undefined) return domain;
    throw noSuchDomain(directory, domain);
  });
}

const RSA_BITS = 2_048;

function kindOf(context: Context): { algorithm: SigningKey['algorithm']; bits: number } {
  const name = option(context, 'algorithm') ?? 'rsa';
  const bits = option(context, 'bits');
  if (name !== 'rsa' && name !== 'ed25519') {
    throw new CommandError(EXIT.usage, `--algorithm ${name}: must be rsa or ed25519`);
  }
  const known = bits === undefined || ['2048', '3072', '4096'].includes(bits);
  if (!known || (bits !== undefined && name !== 'rsa')) {
    throw new CommandError(EXIT.usage, `--bits ${bits}: must be 2048, 3072 or 4096, of an RSA key`);
  }
  return { algorithm: `${name}-sha256`, bits: bits === undefined ? RSA_BITS : Number(bits) };
}
