/** Checks of smuggling: what ends a message that must not, by what stands before the dot. */

import type { Check, Cure, Severity } from '../../check.ts';
import type { Family } from './sequences.ts';

export const SMUGGLING_CURES: readonly Cure[] = [
  {
    product: 'postfix',
    lines: [
      'smtpd_forbid_bare_newline = normalize',
      'smtpd_forbid_bare_newline_exclusions = $mynetworks',
      'smtpd_forbid_unauth_pipelining = yes',
      'Versions before 3.9, 3.8.5 and 3.7.10 know yes instead of normalize.',
    ],
  },
  { product: 'exim', lines: ['Update to 4.97.1, or to 4.96-15+deb12u4 of Debian, or later.'] },
  { product: 'opensmtpd', lines: ['No setting: put a server in front that takes CRLF alone.'] },
  {
    product: 'sendmail',
    lines: [
      'Update to 8.18.1 (Debian: 8.17.1.9-2+deb12u2).',
      'Take O, U and G out of Srv_Features: they switch the cure off.',
    ],
  },
  { product: 'postern', lines: ['Only CRLF.CRLF ends content; update Postern.'] },
];

const RFC = ['RFC 5321 4.1.1.4', 'RFC 5321 2.3.8'];
const MEANS =
  'A message is sent through another provider, with a second one hidden in it: this server reads ' +
  'two, and the second comes in the name of anybody, with that provider as its witness (SPF).';
const NOT =
  'Some provider must pass the octets on unchanged; many repair or refuse them since 2023. It is ' +
  'no break-in and no open relay.';

export const BARE_LF = family(
  'bare-lf',
  'A dot behind a bare LF ends a message',
  'high',
  MEANS,
  NOT,
);
export const BARE_CR = family(
  'bare-cr',
  'A dot behind a bare CR ends a message',
  'high',
  MEANS,
  NOT,
);
export const NUL = family('nul', 'A dot behind a NUL ends a message', 'high', MEANS, NOT);
export const LINE_BREAK = family(
  'line-break',
  'A dot behind VT, FF, NEL or U+2028 ends a message',
  'high',
  MEANS,
  NOT,
);
export const LENIENT = family(
  'lenient-end',
  'A dot line that ends oddly ends a message (LF, CR CR LF, NUL)',
  'info',
  'The server is laxer than the standard: it ends a message where another may see text.',
  'No conforming sender can be made to send it: behind CRLF the dot is doubled.',
);
export const END_OF_FILE = family(
  'end-of-stream',
  'A message whose connection ends behind a dot is accepted',
  'low',
  'Half a message, cut off by an error or an attacker in between, is taken for a whole one.',
  'Nothing can be smuggled by it: there is nothing behind the end.',
);
export const BDAT_DOT = family(
  'bdat-dot',
  'A dot line inside a BDAT chunk ends the message',
  'high',
  'The length of a chunk is no protection: what stands behind the dot is run as commands.',
  'Where the server does not offer CHUNKING nobody sends BDAT to it.',
  ['RFC 3030 2'],
);
export const OUTBOUND = family(
  'outbound',
  'What users submit goes out with an end of data hidden in it',
  'high',
  'Any user can write as anybody else of this domain, to receivers that are lax: their server ' +
    'reads two messages and sees this one as the witness of both.',
  'Receivers that take CRLF.CRLF alone for the end are not fooled.',
);
export const OUTBOUND_BARE = family(
  'outbound-bare',
  'Bare CR, bare LF or NUL in what users submit goes out as it is',
  'low',
  'Other servers refuse such mail, or read its lines otherwise than this one.',
  'Without a dot between them nothing is smuggled.',
);
export const OUTBOUND_DOT = family(
  'outbound-dot',
  'Lines that begin with a dot do not survive the way out',
  'medium',
  'Text is lost or changed, signatures break, and a line of a dot alone would end the message.',
  'Only what begins a line is touched.',
  ['RFC 5321 4.5.2'],
);

/** Which check speaks for a sequence; controls have none. */
export const CHECK_OF: Readonly<Record<Exclude<Family, 'control'>, Check>> = {
  lf: BARE_LF,
  cr: BARE_CR,
  nul: NUL,
  break: LINE_BREAK,
  lenient: LENIENT,
};

function family(
  id: string,
  title: string,
  severity: Severity,
  means: string,
  doesNotMean: string,
  rfc: readonly string[] = RFC,
): Check {
  return {
    id: `smuggling.${id}`,
    title,
    severity,
    means,
    doesNotMean,
    rfc,
    cures: SMUGGLING_CURES,
  };
}
