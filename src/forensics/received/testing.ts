/** For tests: what was read of a Received line, as one short text that is easy to compare. */

import type { ReceivedLine } from './line.ts';

const MARKS = { high: '', medium: '?', low: '??' } as const;

/** `helo=a rdns=b? ip=…`: a question mark where the reading is less than sure, two for `low`. */
export function shortLine(line: ReceivedLine): string {
  const words: string[] = [];
  const names = [
    ['helo', line.helo],
    ['rdns', line.rdns],
    ['ip', line.ip],
    ['ident', line.ident],
    ['by', line.by],
    ['byip', line.byIp],
    ['with', line.with],
    ['via', line.via],
    ['tls', line.tls],
    ['cipher', line.cipher],
    ['login', line.login],
    ['id', line.id],
    ['for', line.for],
    ['mail', line.envelopeFrom],
  ] as const;
  for (const [name, read] of names) {
    if (read !== undefined) words.push(`${name}=${read.text}${MARKS[read.confidence]}`);
  }
  const { product, secured, date, oddities } = line;
  if (secured !== undefined) words.push(secured ? 'secured' : 'clear');
  if (product !== undefined) words.push(`${[product.name, product.version].join(' ').trim()}`);
  if (date !== undefined) {
    const { ms, zoneMinutes, confidence } = date;
    const iso = new Date(ms).toISOString().slice(0, 19);
    words.push(`${iso}Z${zoneMinutes >= 0 ? '+' : ''}${zoneMinutes}${MARKS[confidence]}`);
  }
  return [...words, ...oddities.map((odd) => `!${odd}`)].join(' | ');
}
