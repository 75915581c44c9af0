/** Relay forms as they stand on the wire, and verdicts that claim no more than was shown. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latin1 } from '#base/bytes.ts';
import { Recipients } from '../safety/recipients.ts';
import { NMAP_FORMS } from './forms.ts';
import { around } from './place.ts';
import { FORMS, vantageOf } from './survey.ts';
import { proxyV1, proxyV2 } from './trust.ts';

const PLACE = {
  foreign: 'd.invalid',
  other: 'o.invalid',
  token: 't',
  address: '192.0.2.25',
  server: 'mx.s.test',
  domains: ['rd.test', 'second.test'],
  user: undefined,
  helo: 'probe.test',
};

describe('relay forms', () => {
  it("are nmap's sixteen, in its order", () => {
    const paths = NMAP_FORMS.map((form) => {
      const [attempt] = form.attempts(PLACE);
      return `${attempt?.mail} ${attempt?.rcpt.join()}`;
    });
    assert.deepEqual(paths, [
      '<> <t@d.invalid>',
      '<antispam@d.invalid> <t@d.invalid>',
      '<antispam@mx.s.test> <t@d.invalid>',
      '<antispam@[192.0.2.25]> <t@d.invalid>',
      '<antispam@[192.0.2.25]> <t%d.invalid@[192.0.2.25]>',
      '<antispam@[192.0.2.25]> <t%d.invalid@mx.s.test>',
      '<antispam@[192.0.2.25]> <"t@d.invalid">',
      '<antispam@[192.0.2.25]> <"t%d.invalid">',
      '<antispam@[192.0.2.25]> <t@d.invalid@[192.0.2.25]>',
      '<antispam@[192.0.2.25]> <"t@d.invalid"@[192.0.2.25]>',
      '<antispam@[192.0.2.25]> <t@d.invalid@mx.s.test>',
      '<antispam@[192.0.2.25]> <@[192.0.2.25]:t@d.invalid>',
      '<antispam@[192.0.2.25]> <@mx.s.test:t@d.invalid>',
      '<antispam@[192.0.2.25]> <d.invalid!t>',
      '<antispam@[192.0.2.25]> <d.invalid!t@[192.0.2.25]>',
      '<antispam@[192.0.2.25]> <d.invalid!t@mx.s.test>',
    ]);
  });

  it('are unique, and each has at least one attempt', () => {
    const ids = FORMS.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const form of FORMS) {
      const attempts = form.attempts(PLACE);
      assert.ok(attempts.length > 0, form.id);
      assert.equal(new Set(attempts.map(({ variant }) => variant)).size, attempts.length, form.id);
    }
    const count = FORMS.flatMap((form) => form.attempts(PLACE)).length;
    assert.ok(count >= 60, `${count}`);
  });

  it('name nobody whom the guard of recipients would not let pass', () => {
    const own = ['mx.s.test', 'rd.example', 'second.example'];
    const guard = new Recipients({ own, addresses: ['192.0.2.25'], canary: undefined });
    for (const { rcpt } of FORMS.flatMap((form) => form.attempts(PLACE))) {
      for (const path of rcpt) assert.ok(guard.allowsLine(`RCPT TO:${path}`), path);
    }
    assert.ok(!guard.allowsLine('RCPT TO:<t@third-party.org>'));
  });

  it('R17 goes to each domain, its parents and below', () => {
    assert.deepEqual(around(['a.b.test'], 'x'), ['a.b.test', 'x.a.b.test', 'b.test']);
  });

  it('PROXY headers are well-formed', () => {
    assert.equal(latin1(proxyV1('10.0.0.1')), 'PROXY TCP4 10.0.0.1 127.0.0.1 40000 25\r\n');
    assert.equal(proxyV2('10.0.0.1').length, 28);
  });

  it('says what the vantage point means', () => {
    assert.match(vantageOf('127.0.0.1', '127.0.0.1').join(), /same address.*loopback is a trusted/);
    assert.deepEqual(vantageOf('192.0.2.1', '192.0.2.2'), ['asked from 192.0.2.1']);
    assert.match(vantageOf('127.66.0.1', '127.0.0.1').join(), /127\.0\.0\.0\/8 is in mynetworks/);
    assert.match(vantageOf('10.1.1.1', '192.0.2.2').join(), /mynetworks/);
  });
});
