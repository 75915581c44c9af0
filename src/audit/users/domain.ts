/** Which domain a server receives mail for, when nobody said: the one whose postmaster it takes. */

import { parseDomain } from '#base/domain.ts';
import { sayHello } from '../wire/hello.ts';
import { GREETING_MS } from '../wire/limits.ts';
import { ask } from '../wire/smtp.ts';
import { isLost } from '../wire/wire.ts';
import type { Asking } from './oracle.ts';

const CANDIDATES = 4;

/** A domain, or undefined: the greeting's name and its parents are tried, the shortest first. */
export async function domainOf(asking: Asking): Promise<string | undefined> {
  const { heloName: name, serverName } = asking;
  const replyMs = Math.min(asking.replyMs, GREETING_MS);
  const hello = await sayHello(await asking.dial(), { name, serverName, replyMs });
  if (hello.kind !== 'ready') return undefined;
  const { wire, greeting, ehlo } = hello;
  const said = [ehlo, greeting].flatMap(
    ({ lines }) => parseDomain(lines[0]?.split(' ')[0] ?? '') ?? [],
  );
  const candidates = [...new Set([...said, parseDomain(serverName) ?? ''].flatMap(withParents))];
  let found: string | undefined;
  const mail = await ask(wire, 'MAIL FROM:<>', replyMs);
  for (const domain of isLost(mail) ? [] : candidates.slice(0, CANDIDATES)) {
    const reply = await ask(wire, `RCPT TO:<postmaster@${domain}>`, replyMs);
    if (isLost(reply)) break;
    if (reply.code === 250) {
      found = domain;
      break;
    }
  }
  wire.line('QUIT');
  wire.close();
  return found;
}

/** A name's parents of at least two labels, then itself. */
function withParents(name: string): string[] {
  const labels = name.split('.');
  if (labels.length < 2) return [];
  return labels.length === 2 ? [name] : [labels.slice(1).join('.'), name];
}
