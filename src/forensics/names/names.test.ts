/** Tests of names that are made to be mistaken: each script that phishing uses, and what is honest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examined, ids, message, US } from '../testing.ts';
import { LOOKS, latinLook, likenessOf, skeleton } from './confusables.ts';

const KNOWN = ['paypal.com', 'example.org', 'commerzbank.de', 'mail.bigcorp.test'];

test('look-alikes: what the eye confuses', () => {
  const like = [
    'paypa1.com',
    'p\u0430ypal.com',
    'paypaI.com',
    'paypal.com.evil.test',
    'payypal.com',
  ];
  like.push('paypla.com', 'paypal-support.test', 'exarnple.org', 'login-paypal.test');
  like.push('\u0441\u043e\u043cmerzbank.de', 'paypalsupport.test', 'my-paypa1.test', 'p4ypal.com');
  // A host above the name is no way out; another known one is.
  like.push(
    'www.paypa1.com',
    'bigcorp-login.test',
    'paypal.com-verify.test',
    'paypal.co',
    'paypal.evil.test',
  );
  for (const name of like) assert.ok(likenessOf(name, KNOWN) !== undefined, name);
});

test('look-alikes: what is honest', () => {
  const unlike = ['paypal.com', 'mail.paypal.com', 'example.net', 'alpay.com', 'bank.de', 'a.test'];
  unlike.push(
    'e-mail.shop.test',
    'mail.shop.test',
    'bigcorp.test',
    'exam.org',
    'pay.test',
    'pal.com',
  );
  for (const name of unlike) {
    const like = likenessOf(name, [...KNOWN, 'bigcorp.test', 'mx.us.test']);
    assert.equal(like, undefined, `${name} ${like?.how ?? ''}`);
  }
});

/** Names in the letters of one script, as code points: nobody can read them apart. */
const FAKES: readonly (readonly [script: string, fake: string, plain: string])[] = [
  ['Cyrillic', '\u0430\u0440\u0440\u04cf\u0435', 'apple'],
  ['Cyrillic', '\u0440\u0430\u0443\u0440\u0430l', 'paypal'],
  ['Cyrillic', '\u0455\u0441\u043e\u0440\u0435', 'scope'],
  ['Cyrillic', '\u0458\u0456\u04bb\u0501\u051b\u051d\u0445', 'jihdqwx'],
  ['Cyrillic with a breve', '\u0440\u0430\u045e\u0440\u0430l', 'paypal'],
  ['Greek', '\u03b1\u03c1\u03c1l\u03b5', 'apple'],
  ['Greek', '\u03bf\u03bd\u03b9\u03ba\u03c5\u03c7', 'ovikux'],
  ['Armenian', '\u0570\u0578\u057d\u0585\u0584\u0566\u0581', 'hnuofqg'],
  ['Latin extended', '\u0251\u0261\u0131\u0269\u0142\u0111\u00f8', 'agiildo'],
  ['Latin accents', 'p\u00e0\u00fdp\u1ea1\u013a', 'paypal'],
  ['Latin hooks', '\u0199\u0253\u0188\u01ad\u01a5'.slice(0, 4), 'kbct'],
  ['small capitals', '\u1d00\u0299\u1d04\u1d05\u1d07', 'abcde'],
  ['fullwidth', '\uff50\uff41\uff59\uff50\uff41\uff4c\uff11', 'paypal1'],
  ['mathematical', '\u{1d429}\u{1d41a}\u{1d432}', 'pay'],
  ['Roman numerals', '\u217c\u217f\u2174\u2179', 'lmvx'],
  ['ligatures', '\ufb01\u00e6\u0153', 'fiaeoe'],
  ['invisible', 'pay\u200bp\u00adal\u2060', 'paypal'],
  ['Hebrew', '\u05e1\u05d8\u05df', 'ovl'],
  ['digits', '\u0966\u09e6\u0e50', '000'],
];

test('every script that names are faked in looks like what it is meant to', () => {
  for (const [script, fake, plain] of FAKES) {
    assert.equal(latinLook(fake), plain, script);
    assert.equal(skeleton(fake), skeleton(plain), script);
  }
  for (const [fake, plain] of [
    ['rn', 'm'],
    ['vv', 'w'],
    ['cl', 'd'],
    ['c1', 'd'],
    ['0', 'o'],
    ['1', 'l'],
    ['5', 's'],
    ['I', 'l'],
  ] as const) {
    assert.equal(skeleton(`x${fake}x`), skeleton(`x${plain}x`), fake);
  }
});

test('the table has each character once, in the form that is looked up', () => {
  const all = LOOKS.flatMap(([, characters]) => [...characters]);
  assert.deepEqual(
    all.filter((one, at) => all.indexOf(one) !== at),
    [],
  );
  const dead = all.filter((one) => one.normalize('NFKD').toLowerCase().normalize('NFKD') !== one);
  assert.deepEqual(dead, []);
  for (const [like] of LOOKS) assert.match(like, /^[a-z0-9]{1,2}$/);
});

async function signs(host: string): Promise<string[]> {
  const one = await examined(message({ From: `a@${new URL(`http://${host}`).hostname}` }), US);
  return one.conclusions.findings
    .filter(({ sign }) => sign.id === 'mixed-script')
    .map(({ strength, seen }) => `${strength} ${seen.text}`);
}

test('a name wholly in another script that reads as Latin is told; a real word of it is not', async () => {
  assert.deepEqual(await signs('\u0430\u0440\u0440\u04cf\u0435.com'), [
    'weak \u0430\u0440\u0440\u04cf\u0435 is written in Cyrillic letters and reads as apple',
  ]);
  assert.match(
    (await signs('p\u0430ypal.com')).join(),
    /^strong p\u0430ypal mixes Latin and Cyrillic/,
  );
  assert.deepEqual(await signs('\u043f\u043e\u0447\u0442\u0430.com'), []);
  assert.deepEqual(await signs('\u0441\u043e\u0440.\u0440\u0444'), []);
  assert.deepEqual(await signs('m\u00fcller.de'), []);
});

test('a known name as the display name of another address', async () => {
  const trust = { ...US, known: ['paypal.com'] };
  for (const name of ['PayPal', 'PayPal Service', '"Your P\u0430yPal account"', 'PayPaI']) {
    const encoded = `=?utf-8?b?${Buffer.from(name.replaceAll('"', '')).toString('base64')}?=`;
    assert.ok(
      ids(await examined(message({ From: `${encoded} <x@evil.test>` }), trust)).includes(
        'display-name',
      ),
      name,
    );
    const own = await examined(message({ From: `${encoded} <x@mail.paypal.com>` }), trust);
    assert.ok(!ids(own).includes('display-name'), name);
  }
  const other = await examined(message({ From: 'Alice Paypaler <x@evil.test>' }), trust);
  assert.ok(!ids(other).includes('display-name'));
});

test('an address in a display name is seen as the eye sees it', async () => {
  const names = [
    'ceo@bank.test',
    'ceo\uff20bank.test',
    'ceo@ba\u200bnk.test',
    'ceo\ufe6bbank\uff0etest',
  ];
  names.push('"ceo@bank.test" via', 'b\u00fcro@b\u00e4nk.test', 'x'.repeat(100) + ' ceo@bank.test');
  for (const name of names) {
    const encoded = `=?utf-8?b?${Buffer.from(name).toString('base64')}?=`;
    const one = await examined(message({ From: `${encoded} <x@evil.test>` }), US);
    assert.equal(one.conclusions.headline.kind, 'contradicts itself', name);
    assert.ok(ids(one).includes('display-name'), name);
  }
});
