/** Received-SPF (RFC 7208 9.1): one SPF result with what is needed to check it again. */

import { invariant } from '#base/failure.ts';
import { type FieldText, acceptField } from '#message/field-text.ts';
import type { SpfOutcome } from '#trust/spf/outcome.ts';
import { escapeComment, foldField, quote } from './escape.ts';

export interface SpfTrace {
  /** Our own name. */
  readonly receiver: string;
  readonly clientIp: string;
  /** The MAIL FROM address without brackets, empty for `<>`. */
  readonly envelopeFrom: string;
  readonly helo: string;
  /** Which of the two identities was checked. */
  readonly identity: 'mailfrom' | 'helo';
}

/** RFC 5322 3.2.3 `dot-atom`, of what is harmless in any reader. */
const DOT_ATOM = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** The field, folded; values of strangers are quoted, cut and made printable. */
export function formatReceivedSpf(outcome: SpfOutcome, trace: SpfTrace): FieldText {
  const { result, why, mechanism } = outcome;
  const broken = result === 'temperror' || result === 'permerror';
  const pairs: readonly (readonly [key: string, value: string])[] = [
    ['receiver', trace.receiver],
    ['identity', trace.identity],
    ['client-ip', trace.clientIp],
    ['envelope-from', trace.envelopeFrom],
    ['helo', trace.helo],
    ['mechanism', mechanism],
    ...(broken ? [['problem', why] as const] : []),
  ];
  const groups = pairs.map(([key, value]) => [`${key}=${dotAtom(value)}`]);
  const opening = [result, escapeComment(`${trace.receiver}: ${why}`)];
  const [first = [], ...others] = groups;
  // No semicolon stands between the comment and the first pair.
  const head = [...opening, ...first];
  const field = acceptField(foldField('Received-SPF', [head, ...others], ';'));
  invariant(field !== undefined, 'a field of escaped words is one field');
  return field;
}

function dotAtom(value: string): string {
  return DOT_ATOM.test(value) && value.length <= 250 ? value : quote(value);
}
