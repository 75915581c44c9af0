/** Kinds of plain values: durations, sizes, counts, words, names, paths. */

import * as v from 'valibot';
import { parseDomain } from '#base/domain.ts';
import { parseAddress } from '#base/address.ts';
import type { ValueType } from './declare.ts';

const MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const OCTETS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1_024,
  m: 1_048_576,
  g: 1_073_741_824,
  t: 1_099_511_627_776,
};

/** What a reader of text returns. */
export type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** Reads text by `parse`; what it returns as `{ problem }` becomes the message. */
export function textual<T>(
  form: string,
  parse: (text: string) => Parsed<T>,
): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.string((issue) => `must be text, ${form}, not ${shown(issue.input)}`),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      const result = parse(dataset.value);
      if ('value' in result) return result.value;
      addIssue({ message: result.problem });
      return NEVER;
    }),
  );
}

/** `5d`, `4h`, `30m`, `300s`, `250ms`: milliseconds. */
export function duration(least = '0s', most = '100d'): ValueType<number> {
  const form = `a duration such as "300s" or "5d" (ms, s, m, h, d, w) from ${least} to ${most}`;
  const schema = textual<number>(form, (text) => {
    const value = parseDuration(text);
    if (value === undefined) return { problem: `must be ${form}, not "${shortened(text)}"` };
    if (value < (parseDuration(least) ?? 0) || value > (parseDuration(most) ?? 0)) {
      return { problem: `must lie between ${least} and ${most}, not ${shortened(text)}` };
    }
    return { value };
  });
  return { name: 'duration', form, schema };
}

/** `50M`, `512K`, `1G`, or a number of octets. */
export function size(least = '0', most = '1T'): ValueType<number> {
  const form = `a size such as "50M" or "512K" (K, M, G, T of 1024) from ${least} to ${most}`;
  const schema = v.pipe(
    v.union([v.string(), v.number()], (issue) => `must be ${form}, not ${shown(issue.input)}`),
    v.rawTransform<string | number, number>(({ dataset, addIssue, NEVER }) => {
      const text = String(dataset.value);
      const value = parseSize(text);
      if (value !== undefined && value >= sizeOf(least) && value <= sizeOf(most)) return value;
      const rule = value === undefined ? form : `between ${least} and ${most}`;
      addIssue({ message: `must be ${rule}, not "${shortened(text)}"` });
      return NEVER;
    }),
  );
  return { name: 'size', form, schema };
}

/** A whole number. */
export function count(least: number, most: number): ValueType<number> {
  const form = `a whole number from ${least} to ${most}`;
  const problem = (issue: { readonly input: unknown }): string =>
    `must be ${form}, not ${shown(issue.input)}`;
  const schema = v.pipe(
    v.number(problem),
    v.integer(problem),
    v.minValue(least, problem),
    v.maxValue(most, problem),
  );
  return { name: 'number', form, schema };
}

/** true or false. */
export function yesNo(): ValueType<boolean> {
  const form = 'true or false';
  return {
    name: 'switch',
    form,
    schema: v.boolean((issue) => `must be ${form} without quotes, not ${shown(issue.input)}`),
  };
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  ...words: Words
): ValueType<Words[number]> {
  const form = `one of ${words.map((word) => `"${word}"`).join(', ')}`;
  const schema = v.picklist(words, (issue) => `must be ${form}, not ${shown(issue.input)}`);
  return { name: 'word', form, schema };
}

/** A list of values of one kind, at most `most` of them. */
export function list<T>(element: ValueType<T>, most = 1_000): ValueType<readonly T[]> {
  const form = `a list, each ${element.form}`;
  const schema = v.pipe(
    v.array(element.schema, (issue) => `must be ${form}, in [ ], not ${shown(issue.input)}`),
    v.maxLength(most, `has more than ${most} members`),
  );
  const many = element.name.endsWith('s') ? 'es' : 's';
  return { name: `list of ${element.name}${many}`, form, schema };
}

/** A table whose keys are names and whose values are of one kind. */
export function table<K extends string, T>(
  key: ValueType<K>,
  value: ValueType<T>,
  most = 10_000,
): ValueType<ReadonlyMap<K, T>> {
  const form = `a table: ${key.form} = ${value.form}`;
  const entries = v.pipe(
    v.custom<Record<string, unknown>>(
      isTable,
      (issue) => `must be ${form}, not ${shown(issue.input)}`,
    ),
    v.transform((given): Map<unknown, unknown> => new Map(Object.entries(given))),
  );
  const schema = v.pipe(
    entries,
    v.map(key.schema, value.schema),
    v.maxSize(most, `has more than ${most} entries`),
  );
  return { name: 'table', form, schema };
}

/** A fully qualified host or domain name, as A-labels in lower case. */
export function domainName(): ValueType<string> {
  const form = 'a domain name such as "mail.example.org"';
  const schema = textual<string>(form, (text) => {
    const value = parseDomain(text);
    if (value === undefined) return { problem: `must be ${form}, not "${shortened(text)}"` };
    if (!value.includes('.')) {
      return { problem: `must be a full name with a dot, not "${shortened(text)}"` };
    }
    return { value: value as string };
  });
  return { name: 'domain name', form, schema };
}

/** A mailbox address. */
export function mailAddress(): ValueType<string> {
  const form = 'an address such as "postmaster@example.org"';
  const schema = textual<string>(form, (text) =>
    parseAddress(text) === undefined
      ? { problem: `must be ${form}, not "${shortened(text)}"` }
      : { value: text },
  );
  return { name: 'address', form, schema };
}

/** A text value that may be empty, which means that there is none. */
export function optional<T>(type: ValueType<T>): ValueType<T | undefined> {
  const form = `${type.form}, or empty`;
  const none = v.pipe(
    v.literal(''),
    v.transform((): undefined => undefined),
  );
  // Which of the two it must be is decided here, so that the other one's complaint is not heard.
  const schema = v.lazy((given): v.GenericSchema<unknown, T | undefined> => {
    return given === '' ? none : type.schema;
  });
  return { name: type.name, form, schema };
}

/** A file or directory; relative ones are taken from the configuration file's directory. */
export function path(): ValueType<string> {
  const form = 'a path such as "/etc/postern/key.pem"';
  const schema = textual<string>(form, (text) =>
    text.includes('\0') || text.length > 4_096
      ? { problem: 'is no path: it has a NUL or more than 4096 characters' }
      : { value: text },
  );
  return { name: 'path', form, schema };
}

/** Text of another form, checked by a regular expression without backtracking. */
export function text(name: string, form: string, pattern: RegExp): ValueType<string> {
  const schema = textual<string>(form, (given) =>
    pattern.test(given)
      ? { value: given }
      : { problem: `must be ${form}, not "${shortened(given)}"` },
  );
  return { name, form, schema };
}

/** A range of addresses as text; the policy says which ones are too wide to be trusted. */
export function networkText(): ValueType<string> {
  return text(
    'network',
    'a network such as "192.0.2.0/24" or "[2001:db8::]/32"',
    /^!?\[?[0-9a-fA-F:.]{2,45}\]?(?:\/\d{1,3})?$/,
  );
}

/** `5d` to milliseconds, or undefined. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  const unit = MS[match?.[2] ?? ''];
  return match?.[1] === undefined || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** `50M` to octets, or undefined. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15})([kmgt]?)b?$/i.exec(text);
  const unit = OCTETS[(match?.[2] ?? '').toLowerCase()];
  if (match?.[1] === undefined || unit === undefined) return undefined;
  const value = Number(match[1]) * unit;
  return Number.isSafeInteger(value) ? value : undefined;
}

function sizeOf(text: string): number {
  return parseSize(text) ?? 0;
}

/** A value as it may stand in an error message: short, one line. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${shortened(value)}"`;
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' && value !== null ? 'a table' : String(value);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function isTable(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    Object.getPrototypeOf(value) !== Date.prototype
  );
}
