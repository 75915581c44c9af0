/** The values of Postfix parameters: `$name` expanded, lists split, defaults where needed. */

import type { MainCf } from './main-cf.ts';

/** Reads values of one main.cf; names may be ones that the file does not set. */
export interface Values {
  /** Expanded; the default of Postfix where we know it, else undefined. */
  text(name: string): string | undefined;
  /** Split at blanks and commas, `{ }` kept together. */
  list(name: string): readonly string[];
  /** `yes` and `no`; anything else is undefined. */
  yes(name: string): boolean | undefined;
  /** Seconds: `4h`, `30`, in the parameter's own unit when none stands there. */
  seconds(name: string, unit: TimeUnit): number | undefined;
  /** Whether the file sets it. */
  given(name: string): boolean;
  /** Where, from 1. */
  line(name: string): number | undefined;
}

export type TimeUnit = 's' | 'm' | 'h' | 'd' | 'w';

const DEPTH = 20;
const CHARACTERS = 100_000;
const SECONDS: Readonly<Record<TimeUnit, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/**
 * Defaults that others refer to, or whose danger lies in not being set (Postfix 3.7). `mydomain`
 * is derived in `valuesOf`.
 */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['myhostname', 'localhost'],
  ['myorigin', '$myhostname'],
  ['mydestination', '$myhostname, localhost.$mydomain, localhost'],
  ['config_directory', '/etc/postfix'],
  ['disable_vrfy_command', 'no'],
  ['smtpd_helo_required', 'no'],
  ['smtpd_forbid_bare_newline', 'no'],
  ['smtpd_forbid_unauth_pipelining', 'no'],
  ['smtpd_banner', '$myhostname ESMTP $mail_name'],
  ['mail_name', 'Postfix'],
  ['smtpd_sasl_auth_enable', 'no'],
  ['smtpd_tls_auth_only', 'no'],
  ['smtpd_sasl_security_options', 'noanonymous'],
  ['smtpd_sasl_tls_security_options', '$smtpd_sasl_security_options'],
  ['smtpd_tls_security_level', ''],
  ['smtp_tls_security_level', ''],
  ['smtpd_tls_protocols', '>=TLSv1'],
  ['smtpd_tls_mandatory_protocols', '>=TLSv1'],
  ['smtpd_tls_ciphers', 'medium'],
  [
    'smtpd_relay_restrictions',
    'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
  ],
  ['smtpd_authorized_xclient_hosts', ''],
  ['smtpd_authorized_xforward_hosts', ''],
  ['smtpd_upstream_proxy_protocol', ''],
  ['allow_untrusted_routing', 'no'],
  ['smtpd_reject_unlisted_recipient', 'yes'],
  ['unknown_local_recipient_reject_code', '550'],
  ['smtpd_hard_error_limit', '20'],
  ['smtpd_error_sleep_time', '1s'],
  ['message_size_limit', '10240000'],
  ['smtpd_sasl_authenticated_header', 'no'],
  ['local_recipient_maps', 'proxy:unix:passwd.byname $alias_maps'],
  ['alias_maps', 'hash:/etc/aliases'],
  ['smtpd_tls_loglevel', '0'],
]);

/** The values of a file that was read. */
export function valuesOf(file: MainCf): Values {
  const raw = (name: string): string | undefined =>
    file.parameters.get(name)?.value ?? DEFAULTS.get(name) ?? derived(name, file);
  const text = (name: string): string | undefined => {
    const value = raw(name);
    return value === undefined ? undefined : expand(value, raw);
  };
  return {
    text,
    list: (name) => splitList(text(name) ?? ''),
    yes: (name) => ({ yes: true, no: false })[text(name)?.toLowerCase() ?? ''],
    seconds: (name, unit) => parseSeconds(text(name) ?? '', unit),
    given: (name) => file.parameters.has(name),
    line: (name) => file.parameters.get(name)?.line,
  };
}

/** mydomain is myhostname without its first label. */
function derived(name: string, file: MainCf): string | undefined {
  if (name !== 'mydomain') return undefined;
  const host = file.parameters.get('myhostname')?.value ?? '';
  const dot = host.indexOf('.');
  return dot === -1 ? 'localdomain' : host.slice(dot + 1);
}

/**
 * Expands `$name`, `${name}`, `$(name)`, `${name?text}` and `${name:text}` (postconf(5)), at most
 * 20 deep and 100,000 characters; beyond that, what was not expanded stays as it is.
 */
export function expand(value: string, lookup: (name: string) => string | undefined): string {
  let text = value;
  for (let depth = 0; depth < DEPTH; depth += 1) {
    const next = expandOnce(text, lookup);
    if (next === text || next.length > CHARACTERS) break;
    text = next;
  }
  return text.replaceAll('$$', '$');
}

const REFERENCE =
  /\$(?:([A-Za-z0-9_]+)|[{(]([A-Za-z0-9_]+)(?:([?:])\{?([^${}()]{0,2000})\}?)?[})])/g;

function expandOnce(text: string, lookup: (name: string) => string | undefined): string {
  let room = CHARACTERS;
  return text.replace(
    REFERENCE,
    (
      whole,
      plain: string | undefined,
      braced: string | undefined,
      test?: string,
      then?: string,
    ) => {
      const value = lookup(plain ?? braced ?? '');
      const empty = (value ?? '') === '';
      let put = value ?? whole;
      if (test === '?') put = empty ? '' : (then ?? '');
      if (test === ':' && empty) put = then ?? '';
      room -= put.length;
      return room < 0 ? whole : put;
    },
  );
}

/** Splits at blanks and commas; what stands in `{ }` is one member, without the braces. */
export function splitList(text: string): string[] {
  const members: string[] = [];
  let depth = 0;
  let member = '';
  const end = (): void => {
    if (member.trim() !== '') members.push(member.trim());
    member = '';
  };
  for (const character of text) {
    if (character === '{' && (depth += 1) === 1) end();
    else if (character === '}' && depth > 0 && (depth -= 1) === 0) end();
    else if (depth === 0 && /[\s,]/.test(character)) end();
    else member += character;
  }
  end();
  return members;
}

function parseSeconds(text: string, unit: TimeUnit): number | undefined {
  const match = /^([0-9]{1,9})([smhdw])?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * SECONDS[(match[2] as TimeUnit | undefined) ?? unit];
}
