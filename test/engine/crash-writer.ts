/** A process that writes mail until it is killed, and prints each message that was acknowledged. */

import { openStore } from '#engine/store.ts';
import { acceptanceOf, contentOf, deliveryOf, entryOf, factsOf } from './fixture.ts';

const [directory = '', start = '0'] = process.argv.slice(2);
const store = await openStore({ directory, log: { event: () => undefined } });
const account = store.directory.account('alice@demo.test');
if (account === undefined) throw new Error('no account');

let number = Number(start);
const large = new Uint8Array(100_000).fill(0x61);

/** Ten sessions at once; every tenth message has a body file. */
async function session(): Promise<never> {
  for (;;) {
    const id = `m${(number += 1)}`;
    const body = number % 10 === 0 ? await spooled() : `body of ${id}\r\n`;
    const content = typeof body === 'string' ? contentOf(body, id) : { ...contentOf('', id), body };
    const facts = factsOf({ messageId: `${id}@x`, subject: id });
    const deliveries = [deliveryOf(account!.id, { content, facts })];
    const ledger = [entryOf({ kind: 'accepted', queueId: id })];
    await store.write('accept', { acceptance: acceptanceOf(id, { deliveries, ledger }) });
    process.stdout.write(`${id}\n`);
  }
}

async function spooled() {
  const spool = store.spool();
  await spool.write(large.slice());
  return spool.finish();
}

await Promise.all(Array.from({ length: 10 }, session));
