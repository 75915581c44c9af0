/** Findings as words that several formats share: the dialogue, cures, controls. */

import type { Cure } from '../check.ts';
import { placeOf } from '../cure.ts';
import type { Controls, Exchange, Finding } from '../finding.ts';

/** The recorded dialogues, a line a turn, in ASCII: `0.812 C: EHLO a\r\n`. */
export function dialogue({ evidence }: Pick<Finding, 'evidence'>): readonly string[] {
  return evidence.flatMap((exchange) => [headLine(exchange), ...exchange.turns.map(turnLine)]);
}

const SIDES = { client: 'C:', server: 'S:', note: '--' } as const;

function turnLine({ atMs, from, text, omittedBytes }: Exchange['turns'][number]): string {
  const cut = omittedBytes > 0 ? ` (${omittedBytes} octets more)` : '';
  return `${(atMs / 1_000).toFixed(3)} ${SIDES[from]} ${text}${cut}`;
}

function headLine({ target, source, startedMs, implicitTls, tls }: Exchange): string {
  const from = source === undefined ? 'here' : `${source.address} ${source.port}`;
  const how = tls === undefined ? '' : ` ${tls.protocol} ${tls.cipher} (${tls.peer})`;
  const at = new Date(startedMs).toISOString();
  const first = implicitTls ? ', TLS first' : '';
  return `${at} from ${from} to ${target.address} ${target.port}${first}${how}`;
}

/** `Postfix: line; line`, or a line each where lines say in which place they belong. */
export function cureText({ product, lines }: Cure): string {
  const name = productName(product);
  // A semicolon behind a comment, a list or a block would be part of it.
  const whole = lines.some((line) => placeOf(line) !== undefined || /^\s|[;{]/.test(line));
  return whole ? [`${name}:`, ...lines].join('\n      ') : `${name}: ${lines.join('; ')}`;
}

/** As its makers write it. */
export function productName(product: string): string {
  const names: Readonly<Record<string, string>> = {
    postfix: 'Postfix',
    exim: 'Exim',
    opensmtpd: 'OpenSMTPD',
    sendmail: 'sendmail',
    dovecot: 'Dovecot',
    postern: 'Postern',
    dns: 'DNS zone',
  };
  return Object.hasOwn(names, product) ? (names[product] ?? product) : product;
}

/** `sanity 1/1, negative 5/5`; empty where nothing was counted. */
export function controlsText(controls: Controls): string {
  return Object.entries(controls)
    .flatMap(([name, count]: [string, { passed: number; of: number } | undefined]) =>
      count === undefined ? [] : [`${name} ${count.passed}/${count.of}`],
    )
    .join(', ');
}
