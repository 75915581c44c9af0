/** XML from strangers: what is well-formed is read, what is an attack is refused at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type XmlElement, readXml } from './xml.ts';

/** `name(child child)` or `name"text"`. */
function shown({ name, text, children }: XmlElement): string {
  const inner = children.length === 0 ? '' : `(${children.map(shown).join(' ')})`;
  return `${name}${inner}${text === '' ? '' : JSON.stringify(text)}`;
}

test('elements, text, references, sections, comments, prefixes', () => {
  const rows: readonly (readonly [xml: string, expected: string])[] = [
    ['<a/>', 'a'],
    ['<a></a>', 'a'],
    [
      '\ufeff<?xml version="1.0"?>\n<!-- x --><a>\r\n <b>1</b> <c d="e > f" g=\'\'/></a>\n',
      'a(b"1" c)',
    ],
    ['<a>&lt;&amp;&#65;&#x42;&quot;&apos;&gt;</a>', `a${JSON.stringify('<&AB"\'>')}`],
    ['<a><![CDATA[<b>&lt;]]]]><![CDATA[>]]></a>', 'a"<b>&lt;]]>"'],
    ['<d:a xmlns:d="urn:x"><d:b>x</d:b></d:a >', 'a(b"x")'],
    ['<a><?php x ?>t</a>', 'a"t"'],
    ['<__proto__><constructor>1</constructor></__proto__>', '__proto__(constructor"1")'],
  ];
  for (const [xml, expected] of rows) {
    const root = readXml(xml);
    assert.equal(root && shown(root), expected, xml);
  }
});

test('what is not well-formed is nothing', () => {
  for (const xml of [
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a>x</a>y',
    '<a',
    '<a b></a>',
    '<a b=c/>',
    '<a b="<"/>',
    '<a b="x/>',
    '< a/>',
    '<a>&nbsp;</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>&#x110000;</a>',
    '<a>& b</a>',
    '<a><!-- x</a>',
    '<a><![CDATA[x</a>',
    '<?xml',
    '<1/>',
    '<a b="1"c="2"/>',
    '<a>&lt</a>',
  ]) {
    assert.equal(readXml(xml), undefined, xml);
  }
});

test('entities that somebody declares: refused, whatever they say (billion laughs, XXE)', () => {
  const laughs = Array.from({ length: 9 }, (_, n) => {
    return `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`;
  });
  for (const xml of [
    `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">${laughs.join('')}]><a>&l9;</a>`,
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    '<!DOCTYPE a SYSTEM "http://127.0.0.1/"><a/>',
    '<a><!ENTITY x "y"></a>',
    '<a>&x;</a>',
  ]) {
    assert.equal(readXml(xml), undefined, xml.slice(0, 60));
  }
});

test('depth, elements, text, names and attributes have limits; the control is just inside', () => {
  const rows: readonly (readonly [inside: string, beyond: string])[] = [
    [nested(20), nested(21)],
    [nested(20), '<a>'.repeat(1_000_000)],
    [many(299_999), many(300_000)],
    [text(100_000), text(100_001)],
    [text(50_000, 2), text(50_001, 2)],
    [`<${'n'.repeat(100)}/>`, `<${'n'.repeat(101)}/>`],
    [`<a${' b=""'.repeat(50)}/>`, `<a${' b=""'.repeat(51)}/>`],
  ];
  for (const [inside, beyond] of rows) {
    assert.ok(readXml(inside), inside.slice(0, 50));
    assert.equal(readXml(beyond), undefined, beyond.slice(0, 50));
  }
});

test('ten megabytes of anything cost milliseconds: nothing is read twice', () => {
  for (const piece of [
    '<',
    '<a ',
    '<a b="',
    '<!--',
    '&',
    '<![CDATA[',
    '<a>&#',
    ']]>',
    '<a>x',
    'a=',
  ]) {
    const hostile = `<r>${piece.repeat(10_000_000 / piece.length)}`;
    const started = performance.now();
    assert.equal(readXml(hostile), undefined, piece);
    const tookMs = performance.now() - started;
    assert.ok(tookMs < 1_000, `${piece}: ${tookMs} ms`);
  }
});

test('any text: never throws; what was written is read again', () => {
  fc.assert(fc.property(fc.string(), (any) => void readXml(any)));
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,40}$/), (any) => {
      const escaped = any.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      assert.equal(readXml(`<a>${escaped}</a>`)?.text, any.trim());
    }),
  );
});

function nested(depth: number): string {
  return `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
}

function many(count: number): string {
  return `<r>${'<a/>'.repeat(count)}</r>`;
}

function text(characters: number, pieces = 1): string {
  return `<r>${`${'x'.repeat(characters)}<!-- -->`.repeat(pieces)}</r>`;
}
