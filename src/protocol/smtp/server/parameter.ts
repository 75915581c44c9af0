/** ESMTP parameters (RFC 5321 4.1.2): only those of announced extensions, each once. */

import type { MailParameters, RcptParameters } from '../parameters.ts';
import type { Reply } from '../reply.ts';
import type { Draft, Extension, ParameterReader } from './extension.ts';
import * as registry from './extensions/index.ts';
import { replies } from './replies.ts';
import type { SmtpState } from './session.ts';

const EXTENSIONS: readonly Extension[] = Object.values(registry).sort((a, b) =>
  a.keyword < b.keyword ? -1 : 1,
);

interface Known<T> {
  readonly extension: Extension;
  readonly read: ParameterReader<T>;
}

const MAIL = new Map<string, Known<MailParameters>>(
  EXTENSIONS.flatMap((extension) =>
    Object.entries(extension.mail ?? {}).map(([name, read]) => [name, { extension, read }]),
  ),
);
const RCPT = new Map<string, Known<RcptParameters>>(
  EXTENSIONS.flatMap((extension) =>
    Object.entries(extension.rcpt ?? {}).map(([name, read]) => [name, { extension, read }]),
  ),
);

/** Parameters in a line; a dozen exist. */
const PARAMETERS = 20;
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
/** esmtp-value (RFC 5321 4.1.2). */
const VALUE = /^[\x21-\x3c\x3e-\x7e]+$/;
/** For the addresses of type `utf-8` (RFC 6533 3). */
const UTF8_VALUE = /^[\x21-\x3c\x3e-\x7e\u00a0-\u{10ffff}]+$/u;

/** The parameters of MAIL, or the reply that refuses them. */
export function readMailParameters(text: string, state: SmtpState): MailParameters | Reply {
  const draft: Draft<MailParameters> = {
    sizeBytes: undefined,
    body: '7bit',
    smtpUtf8: false,
    ret: undefined,
    envelopeId: undefined,
    auth: undefined,
  };
  return (text === '' ? undefined : readAll(text, MAIL, draft, state)) ?? draft;
}

/** The parameters of RCPT, or the reply that refuses them. */
export function readRcptParameters(text: string, state: SmtpState): RcptParameters | Reply {
  const draft: Draft<RcptParameters> = { notify: undefined, originalRecipient: undefined };
  return (text === '' ? undefined : readAll(text, RCPT, draft, state)) ?? draft;
}

/** What EHLO announces after the host's name. */
export function announcements(state: SmtpState): string[] {
  const lines: string[] = [];
  for (const extension of EXTENSIONS) {
    const line = offered(extension, state);
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/** Whether an extension is announced in this session. */
export function offers(keyword: string, state: SmtpState): boolean {
  const extension = EXTENSIONS.find((one) => one.keyword === keyword);
  return extension !== undefined && offered(extension, state) !== undefined;
}

function offered(extension: Extension, state: SmtpState): string | undefined {
  if (state.settings.withheld.includes(extension.keyword)) return undefined;
  return extension.announce(state);
}

function readAll<T>(
  text: string,
  known: ReadonlyMap<string, Known<T>>,
  draft: Draft<T>,
  state: SmtpState,
): Reply | undefined {
  const words = text.split(' ').filter((word) => word !== '');
  if (words.length > PARAMETERS) return replies.badParameter;
  const seen = new Set<string>();
  for (const word of words) {
    const equals = word.indexOf('=');
    const keyword = equals < 0 ? word : word.slice(0, equals);
    if (!KEYWORD.test(keyword)) return replies.badParameter;
    const name = keyword.toUpperCase();
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    const wanted = name === 'ORCPT' ? UTF8_VALUE : VALUE;
    if (value !== undefined && !wanted.test(value)) return replies.badParameter;
    const parameter = known.get(name);
    if (parameter === undefined || offered(parameter.extension, state) === undefined) {
      return replies.unknownParameter;
    }
    if (seen.has(name)) return replies.repeatedParameter;
    seen.add(name);
    const refusal = parameter.read(value, draft, state);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
