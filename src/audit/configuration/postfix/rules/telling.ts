/** Rules about what the server tells: names of users, versions, addresses of clients. */

import { check, type PostfixRule, whenSwitch } from '../check.ts';
import { restrictions } from '../restrictions.ts';
import type { Values } from '../values.ts';

export const vrfyOn: PostfixRule = {
  check: check('vrfy-on', 'low', 'VRFY tells which users exist', {
    means: 'A stranger tries thousands of names and keeps those that exist, for spam and guesses.',
    doesNotMean: 'RCPT may tell the same; that needs limits, not this switch.',
    rfc: ['RFC 5321 7.3'],
    cure: ['disable_vrfy_command = yes'],
  }),
  judge: whenSwitch('disable_vrfy_command', false),
  live: ['users.vrfy'],
};

export const versionInBanner: PostfixRule = {
  check: check('banner-version', 'low', 'The greeting names the version', {
    means: 'Who looks for servers with a known fault finds this one by its greeting.',
    doesNotMean: 'Hiding a version mends no fault.',
    cure: ['smtpd_banner = $myhostname ESMTP'],
  }),
  judge: (values) => {
    const banner = values.text('smtpd_banner') ?? '';
    if (!/mail_version|\b[0-9]+\.[0-9]+\.[0-9]+\b/.test(banner)) return undefined;
    return { parameter: 'smtpd_banner', seen: `smtpd_banner is "${banner.slice(0, 80)}"` };
  },
  live: ['fingerprint.greeting-version'],
};

export const loginInReceived: PostfixRule = {
  check: check('login-in-received', 'low', "Users' login names are written into Received", {
    means: 'Every receiver of a message learns the login name of its author.',
    doesNotMean: 'Passwords are not told.',
    cure: ['smtpd_sasl_authenticated_header = no'],
  }),
  judge: whenSwitch('smtpd_sasl_authenticated_header', true),
  live: ['exposure.trace-login'],
};

export const catchAllLocal: PostfixRule = {
  check: check('accept-then-bounce', 'medium', 'Mail for unknown users is accepted and bounced', {
    means: 'Bounces go to forged senders: this server sends unwanted mail to strangers.',
    doesNotMean: 'With luser_relay or a catch-all nothing is bounced.',
    rfc: ['RFC 5321 6.1'],
    cure: ['local_recipient_maps = proxy:unix:passwd.byname $alias_maps'],
  }),
  judge: (values) => {
    if (restrictions(values).includes('reject_unlisted_recipient')) return undefined;
    if (values.yes('smtpd_reject_unlisted_recipient') === false) {
      const parameter = 'smtpd_reject_unlisted_recipient';
      return { parameter, seen: `${parameter} is no` };
    }
    const empty =
      values.given('local_recipient_maps') && values.text('local_recipient_maps') === '';
    if (!empty || !deliversHere(values) || (values.text('luser_relay') ?? '') !== '') {
      return undefined;
    }
    return { parameter: 'local_recipient_maps', seen: 'local_recipient_maps is empty' };
  },
  live: ['relay.backscatter'],
};

/** A gateway without mailboxes says `mydestination =`, or `local_transport = error:...`. */
function deliversHere(values: Values): boolean {
  const local = values.text('local_transport') ?? '';
  return values.list('mydestination').length > 0 && !local.startsWith('error:');
}

export const relayRecipientsUnknown: PostfixRule = {
  check: check('relay-recipients', 'medium', 'Mail for relay domains is taken for any name', {
    means: 'What the next server refuses becomes a bounce to a forged sender.',
    doesNotMean: 'Address verification by probes (reject_unverified_recipient) cures it too.',
    rfc: ['RFC 5321 6.1'],
    cure: [
      'relay_recipient_maps = hash:/etc/postfix/relay_recipients',
      '# /etc/postfix/relay_recipients:',
      'alice@example.org OK',
      '# then run:',
      'postmap /etc/postfix/relay_recipients',
    ],
  }),
  judge: (values) => {
    const own = new Set(values.list('mydestination'));
    const named = values.given('relay_domains') ? values.list('relay_domains') : [];
    const domains = named.filter((domain) => !own.has(domain));
    if (restrictions(values).includes('reject_unverified_recipient')) return undefined;
    if (domains.length === 0 || (values.text('relay_recipient_maps') ?? '') !== '')
      return undefined;
    const seen = `relay_domains names ${domains.slice(0, 3).join(', ')}, relay_recipient_maps nothing`;
    return { parameter: 'relay_recipient_maps', seen };
  },
};

export const unknownUserTemporary: PostfixRule = {
  check: check('unknown-450', 'info', 'Unknown users are refused for now, not for good', {
    means: 'Senders try again for days, and a stranger still tells users apart.',
    doesNotMean: 'It is what one sets for the first days of a move.',
    rfc: ['RFC 5321 4.2.2'],
    cure: ['unknown_local_recipient_reject_code = 550'],
  }),
  judge: (values) => {
    const parameter = 'unknown_local_recipient_reject_code';
    const code = values.text(parameter) ?? '';
    return code.startsWith('4') ? { parameter, seen: `${parameter} is ${code}` } : undefined;
  },
};
