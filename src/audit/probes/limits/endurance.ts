/** What may exhaust a server: silence, many connections, a line without end. Level intrusive. */

import { absent, found, unclear } from '../../finding.ts';
import { Failure } from '#base/failure.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { opened } from '../../session.ts';
import { isLost, type Wire } from '../../wire/wire.ts';
import { CONNECTIONS, ENDLESS_LINE, NO_TIMEOUT, SHORT_TIMEOUT } from './checks.ts';

const MOST_CONNECTIONS = 200;
const LINE_BYTES = 33_554_432;
/** RFC 5321 4.5.3.2.7 asks for five minutes at least. */
const LEAST_MS = 295_000;
const MOST_MS = 610_000;

export const silence: ServiceProbe = {
  name: 'silence',
  scope: 'service',
  level: 'intrusive',
  checks: [SHORT_TIMEOUT, NO_TIMEOUT],
  limitMs: MOST_MS + 10_000,
  fits: ({ protocol }) => protocol === 'smtp',
  run: waitInSilence,
};

export const connectionCount: ServiceProbe = {
  name: 'connection-count',
  scope: 'service',
  level: 'intrusive',
  checks: [CONNECTIONS],
  alone: true,
  fits: () => true,
  run: countConnections,
};

export const endlessLine: ServiceProbe = {
  name: 'endless-line',
  scope: 'service',
  level: 'intrusive',
  checks: [ENDLESS_LINE],
  alone: true,
  fits: () => true,
  run: pourLine,
};

/** As long as the run leaves: what could not be waited for is not told. */
async function waitInSilence(context: ServiceContext): Promise<void> {
  const { clock } = context.world;
  const wire = await opened(context);
  const startMs = clock.elapsed();
  await wire.readLine(context.options.replyMs);
  const mostMs = Math.min(MOST_MS, context.leftMs() - 2_000);
  while (!wire.over && clock.elapsed() - startMs < mostMs) await wire.listen(1_000);
  const seconds = Math.round((clock.elapsed() - startMs) / 1_000);
  const ended = wire.over;
  wire.close();
  const more = { evidence: [wire.exchange], details: { seconds, ended } };
  const seen = ended
    ? `a session without a word is ended after ${seconds} s`
    : `after ${seconds} s without a word the session is still there`;
  const isShort = ended && seconds * 1_000 < LEAST_MS;
  const isOld = seconds * 1_000 >= LEAST_MS;
  context.tell((isShort ? found : ended || isOld ? absent : unclear)(SHORT_TIMEOUT, seen, more));
  const endless = !ended && seconds * 1_000 >= MOST_MS - 1_000;
  context.tell((endless ? found : ended ? absent : unclear)(NO_TIMEOUT, seen, more));
}

/** Greeted ones count; the run's own budget must allow so many at the same time. */
async function countConnections(context: ServiceContext): Promise<void> {
  const wires: Wire[] = [];
  let refused: string | undefined;
  try {
    while (wires.length < MOST_CONNECTIONS && refused === undefined) {
      const turn = context.dial({ limits: { recordBytes: 4_096 }, bare: true });
      const dialled = await Promise.race([turn, later(context)]);
      if (dialled === undefined) break;
      if (dialled.kind !== 'open') refused = dialled.why;
      else {
        wires.push(dialled.wire);
        const line = await dialled.wire.readLine(context.options.replyMs);
        const text = isLost(line) ? line.kind : Buffer.from(line.octets).toString('latin1');
        if (isLost(line) || /^(?:4|5|\* BYE|-ERR|NO|BYE)/.test(text)) refused = text.slice(0, 120);
      }
    }
  } catch (thrown) {
    refused = Failure.from(thrown).message;
  }
  const count = wires.length;
  for (const wire of wires) wire.close();
  const evidence = wires.slice(-1).map(({ exchange }) => exchange);
  const details = { connections: count };
  if (refused !== undefined) {
    const seen = `after ${count} connections: "${refused}"`;
    context.tell(absent(CONNECTIONS, seen, { evidence, details }));
  } else if (count >= MOST_CONNECTIONS) {
    const seen = `${count} connections are greeted, all of them open`;
    context.tell(found(CONNECTIONS, seen, { evidence, details }));
  } else {
    const seen = `the run itself holds no more than ${count} connections`;
    context.tell(unclear(CONNECTIONS, seen, { evidence, details }));
  }
}

/** A place that does not come within two seconds does not come at all. */
function later({ world }: ServiceContext): Promise<undefined> {
  return new Promise((resolve) => void world.clock.after(2_000, () => resolve(undefined)));
}

async function pourLine(context: ServiceContext): Promise<void> {
  const wire = await opened(context, { limits: { recordBytes: 16_384, turnBytes: 1_024 } });
  await wire.readLine(context.options.replyMs);
  const piece = new Uint8Array(1_048_576).fill(0x41);
  let sent = 0;
  let stuck = false;
  while (sent < LINE_BYTES && !wire.over && wire.unreadBytes === 0 && !stuck) {
    wire.send(piece);
    sent += piece.length;
    stuck = !(await wire.drainedWithin(context.options.replyMs));
  }
  // What was refused arrives while we still write.
  const said = await wire.listen(200);
  const { over } = wire;
  wire.close();
  const megabytes = sent / 1_048_576;
  const seen = over
    ? `the connection ends within ${megabytes} MiB of a line`
    : said.length > 0
      ? `it answers within ${megabytes} MiB of a line`
      : stuck
        ? `it reads no more after ${megabytes} MiB of a line`
        : `${megabytes} MiB of a line are read without a word`;
  const isRead = !over && said.length === 0 && !stuck;
  context.tell((isRead ? found : absent)(ENDLESS_LINE, seen, { evidence: [wire.exchange] }));
}
