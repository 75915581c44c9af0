/** Signs messages (RFC 6376 5): relaxed/relaxed, with the names that nobody may add oversigned. */

import { type KeyObject, createHash, sign } from 'node:crypto';
import type { Domain } from '#base/brand.ts';
import { fromLatin1 } from '#base/bytes.ts';
import { invariant } from '#base/failure.ts';
import { type FieldText, acceptField } from '#message/field-text.ts';
import { type BodyDigests, type BodyWant, bodyKey } from './body.ts';
import { type SignedHead, relaxField } from './header.ts';
import type { Algorithm } from './signature.ts';

/** A private key and where its public half is published. */
export interface SigningKey {
  readonly domain: Domain;
  readonly selector: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

export interface SignOptions {
  readonly atMs: number;
  /** How long the signature is good for; undefined: for ever. */
  readonly lifeSeconds?: number | undefined;
  /** `i=`, where it matters; its domain is the key's or one below it. */
  readonly identity?: string | undefined;
  /** Names of `h=` as they are, instead of the usual ones. */
  readonly fields?: readonly string[] | undefined;
}

/** What the body must be hashed for before `signMessage`. */
export const SIGNING_WANT: BodyWant = { canon: 'relaxed', lengthBytes: undefined };

/**
 * Signed once more than they are there: one that is added later breaks the signature, or a
 * second From would be shown and the first one verified.
 */
const OVERSIGNED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
  'In-Reply-To',
  'References',
];

/** Signed when they are there (RFC 6376 5.4.1; RFC 8058 4 for the one-click fields). */
const SIGNED = [
  'Sender',
  'Resent-From',
  'Resent-To',
  'Resent-Cc',
  'Resent-Date',
  'Resent-Message-ID',
  'List-Id',
  'List-Help',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'List-Subscribe',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Auto-Submitted',
];

/** Fields of one name that are signed: the lowest, which verifiers take first. */
const SAME_NAME = 20;
const COLUMNS = 76;
const TAG_VALUE = /^[\x21-\x3a\x3c-\x7e]*$/;

/**
 * A DKIM-Signature field, to be put in front of the head it was made for; nothing that it covers
 * may change after it. The same arguments give the same octets.
 */
export function signMessage(
  head: SignedHead,
  body: BodyDigests,
  key: SigningKey,
  options: SignOptions,
): FieldText {
  const { atMs, lifeSeconds, identity } = options;
  const seconds = Math.floor(atMs / 1_000);
  const fields = options.fields ?? fieldsToSign(head);
  const tags: [name: string, value: string][] = [
    ['v', '1'],
    ['a', key.algorithm],
    ['c', 'relaxed/relaxed'],
    ['d', key.domain],
    ['s', key.selector],
    ['t', String(seconds)],
  ];
  if (lifeSeconds !== undefined) tags.push(['x', String(seconds + lifeSeconds)]);
  if (identity !== undefined) tags.push(['i', identity]);
  tags.push(['h', fields.join(':')], ['bh', bodyHashText(body)], ['b', '']);
  return signTags('DKIM-Signature', tags, head.covered(fields, 'relaxed'), key);
}

/** The names for `h=`: usual fields as often as they are there, the important ones once more. */
export function fieldsToSign(head: SignedHead, more: readonly string[] = []): readonly string[] {
  const times = (name: string) => Math.min(head.named(name.toLowerCase()).length, SAME_NAME);
  return [
    ...OVERSIGNED.flatMap((name) => Array<string>(times(name) + 1).fill(name)),
    ...[...SIGNED, ...more].flatMap((name) => Array<string>(times(name)).fill(name)),
  ];
}

/** `bh=` for a body hashed as `SIGNING_WANT`. */
export function bodyHashText(body: BodyDigests): string {
  const digest = body.digests.get(bodyKey(SIGNING_WANT));
  invariant(digest !== undefined, 'the body was hashed for signing');
  return Buffer.from(digest).toString('base64');
}

/**
 * Writes a field from tags, of which `b` is empty, and fills in the signature over `before` and
 * the field itself (RFC 6376 3.7); `fold` breaks the signature into lines. A value that does not
 * fit in a field is a bug.
 */
export function signTags(
  name: string,
  tags: readonly (readonly [name: string, value: string])[],
  before: string,
  key: SigningKey,
  fold = true,
): FieldText {
  invariant(
    tags.every(([, value]) => TAG_VALUE.test(value)),
    'tag values have no blanks and semicolons',
  );
  const text = writeTags(name, tags);
  const mark = text.indexOf(' b=') + 3;
  const data = before + relaxField(name.toLowerCase(), text.slice(name.length + 1));
  const signed = signOctets(key, data);
  const signature = fold ? foldBase64(signed) : signed;
  const field = acceptField(`${text.slice(0, mark)}${signature}${text.slice(mark)}`);
  invariant(field !== undefined, 'a signature is one field');
  return field;
}

function signOctets({ key, algorithm }: SigningKey, data: string): string {
  const octets = fromLatin1(data);
  if (algorithm === 'rsa-sha256') return sign('sha256', octets, key).toString('base64');
  return sign(null, createHash('sha256').update(octets).digest(), key).toString('base64');
}

/** Tags with folds between them, and inside `h=` at its colons. */
function writeTags(name: string, tags: readonly (readonly [string, string])[]): string {
  let text = `${name}:`;
  let column = text.length;
  const put = (piece: string, space: string) => {
    const full = column + space.length + piece.length > COLUMNS && column > name.length + 1;
    const fold = full || piece.startsWith('b=');
    text += fold ? `\r\n ${piece}` : space + piece;
    column = fold ? 1 + piece.length : column + space.length + piece.length;
  };
  for (const [at, [tag, value]] of tags.entries()) {
    const end = at === tags.length - 1 ? '' : ';';
    const items = tag === 'h' ? value.split(':') : [value];
    for (const [nth, item] of items.entries()) {
      const tail = nth === items.length - 1 ? end : ':';
      put(`${nth === 0 ? `${tag}=` : ''}${item}${tail}`, nth === 0 ? ' ' : '');
    }
  }
  return text;
}

/** What follows `b=` on a line of its own; white space in there is not signed. */
function foldBase64(text: string): string {
  return (`b=${text}`.match(/.{1,72}/g) ?? []).join('\r\n ').slice(2);
}
