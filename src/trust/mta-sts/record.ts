/** The TXT record at `_mta-sts`: whether a domain has a policy, and which version (RFC 8461 3.1). */

export type StsRecord =
  | { readonly kind: 'record'; readonly id: string }
  | { readonly kind: 'none' }
  /** As good as none; `why` is for the ledger and for reports. */
  | { readonly kind: 'invalid'; readonly why: string };

const VERSION = 'v=STSv1';
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
const VALUE = /^[\x21-\x3a\x3c\x3e-\x7e]+$/;
const ID = /^[A-Za-z0-9]{1,32}$/;

/** The name to ask for. */
export function stsRecordName(domain: string): string {
  return `_mta-sts.${domain}`;
}

/**
 * Reads the TXT records found there. Those that do not begin with `v=STSv1;` do not count; more
 * than one that does is none at all (RFC 8461 3.1).
 */
export function readStsRecords(texts: readonly string[]): StsRecord {
  const ours = texts.filter((text) => /^v=STSv1[ \t]*(?:;|$)/.test(text));
  const [text] = ours;
  if (text === undefined) return { kind: 'none' };
  if (ours.length > 1) return { kind: 'invalid', why: `${ours.length} MTA-STS records` };
  return readRecord(text);
}

function readRecord(text: string): StsRecord {
  const fields = text.slice(VERSION.length).split(';').map(trimmed);
  // The first piece lies before the first semicolon; one semicolon at the end is allowed.
  if (fields.at(-1) === '') fields.pop();
  if (fields.shift() !== '') return { kind: 'invalid', why: 'no fields behind the version' };
  let id: string | undefined;
  for (const field of fields) {
    const equals = field.indexOf('=');
    const [name, value] = [field.slice(0, equals), field.slice(equals + 1)];
    if (equals < 0 || !NAME.test(name) || !VALUE.test(value)) {
      return { kind: 'invalid', why: 'a field that is no name=value' };
    }
    if (name !== 'id') continue;
    if (id !== undefined) return { kind: 'invalid', why: 'two ids' };
    if (!ID.test(value))
      return { kind: 'invalid', why: 'the id is not 1 to 32 letters and digits' };
    id = value;
  }
  return id === undefined ? { kind: 'invalid', why: 'no id' } : { kind: 'record', id };
}

function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && (text[from] === ' ' || text[from] === '\t')) from += 1;
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to -= 1;
  return text.slice(from, to);
}
