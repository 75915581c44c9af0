/** From a line to a row of the command table, and what is said when there is none. */

import { latin1, parseUtf8 } from '#base/bytes.ts';
import type { Reply } from '../reply.ts';
import type { Argument, Command } from './command.ts';
import * as registry from './commands/index.ts';
import { isAscii as isAsciiText } from './path.ts';
import { replies } from './replies.ts';
import type { SmtpState } from './session.ts';

const TABLE = new Map<string, Command>(
  Object.values(registry).map((command) => [command.verb, command as Command]),
);

/** Methods of HTTP, and the word with which a proxy introduces somebody: no SMTP client says it. */
const FOREIGN = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PRI',
  'PROXY',
]);

/** Verbs of other servers, of old, or of extensions that we do not have. */
const OTHER_VERBS = new Set([
  'ATRN',
  'BURL',
  'ETRN',
  'SAML',
  'SEND',
  'SOML',
  'TURN',
  'XCLIENT',
  'XFORWARD',
  'XEXCH50',
]);

/** A TLS record of a handshake (RFC 8446 5.1). */
const TLS_HANDSHAKE = 0x16;

export interface ParsedCommand {
  /** Upper case. */
  readonly verb: string;
  readonly argument: Argument;
}

/** Verb and argument; white space around them is let through (RFC 5321 4.1.1). */
export function parseCommand(line: Uint8Array): ParsedCommand {
  const ascii = isAscii(line);
  const decoded = ascii ? latin1(line) : parseUtf8(line);
  const text = decoded ?? latin1(line);
  const space = text.indexOf(' ');
  const word = trimmed(space < 0 ? text : text.slice(0, space));
  const rest = space < 0 ? '' : trimmed(text.slice(space + 1));
  // Some letters beyond ASCII have a capital within it: `R\u017fET` is not RSET.
  const verb = ascii || isAsciiText(word) ? word.toUpperCase() : word;
  return { verb, argument: { text: rest, ascii, wellFormed: decoded !== undefined } };
}

/** The row of a verb in this mode. */
export function findCommand(verb: string, state: SmtpState): Command | undefined {
  const command = TABLE.get(verb);
  const known = command?.modes === undefined || command.modes.includes(state.mode);
  return known ? command : undefined;
}

/** Why a command may not come now (RFC 5321 4.1.4, RFC 3207 4), or undefined. */
export function misplaced(command: Command, state: SmtpState): Reply | undefined {
  const { phase, settings, secure } = state;
  if (settings.requireTls && secure === undefined && command.beforeTls !== true) {
    return replies.tlsRequired;
  }
  if (command.phases.includes(phase)) return undefined;
  if (phase === 'start') return replies.heloFirst;
  if (phase === 'ready') return replies.mailFirst;
  if (phase === 'chunks') return replies.chunksBegun;
  return replies.inTransaction;
}

/** Whether the first octet of a line shows that this is no mail client. */
export function startsTls(octet: number | undefined): boolean {
  return octet === TLS_HANDSHAKE;
}

/** Whether a line begins like AUTH, whose lines may be longer. */
export function startsAuth(bytes: Uint8Array): boolean {
  const [a, u, t, h, space] = bytes;
  if (a === undefined || (a | 0x20) !== 0x61 || space !== 0x20) return false;
  return ((u ?? 0) | 0x20) === 0x75 && ((t ?? 0) | 0x20) === 0x74 && ((h ?? 0) | 0x20) === 0x68;
}

/** Whether a line belongs to another protocol: browsers can be made to send mail (ALPACA). */
export function foreignProtocol(verb: string): boolean {
  return FOREIGN.has(verb);
}

/**
 * A command for the record. AUTH without its argument; a line that is no command is shown only
 * when its verb is a word of the protocol: it may be a password sent at the wrong moment.
 */
export function recorded({ verb, argument }: ParsedCommand): string {
  if (verb === 'AUTH' || OTHER_VERBS.has(verb) || FOREIGN.has(verb)) return verb;
  if (!TABLE.has(verb)) return '?';
  return argument.text === '' ? verb : `${verb} ${argument.text}`;
}

function isAscii(bytes: Uint8Array): boolean {
  let all = 0;
  for (let index = 0; index < bytes.length; index++) all |= bytes[index] ?? 0;
  return all < 0x80;
}

/** Without spaces and tabs at its ends; other white space is a character like any other. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
