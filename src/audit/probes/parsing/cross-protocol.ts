/** Other protocols on a mail port: HTTP with commands in its body, TLS where clear text is due. */

import type { Check } from '../../check.ts';
import { absent, found, unclear } from '../../finding.ts';
import type { Protocol } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { opened } from '../../session.ts';
import { isLost } from '../../wire/wire.ts';
import { latin1 } from '#base/bytes.ts';
import { HTTP_BODY, TLS_IN_CLEAR } from './checks.ts';

/** A command that needs no login, and what its success looks like. */
const COMMANDS: Readonly<Partial<Record<Protocol, readonly [string, RegExp]>>> = {
  smtp: ['EHLO audit.invalid\r\nNOOP\r\n', /^250[ -]/m],
  lmtp: ['LHLO audit.invalid\r\nNOOP\r\n', /^250[ -]/m],
  imap: ['a9 CAPABILITY\r\n', /^a9 OK/im],
  pop3: ['CAPA\r\n', /^\+OK(?![^]*\+OK)[^]*^\.\r?$/im],
};

export const crossProtocol: ServiceProbe = {
  name: 'cross-protocol',
  scope: 'service',
  level: 'safe',
  checks: [HTTP_BODY, TLS_IN_CLEAR],
  fits: ({ protocol }) => COMMANDS[protocol] !== undefined,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const [command = '', success = /^$/] = COMMANDS[context.service.protocol] ?? [];
  const host = context.service.host;
  const head =
    ` / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n` +
    'Content-Type: text/plain\r\nConnection: close\r\n' +
    `Content-Length: ${command.length}\r\n\r\n${command}`;
  await Promise.all([
    tryOctets(context, HTTP_BODY, `POST${head}`, success),
    tryOctets(context, HTTP_BODY, `GET${head}`, success),
    tryOctets(context, TLS_IN_CLEAR, `${CLIENT_HELLO}\r\n${command}`, success),
  ]);
}

async function tryOctets(
  context: ServiceContext,
  check: Check,
  octets: string,
  success: RegExp,
): Promise<void> {
  // The plain case: the same command without anything before it is answered.
  const [command = '', sign = success] = COMMANDS[context.service.protocol] ?? [];
  const sane = sign.test(await talk(context, command).then(({ text }) => text));
  const { greeting, text, exchange, over } = await talk(context, octets);
  if (!sane || /^(?:[45]\d\d|\* BYE|-ERR)/i.test(greeting)) {
    const why = sane ? `greeted with "${greeting}"` : 'the plain command is not answered either';
    context.tell(unclear(check, why, { evidence: [exchange] }));
    return;
  }
  const what = octets.slice(0, 4).replace(/[^A-Z]/g, '') || 'a TLS handshake';
  const seen = `${what}: ${success.test(text) ? 'the command behind it is run' : over ? 'the connection ends' : 'the command behind it is not run'}`;
  const controls = { sanity: { passed: 1, of: 1 } };
  const tell = success.test(text) ? found : sane ? absent : unclear;
  context.tell(tell(check, seen, { evidence: [exchange], controls }));
}

async function talk(context: ServiceContext, octets: string) {
  const wire = await opened(context);
  const line = await wire.readLine(context.options.replyMs);
  const greeting = isLost(line) ? '' : latin1(line.octets);
  wire.send(octets);
  let text = '';
  // Answers to lines that are no commands may be held back for a second.
  for (let turn = 0; turn < 4 && !wire.over; turn += 1) {
    const more = latin1(await wire.listen(250));
    text += more;
    if (more === '' && text !== '') break;
  }
  const { over } = wire;
  wire.close();
  return { greeting, text, over, exchange: wire.exchange };
}

/** The beginning of a TLS 1.2 handshake: one record with a short ClientHello. */
const CLIENT_HELLO =
  '\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03' +
  '\x11'.repeat(32) +
  '\x00\x00\x04\xc0\x2f\x00\x2f\x01\x00';
