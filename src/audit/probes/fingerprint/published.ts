/** Weaknesses that are published of versions of mail servers: what, since when, and where it was mended. */

/** One published weakness of one program. */
export interface Published {
  readonly product: string;
  readonly cve: string;
  /** What it allows, as the end of a sentence. */
  readonly allows: string;
  /** Whether it lets strangers run code. */
  readonly grave: boolean;
  /** The first version that has it; undefined: all old ones. */
  readonly since?: string;
  /** The first version without it, of each branch that was mended; the last one counts for all others. */
  readonly mended: readonly string[];
}

type Row = readonly [
  cve: string,
  allows: string,
  how: 'grave' | 'mild',
  mended: readonly string[],
  since?: string,
];

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  exim: [
    ['CVE-2010-4344', 'strangers run code by long header fields', 'grave', ['4.70']],
    ['CVE-2018-6789', 'strangers run code by base64 in AUTH', 'grave', ['4.90.1']],
    ['CVE-2019-10149', 'recipients run commands', 'grave', ['4.92'], '4.87'],
    ['CVE-2019-15846', 'strangers run code by the server name in TLS', 'grave', ['4.92.2']],
    ['CVE-2019-16928', 'strangers run code by a long EHLO', 'grave', ['4.92.3'], '4.92'],
    ['CVE-2020-28017 and twenty others', 'strangers run code', 'grave', ['4.94.2']],
    ['CVE-2023-42115', 'strangers run code by AUTH EXTERNAL', 'grave', ['4.96.1']],
    ['CVE-2023-51766', 'mail is smuggled in', 'mild', ['4.97.1']],
    ['CVE-2024-39929', 'names of attachments hide from filters', 'mild', ['4.98']],
    ['CVE-2025-26794', 'ETRN reaches the database of hints', 'mild', ['4.98.1'], '4.98'],
  ],
  postfix: [
    [
      'CVE-2011-0411',
      'commands are injected before STARTTLS',
      'mild',
      ['2.4.16', '2.5.12', '2.6.9', '2.7.3'],
    ],
    [
      'CVE-2011-1720',
      'strangers damage memory by AUTH',
      'grave',
      ['2.5.13', '2.6.10', '2.7.4', '2.8.3'],
    ],
    ['CVE-2023-51764', 'mail is smuggled in', 'mild', ['3.5.23', '3.6.13', '3.7.9', '3.8.4']],
  ],
  opensmtpd: [
    ['CVE-2020-7247', 'senders run commands', 'grave', ['6.6.2'], '6.4'],
    ['CVE-2020-8794', 'strangers run code', 'grave', ['6.6.4']],
  ],
  sendmail: [
    ['CVE-2003-0161', 'strangers run code by an address', 'grave', ['8.12.9']],
    ['CVE-2006-0058', 'strangers run code by a time-out', 'grave', ['8.13.6']],
    ['CVE-2009-4565', 'certificates with NUL in their names are believed', 'mild', ['8.14.4']],
    ['CVE-2023-51765', 'mail is smuggled in', 'mild', ['8.18']],
  ],
  dovecot: [
    ['CVE-2019-11500', 'strangers damage memory by NUL', 'grave', ['2.2.36.4', '2.3.7.2']],
    ['CVE-2020-12100', 'nested mail exhausts the server', 'mild', ['2.3.11.3']],
    ['CVE-2021-33515', 'commands are injected before STARTTLS', 'mild', ['2.3.15']],
    ['CVE-2024-23185', 'large headers exhaust the server', 'mild', ['2.3.21.1']],
  ],
  cyrus: [
    ['CVE-2011-1926', 'commands are injected before STARTTLS', 'mild', ['2.4.7']],
    ['CVE-2021-33582', 'strangers exhaust the server', 'mild', ['3.0.16', '3.2.8', '3.4.2']],
    ['CVE-2024-34055', 'users exhaust the memory', 'mild', ['3.8.3']],
  ],
  haraka: [['CVE-2016-1000282', 'attachments run commands', 'grave', ['2.8.9']]],
};

/** All that is published, program by program. */
export const PUBLISHED: readonly Published[] = Object.entries(ROWS).flatMap(([product, rows]) =>
  rows.map(([cve, allows, how, mended, since]) => {
    const grave = how === 'grave';
    return { product, cve, allows, grave, mended, ...(since === undefined ? {} : { since }) };
  }),
);

/** What is published of a version (`4.96`, `3.7.11-beta`: the numbers at its beginning count). */
export function publishedOf(product: string, version: string): readonly Published[] {
  const own = numbersOf(version);
  if (own.length < 2) return [];
  return PUBLISHED.filter((one) => one.product === product && isOpen(own, one));
}

function isOpen(own: readonly number[], { since, mended }: Published): boolean {
  if (since !== undefined && compare(own, numbersOf(since)) < 0) return false;
  const cures = mended.map(numbersOf);
  const cure =
    cures.find(([major, minor]) => major === own[0] && minor === own[1]) ?? cures.at(-1) ?? [];
  return compare(own, cure) < 0;
}

function numbersOf(version: string): readonly number[] {
  return (/^\d{1,4}(?:\.\d{1,5}){0,4}/.exec(version)?.[0] ?? '').split('.').map(Number);
}

/** Negative when `a` is older; a number that is not there counts as 0. */
function compare(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
