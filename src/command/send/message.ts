/** The message of `postern send`: a file as it is, line ends repaired, or a few words composed. */

import { readFileSync } from 'node:fs';
import { concat } from '#base/bytes.ts';
import type { Random } from '#base/world.ts';
import { composeMessage, textPart } from '#message/compose.ts';
import { formatDate } from '#message/date.ts';
import { formatMailboxes, formatStructured, formatText } from '#message/field-text.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import type { Plan } from './plan.ts';

const FILE_BYTES = 1_073_741_824;

/** The octets to send, CRLF line ends only. */
export async function messageOf(context: Context, plan: Plan, random: Random): Promise<Uint8Array> {
  const file = option(context, 'file');
  if (file === '-') return withCrlf(await context.io.readAll(FILE_BYTES));
  if (file !== undefined) return withCrlf(readFileSync(file));
  const id = Buffer.from(random.bytes(16)).toString('hex');
  const from = plan.from === '' ? 'postmaster@localhost' : plan.from;
  const fields = [
    formatStructured('Date', formatDate(context.now())),
    formatMailboxes('From', [{ name: undefined, address: from }]),
    formatMailboxes(
      'To',
      plan.to.map((address) => ({ name: undefined, address })),
    ),
    formatText('Subject', option(context, 'subject') ?? 'A test of postern send'),
    formatStructured('Message-ID', `<${id}@${plan.heloName}>`),
  ];
  const text = option(context, 'text') ?? 'This is a test.';
  const { head, body } = composeMessage(fields, textPart(`${text}\r\n`));
  return concat([head, body]);
}

/** Lone CR and LF become CRLF: files have the line ends of their system. */
function withCrlf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace(/\r\n|\r|\n/g, '\r\n'), 'latin1');
}
