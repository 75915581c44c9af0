/** Runs in namespaces of its own: each cure of the auditor is read by the server it is for. */

import type { Product } from '#audit/check.ts';
import { readCure } from '#audit/cure.ts';
import type { Server, ServerPlan } from '../server.ts';
import * as servers from '../servers/index.ts';
import { mountBed, writeMended } from './bed.ts';
import { knownCures } from './known.ts';
import { PLAIN } from './plain.ts';

const [cache = '', work = ''] = process.argv.slice(2);
const wanted = process.argv.slice(4);
let failures = 0;

await Promise.all(
  Object.entries(PLAIN)
    .filter(([product]) => wanted.length === 0 || wanted.includes(product))
    .map(([product, plan]) => perform(product as Product, plan)),
);
process.exit(failures > 0 ? 1 : 0);

async function perform(product: Product, plan: ServerPlan): Promise<void> {
  const server = new Map<string, Server>(Object.entries(servers)).get(product);
  if (server?.check === undefined) throw new Error(`${product}: no server reads for us`);
  const root = await mountBed(cache, work, server, product);
  const complaints = async (lines: readonly string[]): Promise<readonly string[]> => {
    try {
      const mended = await writeMended(root, server, plan, { product, lines });
      const said = (await server.check?.(root)) ?? [];
      mended.restore();
      return said;
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  };
  say(product, 'without a cure', await complaints([]));
  const nonsense = await complaints(['nonsense { of = ( no server']);
  say(product, 'nonsense', nonsense.length > 0 ? [] : ['it is taken']);
  const cures = knownCures(product).filter((cure) => readCure(cure).parts.length > 0);
  for (const { lines, checks } of cures) {
    say(product, `${checks[0]} and ${checks.length - 1} more`, await complaints(lines));
  }
  process.stdout.write(`${product}: ${cures.length} cures with lines\n`);
  await root.stop();
}

function say(product: Product, what: string, complaints: readonly string[]): void {
  if (complaints.length === 0) {
    process.stdout.write(`ok: ${product} ${what}\n`);
    return;
  }
  failures += 1;
  process.stdout.write(`NOT ok: ${product} ${what}\n  ${complaints.slice(0, 8).join('\n  ')}\n`);
}
