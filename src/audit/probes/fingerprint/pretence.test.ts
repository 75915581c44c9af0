/** Greetings that name another program, and servers that refuse our EHLO: told by what cannot be written. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { auditMock, smtpAnswers } from '#test/world/audit.ts';
import { knownWeakness, product } from './index.ts';

const POSTFIX = ['PIPELINING', 'SIZE 10240000', 'VRFY', 'ETRN', 'ENHANCEDSTATUSCODES', '8BITMIME'];
const EXIM = ['SIZE 52428800', '8BITMIME', 'PIPELINING', 'PIPECONNECT', 'CHUNKING', 'PRDR'];

const refusing = (unknown: string) =>
  smtpAnswers([], (line) => {
    if (line.startsWith('EHLO')) return '550 EHLO argument does not match calling host\r\n';
    if (line === 'RSET') return '250 Reset OK\r\n';
    return line === 'XYZZY' ? unknown : undefined;
  });

const toldOf = async (greeting: string, unknown: string) => {
  const mock = { greeting: `220 mock.test ${greeting}\r\n`, answer: refusing(unknown) };
  return (await auditMock(mock, [product])).get('fingerprint.product');
};

suite('pretence', () => {
  test('weaknesses of a program that only the greeting names are none of this one', async () => {
    const greeting = '220 mock.test ESMTP Exim 4.94 Mon, 01 Jan 2024 00:00:00 +0000\r\n';
    const told = async (capabilities: readonly string[]) => {
      const answer = smtpAnswers(capabilities);
      const found = await auditMock({ greeting, answer }, [knownWeakness]);
      return found.get('fingerprint.known-weakness');
    };
    const lying = await told(POSTFIX);
    assert.equal(lying?.confidence, 'not-observed');
    assert.match(lying?.seen ?? '', /the list of capabilities is postfix's/);
    assert.equal((await told(EXIM))?.confidence, 'likely');
  });

  test('who refuses our EHLO is known by greeting and mistakes', async () => {
    const exim = await toldOf('ESMTP Exim 4.96', '500 unrecognized command\r\n');
    assert.equal(exim?.details['product'], 'exim');
    const nobody = await toldOf('ESMTP', '500 5.5.2 unknown command\r\n');
    assert.equal(nobody?.details['product'], 'unknown');
  });
});
