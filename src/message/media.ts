/** What the Content fields of a part say (RFC 2045, 2183, 3282, 2557), with all the defaults. */

import type { Defects } from './defects.ts';
import type { Field, Head } from './fields.ts';
import { type Parametrised, parseParametrised } from './parameters.ts';
import type { Part } from './part.ts';

type Described = Pick<
  Part,
  | 'type'
  | 'subtype'
  | 'parameters'
  | 'id'
  | 'description'
  | 'encoding'
  | 'md5'
  | 'disposition'
  | 'languages'
  | 'location'
>;

/** A part's description, and the boundary as octets in latin1. */
export interface Media extends Described {
  readonly boundary: string | undefined;
}

const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;
const NO_PARAMETERS: Part['parameters'] = [];
const NO_LANGUAGES: readonly string[] = [];

/**
 * Reads the Content fields of a head. A missing Content-Type is text/plain, or message/rfc822
 * where `inDigest` says so (RFC 2046 5.1.5); an unreadable one is text/plain (RFC 2045 5.2). Of a
 * field that stands twice the first counts.
 */
export function readMedia(
  head: Head,
  options: { readonly inDigest: boolean; readonly maxParameters: number; readonly at: number },
  defects: Defects,
): Media {
  const found = contentFields(head, options.at, defects);
  const type = typeOf(found.get('content-type'), options, defects);
  const dispositionField = found.get('content-disposition');
  let disposition: Part['disposition'];
  if (dispositionField !== undefined) {
    const read = readParameters(dispositionField, options, defects);
    const value = read.value.toLowerCase();
    if (TOKEN.test(value)) disposition = { value, parameters: read.parameters };
  }
  return {
    ...type,
    id: textOf(found.get('content-id')),
    description: textOf(found.get('content-description')),
    encoding: encodingOf(found.get('content-transfer-encoding')),
    md5: textOf(found.get('content-md5')),
    disposition,
    languages: languagesOf(found.get('content-language')),
    location: textOf(found.get('content-location'))?.replace(/ +/g, ''),
  };
}

function contentFields(head: Head, at: number, defects: Defects): Map<string, Field> {
  const found = new Map<string, Field>();
  for (const field of head.fields) {
    if (!field.key.startsWith('content-')) continue;
    if (!found.has(field.key)) found.set(field.key, field);
    else defects.note('duplicate-content-field', at + field.start);
  }
  return found;
}

function typeOf(
  field: Field | undefined,
  options: { readonly inDigest: boolean; readonly maxParameters: number; readonly at: number },
  defects: Defects,
): Pick<Media, 'type' | 'subtype' | 'parameters' | 'boundary'> {
  if (field === undefined) {
    if (options.inDigest) return plain('message', 'rfc822');
    return { ...plain('text', 'plain'), parameters: [['charset', 'us-ascii']] };
  }
  const read = readParameters(field, options, defects);
  const slash = read.value.indexOf('/');
  const type = read.value.slice(0, slash).trim().toLowerCase();
  const subtype = read.value
    .slice(slash + 1)
    .trim()
    .toLowerCase();
  if (slash < 1 || !TOKEN.test(type) || !TOKEN.test(subtype)) {
    defects.note('bad-content-type', options.at + field.start);
    return { ...plain('text', 'plain'), parameters: read.parameters };
  }
  return { type, subtype, parameters: read.parameters, boundary: read.boundary };
}

function plain(type: string, subtype: string) {
  return { type, subtype, parameters: NO_PARAMETERS, boundary: undefined };
}

function readParameters(
  field: Field,
  options: { readonly maxParameters: number; readonly at: number },
  defects: Defects,
): Parametrised {
  const read = parseParametrised(field.value, options.maxParameters);
  if (read.duplicate) defects.note('duplicate-parameter', options.at + field.start);
  if (read.cut) defects.note('too-many-parameters', options.at + field.start);
  return read;
}

/** A token in lower case; what follows it (comments, semicolons) is not looked at. */
function encodingOf(field: Field | undefined): string {
  if (field === undefined) return '7bit';
  const bare = field.value.startsWith('(') ? parseParametrised(field.value).value : field.value;
  return /^[!#-'*+\-.0-9A-Z^-~]+/.exec(bare)?.[0].toLowerCase() ?? '7bit';
}

function languagesOf(field: Field | undefined): readonly string[] {
  if (field === undefined) return NO_LANGUAGES;
  const bare = parseParametrised(field.value).value;
  const tags = bare.split(',', 100).map((tag) => tag.trim());
  return tags.filter((tag) => /^[A-Za-z0-9-]{1,100}$/.test(tag));
}

/** As written, octets as latin1; fit for a line: no control characters. Undefined when empty. */
function textOf(field: Field | undefined): string | undefined {
  if (field === undefined || field.value === '') return undefined;
  return /[\x00-\x1f\x7f]/.test(field.value)
    ? field.value.replace(/[\x00-\x1f\x7f]/g, ' ')
    : field.value;
}
