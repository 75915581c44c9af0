/** VRFY and EXPN: one question at a time, as RFC 2920 3.1 wants it, in the form a server takes. */

import { ask, readReply } from '../../wire/smtp.ts';
import { isLost, type Wire } from '../../wire/wire.ts';
import type { Oracle, OracleSession } from '../oracle.ts';
import { addressOf, Collected, leave, openSmtp } from './smtp.ts';

export const vrfy: Oracle = {
  name: 'vrfy',
  means: 'a mailbox that VRFY knows',
  logsIn: false,
  open: (asking) => openSmtp(asking, async (wire) => session(wire, 'VRFY', asking)),
};

export const expn: Oracle = {
  name: 'expn',
  means: 'a list or alias that EXPN opens',
  logsIn: false,
  open: (asking) => openSmtp(asking, async (wire) => session(wire, 'EXPN', asking)),
};

interface Place {
  readonly domain: string;
  readonly replyMs: number;
}

function session(wire: Wire, verb: string, { domain, replyMs }: Place): OracleSession {
  // Exim wants a domain; others take one as part of the name: asked again only after 501.
  let whole = false;
  return {
    pipelined: false,
    async ask(names) {
      const collected = new Collected(names.length, replyMs);
      for (const name of names) {
        const bare = whole ? addressOf(name, domain) : name;
        const { patienceMs } = collected;
        let reply = await ask(wire, `${verb} ${bare}`, patienceMs);
        if (!whole && domain !== '' && !isLost(reply) && reply.code === 501) {
          whole = true;
          wire.line(`${verb} ${addressOf(name, domain)}`);
          reply = await readReply(wire, patienceMs);
        }
        if (!collected.take(name, reply)) break;
      }
      return collected.asked;
    },
    close: () => leave(wire),
    get exchange() {
      return wire.exchange;
    },
  };
}
