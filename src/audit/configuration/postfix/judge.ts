/** The reader of main.cf and of what `postconf -n` prints. */

import { readerOf } from '../reader.ts';
import { parseMainCf } from './main-cf.ts';
import * as rules from './rules/index.ts';
import { valuesOf } from './values.ts';

const KNOWN =
  /^(?:smtpd_[a-z_]+|smtp_tls_[a-z_]+|myhostname|mynetworks|mydestination|compatibility_level|virtual_[a-z_]+)[ \t]*=/m;

/** Postfix. */
export const postfix = readerOf(
  'postfix',
  (text) => KNOWN.test(text),
  (text) => valuesOf(parseMainCf(text)),
  Object.values(rules),
  (values, parameter) => values.line(parameter),
);
