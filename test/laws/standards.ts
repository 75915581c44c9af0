/** The page of standards, made from the citations in the source: `node test/laws/standards.ts`. */

import { readTree } from './tree.ts';

type Status = 'yes' | 'part' | 'noted';

/** What each RFC is, and how far Postern follows it; a citation without a row here fails a law. */
const STANDARDS: readonly (readonly [rfc: number, title: string, status: Status])[] = [
  [822, 'Internet text messages (obsolete)', 'noted'],
  [1035, 'Domain names: implementation', 'part'],
  [1047, 'Duplicate messages and SMTP', 'noted'],
  [1122, 'Requirements for hosts', 'noted'],
  [1413, 'Identification protocol', 'noted'],
  [1870, 'SMTP SIZE', 'yes'],
  [1918, 'Addresses for private networks', 'noted'],
  [1939, 'POP3', 'yes'],
  [1985, 'SMTP ETRN', 'noted'],
  [2033, 'LMTP', 'yes'],
  [2034, 'SMTP ENHANCEDSTATUSCODES', 'yes'],
  [2045, 'MIME: bodies', 'yes'],
  [2046, 'MIME: media types', 'yes'],
  [2047, 'MIME: encoded words', 'yes'],
  [2142, 'Mailbox names for services and roles', 'part'],
  [2177, 'IMAP IDLE', 'yes'],
  [2180, 'IMAP with several sessions on one mailbox', 'yes'],
  [2181, 'Clarifications to DNS', 'part'],
  [2183, 'MIME: Content-Disposition', 'yes'],
  [2195, 'CRAM-MD5', 'noted'],
  [2231, 'MIME: parameter values', 'yes'],
  [2308, 'Negative caching of DNS', 'yes'],
  [2342, 'IMAP NAMESPACE', 'yes'],
  [2449, 'POP3 CAPA', 'yes'],
  [2554, 'SMTP AUTH (obsolete)', 'noted'],
  [2595, 'TLS with IMAP and POP3', 'yes'],
  [2606, 'Reserved DNS names', 'noted'],
  [2645, 'ODMR, ATRN', 'noted'],
  [2683, 'IMAP implementation recommendations', 'noted'],
  [2782, 'SRV records', 'part'],
  [2852, 'SMTP DELIVERBY', 'noted'],
  [2920, 'SMTP PIPELINING', 'yes'],
  [2971, 'IMAP ID', 'yes'],
  [3030, 'SMTP CHUNKING and BINARYMIME', 'yes'],
  [3056, '6to4 addresses', 'noted'],
  [3206, 'POP3 AUTH and SYS response codes', 'yes'],
  [3207, 'SMTP STARTTLS', 'yes'],
  [3339, 'Dates of the internet', 'noted'],
  [3348, 'IMAP CHILDREN', 'yes'],
  [3454, 'Stringprep', 'part'],
  [3461, 'SMTP DSN', 'yes'],
  [3463, 'Enhanced status codes', 'yes'],
  [3464, 'Delivery status notifications', 'yes'],
  [3501, 'IMAP4rev1', 'yes'],
  [3502, 'IMAP MULTIAPPEND', 'noted'],
  [3516, 'IMAP BINARY', 'noted'],
  [3596, 'DNS for IPv6', 'yes'],
  [3629, 'UTF-8', 'yes'],
  [3691, 'IMAP UNSELECT', 'yes'],
  [3834, 'Automatic responses', 'part'],
  [3848, 'Names after "with" in Received', 'yes'],
  [3849, 'IPv6 addresses for documentation', 'noted'],
  [3885, 'Message tracking', 'noted'],
  [3927, 'IPv4 link-local addresses', 'noted'],
  [3974, 'SMTP in dual-stack networks', 'part'],
  [3986, 'URI syntax', 'noted'],
  [4013, 'SASLprep', 'part'],
  [4035, 'DNSSEC in protocols', 'noted'],
  [4086, 'Randomness for security', 'noted'],
  [4155, 'The application/mbox media type', 'part'],
  [4193, 'Unique local IPv6 addresses', 'noted'],
  [4291, 'IPv6 addressing', 'part'],
  [4315, 'IMAP UIDPLUS', 'yes'],
  [4422, 'SASL', 'yes'],
  [4468, 'BURL and its BINARYMIME rules', 'noted'],
  [4505, 'SASL ANONYMOUS', 'noted'],
  [4616, 'SASL PLAIN', 'yes'],
  [4648, 'Base64', 'yes'],
  [4731, 'IMAP ESEARCH', 'yes'],
  [4865, 'SMTP FUTURERELEASE', 'noted'],
  [4954, 'SMTP AUTH', 'yes'],
  [4959, 'IMAP SASL-IR', 'yes'],
  [5034, 'POP3 AUTH', 'yes'],
  [5077, 'TLS session tickets', 'noted'],
  [5161, 'IMAP ENABLE', 'yes'],
  [5233, 'Subaddresses', 'yes'],
  [5246, 'TLS 1.2', 'noted'],
  [5255, 'IMAP internationalisation', 'noted'],
  [5256, 'IMAP SORT and THREAD', 'noted'],
  [5258, 'IMAP LIST-EXTENDED', 'yes'],
  [5280, 'X.509 certificates', 'part'],
  [5321, 'SMTP', 'yes'],
  [5322, 'Internet message format', 'yes'],
  [5452, 'DNS resilient against forged answers', 'yes'],
  [5469, 'DES and IDEA in TLS', 'noted'],
  [5530, 'IMAP response codes', 'yes'],
  [5537, 'Netnews architecture', 'noted'],
  [5598, 'Mail architecture', 'noted'],
  [5737, 'IPv4 addresses for documentation', 'noted'],
  [5746, 'TLS renegotiation indication', 'noted'],
  [5782, 'DNS lists of addresses', 'yes'],
  [5801, 'GS2 header of SASL', 'part'],
  [5802, 'SCRAM', 'yes'],
  [5804, 'ManageSieve', 'part'],
  [5819, 'IMAP LIST-STATUS', 'yes'],
  [5890, 'Internationalised domain names', 'part'],
  [5929, 'TLS channel bindings', 'part'],
  [5952, 'Text of IPv6 addresses', 'yes'],
  [6008, 'Several A-R results for one method (DKIM signature prefix)', 'yes'],
  [6052, 'IPv6 addresses of IPv4 hosts', 'noted'],
  [6066, 'TLS extensions (server name)', 'noted'],
  [6125, 'Names in certificates', 'part'],
  [6152, 'SMTP 8BITMIME', 'yes'],
  [6154, 'IMAP SPECIAL-USE', 'yes'],
  [6176, 'No SSL 2.0', 'noted'],
  [6186, 'SRV records for mail programs', 'noted'],
  [6331, 'DIGEST-MD5 moved to historic', 'noted'],
  [6376, 'DKIM', 'part'],
  [6409, 'Submission', 'yes'],
  [6520, 'TLS heartbeat', 'noted'],
  [6522, 'multipart/report', 'yes'],
  [6531, 'SMTPUTF8', 'yes'],
  [6532, 'Internationalised message format', 'yes'],
  [6533, 'Internationalised notices', 'yes'],
  [6598, 'Shared address space of carriers', 'noted'],
  [6647, 'Greylisting', 'yes'],
  [6698, 'DANE TLSA records', 'part'],
  [6761, 'Special-use domain names', 'noted'],
  [6762, 'Multicast DNS', 'noted'],
  [6840, 'DNSSEC clarifications (AD bit)', 'part'],
  [6851, 'IMAP MOVE', 'yes'],
  [6854, 'Groups in From', 'yes'],
  [6855, 'IMAP UTF8=ACCEPT', 'noted'],
  [6891, 'EDNS', 'yes'],
  [7162, 'IMAP CONDSTORE and QRESYNC', 'part'],
  [7208, 'SPF', 'part'],
  [7301, 'TLS ALPN', 'noted'],
  [7366, 'TLS encrypt-then-MAC', 'noted'],
  [7372, 'Enhanced status codes for e-mail authentication', 'noted'],
  [7377, 'IMAP MULTISEARCH', 'noted'],
  [7435, 'Opportunistic security', 'noted'],
  [7465, 'No RC4 in TLS', 'noted'],
  [7489, 'DMARC (obsolete)', 'part'],
  [7504, 'SMTP 521 and 556', 'part'],
  [7505, 'Null MX', 'yes'],
  [7507, 'TLS fallback SCSV', 'noted'],
  [7515, 'JSON web signatures', 'part'],
  [7568, 'No SSL 3.0', 'noted'],
  [7613, 'PRECIS user names and passwords', 'noted'],
  [7627, 'TLS extended master secret', 'noted'],
  [7638, 'JWK thumbprints', 'yes'],
  [7671, 'DANE in operation', 'part'],
  [7672, 'DANE for SMTP', 'yes'],
  [7677, 'SCRAM-SHA-256', 'yes'],
  [7807, 'Problem documents', 'part'],
  [7888, 'IMAP LITERAL+ and LITERAL-', 'yes'],
  [7889, 'IMAP APPENDLIMIT', 'yes'],
  [7919, 'Finite field groups for TLS', 'noted'],
  [8017, 'RSA (PKCS #1)', 'noted'],
  [8020, 'NXDOMAIN means nothing underneath', 'noted'],
  [8058, 'One-click unsubscribe', 'noted'],
  [8098, 'Disposition notifications', 'noted'],
  [8301, 'DKIM: algorithms and key sizes', 'yes'],
  [8314, 'TLS for submission and access', 'yes'],
  [8375, 'home.arpa', 'noted'],
  [8422, 'Elliptic curves for TLS', 'noted'],
  [8438, 'IMAP STATUS=SIZE', 'yes'],
  [8440, 'IMAP LIST-MYRIGHTS', 'noted'],
  [8446, 'TLS 1.3', 'noted'],
  [8457, 'IMAP $Important and \\Important', 'noted'],
  [8460, 'TLS reports for SMTP', 'yes'],
  [8461, 'MTA-STS', 'yes'],
  [8463, 'DKIM: Ed25519', 'yes'],
  [8474, 'Stable ids of messages and mailboxes', 'part'],
  [8508, 'IMAP REPLACE', 'noted'],
  [8514, 'IMAP SAVEDATE', 'part'],
  [8555, 'ACME', 'part'],
  [8601, 'Authentication-Results', 'part'],
  [8616, 'E-mail authentication with internationalised names', 'part'],
  [8617, 'ARC', 'part'],
  [8659, 'CAA records', 'part'],
  [8689, 'SMTP REQUIRETLS', 'yes'],
  [8701, 'GREASE for TLS', 'noted'],
  [8737, 'ACME: TLS-ALPN', 'yes'],
  [8996, 'TLS 1.0 and 1.1 deprecated', 'yes'],
  [9051, 'IMAP4rev2', 'noted'],
  [9106, 'Argon2', 'yes'],
  [9110, 'HTTP', 'noted'],
  [9155, 'No MD5 and SHA-1 signatures in TLS', 'noted'],
  [9228, 'Delivered-To', 'yes'],
  [9266, 'TLS 1.3 channel binding tls-exporter', 'yes'],
  [9325, 'Recommendations for TLS', 'part'],
  [9422, 'SMTP LIMITS', 'yes'],
  [9525, 'Names in certificates', 'noted'],
  [9715, 'DNS over UDP without fragments', 'yes'],
  [9989, 'DMARC', 'part'],
  [9990, 'DMARC aggregate reports', 'part'],
];

const WORDS: Readonly<Record<Status, string>> = {
  yes: 'followed',
  part: 'in part',
  noted: 'cited only',
};

/** RFC numbers in the source (tests left out), with the files that cite them. */
export function citations(): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const file of readTree()) {
    if (file.isTest) continue;
    for (const [, number] of file.text.matchAll(/\bRFC (\d{3,5})\b/g)) {
      const rfc = Number(number);
      found.set(rfc, (found.get(rfc) ?? new Set()).add(file.path));
    }
  }
  return found;
}

/** Cited RFCs that have no row above. */
export function untitled(): number[] {
  const known = new Set(STANDARDS.map(([rfc]) => rfc));
  return [...citations().keys()].filter((rfc) => !known.has(rfc)).sort((a, b) => a - b);
}

/** docs/standards.md. */
export function standardsPage(): string {
  const cited = citations();
  const rows = STANDARDS.filter(([rfc]) => cited.has(rfc)).map(([rfc, title, status]) => {
    const files = cited.get(rfc) ?? new Set();
    const floors = [...new Set([...files].map((file) => file.split('/')[1] ?? ''))].sort();
    return `| ${rfc} | ${title} | ${WORDS[status]} | ${files.size} | ${floors.join(', ')} |`;
  });
  return `# Standards

Made from the citations in \`src\` by \`npm run docs\`; a law test keeps it current. "Followed" means what the announced
capabilities promise, and tests that prove it; "in part" means that the rest is not announced.

| RFC | what it is | status | files that cite it | floors |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

if (import.meta.main) process.stdout.write(standardsPage());
