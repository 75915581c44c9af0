/** Parameters of Postfix that mean the same here: names, numbers, sizes, times, files. */

import { LEVELS } from '#agents/transfer/security/level.ts';
import type { TimeUnit } from '#audit/configuration/postfix/values.ts';
import type { Collection } from './collect.ts';

/** How one parameter is carried over; `setting` is ours, the same name when left out. */
interface Row {
  readonly parameter: string;
  readonly setting?: string;
  readonly take: (into: Collection, parameter: string, setting: string) => void;
}

/** Takes all parameters of the table that the file sets. */
export function takePlain(into: Collection): void {
  for (const { parameter, setting, take } of ROWS) {
    if (into.values.given(parameter)) take(into, parameter, setting ?? parameter);
  }
}

const text: Row['take'] = (into, parameter, setting) => {
  const value = into.values.text(parameter) ?? '';
  if (value !== '') into.set(parameter, setting, value);
};

const number: Row['take'] = (into, parameter, setting) => {
  const value = Number(into.values.text(parameter));
  if (Number.isInteger(value)) into.set(parameter, setting, value);
  else into.leave(parameter, 'is no number');
};

/** Zero means without limit there, and there is no such thing here. */
const limit: Row['take'] = (into, parameter, setting) => {
  if (into.values.text(parameter) === '0') {
    into.leave(parameter, 'every limit is a number here; the default holds');
  } else number(into, parameter, setting);
};

const SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60 };

function time(unit: TimeUnit): Row['take'] {
  return (into, parameter, setting) => {
    const seconds = into.values.seconds(parameter, unit);
    if (seconds === undefined) return into.leave(parameter, 'is no time');
    const whole = Object.entries(SECONDS).find(([, one]) => seconds > 0 && seconds % one === 0);
    into.set(
      parameter,
      setting,
      whole === undefined ? `${seconds}s` : `${seconds / whole[1]}${whole[0]}`,
    );
  };
}

const families: Row['take'] = (into, parameter, setting) => {
  const [only, second] = into.values.list(parameter);
  into.set(parameter, setting, second === undefined && only !== undefined ? only : 'all');
};

const interfaces: Row['take'] = (into, parameter, setting) => {
  const words = into.values.list(parameter);
  const named = words.map((word) => (word === 'localhost' ? 'loopback-only' : word));
  into.set(parameter, setting, named.length === 0 ? ['all'] : named);
};

const level: Row['take'] = (into, parameter, setting) => {
  // Empty is Postfix' default, and means none.
  const value = into.values.text(parameter) || 'none';
  const ours = LEVELS.find((one) => one === value);
  if (ours === undefined) into.leave(parameter, 'is no level that is known here');
  else if (ours === 'none') into.leave(parameter, 'TLS stays on here: our default holds');
  else into.set(parameter, setting, ours);
};

/** A certificate in one file with its key. */
const chain: Row['take'] = (into, parameter) => {
  const [first, ...more] = into.values.list(parameter);
  if (first === undefined) return;
  into.set(parameter, 'smtpd_tls_cert_file', first);
  into.set(parameter, 'smtpd_tls_key_file', first);
  for (const other of more) into.leave(parameter, 'one certificate for each name here', other);
};

const ROWS: readonly Row[] = [
  { parameter: 'myhostname', take: text },
  { parameter: 'inet_protocols', take: families },
  { parameter: 'inet_interfaces', take: interfaces },
  { parameter: 'recipient_delimiter', take: text },
  { parameter: 'relayhost', take: text },
  { parameter: 'message_size_limit', take: limit },
  { parameter: 'bounce_size_limit', take: limit },
  { parameter: 'queue_minfree', take: number },
  { parameter: 'line_length_limit', take: number },
  { parameter: 'smtpd_recipient_limit', take: number },
  { parameter: 'smtpd_hard_error_limit', take: number },
  { parameter: 'smtpd_client_connection_count_limit', take: limit },
  {
    parameter: 'default_destination_concurrency_limit',
    setting: 'smtp_destination_concurrency_limit',
    take: limit,
  },
  { parameter: 'smtp_destination_concurrency_limit', take: limit },
  {
    parameter: 'default_destination_recipient_limit',
    setting: 'smtp_destination_recipient_limit',
    take: limit,
  },
  { parameter: 'smtp_destination_recipient_limit', take: limit },
  { parameter: 'maximal_queue_lifetime', take: time('d') },
  { parameter: 'bounce_queue_lifetime', take: time('d') },
  { parameter: 'minimal_backoff_time', take: time('s') },
  { parameter: 'maximal_backoff_time', take: time('s') },
  { parameter: 'delay_warning_time', take: time('h') },
  { parameter: 'smtpd_timeout', take: time('s') },
  { parameter: 'smtp_connect_timeout', take: time('s') },
  { parameter: 'smtp_connection_cache_time_limit', take: time('s') },
  { parameter: 'smtpd_tls_cert_file', take: text },
  { parameter: 'smtpd_tls_key_file', take: text },
  { parameter: 'smtpd_tls_chain_files', take: chain },
  { parameter: 'smtp_tls_security_level', take: level },
];
