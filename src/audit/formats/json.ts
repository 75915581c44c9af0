/** Reports as JSON text and back: written in ASCII alone, read with suspicion. */

import { REPORT_SCHEMA, type Report } from '../report.ts';

/** All in ASCII: a terminal that shows the file is steered by nothing in it. */
export function jsonText(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, undefined, indent);
  return text.replace(
    /[^\x20-\x7e\n]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A report that was saved; the problem when it is none that we can read. */
export function readReport(
  text: string,
): { readonly report: Report } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is no JSON' };
  }
  if (!isObject(value) || typeof value['schema'] !== 'string') return { problem: 'is no report' };
  if (value['schema'] !== REPORT_SCHEMA) {
    return { problem: `has the schema ${value['schema'].slice(0, 40)}, not ${REPORT_SCHEMA}` };
  }
  const { findings, request } = value;
  const whole =
    Array.isArray(findings) &&
    findings.every(isFinding) &&
    isRequest(request) &&
    typeof value['target'] === 'string' &&
    typeof value['started'] === 'string';
  return whole ? { report: value as unknown as Report } : { problem: 'is no whole report' };
}

function isFinding(value: unknown): boolean {
  if (!isObject(value) || !isObject(value['target'])) return false;
  const { id, severity, confidence, seen, title, target } = value;
  return (
    [id, severity, confidence, seen, title].every((one) => typeof one === 'string') &&
    isObject(target) &&
    typeof target['host'] === 'string' &&
    typeof target['port'] === 'number'
  );
}

function isRequest(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value['places'])) return false;
  return (
    Array.isArray(value['domains']) &&
    typeof value['level'] === 'string' &&
    value['places'].every(
      (place) =>
        isObject(place) &&
        typeof place['host'] === 'string' &&
        typeof place['address'] === 'string' &&
        Array.isArray(place['ports']) &&
        place['ports'].every((port) => Number.isInteger(port) && port > 0 && port < 65_536),
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
