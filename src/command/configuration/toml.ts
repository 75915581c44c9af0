/** Values as TOML text. */

import type { Raw } from './declare.ts';

/** A value as TOML. */
export function formatRaw(raw: Raw): string {
  if (Array.isArray(raw)) return `[${raw.map(formatRaw).join(', ')}]`;
  if (typeof raw === 'string') return quoted(raw);
  if (typeof raw !== 'object') return String(raw);
  const entries = Object.entries(raw).map(([key, value]) => `${quoted(key)} = ${formatRaw(value)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** TOML basic strings know the escapes of JSON, and want DEL escaped too. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}
