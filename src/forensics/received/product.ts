/** Which program wrote a Received line: by the name it puts there, or by habits of its own. */

import type { Product } from './line.ts';

/** The parts of a line that tell: comments by clause, and the plain words. */
export interface Traits {
  readonly fromComments: readonly string[];
  readonly byComments: readonly string[];
  readonly withComments: readonly string[];
  readonly otherComments: readonly string[];
  readonly by: string;
  readonly with: string;
  readonly id: string;
}

type Rule = (traits: Traits) => Product | undefined;

/** Names that programs write into a comment after `by` or `with`, with their version if any. */
const NAMED: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['Postfix', /^postfix(?:[ ,/]|$)/i],
  ['Exim', /^exim(?:[ -]+(\d[\w.]{0,20}))?/i],
  ['OpenSMTPD', /^opensmtpd\b/i],
  ['Haraka', /^haraka(?:\/([\w.]{1,20}))?/i],
  ['SimpleEmailService', /^simpleemailservice/i],
  ['Cyrus', /^cyrus(?: v?([\w.]{1,40}))?/i],
  ['Dovecot', /^dovecot/i],
  ['fetchmail', /^fetchmail[- ]([\w.]{1,20})/i],
  ['getmail', /^getmail/i],
  ['CommuniGate Pro', /^communigate pro(?: \w+)? ?([\d.]{1,20})?/i],
  ['Lotus Domino', /^lotus domino release ([\w.]{1,20})/i],
  ['IBM Domino', /^ibm domino release ([\w.]{1,20})/i],
  ['HCL Domino', /^hcl domino release ([\w.]{1,20})/i],
  ['MDaemon', /^mdaemon(?: pro)? v?([\w.]{1,20})/i],
  ['IceWarp', /^icewarp[ /]*([\d.]{1,20})?/i],
  ['Merak', /^merak[ /]*([\d.]{1,20})?/i],
  ['SquirrelMail', /^squirrelmail/i],
  ['Roundcube', /^roundcube/i],
  ['Kerio', /^kerio (?:connect|mailserver) ?([\d.]{1,20})?/i],
  ['hMailServer', /^hmailserver ?([\d.]{1,20})?/i],
  ['SmarterMail', /^smartermail ?([\w. ]{1,30})?/i],
  ['Zimbra', /^zimbra/i],
  ['Stalwart', /^stalwart/i],
  ['maddy', /^maddy/i],
  ['Oracle', /^oracle communications/i],
  ['Sun Java System', /^sun java/i],
  ['MailEnable', /^mailenable/i],
  ['James', /^james/i],
  ['qpsmtpd', /^qpsmtpd(?:\/([\w.-]{1,20}))?/i],
];

/** By the first letter, so that most comments cost one look-up. */
const BY_LETTER: ReadonlyMap<string, typeof NAMED> = Map.groupBy(NAMED, ([name]) =>
  name.slice(0, 1).toLowerCase(),
);

/** The program, or undefined: nothing is guessed from what any of several programs writes. */
export function productOf(traits: Traits): Product | undefined {
  for (const rule of RULES) {
    const product = rule(traits);
    if (product !== undefined) return product;
  }
  return undefined;
}

const RULES: readonly Rule[] = [named, sendmail, exchange, qmail, courier, exim, google];

function named({ fromComments, byComments, withComments, otherComments }: Traits) {
  if (fromComments.some((comment) => /^squirrelmail /i.test(comment))) {
    return { name: 'SquirrelMail', version: undefined };
  }
  for (const comment of [...byComments, ...withComments, ...otherComments]) {
    for (const [name, pattern] of BY_LETTER.get(comment.slice(0, 1).toLowerCase()) ?? []) {
      const found = pattern.exec(comment);
      if (found !== null) return { name, version: found[1]?.trim() || undefined };
    }
  }
  return undefined;
}

/** `(8.17.1/8.17.1/Debian-9)`: the program's version, and its configuration's. */
function sendmail({ byComments }: Traits): Product | undefined {
  for (const comment of byComments) {
    const found = /^(\d{1,2}\.\d{1,2}(?:\.[\w.+]{1,20})?)\/[\w.]/.exec(comment);
    if (found !== null) return { name: 'sendmail', version: found[1] };
  }
  return undefined;
}

function exchange({ with: words, withComments, id }: Traits): Product | undefined {
  const smtpsvc = /^Microsoft SMTPSVC/i.test(words);
  if (smtpsvc) return { name: 'Microsoft SMTPSVC', version: versionOf(withComments.join(' ')) };
  if (/^(?:Microsoft SMTP Server|mapi\b|HTTPS? via Frontend)/i.test(words)) {
    return { name: 'Microsoft Exchange', version: versionOf(id) };
  }
  return undefined;
}

function versionOf(text: string): string | undefined {
  return /\d{1,3}\.\d{1,3}\.\d{1,6}(?:\.\d{1,6})?/.exec(text)?.[0];
}

function qmail({ otherComments }: Traits): Product | undefined {
  const own = otherComments.some((comment) => /^qmail \d+ invoked /.test(comment));
  return own ? { name: 'qmail', version: undefined } : undefined;
}

/** `id 00000000000401F6.0000000067F2A1C0.00003F2A`: device, time and process. */
function courier({ id }: Traits): Product | undefined {
  const own = /^[0-9A-F]{16}\.[0-9A-F]{16}\.[0-9A-F]{8}$/.test(id);
  return own ? { name: 'Courier', version: undefined } : undefined;
}

/** Exim can be told not to name itself; `helo=` in the client's comment stays. */
function exim({ fromComments, id }: Traits): Product | undefined {
  const peer = fromComments.some((comment) => /(?:^| )helo=/.test(comment));
  const own = /^[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}$/.test(id);
  return peer && own ? { name: 'Exim', version: undefined } : undefined;
}

function google({ by }: Traits): Product | undefined {
  const own = /(?:^|\.)(?:google|googlemail|gmail)\.com$/i.test(by);
  return own ? { name: 'Google', version: undefined } : undefined;
}
