/** IMAP and POP3 before any login: literals, lines without end, NUL. */

import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { imapSession, pop3Session } from '../../session.ts';
import { askImap, type ImapAnswer, readImap } from '../../wire/imap.ts';
import { askPop3 } from '../../wire/pop3.ts';
import { isLost, type Lost, lossText, type Wire } from '../../wire/wire.ts';
import * as checks from './checks.ts';

const LONG_BYTES = 1_048_576;
/** From the last answer to the end of the connection. */
const ENDING_MS = 500;

export const literals: ServiceProbe = {
  name: 'imap-literals',
  scope: 'service',
  level: 'safe',
  checks: [checks.HUGE_LITERAL, checks.LITERAL_RUN, checks.LITERAL_MINUS],
  fits: ({ protocol }) => protocol === 'imap',
  run: tryLiterals,
};

export const accessLines: ServiceProbe = {
  name: 'access-lines',
  scope: 'service',
  level: 'safe',
  checks: [checks.ACCESS_LONG, checks.ACCESS_NUL],
  fits: ({ protocol }) => protocol === 'imap' || protocol === 'pop3',
  run: tryLines,
};

async function tryLiterals(context: ServiceContext): Promise<void> {
  const tls = { startTls: context.service.tls === 'starttls' };
  const replyMs = Math.min(context.options.replyMs, 3_000);
  const { wire } = await imapSession(context, tls);
  // A tag of the test's own; a small literal is the control.
  const small = await askImap(wire, 'b1', 'LOGIN {4}', replyMs);
  const huge = await imapSession(context, tls);
  const answer = await askImap(huge.wire, 'b1', 'LOGIN {1073741824}', replyMs);
  wire.close();
  huge.wire.close();
  const sanity = { passed: statusOf(small) === 'continue' ? 1 : 0, of: 1 };
  const more = { evidence: [huge.wire.exchange], controls: { sanity } };
  const seen = `LOGIN {1073741824} is answered with ${said(answer)}, LOGIN {4} with ${said(small)}`;
  const asked = statusOf(answer) === 'continue';
  const isOpen = isLost(answer) && answer.kind === 'timeout';
  context.tell((asked ? found : isOpen ? unclear : absent)(checks.HUGE_LITERAL, seen, more));

  const refused = await imapSession(context, tls);
  // Far more than any limit, so that it is refused; what follows must not become a command.
  refused.wire.send('b1 LOGIN {900000000+}\r\nb2 CAPABILITY\r\n');
  const first = await readImap(refused.wire, 'b1', replyMs);
  const second = isLost(first) ? first : await readImap(refused.wire, 'b2', 400);
  refused.wire.close();
  const isRun = statusOf(second) === 'ok';
  const told = `LOGIN {900000000+}: ${said(first)}; the line behind it: ${said(second)}`;
  const evidence = [refused.wire.exchange];
  context.tell((isRun ? found : absent)(checks.LITERAL_RUN, told, { evidence }));

  const { capabilities, wire: minus } = await imapSession(context, tls);
  if (!capabilities.includes('LITERAL-') || capabilities.includes('LITERAL+')) {
    context.tell(inapplicable(checks.LITERAL_MINUS, 'LITERAL- is not what is announced'));
  } else {
    minus.send(`b1 LOGIN {5000+}\r\n${'x'.repeat(5_000)} y\r\n`);
    const large = await readImap(minus, 'b1', 8_000);
    const text = `5,000 octets without waiting: ${said(large)}`;
    const taken = statusOf(large) === 'no';
    const extra = { evidence: [minus.exchange] };
    context.tell((taken ? found : absent)(checks.LITERAL_MINUS, text, extra));
  }
  minus.close();
}

async function tryLines(context: ServiceContext): Promise<void> {
  const isImap = context.service.protocol === 'imap';
  const replyMs = Math.min(context.options.replyMs, 3_000);
  const open = async (): Promise<Wire> =>
    isImap ? (await imapSession(context)).wire : (await pop3Session(context)).wire;
  const say = async (wire: Wire, line: string): Promise<string> => {
    const answer = isImap
      ? await askImap(wire, 'b1', line, replyMs)
      : await askPop3(wire, line, replyMs);
    return isLost(answer) ? `(${lossText(answer)})` : `${answer.status} ${answer.text}`;
  };
  const nulled = await open();
  const command = isImap ? 'NO\0OP' : 'CA\0PA';
  const cut = await say(nulled, command);
  nulled.close();
  const tellNul = cut.startsWith('ok') ? found : absent;
  const shown = `${JSON.stringify(command)} is answered with "${cut.slice(0, 120)}"`;
  context.tell(tellNul(checks.ACCESS_NUL, shown, { evidence: [nulled.exchange] }));

  const wire = await open();
  wire.send(`${isImap ? 'b1 NOOP ' : 'USER '}`);
  const piece = 'x'.repeat(65_536);
  for (let sent = 0; sent < LONG_BYTES && !wire.over; sent += piece.length) {
    wire.send(piece);
    if (!(await wire.drainedWithin(replyMs))) break;
  }
  // An answer that came before the line has ended is a limit.
  const early = await wire.listen(100);
  const ended = wire.over;
  const late = ended || early.length > 0 ? 'an early end' : await say(wire, '');
  // On a long way the end of the session, too, comes only now.
  if (!wire.over) await wire.listen(ENDING_MS);
  const over = ended || wire.over;
  wire.close();
  const limited = over || early.length > 0 || /^\((?:closed|reset)/.test(late);
  const isOpen = late.startsWith('(');
  const seen = limited
    ? `a line of ${LONG_BYTES} octets is cut off`
    : `a line of ${LONG_BYTES} octets is answered with "${late.slice(0, 100)}"`;
  context.tell(
    (limited ? absent : isOpen ? unclear : found)(checks.ACCESS_LONG, seen, {
      evidence: [wire.exchange],
    }),
  );
}

function statusOf(answer: ImapAnswer | Lost): ImapAnswer['status'] | undefined {
  return isLost(answer) ? undefined : answer.status;
}

function said(answer: ImapAnswer | Lost): string {
  return isLost(answer) ? lossText(answer) : `"${answer.status} ${answer.text}"`;
}
