/** The reader of Exim's configuration, and of what `exim -bP` prints. */

import { isWide } from '../postfix/networks.ts';
import { readerOf } from '../reader.ts';
import { checksFor, type Rule } from '../rule.ts';
import { settingOf } from '../settings-file.ts';
import { type EximFile, listOf, readExim } from './file.ts';
import { acceptsEverybody, mayAccept } from './acl.ts';

type EximRule = Rule<EximFile>;
const check = checksFor('exim');

const value = ({ main }: EximFile, name: string): string | undefined =>
  settingOf(main, name)?.value;

/** Whether a list of hosts takes in more than a site has; a member with `!` takes nothing in. */
const isEverybody = (member: string): boolean => member === '*' || isWide(member);

const relayWide: EximRule = {
  check: check('relay-wide', 'critical', 'Networks that are not yours may relay', {
    means: 'Everybody there may send mail to everywhere: an open relay for them.',
    doesNotMean: 'The list is called so by custom; an ACL must use it.',
    rfc: ['RFC 5321 7.9'],
    cure: ['hostlist relay_from_hosts = 127.0.0.1 : ::1'],
  }),
  judge: (settings) => {
    const parameter = 'hostlist relay_from_hosts';
    const wide = listOf(value(settings, parameter) ?? '').filter(isEverybody);
    if (wide.length === 0) return undefined;
    return { parameter, seen: `relay_from_hosts has ${wide.slice(0, 3).join(', ')}` };
  },
  live: ['relay.n1', 'relay.n2'],
};

const relayDomains: EximRule = {
  check: check('relay-domains', 'critical', 'Mail for every domain is relayed', {
    means: 'A stranger may send mail through this server to any domain.',
    doesNotMean: 'The list is called so by custom; an ACL must use it.',
    rfc: ['RFC 5321 7.9'],
    cure: ['domainlist relay_to_domains ='],
  }),
  judge: (settings) => {
    const parameter = 'domainlist relay_to_domains';
    const text = value(settings, parameter) ?? '';
    if (!listOf(text).includes('*')) return undefined;
    return { parameter, seen: `relay_to_domains is ${text.slice(0, 60)}` };
  },
  live: ['relay.n1', 'relay.n2'],
};

const aclOpen: EximRule = {
  check: check(
    'acl-open',
    'critical',
    'The ACL for recipients accepts everybody before it asks for whom',
    {
      means: 'A stranger may send mail through this server to any domain.',
      doesNotMean: 'Conditions that are not understood here are taken to hold somebody back.',
      rfc: ['RFC 5321 7.9'],
      cure: [
        '# begin acl, first in acl_check_rcpt:',
        '  deny message = relay not permitted',
        '       !hosts = : +relay_from_hosts',
        '       !authenticated = *',
        '       domains = !+local_domains : !+relay_to_domains',
      ],
    },
  ),
  judge: (file) => {
    const parameter = 'acl_smtp_rcpt';
    const statements = file.acls.get(value(file, parameter) ?? '') ?? [];
    const open = acceptsEverybody(statements);
    if (open === undefined) return undefined;
    const seen = `${open.verb} ${open.conditions.map(textOf).join(', ') || 'without a condition'}`;
    return { parameter, seen, line: open.line };
  },
  live: ['relay.n1', 'relay.n2'],
};

const textOf = ({ name, value: what }: { readonly name: string; readonly value: string }): string =>
  `${name} = ${what}`.slice(0, 60);

/** What sends the password as it is. */
const IN_CLEAR = new Set(['plaintext', 'dovecot', 'cyrus_sasl', 'external']);

const authInClear: EximRule = {
  check: check('auth-in-clear', 'high', 'Logins are offered without TLS', {
    means: 'Mail programs send the password in clear; anyone on the way reads it.',
    doesNotMean: 'An authenticator may refuse by server_advertise_condition.',
    rfc: ['RFC 4954 4', 'RFC 8314 3.3'],
    cure: ['auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}'],
  }),
  judge: (file) => {
    const parameter = 'auth_advertise_hosts';
    const hosts = value(file, parameter);
    if (hosts !== undefined && hosts !== '*') return undefined;
    const offered = [...file.authenticators].find(([, options]) => isOffered(options));
    if (offered === undefined) return undefined;
    const said = `${parameter} is *${hosts === undefined ? ' by default' : ''}`;
    return { parameter, seen: `${said}, and ${offered[0]} needs no TLS` };
  },
  live: ['plaintext.smtp-auth-offered', 'plaintext.smtp-auth-accepted'],
};

/** As a server (a client alone has client_send), to everybody, by a mechanism that shows the password. */
function isOffered(options: ReadonlyMap<string, string>): boolean {
  const names = [...options.keys()];
  const isClient = names.some((name) => name.startsWith('client_'));
  if (isClient && !names.some((name) => name.startsWith('server_'))) return false;
  const condition = options.get('server_advertise_condition');
  const always = condition === undefined || /^(?:yes|true|1|\*)$/i.test(condition);
  return always && IN_CLEAR.has(options.get('driver') ?? '');
}

const noTls: EximRule = {
  check: check('tls-off', 'medium', 'Mail comes in without TLS', {
    means: 'Everybody on the way reads mail and passwords.',
    doesNotMean: 'Exim makes a certificate of its own where none is named.',
    rfc: ['RFC 3207 4'],
    cure: [
      'tls_advertise_hosts = *',
      'tls_certificate = /etc/exim4/exim.crt',
      'tls_privatekey = /etc/exim4/exim.key',
    ],
  }),
  judge: (settings) => {
    const parameter = 'tls_advertise_hosts';
    const hosts = value(settings, parameter);
    if (hosts !== '' && hosts !== '!*') return undefined;
    return { parameter, seen: `${parameter} is ${hosts === '' ? 'empty' : hosts}` };
  },
  live: ['plaintext.no-tls'],
};

/** An ACL for a command that tells who lives here. */
function tells(command: 'vrfy' | 'expn', means: string): EximRule {
  const parameter = `acl_smtp_${command}`;
  return {
    check: check(`${command}-on`, 'low', `${command.toUpperCase()} is answered`, {
      means,
      doesNotMean: 'The list may permit it to some hosts only.',
      rfc: ['RFC 5321 7.3'],
      cure: [`${parameter} =`],
    }),
    judge: (settings) => {
      const acl = value(settings, parameter);
      if (acl === undefined || acl === '' || acl === 'deny') return undefined;
      const statements = settings.acls.get(acl);
      if (statements !== undefined && !mayAccept(statements)) return undefined;
      return { parameter, seen: `${parameter} is ${acl.slice(0, 60)}` };
    },
    live: [`users.${command}`],
  };
}

const banner: EximRule = {
  check: check('banner-version', 'low', 'The greeting names the version', {
    means: 'Who looks for servers with a known fault finds this one by its greeting.',
    doesNotMean: 'Hiding a version mends no fault.',
    cure: ['smtp_banner = $smtp_active_hostname ESMTP'],
  }),
  judge: (settings) => {
    const text = value(settings, 'smtp_banner');
    if (text !== undefined && !/version|\b[0-9]+\.[0-9]+\b/.test(text)) return undefined;
    const seen = text === undefined ? 'smtp_banner has the version by default' : `it is "${text}"`;
    return { parameter: 'smtp_banner', seen };
  },
  live: ['fingerprint.greeting-version'],
};

const percentHack: EximRule = {
  check: check('percent-hack', 'high', 'Addresses may carry routes through this server', {
    means: 'user%elsewhere@here is sent on elsewhere.',
    doesNotMean: 'An ACL may refuse such addresses.',
    rfc: ['RFC 5321 3.6.1'],
    cure: ['percent_hack_domains ='],
  }),
  judge: (settings) => {
    const text = value(settings, 'percent_hack_domains') ?? '';
    if (text === '') return undefined;
    return {
      parameter: 'percent_hack_domains',
      seen: `percent_hack_domains is ${text.slice(0, 60)}`,
    };
  },
  live: ['relay.r17'],
};

const sync: EximRule = {
  check: check('sync-off', 'low', 'Commands may come before their turn', {
    means: 'Programs that do not wait for replies, as those of spammers, are served.',
    doesNotMean: 'Pipelining after EHLO, where it is offered, is right.',
    rfc: ['RFC 2920 3.1'],
    cure: ['smtp_enforce_sync = true'],
  }),
  judge: (settings) => {
    const off = value(settings, 'smtp_enforce_sync');
    if (off !== 'false' && off !== 'no') return undefined;
    return { parameter: 'smtp_enforce_sync', seen: `smtp_enforce_sync is ${off}` };
  },
  live: ['parsing.unauthorised-pipelining'],
};

const junkHelo: EximRule = {
  check: check('helo-junk', 'low', 'Any text is taken as the name in HELO', {
    means: 'The name goes into Received and logs as it came.',
    doesNotMean: 'A name in HELO is only a claim.',
    rfc: ['RFC 5321 4.1.1.1'],
    cure: ['helo_accept_junk_hosts ='],
  }),
  judge: (settings) => {
    const parameter = 'helo_accept_junk_hosts';
    const wide = listOf(value(settings, parameter) ?? '').find(isEverybody);
    return wide === undefined ? undefined : { parameter, seen: `${parameter} has ${wide}` };
  },
  live: ['hygiene.helo-syntax'],
};

const RULES = [
  relayWide,
  relayDomains,
  aclOpen,
  authInClear,
  noTls,
  tells('vrfy', 'A stranger tries names and keeps those that exist.'),
  tells('expn', 'A stranger reads who is on a list.'),
  banner,
  percentHack,
  sync,
  junkHelo,
];

/** Exim. */
export const exim = readerOf(
  'exim',
  (text) =>
    /^(?:begin (?:acl|routers|transports)|acl_smtp_[a-z]+[ \t]*=|(?:domain|host)list [a-z_]+[ \t]*=|(?:no_)?helo_[a-z_]+)/m.test(
      text,
    ),
  readExim,
  RULES,
  ({ main }, parameter) => settingOf(main, parameter)?.line,
);
