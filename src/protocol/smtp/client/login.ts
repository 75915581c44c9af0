/** AUTH from the client's side: challenges and responses over a dialogue (RFC 4954 4). */

import { asBuffer } from '#base/bytes.ts';
import type { Reply } from '../reply.ts';
import type { SaslClient } from '../../sasl/client-exchange.ts';
import type { Dialogue } from './dialogue.ts';

/** How it ended; `aborted`: we gave up, `reply` is the last thing the server said. */
export type LoginResult =
  | { readonly kind: 'authenticated'; readonly reply: Reply }
  | { readonly kind: 'rejected'; readonly reply: Reply }
  | { readonly kind: 'aborted'; readonly why: string; readonly reply: Reply };

/** An AUTH command with its initial response must fit a command line (RFC 4954 4). */
const COMMAND_OCTETS = 510;
const ROUNDS = 10;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Runs one exchange. Secrets stand in the transcript as `***`. Fails as the dialogue does. */
export async function login(
  dialogue: Dialogue,
  client: SaslClient,
  timeoutMs: number,
): Promise<LoginResult> {
  const bare = `AUTH ${client.mechanism}`;
  const initial = client.initial === undefined ? undefined : encode(client.initial) || '=';
  const together = initial !== undefined && bare.length + 1 + initial.length <= COMMAND_OCTETS;
  let reply = together
    ? await dialogue.command(`${bare} ${initial}`, timeoutMs, `${bare} ***`)
    : await dialogue.command(bare, timeoutMs);
  for (let round = 0; reply.code === 334 && round < ROUNDS; round += 1) {
    const text = reply.lines.length === 1 ? (reply.lines[0] ?? '').trim() : '?';
    const reaction = BASE64.test(text)
      ? client.respond(Buffer.from(text, 'base64'))
      : ({ kind: 'abort', why: 'a challenge that is not base64' } as const);
    if (reaction.kind === 'abort') {
      // RFC 4954 4: a single `*` gives up; the server must answer 501.
      reply = await dialogue.command('*', timeoutMs);
      return { kind: 'aborted', why: reaction.why, reply };
    }
    reply = await dialogue.command(encode(reaction.bytes), timeoutMs, '***');
  }
  if (reply.code !== 235) return { kind: 'rejected', reply };
  if (client.proven) return { kind: 'authenticated', reply };
  return { kind: 'aborted', why: 'the server did not prove that it knows the password', reply };
}

function encode(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('base64');
}
