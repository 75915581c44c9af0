/** SIZE: whether it is announced, has a limit, and is believed when a message says its own. */

import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession } from '../../session.ts';
import { replyText } from '../../wire/smtp.ts';
import { SIZE_IGNORED, SIZE_MISSING, SIZE_UNLIMITED } from './checks.ts';

export const size: ServiceProbe = {
  name: 'size',
  scope: 'service',
  level: 'safe',
  checks: [SIZE_MISSING, SIZE_UNLIMITED, SIZE_IGNORED],
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const { service } = context;
  const startTls = service.tls === 'starttls' && service.role === 'submission';
  const session = await smtpSession(context, { startTls });
  const given = session.keywords.get('SIZE');
  if (given === undefined) {
    session.wire.close();
    context.tell(found(SIZE_MISSING, 'EHLO does not offer SIZE'));
    context.tell(inapplicable(SIZE_UNLIMITED, 'SIZE is not offered'));
    context.tell(inapplicable(SIZE_IGNORED, 'SIZE is not offered'));
    return;
  }
  const limit = /^\d{1,15}$/.test(given.trim()) ? Number(given.trim()) : 0;
  const seen = `EHLO offers "SIZE ${given}"`;
  context.tell(absent(SIZE_MISSING, seen));
  context.tell((limit === 0 ? found : absent)(SIZE_UNLIMITED, seen));
  if (limit === 0) {
    session.wire.close();
    context.tell(inapplicable(SIZE_IGNORED, 'there is no limit'));
    return;
  }
  // The control: a size within the limit is taken, and so is a mailbox.
  const [domain] = context.options.domains;
  const names = ['postmaster', ...(domain === undefined ? [] : [`postmaster@${domain}`])];
  const small = await session.ask('MAIL FROM:<> SIZE=1000');
  let plain = small;
  let to = '';
  for (const name of small.code === 250 ? names : []) {
    to = context.recipients.form(name).text;
    plain = await session.ask(`RCPT TO:<${to}>`);
    if (plain.code === 250) break;
  }
  if (plain.code !== 250) {
    session.wire.close();
    const why = `with a small SIZE the answer is "${replyText(plain)}"`;
    context.tell((plain.code >= 500 ? inapplicable : unclear)(SIZE_IGNORED, why));
    return;
  }
  await session.ask('RSET');
  const large = await session.ask(`MAIL FROM:<> SIZE=${limit + 1}`);
  const last = large.code === 250 ? await session.ask(`RCPT TO:<${to}>`) : large;
  session.wire.close();
  const text = `SIZE=${limit + 1} is answered with "${replyText(last)}"`;
  const controls = { sanity: { passed: 1, of: 1 } };
  const about = last.code === 552 || /size|large|big/i.test(replyText(last));
  const tell = last.code === 250 ? found : about ? absent : unclear;
  context.tell(tell(SIZE_IGNORED, text, { controls, evidence: [session.wire.exchange] }));
}
