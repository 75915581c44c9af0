/** Restrictions about what was verified: SPF and DMARC, which nobody asks for a second time. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { zoneResolver } from '#test/vectors/zone.ts';
import { inquiryOf } from '#test/world/inquiry.ts';
import { judge, summary } from '#test/world/judge.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Memory } from '../limits/memory.ts';
import type { Authentication, MessageAuthentication } from '../authentication.ts';

suite('restrictions about what was verified', () => {
  const table = [
    ['reject_spf_fail', { spf: 'fail' }, '550 5.7.23'],
    ['reject_spf_fail', { spf: 'softfail' }, 'dunno'],
    ['reject_spf_fail', { spf: 'temperror' }, 'dunno'],
    ['reject_spf_fail', { spf: 'permerror' }, 'dunno'],
    ['reject_spf_fail', { spf: 'pass' }, 'dunno'],
    ['reject_spf_fail', {}, 'dunno'],
    ['reject_dmarc', { dmarc: 'fail', asks: 'reject' }, '550 5.7.1'],
    ['reject_dmarc', { dmarc: 'fail', asks: 'quarantine' }, 'dunno'],
    ['reject_dmarc', { dmarc: 'fail', asks: 'none' }, 'dunno'],
    ['reject_dmarc', { dmarc: 'permerror', asks: 'reject' }, '550 5.7.1'],
    ['reject_dmarc', { dmarc: 'temperror', asks: 'none' }, 'dunno'],
    ['reject_dmarc', { dmarc: 'pass', asks: 'none' }, 'dunno'],
    ['reject_dmarc', {}, 'dunno'],
    ['quarantine_dmarc', { dmarc: 'fail', asks: 'quarantine' }, 'dunno quarantine'],
    ['quarantine_dmarc', { dmarc: 'fail', asks: 'reject' }, 'dunno quarantine'],
    ['quarantine_dmarc', { dmarc: 'fail', asks: 'none' }, 'dunno'],
    ['quarantine_dmarc', { dmarc: 'temperror', asks: 'none' }, 'dunno'],
    ['quarantine_dmarc', { dmarc: 'temperror', asks: 'none', stake: 'reject' }, 'dunno quarantine'],
    ['reject_dmarc', { dmarc: 'temperror', asks: 'none', stake: 'quarantine' }, '451 4.4.3'],
    ['reject_dmarc', { dmarc: 'temperror', asks: 'none', stake: 'reject' }, '451 4.4.3'],
    ['quarantine_dmarc', {}, 'dunno'],
  ] as const;
  for (const [name, verified, expected] of table) {
    test(`${name} ${JSON.stringify(verified)}: ${expected}`, async () => {
      const resolver = zoneResolver({});
      const inquiry = inquiryOf(resolver);
      inquiry.authentication = authentication(verified);
      const open = new Memory({ clock: virtualClock(), keepMs: 1_000 });
      const one = { list: [name], open };
      const { verdict } = await judge(one, inquiry, 'smtpd_data_restrictions');
      const notes = inquiry.notes
        .filter(({ kind }) => kind === 'quarantine')
        .map(({ kind }) => kind);
      assert.equal([summary(verdict), ...notes].join(' '), expected);
      assert.equal(resolver.questions.length, 0, 'what was verified is not asked again');
    });
  }

  test('what the DNS leaves open waits four hours, each author and sender for itself', async () => {
    const clock = virtualClock();
    const open = new Memory({ clock, keepMs: 2 * 86_400_000 });
    const said = async (from: string) => {
      const inquiry = inquiryOf(zoneResolver({}));
      inquiry.authentication = authentication({
        dmarc: 'temperror',
        asks: 'none',
        stake: 'reject',
      });
      const list = ['reject_dmarc', 'quarantine_dmarc'];
      const { verdict } = await judge({ list, open, from }, inquiry, 'smtpd_data_restrictions');
      return [summary(verdict), ...inquiry.notes.map(({ kind }) => kind)].join(' ');
    };
    assert.equal(await said('a@far.test'), '451 4.4.3');
    clock.pass(3 * 3_600_000);
    assert.equal(await said('a@far.test'), '451 4.4.3');
    assert.equal(await said('b@far.test'), '451 4.4.3');
    clock.pass(3_600_000);
    assert.equal(await said('a@far.test'), 'dunno quarantine');
    assert.equal(await said('b@far.test'), '451 4.4.3');
    // Trouble that comes again after days is a new one.
    clock.pass(3 * 86_400_000);
    assert.equal(await said('a@far.test'), '451 4.4.3');
  });
});

function authentication(verified: {
  readonly spf?: string;
  readonly dmarc?: string;
  readonly asks?: string;
  readonly stake?: string;
}): Authentication {
  const { spf, dmarc, asks, stake = 'none' } = verified;
  const known = { domain: 'sender.test', mechanism: '-all', why: 'no match', lookups: [] };
  const outcome = { author: 'sender.test', why: 'nothing aligned', aligned: [], lookups: [] };
  return {
    spf: () => (spf === undefined ? undefined : ({ ...known, result: spf } as never)),
    message:
      dmarc === undefined
        ? undefined
        : ({
            dmarc: { ...outcome, result: dmarc, disposition: asks, atStake: stake },
          } as unknown as MessageAuthentication),
  };
}
