/** Signatures, baselines, judgements, pace and statistics: what tells names apart, and what must not. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Baseline, judge } from './judge.ts';
import { Pace } from './pace.ts';
import { type Answer, isLimit, kindOf, smtpSignature } from './signature.ts';
import { corrected, rankProbability, shiftBetween } from './timing/statistics.ts';

function answer(text: string, name = 'x'): Answer {
  const [, code = '', enhanced, rest = ''] = /^(\d{3})(?: (\d\.\d+\.\d+))? (.*)$/.exec(text) ?? [];
  const reply = { kind: 'reply', code: Number(code), enhanced, lines: [rest], ms: 1, odd: [] };
  return { name, signature: smtpSignature(reply as never, name), ms: 1 };
}

function key(text: string, name: string): string {
  return answer(text, name).signature.key;
}

const NO = '550 5.1.1 User unknown';
const YES = '250 2.1.5 Ok';
const LATER = '451 4.7.1 Greylisted';

function many(...texts: readonly string[]): Answer[] {
  return texts.map((text) => answer(text));
}

describe('signatures', () => {
  it('leave out the name, addresses, numbers and ids, and nothing else', () => {
    const one = key('550 5.1.1 <ann@a.test>: ann unknown (id 4F2a9) at 10:31', 'ann');
    assert.equal(one, key('550 5.1.1 <zoe@a.test>: zoe unknown (id 77b1c) at 11:02', 'zoe'));
    assert.notEqual(one, key('550 5.1.1 <ann@a.test>: ann disabled (id 4F2a9) at 10:31', 'ann'));
    assert.notEqual(key('250 2.1.5 Ok', 'a'), key('252 2.1.5 Ok', 'a'));
    // A name inside a word is no name.
    assert.equal(key('252 2.5.0 cannot verify', 'ann'), key('252 2.5.0 cannot verify', 'zoe'));
    assert.equal(key('250 2.1.5 a+b(c is there', 'a+b(c'), key('250 2.1.5 dd is there', 'dd'));
    assert.equal(kindOf(252), 'unable');
  });
});

function limit(code: number, enhanced: string | undefined, text: string): boolean {
  return isLimit({ kind: 'reply', code, enhanced, lines: [text], ms: 1, odd: [] });
}

describe('limits', () => {
  it('are 421, 452, and 552 where it speaks of recipients; never a full mailbox', () => {
    assert.ok(limit(421, undefined, 'bye'));
    assert.ok(limit(452, '4.5.3', 'Too many recipients'));
    assert.ok(limit(552, undefined, 'too many recipients'));
    assert.ok(!limit(452, '4.2.2', 'mailbox full'));
    assert.ok(!limit(552, '5.2.2', 'mailbox full'));
    assert.ok(!limit(550, '5.1.1', 'user unknown'));
  });
});

describe('judgements', () => {
  const baseline = new Baseline(many(NO, NO, NO, NO, NO));

  it('need the first answer and two confirmations', () => {
    assert.equal(judge(many(NO), baseline).kind, 'absent');
    assert.equal(judge(many(YES), baseline).kind, 'ask');
    assert.equal(judge(many(YES, YES, YES), baseline).kind, 'present');
    assert.equal(judge(many(YES, NO), baseline).kind, 'ask');
    assert.equal(judge(many(YES, NO, YES, NO, YES, NO, YES, NO), baseline).kind, 'unclear');
  });

  it('take 4xx for a signal only when it is always there and the server is not moody', () => {
    const put = Array.from({ length: 6 }, () => LATER);
    assert.equal(judge(many(LATER, LATER, LATER), baseline).kind, 'ask');
    assert.equal(judge(many(...put), baseline).kind, 'present');
    const moody = new Baseline(many(NO, LATER, NO, NO, NO));
    assert.ok(moody.flaky);
    assert.equal(judge(many(...put, LATER, LATER), moody).kind, 'unclear');
    assert.equal(judge(many(LATER, NO), moody).kind, 'absent');
    // Seen later, at a name: then the whole server is moody.
    assert.ok(baseline.after([many(LATER, NO)]).flaky);
    assert.ok(!baseline.after([many(NO), many(YES, YES)]).flaky);
    const all = new Baseline(many(LATER, LATER, LATER, LATER, LATER));
    assert.equal(judge(many(LATER), all).kind, 'absent');
    assert.equal(judge(many(YES, YES, YES), all).kind, 'present');
  });

  it('compare codes alone where no text repeats', () => {
    const words = ['red', 'green', 'blue', 'grey', 'pink'];
    const texts = new Baseline(words.map((word) => answer(`550 5.1.1 ${word}`)));
    assert.ok(texts.coarse);
    assert.equal(judge(many('550 5.1.1 black'), texts).kind, 'absent');
    assert.equal(judge(many(YES), texts).kind, 'ask');
  });
});

describe('pace', () => {
  it('takes two held answers in a row for a tarpit, and one for a busy machine', () => {
    const pace = new Pace();
    pace.heard([1, 1, 1, 1, 900]);
    pace.heard([1, 700, 1, 1, 1]);
    assert.equal(pace.tarpitAt, undefined);
    pace.heard([1, 1, 1, 1_001, 1_002]);
    assert.deepEqual([pace.tarpitAt, pace.perConnection], [4, 3]);
  });

  it('halves what a server cuts off, and opens fewer at once where it refuses to begin', () => {
    const pace = new Pace({ parallel: 8 });
    pace.limited(6);
    assert.deepEqual([pace.limitAt, pace.perConnection], [6, 3]);
    pace.limited(0);
    assert.equal(pace.parallel, 4);
  });
});

describe('statistics', () => {
  const quiet = Array.from({ length: 30 }, (_, at) => 1 + (at % 7) / 10);
  const later = quiet.map((value) => value + 3);

  it('see a shift, and none where there is none', () => {
    assert.ok(rankProbability(quiet, later) < 1e-6);
    assert.ok(rankProbability(quiet, quiet) > 0.5);
    assert.ok(Math.abs(shiftBetween(quiet, later) - 3) < 1e-9);
    assert.equal(rankProbability([], later), 1);
  });

  it('are fooled by no single outlier', () => {
    const outlier = [...quiet.slice(1), 5_000];
    assert.ok(rankProbability(quiet, outlier) > 0.3);
    assert.ok(Math.abs(shiftBetween(quiet, outlier)) < 0.2);
  });

  it('Holm: the smallest is multiplied most, order is kept', () => {
    const close = corrected([0.03, 0.01, 0.04]).map((p) => Math.round(p * 1_000) / 1_000);
    assert.deepEqual(close, [0.06, 0.03, 0.06]);
  });
});
