/** The reader of dovecot.conf and of what `doveconf -n` prints. */

import { isWide } from '../postfix/networks.ts';
import { readerOf } from '../reader.ts';
import { checksFor, type Rule } from '../rule.ts';
import { readSettings, type Setting, settingOf } from '../settings-file.ts';

type DovecotRule = Rule<readonly Setting[]>;
const check = checksFor('dovecot');

const value = (settings: readonly Setting[], ...names: readonly string[]): string | undefined => {
  for (const name of names) {
    const found = settingOf(settings, name);
    if (found !== undefined) return found.value.toLowerCase();
  }
  return undefined;
};

const sslOff: DovecotRule = {
  check: check('ssl-off', 'high', 'IMAP and POP3 have no TLS', {
    means: 'Passwords and mail are read by anyone on the way.',
    doesNotMean: 'It does no harm where only this machine reaches the ports.',
    rfc: ['RFC 8314 3'],
    cure: ['ssl = required'],
  }),
  judge: (settings) =>
    value(settings, 'ssl') === 'no' ? { parameter: 'ssl', seen: 'ssl is no' } : undefined,
  live: ['plaintext.no-tls'],
};

const cleartext: DovecotRule = {
  check: check('auth-in-clear', 'high', 'Passwords are taken without TLS', {
    means: 'Mail programs send the password in clear; anyone on the way reads it.',
    doesNotMean: 'With ssl = required logins in clear are refused all the same.',
    rfc: ['RFC 8314 3.3'],
    cure: [
      'ssl = required',
      'disable_plaintext_auth = yes',
      'Since 2.4: auth_allow_cleartext = no.',
    ],
  }),
  judge: (settings) => {
    if (value(settings, 'ssl') === 'required') return undefined;
    for (const [parameter, weak] of [
      ['disable_plaintext_auth', 'no'],
      ['auth_allow_cleartext', 'yes'],
    ] as const) {
      if (value(settings, parameter) !== weak) continue;
      return { parameter, seen: `${parameter} is ${weak}, ssl is not required` };
    }
    return undefined;
  },
  live: [
    'plaintext.imap-login-accepted',
    'plaintext.pop3-user-accepted',
    'plaintext.access-auth-accepted',
  ],
};

const mechanisms = (settings: readonly Setting[]): readonly string[] =>
  (value(settings, 'auth_mechanisms') ?? 'plain').split(/\s+/);

const anonymous: DovecotRule = {
  check: check('anonymous', 'high', 'Anonymous logins are permitted', {
    means: 'Who logs in as nobody reads a mailbox, and relays where submission asks this server.',
    doesNotMean: 'The mailbox may be empty on purpose.',
    rfc: ['RFC 4505 1'],
    cure: ['auth_mechanisms = plain login'],
  }),
  judge: (settings) =>
    mechanisms(settings).includes('anonymous')
      ? { parameter: 'auth_mechanisms', seen: 'auth_mechanisms has anonymous' }
      : undefined,
  live: ['plaintext.anonymous-offered'],
};

const weakMechanisms: DovecotRule = {
  check: check('weak-mechanisms', 'medium', 'Logins by mechanisms that are given up', {
    means: 'They keep passwords readable on the server, or leak names (NTLM).',
    doesNotMean: 'The password itself does not cross the network.',
    rfc: ['RFC 6331 2'],
    cure: ['auth_mechanisms = plain login'],
  }),
  judge: (settings) => {
    const weak = mechanisms(settings).filter((one) =>
      /^(?:cram-md5|digest-md5|ntlm|apop|rpa)$/.test(one),
    );
    if (weak.length === 0) return undefined;
    return { parameter: 'auth_mechanisms', seen: `auth_mechanisms has ${weak.join(', ')}` };
  },
  live: ['plaintext.cram-md5', 'plaintext.digest-md5', 'plaintext.ntlm'],
};

const oldTls: DovecotRule = {
  check: check('tls-old', 'medium', 'TLS versions that are given up are spoken', {
    means: 'Sessions may be made weaker than both sides could.',
    doesNotMean: 'The TLS library may refuse them.',
    rfc: ['RFC 8996 4'],
    cure: ['ssl_min_protocol = TLSv1.2'],
  }),
  judge: (settings) => {
    const least = value(settings, 'ssl_min_protocol');
    if (least !== undefined && /^(?:sslv[23]|tlsv1|tlsv1\.1|any)$/.test(least)) {
      return { parameter: 'ssl_min_protocol', seen: `ssl_min_protocol is ${least}` };
    }
    const list = value(settings, 'ssl_protocols');
    if (list === undefined || (list.includes('!tlsv1 ') && list.includes('!tlsv1.1')))
      return undefined;
    return { parameter: 'ssl_protocols', seen: `ssl_protocols is ${list}` };
  },
};

const greeting: DovecotRule = {
  check: check('greeting', 'info', 'The greeting names the product', {
    means: 'Who looks for servers with a known fault finds this one by its greeting.',
    doesNotMean: 'Hiding a name mends no fault.',
    cure: ['login_greeting = ready'],
  }),
  judge: (settings) => {
    const text = value(settings, 'login_greeting') ?? 'dovecot ready.';
    if (!text.includes('dovecot')) return undefined;
    return { parameter: 'login_greeting', seen: `the greeting is "${text.slice(0, 60)}"` };
  },
  live: ['fingerprint.greeting-product'],
};

const noDelay: DovecotRule = {
  check: check('no-delay', 'medium', 'Failed logins are answered at once', {
    means: 'Guessing passwords is as fast as the server.',
    doesNotMean: 'Other limits may hold (fail2ban, auth policy).',
    cure: ['auth_failure_delay = 2 secs'],
  }),
  judge: (settings) => {
    const text = value(settings, 'auth_failure_delay');
    if (text === undefined || !/^0+\s*(?:s|secs?|ms|msecs?)?$/.test(text)) return undefined;
    return { parameter: 'auth_failure_delay', seen: `auth_failure_delay is ${text}` };
  },
};

const plainStored: DovecotRule = {
  check: check('passwords-plain', 'high', 'Passwords are stored readable', {
    means: 'Who reads the file, or a backup of it, has all passwords.',
    doesNotMean: 'It says what the scheme is, not who may read the file.',
    cure: ['Hash them anew (doveadm pw -s ARGON2ID), and name that scheme in the passdb.'],
  }),
  judge: (settings) => {
    for (const { path, value: text, line } of settings) {
      if (
        /(?:^|\/)default_(?:pass|password)_scheme$/.test(path) &&
        /^(?:plain|cleartext)$/i.test(text)
      ) {
        return { parameter: path, seen: `${path} is ${text}`, line };
      }
      if (path.startsWith('passdb') && /(?:^|\s)scheme=(?:plain|cleartext)\b/i.test(text)) {
        return { parameter: path, seen: `${path} has ${text.slice(0, 60)}`, line };
      }
    }
    return undefined;
  },
};

const trusted: DovecotRule = {
  check: check('trusted-networks', 'high', 'Networks that are not yours count as trusted', {
    means: 'Clients there may log in in clear, and say which address they come from.',
    doesNotMean: 'A proxy of your own needs to be in the list.',
    cure: ['login_trusted_networks ='],
  }),
  judge: (settings) => {
    const wide = (value(settings, 'login_trusted_networks') ?? '').split(/[\s,]+/).filter(isWide);
    if (wide.length === 0) return undefined;
    const seen = `login_trusted_networks has ${wide.join(', ')}`;
    return { parameter: 'login_trusted_networks', seen };
  },
};

const exposed: DovecotRule = {
  check: check('exposed-listeners', 'medium', 'Inner services listen on the network', {
    means: 'LMTP and auth take orders from whoever reaches them.',
    doesNotMean: 'A firewall may keep strangers away.',
    cure: ['Write address = 127.0.0.1 into the inet_listener of the service.'],
  }),
  judge: (settings) => {
    for (const { path, value: text, line } of settings) {
      const inner = /^service (lmtp|auth|doveadm)\/inet_listener[^/]*\/address$/.exec(path);
      if (inner === null || /^(?:127\.|::1|localhost)/.test(text)) continue;
      return { parameter: path, seen: `${inner[1]} listens on ${text}`, line };
    }
    return undefined;
  },
};

const debugPasswords: DovecotRule = {
  check: check('passwords-in-log', 'high', 'Passwords are written into the log', {
    means: 'Who reads the log, or the place it is sent to, has the passwords.',
    doesNotMean: 'Only those that were tried since it was set.',
    cure: ['auth_debug_passwords = no', 'auth_verbose_passwords = no'],
  }),
  judge: (settings) => {
    if (value(settings, 'auth_debug_passwords') === 'yes') {
      return { parameter: 'auth_debug_passwords', seen: 'auth_debug_passwords is yes' };
    }
    const verbose = value(settings, 'auth_verbose_passwords') ?? 'no';
    if (verbose !== 'yes' && !verbose.startsWith('plain')) return undefined;
    return { parameter: 'auth_verbose_passwords', seen: `auth_verbose_passwords is ${verbose}` };
  },
};

const RULES = [
  sslOff,
  cleartext,
  anonymous,
  weakMechanisms,
  oldTls,
  greeting,
  noDelay,
  plainStored,
  trusted,
  exposed,
  debugPasswords,
];

/** Dovecot. */
export const dovecot = readerOf(
  'dovecot',
  (text) =>
    /^(?:# .*doveconf|dovecot_config_version|(?:auth_mechanisms|mail_location|ssl_cert|protocols|login_greeting|disable_plaintext_auth|ssl)[ \t]*=|(?:passdb|userdb|protocol|service)\b[^=\n]*\{)/m.test(
      text,
    ),
  readSettings,
  RULES,
  (settings, parameter) => settingOf(settings, parameter)?.line,
);
