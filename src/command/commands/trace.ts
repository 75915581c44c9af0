/** `postern trace`: the story of a message, a session or an address, in order. */

import type { Command, Context } from '../command.ts';
import { argument, option, withStore } from '../command.ts';
import { CommandError, EXIT } from '../exit.ts';
import { harmless } from '../io.ts';

const ENTRIES = 1_000;

export const trace: Command = {
  name: 'trace',
  summary: 'tell where a message is and why: by queue id, Message-ID or address',
  details:
    'Tell the story of a message in order: how it came in, what was decided and why, each ' +
    'attempt and answer. Refused messages have stories too. The record is kept for ledger_days.',
  arguments: [{ name: 'key', summary: 'a queue id, session id, Message-ID or mail address' }],
  options: [{ flags: '--limit <count>', summary: `at most so many entries (${ENTRIES})` }],
  examples: ['postern trace bob@example.net', "postern trace '<4711@mail.example.org>'"],
  run: async (context) => {
    const keys = keysOf(argument(context, 'key'));
    const limit = limitOf(context);
    await withStore(context, async (store) => {
      for (const key of keys) {
        const entries = await store.ledger.trace(key, limit);
        if (entries.length === 0) continue;
        const { storyText, storyJson } = await import('../story.ts');
        context.io.write(context.json ? storyJson(entries) : storyText(entries, context.io));
        if (entries.length >= limit) {
          context.io.warn(`postern: only ${limit} entries are shown; see --limit.\n`);
        }
        return;
      }
      const cause = `nothing is recorded about ${harmless(argument(context, 'key'), 200)}`;
      const cure = 'The record goes back ledger_days; an address must be written in full.';
      throw new CommandError(EXIT.data, cause, cure);
    });
  },
};

/** The forms in which the ledger may know what was typed: as it is, bare, as an address key. */
function keysOf(text: string): readonly string[] {
  const bare = text.trim().replace(/^<|>$/g, '');
  return [...new Set([bare, bare.toLowerCase(), bare.toUpperCase()])];
}

function limitOf(context: Context): number {
  const text = option(context, 'limit') ?? String(ENTRIES);
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new CommandError(EXIT.usage, `--limit ${text}: must be a number from 1 to 999999`);
}
