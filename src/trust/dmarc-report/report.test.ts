/** Aggregate reports as large senders write them, as we write them, and as attackers do. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { formatAggregateReport } from './format.ts';
import { parseAggregateReport } from './parse.ts';
import type { AggregateReport } from './report.ts';

/** Appendix C's form without a version, two DKIM results, everything on lines of its own. */
const LIKE_GOOGLE = `<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <report_metadata>
    <org_name>google.com</org_name>
    <email>noreply-dmarc-support@google.com</email>
    <extra_contact_info>https://support.google.com/a/answer/2466580</extra_contact_info>
    <report_id>17812323141293719999</report_id>
    <date_range>
      <begin>1767225600</begin>
      <end>1767311999</end>
    </date_range>
  </report_metadata>
  <policy_published>
    <domain>example.org</domain>
    <adkim>r</adkim>
    <aspf>r</aspf>
    <p>reject</p>
    <sp>quarantine</sp>
    <pct>100</pct>
    <np>reject</np>
  </policy_published>
  <record>
    <row>
      <source_ip>2001:db8::25</source_ip>
      <count>12</count>
      <policy_evaluated>
        <disposition>none</disposition>
        <dkim>pass</dkim>
        <spf>fail</spf>
        <reason>
          <type>mailing_list</type>
          <comment>list &amp; co</comment>
        </reason>
      </policy_evaluated>
    </row>
    <identifiers>
      <header_from>example.org</header_from>
    </identifiers>
    <auth_results>
      <dkim>
        <domain>example.org</domain>
        <result>pass</result>
        <selector>s1</selector>
      </dkim>
      <dkim>
        <domain>lists.example</domain>
        <result>pass</result>
        <selector>mm</selector>
      </dkim>
      <spf>
        <domain>lists.example</domain>
        <result>pass</result>
      </spf>
    </auth_results>
  </record>
</feedback>
`;

/** With a version, namespaces, envelope names, all on one line. */
const LIKE_MICROSOFT =
  '<?xml version="1.0"?><feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" ' +
  'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><version>1.0</version><report_metadata>' +
  '<org_name>Enterprise Outlook</org_name><email>dmarcreport@microsoft.com</email>' +
  '<report_id>0a1b2c</report_id><date_range><begin>1767225600</begin><end>1767312000</end>' +
  '</date_range></report_metadata><policy_published><domain>example.org</domain><adkim>s</adkim>' +
  '<aspf>s</aspf><p>none</p><sp>none</sp><pct>100</pct><fo>1</fo></policy_published><record><row>' +
  '<source_ip>192.0.2.7</source_ip><count>1</count><policy_evaluated><disposition>None' +
  '</disposition><dkim>fail</dkim><spf>Fail</spf></policy_evaluated></row><identifiers>' +
  '<envelope_to>outlook.example</envelope_to><envelope_from>spam.example</envelope_from>' +
  '<header_from>example.org</header_from></identifiers><auth_results><spf><domain>spam.example' +
  '</domain><scope>mfrom</scope><result>softfail</result></spf></auth_results></record></feedback>';

/** Seconds with a point, CDATA, an empty envelope_from, the result of a signature in words. */
const LIKE_OTHERS = `<feedback><report_metadata><org_name><![CDATA[Yahoo]]></org_name>
<email>dmarchelp@yahooinc.com</email><report_id>1767.7</report_id>
<date_range><begin>1767225600.0</begin><end>1767311999</end></date_range></report_metadata>
<policy_published><domain>example.org</domain><p>quarantine</p></policy_published>
<record><row><source_ip>198.51.100.4</source_ip><count>3</count><policy_evaluated>
<disposition>quarantine</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><envelope_from></envelope_from><header_from>shop.example.org</header_from></identifiers>
<auth_results><dkim><domain>example.org</domain><selector>x</selector><result>permerror</result>
<human_result>no key</human_result></dkim></auth_results></record></feedback>`;

test('reports of large senders', () => {
  const google = parseAggregateReport(utf8(LIKE_GOOGLE));
  assert.deepEqual(google?.defects, []);
  assert.equal(google.report.organization, 'google.com');
  assert.deepEqual([google.report.begin, google.report.end], [1_767_225_600, 1_767_311_999]);
  assert.deepEqual(
    [google.report.policy.p, google.report.policy.sp, google.report.policy.np],
    ['reject', 'quarantine', 'reject'],
  );
  const [row] = google.report.rows;
  assert.equal(row?.count, 12);
  assert.deepEqual(row?.reasons, [{ type: 'mailing_list', comment: 'list & co' }]);
  assert.deepEqual(
    row?.signatures.map(({ domain }) => domain),
    ['example.org', 'lists.example'],
  );
  const microsoft = parseAggregateReport(utf8(LIKE_MICROSOFT))?.report;
  const { disposition, spf, envelopeTo, senders } = microsoft?.rows[0] ?? {};
  assert.deepEqual([disposition, spf, envelopeTo], ['none', 'fail', 'outlook.example']);
  assert.deepEqual(senders, [{ domain: 'spam.example', scope: 'mfrom', result: 'softfail' }]);
  const other = parseAggregateReport(utf8(LIKE_OTHERS))?.report;
  assert.deepEqual([other?.organization, other?.begin], ['Yahoo', 1_767_225_600]);
  assert.equal(other?.rows[0]?.envelopeFrom, '');
  assert.equal(other?.rows[0]?.signatures[0]?.result, 'permerror');
});

test('what we write we read, with all that may stand in it', () => {
  const report: AggregateReport = {
    organization: 'here.test',
    email: 'dmarc@here.test',
    contact: 'https://here.test/?a=1&b=<2>',
    id: '2026-03-04.there.test@here.test',
    begin: 1,
    end: 2,
    errors: ['5 more ]]> &c'],
    policy: {
      domain: 'there.test',
      p: 'reject',
      sp: 'none',
      np: undefined,
      adkim: 's',
      aspf: 'r',
      fo: '1:d',
      pct: undefined,
      testing: 'n',
      discovery: 'treewalk',
    },
    rows: [
      {
        sourceAddress: '2001:db8::1',
        count: 7,
        disposition: 'reject',
        dkim: 'fail',
        spf: 'fail',
        reasons: [{ type: 'local_policy', comment: undefined }],
        headerFrom: 'a.there.test',
        envelopeFrom: '',
        envelopeTo: undefined,
        signatures: [{ domain: 'there.test', selector: 'k', result: 'fail' }],
        senders: [{ domain: 'x.test', scope: 'mfrom', result: 'none' }],
      },
    ],
  };
  const octets = formatAggregateReport(report);
  assert.deepEqual(parseAggregateReport(octets), { report, defects: [] });
  const text = Buffer.from(octets).toString();
  assert.match(
    text,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2\.0">\n<version>1\.0</,
  );
  const odd = { ...report, organization: '\u0000\ud800<script>' };
  assert.equal(
    parseAggregateReport(formatAggregateReport(odd))?.report.organization,
    '\ufffd\ufffd<script>',
  );
});

test('broken rows are left out and named, broken reports are none', () => {
  const rows: readonly (readonly [from: string, to: string, defect: RegExp])[] = [
    ['2001:db8::25', 'javascript:1', /record 1: no source_ip/],
    ['<count>12</count>', '<count>-1</count>', /no count/],
    ['<count>12</count>', `<count>${'9'.repeat(20)}</count>`, /no count/],
    ['<disposition>none</disposition>', '<disposition>a b</disposition>', /no result/],
    ['<header_from>example.org</header_from>', '', /no header_from/],
  ];
  for (const [from, to, defect] of rows) {
    const read = parseAggregateReport(utf8(LIKE_GOOGLE.replace(from, to)));
    assert.equal(read?.report.rows.length, 0, to);
    assert.match(read?.defects.join() ?? '', defect);
  }
  for (const [from, to] of [
    ['<begin>1767225600</begin>', ''],
    ['<begin>1767225600</begin>', '<begin>99999999999999999999</begin>'],
    ['<org_name>google.com</org_name>', ''],
    ['<policy_published>', '<policy_publishe>'],
    ['<feedback>', '<!DOCTYPE feedback><feedback>'],
    ['google.com', '&evil;'],
  ] as const) {
    assert.equal(parseAggregateReport(utf8(LIKE_GOOGLE.replace(from, to))), undefined, to);
  }
});

test('a report of too many rows is cut and says so; one that is too large is none', () => {
  const row = LIKE_OTHERS.slice(
    LIKE_OTHERS.indexOf('<record>'),
    LIKE_OTHERS.indexOf('</feedback>'),
  );
  // Shorter: of ten million octets twenty thousand rows are most.
  const small = row.replace(/<auth_results>.*<\/auth_results>/s, '').replaceAll('\n', '');
  const many = LIKE_OTHERS.replace(row, small.repeat(20_001));
  const read = parseAggregateReport(utf8(many));
  assert.equal(read?.report.rows.length, 20_000);
  assert.match(read.defects.join(), /record 20001: more than 20000 rows/);
  assert.equal(parseAggregateReport(utf8(`${LIKE_OTHERS}${' '.repeat(10_485_760)}`)), undefined);
  assert.equal(parseAggregateReport(new Uint8Array([0x3c, 0xff, 0xfe])), undefined);
});
