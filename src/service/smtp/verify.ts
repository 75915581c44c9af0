/** VRFY and EXPN: the same words for every name, unless the operator opened them to users. */

import { addressKey, parseAddress } from '#base/address.ts';
import type { Authenticated } from '#protocol/sasl/authenticated.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { SmtpAnswer, SmtpQuestion } from '#protocol/smtp/server/questions.ts';
import type { SmtpContext } from './context.ts';

const MEMBERS = 100;

/** Nothing is looked up for a stranger: so there is no difference to measure (RFC 5321 7.3). */
export function verifyName(
  question: SmtpQuestion & { kind: 'verify' },
  login: Authenticated | undefined,
  session: SmtpContext,
): SmtpAnswer {
  if (login === undefined || !session.listener.verifyForUsers) return { kind: 'proceed' };
  const { directory } = session.site.store;
  const text = question.text.trim().replace(/^<(.*)>$/, '$1');
  const home = login.address.slice(login.address.lastIndexOf('@'));
  const address = parseAddress(text.includes('@') ? text : `${text}${home}`);
  const key = address === undefined ? '' : addressKey(address);
  const alias = directory.alias(key);
  if (question.command === 'EXPN' && alias !== undefined) {
    const lines = alias.targets.slice(0, MEMBERS).map((target) => `<${target}>`);
    return { kind: 'proceed', reply: { code: 250, enhanced: '2.1.5', lines } };
  }
  if (alias === undefined && directory.account(key) === undefined) {
    return { kind: 'refuse', reply: reply(550, '5.1.1', 'No such name here') };
  }
  return { kind: 'proceed', reply: reply(250, '2.1.5', `<${key}>`) };
}
