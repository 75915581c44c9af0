/** Authentication-Results (RFC 8601): what was found out about a message, written as one field. */

import { invariant } from '#base/failure.ts';
import { type FieldText, acceptField } from '#message/field-text.ts';
import { escapeComment, escapeProperty, escapeValue, foldField } from './escape.ts';

/** One method's result. Names come from us, values may come from anybody. */
export interface MethodResult {
  /** `spf`, `dkim`, `dmarc`, `arc`, `iprev`, `auth`. */
  readonly method: string;
  readonly result: string;
  /** Free text that machines may read. */
  readonly reason?: string | undefined;
  /** Free text for people. */
  readonly comment?: string | undefined;
  readonly properties: readonly Property[];
}

/** `smtp.mailfrom=value`. */
export interface Property {
  readonly type: 'smtp' | 'header' | 'body' | 'policy' | 'dns';
  readonly name: string;
  readonly value: string;
}

/** RFC 5321 4.1.2 `Keyword`. */
const KEYWORD = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?$/;

/**
 * The field, folded. Values are quoted unless they are plainly harmless, so that nothing in them
 * ends a value, a result or the field (espoofer A4); what does not print becomes `?`, what is long
 * is cut. Without results it says `none`.
 */
export function formatAuthenticationResults(
  authservId: string,
  results: readonly MethodResult[],
): FieldText {
  const id = escapeValue(authservId);
  const groups = results.length === 0 ? [[`${id};`, 'none']] : [[id], ...results.map(formatResult)];
  const whole = foldField('Authentication-Results', groups, ';');
  const field = acceptField(whole);
  invariant(field !== undefined, 'a field of escaped words is one field');
  return field;
}

function formatResult({ method, result, reason, comment, properties }: MethodResult): string[] {
  const names = [method, result, ...properties.map(({ name }) => name)];
  invariant(
    names.every((name) => KEYWORD.test(name)),
    `methods, results and properties are keywords: ${names.join(' ').slice(0, 80)}`,
  );
  const words = [`${method}=${result}`];
  if (comment !== undefined && comment !== '') words.push(escapeComment(comment));
  if (reason !== undefined && reason !== '') words.push(`reason=${escapeValue(reason)}`);
  for (const { type, name, value } of properties) {
    words.push(`${type}.${name}=${escapeProperty(value)}`);
  }
  return words;
}
