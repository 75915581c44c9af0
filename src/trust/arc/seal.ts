/** Seals a message that is passed on (RFC 8617 5.1): one more ARC set over what was seen. */

import { type FieldText, formatStructured } from '#message/field-text.ts';
import type { BodyDigests } from '#trust/dkim/body.ts';
import { type SignedHead, relaxField } from '#trust/dkim/header.ts';
import {
  type SignOptions,
  type SigningKey,
  bodyHashText,
  fieldsToSign,
  signTags,
} from '#trust/dkim/sign.ts';
import { INSTANCES, readArcSets } from './sets.ts';
import type { ArcReport } from './verify.ts';

export interface SealOptions extends Pick<SignOptions, 'atMs' | 'fields'> {
  /**
   * `folded`, the default, has the instance first as RFC 8617 4.1 wants it; `sorted` has the tags
   * by name and `b=` in one piece: the form in which the working group's suite compares octets.
   */
  readonly layout?: 'folded' | 'sorted';
}

/**
 * The fields to put in front, top to bottom: ARC-Seal, ARC-Message-Signature and
 * ARC-Authentication-Results; or undefined where nobody may seal: after `cv=fail`, after 50 sets,
 * and where only a DNS answer was missing, for `cv=fail` would end the chain for ever.
 *
 * `report` is what this host found when the message came in; `results` is the text of its
 * Authentication-Results, authserv-id first. `head` and `body` are the message as it leaves.
 */
export function sealMessage(
  head: SignedHead,
  body: BodyDigests,
  report: ArcReport,
  results: string,
  key: SigningKey,
  options: SealOptions,
): readonly FieldText[] | undefined {
  const { highest, sealedFail } = report.chain;
  if (sealedFail || report.temporary || highest >= INSTANCES) return undefined;
  const instance = String(highest + 1);
  const seconds = String(Math.floor(options.atMs / 1_000));
  const sorted = options.layout === 'sorted';
  const arrange = (tags: readonly Tag[]) =>
    sorted ? tags.toSorted(([a], [b]) => (a < b ? -1 : 1)) : tags;
  const fields = options.fields ?? fieldsToSign(head, ['DKIM-Signature']);
  const origin: readonly Tag[] = [
    ['i', instance],
    ['a', key.algorithm],
    ['d', key.domain],
    ['s', key.selector],
    ['t', seconds],
  ];
  const found = formatStructured('ARC-Authentication-Results', `i=${instance}; ${results}`, {
    utf8: true,
  });
  const messageTags = arrange([
    ...origin,
    ['c', 'relaxed/relaxed'],
    ['h', fields.join(':')],
    ['bh', bodyHashText(body)],
    ['b', ''],
  ]);
  const covered = head.covered(fields, 'relaxed');
  const message = signTags('ARC-Message-Signature', messageTags, covered, key, !sorted);
  const before = earlierSets(head, report) + relaxWhole(found) + relaxWhole(message);
  const sealTags = arrange([...origin, ['cv', report.status], ['b', '']]);
  const seal = signTags('ARC-Seal', sealTags, before, key, !sorted);
  return [seal, message, found];
}

type Tag = readonly [name: string, value: string];

/** RFC 8617 5.1.1; a seal with `cv=fail` is over its own set alone (5.1.2). */
function earlierSets(head: SignedHead, report: ArcReport): string {
  if (report.status !== 'pass') return '';
  const sets = readArcSets(head);
  if (sets.kind !== 'chain') return '';
  return sets.sets
    .flatMap((set) => [set.results, set.message, set.seal])
    .map((field) => head.canonical(field, 'relaxed'))
    .join('');
}

function relaxWhole(field: FieldText): string {
  const colon = field.indexOf(':');
  const octets = Buffer.from(field.slice(colon + 1)).toString('latin1');
  return `${relaxField(field.slice(0, colon).toLowerCase(), octets.replace(/\r\n$/, ''))}\r\n`;
}
