/** Mistakes put into the program on purpose, one line each: the checks must find every one. */

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface Mutant {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  /** A line of it, without its indentation; it must be there exactly once. */
  readonly line: string;
  readonly instead: string;
  /** How a violation that finds it begins. */
  readonly found: RegExp;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'reply before the commit',
    file: 'src/service/smtp/content.ts',
    line: 'const { durable } = await site.intake.accept(mail);',
    instead: 'void site.intake.accept(mail).catch(() => {}); const durable = undefined as never;',
    found: /^(?:lost|ledger):/,
  },
  {
    name: 'commits that are not synced',
    file: 'src/engine/connection.ts',
    line: 'PRAGMA synchronous = FULL;',
    instead: 'PRAGMA synchronous = NORMAL;',
    found: /^(?:lost|ledger|uid):/,
  },
  {
    name: 'names of body files that are not synced',
    file: 'src/engine/spool.ts',
    line: 'await Promise.all([this.#sync(), this.#room.syncNames()]);',
    instead: 'await this.#sync();',
    found: /^(?:lost|altered|invented):/,
  },
  {
    name: 'what was sent is not written down',
    file: 'src/agents/queue/runner.ts',
    line: "await settle(this.#world, message, outcome, () => this.#state === 'stopped');",
    instead: '',
    found: /^sent twice:/,
  },
  {
    name: 'notices that are forgotten',
    file: 'src/engine/operations/settle.ts',
    line: 'for (const notice of notices) takeIn(step, notice);',
    instead: 'void notices; void takeIn;',
    found: /^lost:/,
  },
  {
    name: 'notices with a sender, about which there are notices',
    file: 'src/agents/notify/notice.ts',
    line: 'reversePath: null,',
    instead: 'reversePath: sender,',
    found: /^notices:/,
  },
  {
    name: 'every client trusted to relay',
    file: 'src/policy/restrictions/gate.ts',
    line: 'const inMynetworks = mynetworks.includes(client.address);',
    instead: 'const inMynetworks = mynetworks.includes(client.address) || true;',
    found: /^relay:/,
  },
  {
    name: 'no end to loops',
    file: 'src/agents/mta.ts',
    line: 'if (hops.length <= HOPS && own <= OWN_HOPS) return undefined;',
    instead: 'return undefined;',
    found: /^(?:growing|unfinished|quiet):/,
  },
  {
    name: 'a ledger without acceptances',
    file: 'src/engine/steps/delivery.ts',
    line: 'writeLedger(step, acceptance.ledger);',
    instead: 'void writeLedger;',
    found: /^ledger:/,
  },
  {
    name: 'UIDs out of order',
    file: 'src/engine/steps/message.ts',
    line: 'const uid = this.#uidNext;',
    instead: 'const uid = this.#uidNext * 3 - 2 * (this.#uidNext % 5);',
    found: /^uid:/,
  },
  {
    name: 'dots that stay doubled',
    file: 'src/protocol/smtp/server/content.ts',
    line: "this.#position = 'dot';",
    instead: "from = index; this.#position = 'dot';",
    found: /^altered:/,
  },
];

/**
 * Puts the mistake in, for everything that is loaded afterwards. Throws when the line is not there
 * exactly once: a control that changes nothing would say nothing.
 */
export function mutate(name: string): Mutant {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`no such mutant: ${name}`);
  const url = new URL(`../../${mutant.file}`, import.meta.url).href;
  const source = mutated(mutant, readFileSync(fileURLToPath(url), 'utf8'));
  registerHooks({
    load: (asked, context, next) => {
      const loaded = next(asked, context);
      return asked === url ? { ...loaded, source } : loaded;
    },
  });
  return mutant;
}

/** The text of the file with the mistake in it. */
export function mutated(mutant: Mutant, text: string): string {
  const lines = text.split('\n');
  const places = lines.flatMap((line, index) => (line.trim() === mutant.line ? [index] : []));
  const [place] = places;
  if (place === undefined || places.length !== 1) {
    const why = `stands ${places.length} times in ${mutant.file}`;
    throw new Error(`control "${mutant.name}": its line ${why}: ${mutant.line}`);
  }
  return lines.with(place, mutant.instead).join('\n');
}
