/** A row of the extension table: what EHLO announces, and the parameters that come with it. */

import type { MailParameters, RcptParameters } from '../parameters.ts';
import type { Reply } from '../reply.ts';
import type { SmtpState } from './session.ts';

export interface Extension {
  /** As in EHLO's answer (RFC 5321 2.2). */
  readonly keyword: string;
  /** The line to announce, or undefined when it is not offered now. */
  announce(state: SmtpState): string | undefined;
  /** Parameters of MAIL, by their names in upper case. */
  readonly mail?: Readonly<Record<string, ParameterReader<MailParameters>>>;
  /** Parameters of RCPT. */
  readonly rcpt?: Readonly<Record<string, ParameterReader<RcptParameters>>>;
}

/** A parameter while it is read. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** Puts a value where it belongs, or says why not. `value` is undefined when there was no `=`. */
export type ParameterReader<T> = (
  value: string | undefined,
  draft: Draft<T>,
  state: SmtpState,
) => Reply | undefined;
