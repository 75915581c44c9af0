/** Rules about how strictly SMTP is read, and about limits. */

import { check, type PostfixRule, whenSwitch } from '../check.ts';
import { isWide } from '../networks.ts';
import { restrictions } from '../restrictions.ts';

export const bareNewline: PostfixRule = {
  check: check('bare-newline', 'high', 'A bare line feed ends lines: messages can be smuggled', {
    means: 'A message may carry a second one behind a false end, with any sender it likes.',
    doesNotMean: 'Versions without this parameter need the update that brings it.',
    rfc: ['RFC 5321 2.3.8', 'RFC 5321 4.1.1.4'],
    cure: [
      'smtpd_forbid_bare_newline = normalize',
      'Versions before 3.9, 3.8.5 and 3.7.10 know yes instead of normalize.',
    ],
  }),
  judge: (values) => {
    const parameter = 'smtpd_forbid_bare_newline';
    // It only writes them down.
    if (values.text(parameter) === 'note') return { parameter, seen: `${parameter} is note` };
    const excluded = `${parameter}_exclusions`;
    const wide = values.given(excluded) ? values.list(excluded).filter(isWide) : [];
    if (wide.length > 0) {
      return { parameter: excluded, seen: `${excluded} holds ${wide.slice(0, 5).join(', ')}` };
    }
    return whenSwitch(parameter, false)(values);
  },
  live: ['smuggling.bare-lf'],
};

export const unauthorisedPipelining: PostfixRule = {
  check: check('pipelining', 'low', 'Commands may come before their turn', {
    means: 'Programs that do not wait for replies, as those of spammers, are served.',
    doesNotMean: 'Pipelining after EHLO, where it is offered, is right.',
    rfc: ['RFC 2920 3.1'],
    cure: ['smtpd_forbid_unauth_pipelining = yes'],
  }),
  judge: (values) => {
    // It looks at what the session did so far, wherever it stands (Postfix 2.6).
    if (restrictions(values).includes('reject_unauth_pipelining')) return undefined;
    return whenSwitch('smtpd_forbid_unauth_pipelining', false)(values);
  },
  live: ['parsing.unauthorised-pipelining'],
};

export const heloNotRequired: PostfixRule = {
  check: check('helo-required', 'low', 'Clients need not say who they are', {
    means: 'MAIL is taken without HELO: checks of the name are passed by leaving it out.',
    doesNotMean: 'A name in HELO is only a claim.',
    rfc: ['RFC 5321 4.1.4'],
    cure: ['smtpd_helo_required = yes'],
  }),
  judge: whenSwitch('smtpd_helo_required', false),
  live: ['hygiene.helo-not-required'],
};

export const noSizeLimit: PostfixRule = {
  check: check('no-size-limit', 'medium', 'Messages may be of any size', {
    means: 'One client fills the disk.',
    doesNotMean: 'queue_minfree refuses before the disk is full.',
    rfc: ['RFC 1870 4'],
    // Above mailbox_size_limit, 51200000 by default, nothing is delivered any more.
    cure: ['message_size_limit = 51200000'],
  }),
  judge: (values) =>
    values.text('message_size_limit') === '0'
      ? { parameter: 'message_size_limit', seen: 'message_size_limit is 0' }
      : undefined,
  live: ['limits.size-unlimited'],
};

const ERRORS = 1_000;
const USUAL_ERRORS = 20;

export const noErrorLimit: PostfixRule = {
  check: check('error-limit', 'low', 'A client may make any number of errors', {
    means: 'Guessing users and passwords is not slowed down.',
    doesNotMean: 'Other limits may hold (anvil, fail2ban).',
    cure: ['smtpd_hard_error_limit = 20', 'smtpd_error_sleep_time = 1s'],
  }),
  judge: (values) => {
    const limit = Number(values.text('smtpd_hard_error_limit'));
    const sleep = values.seconds('smtpd_error_sleep_time', 's') ?? 1;
    if (limit > ERRORS) {
      const parameter = 'smtpd_hard_error_limit';
      return { parameter, seen: `${parameter} is ${limit}` };
    }
    // Fewer than usual need no pause: the session ends.
    if (sleep > 0 || limit < USUAL_ERRORS) return undefined;
    return { parameter: 'smtpd_error_sleep_time', seen: 'smtpd_error_sleep_time is 0' };
  },
  live: ['limits.no-error-limit'],
};
