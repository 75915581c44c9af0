/** Opening a session: greetings, EHLO, STARTTLS, login, with good and hostile servers. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Secret } from '#base/secret.ts';
import { testAuthority, testCertificate } from '#test/world/certificates.ts';
import { ClientWorld, failureOf, outcomes } from '#test/world/smtp-client.ts';
import type { SinkOptions } from '#test/world/smtp-sink.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';

const authority = testAuthority();
const certificate = testCertificate({ names: ['sink.test'], issuer: authority });
const TLS = { serverName: 'sink.test', authorities: authority.certificate } as const;
const world = new ClientWorld();
after(() => world.close());

describe('opening', () => {
  test('greetings and EHLO', async () => {
    const no = await opening((said) => (said === 'CONNECT' ? '554 5.3.2 no\r\n' : undefined));
    assert.equal(no.opened.kind === 'refused' && no.opened.step, 'greeting');
    const old = await opening((said) => (said.startsWith('EHLO') ? '500 what\r\n' : undefined));
    assert.deepEqual(old.opened, { kind: 'ready' });
    assert.deepEqual(old.commands, ['EHLO here.test', 'HELO here.test']);
    const later = await opening((said) => (said.startsWith('EHLO') ? '450 later\r\n' : undefined));
    assert.equal(later.opened.kind === 'refused' && later.opened.step, 'helo');
  });

  test('hostile greetings: a gigabyte, endless lines, silence, a trickle', async () => {
    const huge = await world.sink({ hook: () => '2'.repeat(100_000) });
    assert.equal((await failureOf((await world.connect(huge)).open())).code, 'protocol-error');
    const endless = await world.sink({ hook: () => '220-x\r\n'.repeat(1_000) });
    assert.equal((await failureOf((await world.connect(endless)).open())).code, 'protocol-error');
    const keywords = await world.sink({
      hook: (said) => (said === 'CONNECT' ? undefined : `${'250-X\r\n'.repeat(100_000)}250 X\r\n`),
    });
    assert.equal((await failureOf((await world.connect(keywords)).open())).code, 'protocol-error');

    const clock = virtualClock();
    const silent = await world.sink({ hook: () => ({ raw: '22', end: 'silence' }) });
    const session = await world.connect(silent, { clock });
    const opened = failureOf(session.open());
    clock.pass(299_999);
    assert.equal(session.dialogue.failure, undefined);
    clock.pass(1);
    const failure = await opened;
    assert.deepEqual([failure.code, failure.kind], ['timeout', 'temporary']);
    assert.equal(clock.pending, 0);
  });

  test('STARTTLS when offered, EHLO again, nothing kept from before', async () => {
    const sink = await world.sink({ tls: certificate });
    sink.hook = (said, session) => {
      const hello = '250-sink.test\r\n250-STARTTLS\r\n250 SIZE 1\r\n';
      if (said.startsWith('EHLO') && !session.tls) return hello;
      return undefined;
    };
    const tls = { mode: 'require', verify: 'require', ...TLS } as const;
    const session = await world.ready(sink, { tls });
    assert.equal(session.dialogue.secure?.facts.peer.kind, 'verified');
    assert.deepEqual(await outcomes(session), ['delivered 250']);
    assert.equal(sink.messages[0]?.tls, true);
    const expected = ['EHLO here.test', 'STARTTLS', 'EHLO here.test'];
    assert.deepEqual(sink.sessions[0]?.commands.slice(0, 3), expected);
  });

  test('implicit TLS', async () => {
    const sink = await world.sink({ tls: certificate, implicit: true });
    const tls = { mode: 'implicit', verify: 'require', ...TLS } as const;
    assert.deepEqual(await outcomes(await world.ready(sink, { tls })), ['delivered 250']);
    const wrong = { ...tls, serverName: 'other.test' };
    assert.equal((await failureOf(world.connect(sink, { tls: wrong }))).code, 'tls-unverified');
  });

  test('STARTTLS that is missing, refused, injected into or followed by plain text', async () => {
    const may = { mode: 'opportunistic', verify: 'opportunistic', ...TLS } as const;
    const must = { ...may, mode: 'require' } as const;
    const plain = await world.sink({});
    assert.deepEqual(await (await world.connect(plain, { tls: may })).open(), { kind: 'ready' });
    assert.equal(plain.sessions[0]?.commands.length, 1);
    assert.equal((await (await world.connect(plain, { tls: must })).open()).kind, 'unfit');

    for (const answer of ['454 4.7.0 not now\r\n', '554 5.7.0 never\r\n']) {
      const refusing = await world.sink({ tls: certificate, hook: answering(answer) });
      const session = await world.ready(refusing, { tls: may });
      assert.equal(session.startTlsRefused?.code, Number(answer.slice(0, 3)));
      assert.deepEqual(await outcomes(session), ['delivered 250']);
      const opened = await (await world.connect(refusing, { tls: must })).open();
      assert.equal(opened.kind === 'refused' && opened.step, 'starttls');
    }

    const injecting = {
      hook: (said: string) =>
        said === 'STARTTLS'
          ? { raw: '220 go\r\n250-AUTH PLAIN\r\n', end: 'silence' as const }
          : undefined,
    };
    for (const tls of [may, must]) {
      const sink = await world.sink({ tls: certificate, ...injecting });
      const failure = await failureOf((await world.connect(sink, { tls })).open());
      assert.equal(failure.code, 'protocol-error');
    }
    const late = await world.sink({
      tls: certificate,
      hook: (said) => (said === 'STARTTLS' ? { raw: '220 go\r\n', end: 'close' } : undefined),
    });
    assert.equal(
      (await failureOf((await world.connect(late, { tls: may })).open())).code,
      'tls-handshake',
    );
  });

  test('login: only with TLS, secrets never shown', async () => {
    const credentials = { login: 'user', password: new Secret('canary') };
    const nonce = new Uint8Array(18);
    const sink = await world.sink({ tls: certificate, login: 'user\0canary' });
    const tls = { mode: 'require', verify: 'require', ...TLS } as const;
    const session = await world.ready(sink, { tls, credentials, nonce });
    assert.equal(session.authenticated, true);
    assert.ok(session.dialogue.transcript.said.some(({ text }) => text === 'AUTH PLAIN ***'));
    const shown = JSON.stringify(session.dialogue.transcript.said);
    assert.ok(!shown.includes('canary') && !shown.includes(btoa('\0user\0canary')));
    const clear = await (await world.connect(sink, { credentials, nonce })).open();
    assert.equal(clear.kind === 'unfit' && clear.step, 'auth');
    const wrong = { login: 'user', password: new Secret('other') };
    const opened = await (await world.connect(sink, { tls, credentials: wrong, nonce })).open();
    assert.equal(opened.kind === 'refused' && opened.reply.code, 535);
  });
});

const opening = async (hook: NonNullable<SinkOptions['hook']>) => {
  const sink = await world.sink({ hook });
  const session = await world.connect(sink);
  const opened = await session.open();
  return { opened, commands: sink.sessions[0]?.commands };
};

const answering = (answer: string) => (said: string) => (said === 'STARTTLS' ? answer : undefined);
