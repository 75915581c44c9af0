/** The commands that keep domains, accounts, aliases and the queue, on a real store. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Domain, QueueId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import type { Acceptance } from '#store/operations.ts';
import type { Store } from '#store/store.ts';
import { EXIT } from '../exit.ts';
import { demoSettings } from '../serve/demo.ts';
import { openEngine } from '../serve/store.ts';
import { inFolder, run } from '../testing.ts';
import type { Outcome, RunOptions } from '../testing.ts';

type Postern = (words: string, options?: RunOptions) => Promise<Outcome>;

/** A store in a folder of its own, and the program on it. */
async function withProgram(task: (postern: Postern, folder: string) => Promise<void>) {
  await inFolder(async (folder) => {
    await withEngine(folder, async () => undefined);
    await task((words, options) => run([...words.split(' '), '--data', folder], options), folder);
  });
}

async function withEngine(folder: string, task: (store: Store) => Promise<void>): Promise<void> {
  const store = await openEngine(demoSettings(folder));
  try {
    await task(store);
  } finally {
    await store.close();
  }
}

function ok(outcome: Outcome): string {
  assert.equal(outcome.status, EXIT.ok, outcome.err);
  assert.equal(outcome.err, '');
  return outcome.out;
}

function refused(outcome: Outcome, status: number, err: RegExp): void {
  assert.match(outcome.err, err);
  assert.equal(outcome.status, status);
  assert.equal(outcome.out, '');
}

test('domains: add, list, catch-all, remove, and what is refused', async () => {
  await withProgram(async (postern) => {
    assert.equal(ok(await postern('domain add Example.ORG.')), 'added example.org\n');
    refused(
      await postern('domain add example.org'),
      EXIT.cannotCreate,
      /is a local domain already/,
    );
    const nobody = await postern('domain catch-all example.org all@example.org');
    assert.equal(nobody.status, EXIT.ok);
    assert.match(
      nobody.err,
      /^postern: all@example\.org is neither an account nor an alias yet\.\n$/,
    );
    assert.match(
      ok(await postern('domain list')),
      /^example\.org {2}catch-all all@example\.org\n$/,
    );
    assert.deepEqual(JSON.parse(ok(await postern('domain list --json'))), [
      { name: 'example.org', catchAll: 'all@example.org' },
    ]);
    assert.match(ok(await postern('domain catch-all example.org')), /unknown addresses is refused/);
    refused(
      await postern('domain catch-all exmaple.org a@example.org'),
      EXIT.noUser,
      /exmaple\.org is not a domain of this server\. Did you mean example\.org\?/,
    );
    ok(await postern('account add a@example.org --generate'));
    refused(await postern('domain remove example.org'), EXIT.data, /is still used by/);
    ok(await postern('account remove a@example.org --yes'));
    assert.equal(ok(await postern('domain remove example.org')), 'removed example.org\n');
    refused(await postern('domain remove example.org'), EXIT.noUser, /not a domain of this server/);
  });
});

describe('accounts', () => {
  test('add with each source of a password, list, disable, enable, remove', async () => {
    await withProgram(async (postern) => {
      ok(await postern('domain add example.org'));
      const made = ok(await postern('account add Alice@Example.org --generate'));
      assert.match(made, /^added: alice@example\.org\npassword: [A-Za-z2-9]{20}\n$/);
      const piped = { input: 'correct horse\n' };
      ok(await postern('account add bob@example.org --password-stdin', piped));
      ok(await postern('account add carol@example.org', { typed: ['battery st', 'battery st'] }));
      const listed = ok(await postern('account list'));
      assert.equal(listed, 'alice@example.org\nbob@example.org\ncarol@example.org\n');
      ok(await postern('account disable bob@example.org'));
      assert.match(ok(await postern('account list')), /^bob@example\.org {3,}disabled$/m);
      ok(await postern('account enable bob@example.org'));
      refused(await postern('account remove bob@example.org'), EXIT.usage, /Say --yes/);
      ok(await postern('account remove bob@example.org --yes'));
      refused(
        await postern('account password bob@example.org --generate'),
        EXIT.noUser,
        /there is no account bob@example\.org/,
      );
    });
  });

  const WRONG: readonly (readonly [words: string, options: RunOptions, status: number, RegExp])[] =
    [
      ['alice@example.org --generate', {}, EXIT.cannotCreate, /exists already.*account password/],
      ['x@exmple.org --generate', {}, EXIT.noUser, /Did you mean example\.org\?/],
      ['x@example.org', { typed: ['one password', 'another one'] }, EXIT.data, /two .* differ/],
      ['x@example.org', {}, EXIT.usage, /nobody is there.*--password-stdin or --generate/],
      ['x@example.org --password-stdin', { input: 'short\n' }, EXIT.data, /fewer than 8/],
      ['x@example.org --password-stdin', { input: '' }, EXIT.data, /the password is empty/],
      ['x@example.org --password-stdin', { input: 'a\0bcdefgh' }, EXIT.data, /control character/],
      ['x@example.org --generate --password-stdin', {}, EXIT.usage, /exclude each other/],
    ];

  test('what is refused, and that nothing happened then', async () => {
    await withProgram(async (postern) => {
      ok(await postern('domain add example.org'));
      ok(await postern('account add alice@example.org --generate'));
      for (const [words, options, status, err] of WRONG) {
        refused(await postern(`account add ${words}`, options), status, err);
      }
      assert.equal(ok(await postern('account list')), 'alice@example.org\n');
    });
  });

  test('a password never stands in the output unless it was made here', async () => {
    await withProgram(async (postern) => {
      ok(await postern('domain add example.org'));
      const { out, err } = await postern('account add a@example.org --password-stdin', {
        input: 'canary-password\n',
      });
      assert.doesNotMatch(out + err, /canary/);
    });
  });
});

test('aliases: add, list, remove, and what is refused', async () => {
  await withProgram(async (postern) => {
    ok(await postern('domain add example.org'));
    ok(await postern('account add alice@example.org --generate'));
    ok(await postern('alias add Info@example.org alice@example.org bob@example.net'));
    assert.equal(
      ok(await postern('alias list')),
      'info@example.org  ->  alice@example.org, bob@example.net\n',
    );
    const changed = await postern('alias add info@example.org ghost@example.org');
    assert.match(changed.out, / -> ghost@example\.org instead of alice@example\.org, bob@/);
    assert.match(
      changed.err,
      /^postern: ghost@example\.org is neither an account nor an alias yet/,
    );
    refused(await postern('alias add alice@example.org a@b.c'), EXIT.cannotCreate, /is an account/);
    refused(await postern('alias add x@example.net a@b.c'), EXIT.noUser, /not a domain of this/);
    ok(await postern('alias remove info@example.org'));
    refused(await postern('alias remove info@example.org'), EXIT.noUser, /there is no alias/);
  });
});

describe('the queue', () => {
  const id = '1M80WKTKD76V1GXQ' as QueueId;

  test('list, show, hold, release, retry, drop', async () => {
    await withProgram(async (postern, folder) => {
      assert.equal(ok(await postern('queue list')), 'the queue is empty\n');
      await withEngine(folder, async (store) => {
        await store.write('accept', { acceptance: waiting(id) });
      });
      const listed = ok(await postern('queue list'));
      assert.match(
        listed,
        /^1M80WKTKD76V1GXQ {2}1 KiB {2}\S.* from alice@demo\.test {2}to b@x\.test/,
      );
      assert.match(listed, /\\x1b\[2J/);
      const [value] = JSON.parse(ok(await postern('queue list --json'))) as [{ id: string }];
      assert.equal(value.id, id);
      assert.match(ok(await postern(`queue show ${id}`)), /^from {10}alice@demo\.test$/m);
      assert.match(ok(await postern(`queue hold ${id}`)), /is held/);
      assert.match(ok(await postern('queue list')), / held/);
      assert.match(ok(await postern(`queue release ${id}`)), /goes on/);
      assert.match(ok(await postern(`queue retry ${id}`)), /will be tried now/);
      assert.match(ok(await postern(`queue drop ${id}`)), /is dropped/);
      for (const action of ['show', 'drop']) {
        refused(await postern(`queue ${action} ${id}`), EXIT.data, /is not in the queue.*trace/);
      }
      const story = ok(await postern(`trace ${id}`));
      assert.match(story, /accepted .*message 1M80WKTKD76V1GXQ/);
      assert.match(story, /command of the administrator .*\n {4}command: queue drop/);
    });
  });
});

test('trace: by queue id, Message-ID with brackets, address in any case; JSON; nothing', async () => {
  await withProgram(async (postern, folder) => {
    const id = '1M80WKTKD76V1GXR' as QueueId;
    await withEngine(folder, async (store) => {
      await store.write('accept', { acceptance: waiting(id) });
    });
    for (const key of [id, '<42@demo.test>', '42@demo.test', 'ALICE@demo.test']) {
      assert.match(ok(await postern(`trace ${key}`)), /sender: <alice@demo\.test>/, key);
    }
    const lines = ok(await postern(`trace --json ${id}`))
      .trimEnd()
      .split('\n');
    const [entry] = lines.map((line) => JSON.parse(line) as { kind: string; queueId: string });
    assert.equal(entry?.kind, 'accepted');
    assert.equal(entry?.queueId, id);
    refused(await postern('trace nobody@demo.test'), EXIT.data, /nothing is recorded about nobody/);
  });
});

function waiting(id: QueueId): Acceptance {
  const atMs = Date.now() - 90_000;
  const head = utf8('Subject: x\r\n\r\n');
  return {
    id,
    atMs,
    deliveries: [],
    relay: {
      envelope: {
        reversePath: 'alice@demo.test',
        ret: undefined,
        envelopeId: 'env\x1b[2J',
        smtpUtf8: false,
        body: '7bit',
      },
      content: { head, body: utf8('x\r\n') },
      submitter: 'alice@demo.test',
      recipients: [
        {
          address: 'b@x.test',
          domain: 'x.test' as Domain,
          notify: undefined,
          originalRecipient: undefined,
          nextMs: atMs,
          expiresMs: atMs + 432_000_000,
        },
        {
          address: '"\x1b[2J"@x.test',
          domain: 'x.test' as Domain,
          notify: undefined,
          originalRecipient: undefined,
          nextMs: atMs + 3_600_000,
          expiresMs: atMs + 432_000_000,
        },
      ],
    },
    ledger: [
      {
        atMs,
        kind: 'accepted',
        session: undefined,
        queueId: id,
        keys: ['alice@demo.test', '42@demo.test'],
        facts: { sender: '<alice@demo.test>' },
      },
    ],
  };
}
