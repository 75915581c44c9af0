/** What verification costs: processor time of a 10 KiB message with it and, as the control, without. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { signed, testKey } from '#trust/dkim/testing.ts';
import { LineClient } from '../world/line-client.ts';
import { HOME, Target, letter } from '../world/stranger.ts';

const GROUPS = 9;
const WARM = 6;
/** A cost that seems too high is measured for longer: all groups count. */
const ROUNDS = 3;
const MESSAGES = 100;
const LIMIT_MS = 2;
/** A network each, so that no limit on one of them is met. */
const CLIENTS = Array.from({ length: WARM + ROUNDS * GROUPS }, (_, n) => `192.0.${n + 1}.10`);

const key = testKey('rsa-sha256', 'good.test', 'mail', 2_048);
const body = `${'sixty-two octets of text, and as many lines as ten KiB need..'}\r\n`.repeat(162);

interface Cost {
  readonly allMs: number;
  /** Of the thread that the sessions run in. */
  readonly sessionMs: number;
}

let checked: Target;
let unchecked: Target;

before(async () => {
  const zone = {
    'good.test': { txt: ['v=spf1 include:spf.good.test -all'] },
    'spf.good.test': { txt: ['v=spf1 ip4:192.0.0.0/16 -all'] },
    '_dmarc.good.test': { txt: ['v=DMARC1; p=reject'] },
    'mail._domainkey.good.test': { txt: [key.record.match(/.{1,250}/g) ?? []] },
    ...Object.fromEntries(CLIENTS.map((client) => [client, { ptr: ['out.good.test'] }])),
    'out.good.test': { a: CLIENTS },
  };
  checked = await Target.start(zone);
  unchecked = await Target.start(zone, 'verify_senders = false');
});

after(async () => {
  await checked.stop();
  await unchecked.stop();
});

test('verification adds at most 2 ms of CPU to a message of 10 KiB, little of it to sessions', async (t) => {
  const message = signed(letter(['From: joe@good.test', 'Subject: cost'], body), key, {
    atMs: Date.now(),
  });
  assert.ok(message.length > 10_240 && message.length < 11_500, `${message.length}`);
  // The first ones warm both up.
  for (const client of CLIENTS.slice(0, WARM)) await take(client, message);
  let added: Cost = { allMs: Infinity, sessionMs: Infinity };
  const on: Cost[] = [];
  const off: Cost[] = [];
  for (let round = 0; round < ROUNDS && added.allMs > LIMIT_MS; round += 1) {
    const first = WARM + round * GROUPS;
    for (const client of CLIENTS.slice(first, first + GROUPS)) {
      const cost = await take(client, message);
      on.push(cost.on);
      off.push(cost.off);
    }
    added = {
      allMs: median(on.map((c) => c.allMs)) - median(off.map((c) => c.allMs)),
      sessionMs: median(on.map((c) => c.sessionMs)) - median(off.map((c) => c.sessionMs)),
    };
    t.diagnostic(`with verification: ${on.map((c) => c.allMs.toFixed(2)).join(' ')} ms a message`);
    t.diagnostic(`without: ${off.map((c) => c.allMs.toFixed(2)).join(' ')} ms a message`);
    t.diagnostic(
      `added: ${added.allMs.toFixed(2)} ms, ${added.sessionMs.toFixed(2)} ms of it in the sessions' thread`,
    );
  }
  // The control's control: what was measured was verified, and the other was not.
  assert.match(await checked.mailbox(), /dmarc=pass\s+\(aligned by dkim of good\.test/);
  assert.doesNotMatch(await unchecked.mailbox(), /dmarc=/);
  assert.ok(added.allMs <= LIMIT_MS, `${added.allMs} ms`);
  assert.ok(added.sessionMs < added.allMs, 'the arithmetic is done elsewhere');
});

/** A group of messages to each of the two in turn, so that both have the same machine. */
async function take(client: string, message: string): Promise<{ on: Cost; off: Cost }> {
  const on = await costOf(checked, client, message);
  return { on, off: await costOf(unchecked, client, message) };
}

/** CPU of the server for each message of a group, in one session. */
async function costOf({ running }: Target, address: string, message: string): Promise<Cost> {
  const { port } = running.ready.listeners['smtp'] ?? assert.fail();
  const client = await LineClient.connect(port, '127.0.0.1', 30_000, '127.0.0.2');
  client.send(`PROXY TCP4 ${address} 192.0.2.1 4711 25\r\n`);
  await client.reply();
  await client.ask('EHLO out.good.test');
  const before = cpuOf(running.child.pid ?? 0);
  for (let count = 0; count < MESSAGES; count += 1) {
    for (const line of ['MAIL FROM:<joe@good.test>', `RCPT TO:<ann@${HOME}>`, 'DATA']) {
      assert.match(await client.ask(line), /^[23]/);
    }
    // In one piece: what is left over of it would wait for an acknowledgement.
    assert.match(await client.ask(`${message}.`), /^250/);
  }
  const now = cpuOf(running.child.pid ?? 0);
  client.close();
  return {
    allMs: (now.allMs - before.allMs) / MESSAGES,
    sessionMs: (now.sessionMs - before.sessionMs) / MESSAGES,
  };
}

/** Nanoseconds on a processor, as the kernel counts them for each thread. */
function cpuOf(pid: number): Cost {
  const of = (thread: string): number =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  const threads = readdirSync(`/proc/${pid}/task`);
  return { allMs: threads.reduce((sum, one) => sum + of(one), 0), sessionMs: of(String(pid)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
