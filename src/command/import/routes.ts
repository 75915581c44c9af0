/** Networks, restrictions and routes of Postfix. */

import { isWide } from '#audit/configuration/postfix/networks.ts';
import { RESTRICTION_NAMES } from '#policy/restrictions/parse.ts';
import type { Collection } from './collect.ts';

/** mynetworks without tables, and without what nobody should trust. */
export function takeNetworks(into: Collection): void {
  const parameter = 'mynetworks';
  if (!into.values.given(parameter)) return;
  const kept: string[] = [];
  for (const member of into.values.list(parameter)) {
    if (isWide(member)) into.leave(parameter, 'too wide to be trusted: not taken over', member);
    else if (/^[a-z]+:\//i.test(member)) into.leave(parameter, 'is a table', member);
    else if (member.startsWith('/')) into.leave(parameter, 'is a file', member);
    else kept.push(member);
  }
  into.set(parameter, parameter, kept);
}

const LISTS = ['client', 'helo', 'sender', 'recipient', 'data'] as const;
/** Restrictions with an argument that we lack too: it goes with them. */
const TAKES_ARGUMENT = /^(?:check_|reject_r(?:bl|hsbl)_|permit_(?:dnswl|rhswl)_)/;

/** Postfix leaves DMARC to milters: a list of theirs must not switch it off here. */
const INSTEAD_OF_MILTERS = ['reject_dmarc', 'quarantine_dmarc'];

/**
 * The restriction lists; those about relaying go in front of those about recipients, as Postfix
 * judges them. What is not known here is left, with its argument; DMARC is added.
 */
export function takeRestrictions(into: Collection): void {
  for (const list of LISTS) {
    const setting = `smtpd_${list}_restrictions`;
    const sources = list === 'recipient' ? ['smtpd_relay_restrictions', setting] : [setting];
    const given = sources.filter((name) => into.values.given(name));
    if (given.length === 0) continue;
    const kept = given.flatMap((name) => keptOf(name, into));
    if (list === 'data') kept.push(...INSTEAD_OF_MILTERS);
    for (const name of given) into.set(name, setting, [...new Set(kept)]);
  }
}

/** What a name of theirs is called here. */
const OURS: ReadonlyMap<string, string> = new Map([
  ['defer_unauth_destination', 'reject_unauth_destination'],
  ['reject_invalid_hostname', 'reject_invalid_helo_hostname'],
  ['reject_non_fqdn_hostname', 'reject_non_fqdn_helo_hostname'],
  ['reject_unknown_hostname', 'reject_unknown_helo_hostname'],
  ['reject_unknown_client', 'reject_unknown_client_hostname'],
  ['reject_authenticated_sender_login_mismatch', 'reject_sender_login_mismatch'],
]);

function keptOf(parameter: string, into: Collection): string[] {
  const kept: string[] = [];
  const words = into.values.list(parameter);
  for (let at = 0; at < words.length; at += 1) {
    const word = OURS.get(words[at] ?? '') ?? words[at] ?? '';
    const argument = TAKES_ARGUMENT.test(word) ? words[(at += 1)] : undefined;
    const whole = argument === undefined ? word : `${word} ${argument}`;
    if (RESTRICTION_NAMES.includes(word)) kept.push(whole);
    else into.leave(parameter, 'is no restriction that is known here', whole);
  }
  return kept;
}

/** transport_maps: rows that lead to another host by SMTP. */
export function takeTransport(into: Collection): void {
  const parameter = 'transport_maps';
  if (!into.values.given(parameter)) return;
  const routes: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const name of into.values.list(parameter)) {
    for (const { key, value } of into.table(parameter, name)) {
      const match = /^(?:smtp|relay)?:(.+)$/.exec(value);
      if (match?.[1] !== undefined && /^[^@*]+$/.test(key)) routes[key] = match[1];
      else into.leave(parameter, 'routes are for whole domains, by SMTP', `${key} ${value}`);
    }
  }
  if (Object.keys(routes).length > 0) into.set(parameter, parameter, routes);
}

/** Beside the configuration; paths in it are taken from there. */
export const PASSWORD_FILE = 'relayhost-password';

/** What the relayhost wants to hear: a login, and where to put its password. */
export interface RelayLogin {
  readonly login: string;
  readonly password: string;
}

/** The row of smtp_sasl_password_maps that is about relayhost. */
export function takeRelayLogin(into: Collection): RelayLogin | undefined {
  const parameter = 'smtp_sasl_password_maps';
  const relayhost = into.values.text('relayhost') ?? '';
  if (relayhost === '' || !into.values.given(parameter)) return undefined;
  const host = relayhost.replace(/:[^:\]]+$/, '');
  for (const name of into.values.list(parameter)) {
    const row = into.table(parameter, name).find(({ key }) => key === relayhost || key === host);
    const colon = row?.value.indexOf(':') ?? -1;
    if (row === undefined || colon === -1) continue;
    const login = row.value.slice(0, colon);
    into.set(parameter, 'relayhost_login', login);
    into.set(parameter, 'relayhost_password_file', PASSWORD_FILE);
    return { login, password: row.value.slice(colon + 1) };
  }
  into.leave(parameter, 'has no login for the relayhost');
  return undefined;
}
