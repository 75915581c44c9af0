/** A version that the server tells, beside what is published of that version. */

import type { Check } from '../../check.ts';
import { absent, inapplicable, likely } from '../../finding.ts';
import type { ServiceProbe } from '../../probe.ts';
import { versionIn } from './identify.ts';
import { publishedOf } from './published.ts';
import type { Service } from '../../service.ts';
import { SIGNATURES } from './signatures.ts';

const KNOWN: Check = {
  id: 'fingerprint.known-weakness',
  title: 'A candidate: the version that is told is one with published weaknesses',
  severity: 'low',
  means: 'Whoever looks for servers to break into finds this one by its greeting and tries them.',
  doesNotMean:
    'Nothing was tried, and only the number was read: distributions mend their packages without ' +
    'changing it, so the package may be cured. Whether it is, its list of changes says.',
  rfc: ['RFC 5321 7.5'],
  cures: [
    { product: 'postfix', lines: ['Update Postfix, or the package of the distribution.'] },
    { product: 'exim', lines: ['Update Exim, or the package of the distribution.'] },
    { product: 'opensmtpd', lines: ['Update OpenSMTPD, or the package of the distribution.'] },
    { product: 'sendmail', lines: ['Update sendmail, or the package of the distribution.'] },
    { product: 'dovecot', lines: ['Update Dovecot, or the package of the distribution.'] },
    { product: 'postern', lines: ['Greetings never tell a version; update Postern.'] },
  ],
};

export const knownWeakness: ServiceProbe = {
  name: 'known-weakness',
  scope: 'service',
  level: 'passive',
  checks: [KNOWN],
  fits: () => true,
  run: async ({ service, tell }) => {
    const { greeting, capabilities } = service;
    // IMPLEMENTATION of POP3 and ManageSieve stands in the capabilities.
    const text = [greeting, ...capabilities].find((one) => NAME.test(one)) ?? '';
    const [name] = NAME.exec(text) ?? [];
    const version = versionIn(text);
    if (name === undefined || version === undefined) {
      return tell(inapplicable(KNOWN, 'no program is named with its version'));
    }
    const other = otherThan(name.toLowerCase(), service);
    if (other !== undefined) {
      return tell(
        inapplicable(KNOWN, `${name} is named, and the list of capabilities is ${other}'s`),
      );
    }
    const open = publishedOf(name.toLowerCase(), version);
    if (open.length === 0) {
      return tell(absent(KNOWN, `${name} ${version}: nothing that is known here is published`));
    }
    const words = open.map(({ cve, allows, mended }) => {
      return `${cve} (${allows}; mended in ${mended.at(-1) ?? ''})`;
    });
    const seen = `${name} ${version}, if its package was not mended: ${words.join(', ')}`;
    const severity = open.some(({ grave }) => grave) ? 'low' : 'info';
    tell(likely(KNOWN, seen, { severity, details: { version, cves: open.map(({ cve }) => cve) } }));
  },
};

/** Whose list of capabilities it is, where it is not that of the program in the greeting. */
function otherThan(
  name: string,
  { protocol, capabilities }: Pick<Service, 'protocol' | 'capabilities'>,
): string | undefined {
  // The words alone, as `product` has them.
  const words = capabilities.map((line) => line.split(' ', 1)[0] ?? '').join(' ');
  const whose = SIGNATURES.filter(
    ({ protocols, question, pattern, weight }) =>
      question === 'capabilities' &&
      weight > 1 &&
      protocols.includes(protocol) &&
      pattern.test(words),
  ).map(({ product }) => product);
  return whose.includes(name) ? undefined : whose[0];
}

const NAME = /\b(?:Postfix|Exim|OpenSMTPD|Sendmail|Dovecot|Cyrus|Haraka)\b/i;
