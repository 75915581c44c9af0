/** Cures taken apart: places, configuration, sentences; and how reports print them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSentence, placeOf, readCure } from './cure.ts';
import { cureText } from './formats/words.ts';

test('lines of a cure go to the place that is named before them, sentences to nowhere', () => {
  const lines = [
    'a = b',
    '# /etc/aliases:',
    'abuse: postmaster',
    'Update Exim.',
    '# then run:',
    'newaliases',
  ];
  assert.deepEqual(readCure({ lines }), {
    parts: [
      { place: '', lines: ['a = b'] },
      { place: '/etc/aliases', lines: ['abuse: postmaster'] },
      { place: 'then run', lines: ['newaliases'] },
    ],
    sentences: ['Update Exim.'],
  });
  assert.deepEqual(readCure({ lines: [] }), { parts: [], sentences: [] });
});

test('configuration that ends with a stop is no sentence, and a comment is no place', () => {
  assert.equal(isSentence('login_greeting = ready.'), false);
  assert.equal(isSentence("FEATURE(`delay_checks')dnl"), false);
  assert.equal(isSentence('No setting refuses it.'), true);
  assert.equal(placeOf('# acl_smtp_vrfy = ...'), undefined);
  assert.equal(placeOf('#vers\t2'), undefined);
});

test('lines that must stand alone are printed so, others behind each other', () => {
  assert.equal(cureText({ product: 'exim', lines: ['a = b', 'c = d'] }), 'Exim: a = b; c = d');
  const block = ['service lmtp {', '  a = b', '}'];
  assert.deepEqual(
    cureText({ product: 'dovecot', lines: block })
      .split('\n')
      .map((line) => line.trimEnd()),
    ['Dovecot:', ...block.map((line) => `      ${line}`)],
  );
});
