/** Rules about who may relay: trusted networks, relay restrictions, trust in what clients say. */

import { check, type PostfixRule, whenSwitch } from '../check.ts';
import { isWide } from '../networks.ts';
import { permitsAll, restrictionList, restrictions } from '../restrictions.ts';
import type { Values } from '../values.ts';

export const mynetworksWide: PostfixRule = {
  check: check('mynetworks-wide', 'critical', 'mynetworks trusts networks that are not yours', {
    means: 'Everybody in these networks may send mail to everywhere: an open relay for them.',
    doesNotMean: 'A private network is yours to judge; a gateway or proxy in it brings the world.',
    rfc: ['RFC 5321 7.9'],
    cure: ['mynetworks = 127.0.0.1/32 [::1]/128'],
  }),
  judge: (values) => {
    const wide = values.list('mynetworks').filter(isWide);
    if (wide.length > 0) {
      return { parameter: 'mynetworks', seen: `mynetworks holds ${wide.slice(0, 5).join(', ')}` };
    }
    const style = values.given('mynetworks') ? undefined : values.text('mynetworks_style');
    return style === 'class' || style === 'subnet'
      ? { parameter: 'mynetworks_style', seen: `mynetworks_style is ${style}`, severity: 'medium' }
      : undefined;
  },
  live: ['relay.n1', 'relay.n2'],
};

const REFUSALS = new Set([
  'reject_unauth_destination',
  'defer_unauth_destination',
  'reject',
  'defer',
]);
const PERMITS = new Set(['permit', 'check_relay_domains', 'permit_mx_backup']);
/** Bundles of the authorities of the world: each of them gives anybody a certificate. */
const EVERYBODYS_CA =
  /^\/etc\/(?:ssl\/certs|pki|ca-certificates)(?:\/|$)|ca-(?:certificates|bundle)/;

export const relayUnrestricted: PostfixRule = {
  check: check('relay-unrestricted', 'critical', 'The relay restrictions let strangers relay', {
    means: 'A stranger may send mail through this server to any domain.',
    doesNotMean: 'Tables named before it may refuse as well; they are not followed here.',
    rfc: ['RFC 5321 7.9'],
    cure: [
      'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,',
      '    reject_unauth_destination',
    ],
  }),
  judge: (values) => {
    const lists = ['smtpd_relay_restrictions', 'smtpd_recipient_restrictions'] as const;
    if (lists.some((name) => refusesFirst(values, name))) return undefined;
    const seen = `neither ${lists.join(' nor ')} refuses foreign destinations`;
    return { parameter: 'smtpd_relay_restrictions', seen };
  },
  live: ['relay.n1', 'relay.n2'],
};

/** Whether a list refuses foreign destinations before it permits everybody. */
function refusesFirst(values: Values, name: string): boolean {
  const list = restrictionList(values, name);
  const refusal = list.findIndex((word) => REFUSALS.has(word));
  const permit = list.findIndex(
    (word, at) =>
      PERMITS.has(word) ||
      permitsAll(list, at) ||
      (word === 'permit_tls_all_clientcerts' && trustsEveryCa(values)),
  );
  return refusal !== -1 && (permit === -1 || refusal < permit);
}

/** With an authority of its own, a certificate of it is as good as a login. */
function trustsEveryCa(values: Values): boolean {
  if (values.yes('tls_append_default_CA') === true) return true;
  const named = [values.text('smtpd_tls_CAfile'), values.text('smtpd_tls_CApath')];
  return named.some((name) => EVERYBODYS_CA.test(name ?? ''));
}

export const untrustedRouting: PostfixRule = {
  check: check('untrusted-routing', 'high', 'Addresses may carry routes through this server', {
    means: 'user%elsewhere@relay-domain is taken for a relay domain and sent on elsewhere.',
    doesNotMean: 'Without relay_domains there is nothing to route through.',
    rfc: ['RFC 5321 3.6.1'],
    cure: ['allow_untrusted_routing = no'],
  }),
  judge: whenSwitch('allow_untrusted_routing', true),
  live: ['relay.r17'],
};

export const xclientOpen: PostfixRule = {
  check: check('xclient-open', 'critical', 'Clients may claim another address by XCLIENT', {
    means: 'Who may use XCLIENT says that he is a trusted client, and relays.',
    doesNotMean: 'A single proxy of your own may need it.',
    cure: ['smtpd_authorized_xclient_hosts =', 'smtpd_authorized_xforward_hosts ='],
  }),
  judge: (values) => {
    for (const parameter of ['smtpd_authorized_xclient_hosts', 'smtpd_authorized_xforward_hosts']) {
      const hosts = values.list(parameter);
      if (hosts.length === 0) continue;
      const severity = hosts.some(isWide) ? 'critical' : 'low';
      return { parameter, seen: `${parameter} names ${hosts.slice(0, 5).join(', ')}`, severity };
    }
    return undefined;
  },
  live: ['relay.stranger-trusted'],
};

export const proxyProtocol: PostfixRule = {
  check: check('proxy-protocol', 'medium', 'Clients say their address in a PROXY header', {
    means: 'Who reaches the port directly, not through the proxy, may claim any address.',
    doesNotMean: 'It is right behind a proxy when nobody else reaches the port.',
    cure: [
      'smtpd_upstream_proxy_protocol =',
      'postscreen_upstream_proxy_protocol =',
      'Or a firewall that lets only the proxy in.',
    ],
  }),
  judge: (values) => {
    for (const service of ['smtpd', 'postscreen']) {
      const parameter = `${service}_upstream_proxy_protocol`;
      const value = values.text(parameter) ?? '';
      if (value !== '') return { parameter, seen: `${parameter} is ${value}` };
    }
    return undefined;
  },
  live: ['relay.r28p'],
};

export const loginMismatch: PostfixRule = {
  check: check('sender-login', 'medium', 'A login may send in the name of any other user', {
    means: 'One stolen password is enough to write as every user and every domain here.',
    doesNotMean: 'It matters only where users log in to this Postfix.',
    rfc: ['RFC 6409 6.1'],
    cure: [
      'smtpd_sender_login_maps = hash:/etc/postfix/senders',
      'smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch',
      '# /etc/postfix/senders:',
      'alice@example.org alice@example.org',
      '# then run:',
      'postmap /etc/postfix/senders',
    ],
  }),
  judge: (values) => {
    if (values.yes('smtpd_sasl_auth_enable') !== true) return undefined;
    const named = restrictions(values).some((word) =>
      /^reject_(?:authenticated_|known_)?sender_login_mismatch$/.test(word),
    );
    if (named && (values.text('smtpd_sender_login_maps') ?? '') !== '') return undefined;
    const seen = 'logins are offered without reject_sender_login_mismatch and its table';
    return { parameter: 'smtpd_sender_restrictions', seen };
  },
  live: ['relay.r32'],
};
