/** Every IMAP capability, in each state, is used; one that this table does not know fails. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { LineClient } from '../world/line-client.ts';
import { announcedByReadme } from '../world/readme.ts';
import { saslLogin } from '../world/sasl.ts';
import { PASSWORD, WholeServer } from '../world/whole-server.ts';

let server: WholeServer;

before(async () => {
  server = await WholeServer.start({ settings: 'message_size_limit = "100K"' });
  for (const n of [1, 2, 3]) {
    assert.match(await server.deliver(`Subject: mail ${n}\r\n\r\nbody ${n}`), /^250/);
  }
});

after(async () => {
  await server.isAlive();
  await server.stop();
});

/** What proves an IMAP capability; `value` is what stands behind its `=`. */
const IMAP = new Map<string, (value: string) => Promise<void>>([
  ['APPENDLIMIT', appendLimit],
  ['AUTH', (mechanism) => imapAuth(mechanism)],
  ['CHILDREN', children],
  ['CONDSTORE', condstore],
  ['CREATE-SPECIAL-USE', createSpecialUse],
  ['ENABLE', enable],
  ['ESEARCH', esearch],
  ['ID', id],
  ['IDLE', idle],
  ['IMAP4rev1', base],
  ['LIST-EXTENDED', listExtended],
  ['LIST-STATUS', listStatus],
  ['LITERAL+', literalPlus],
  ['LITERAL-', literalMinus],
  ['LOGINDISABLED', loginDisabled],
  ['MOVE', move],
  ['NAMESPACE', namespace],
  ['SASL-IR', initialResponse],
  ['SPECIAL-USE', specialUse],
  ['STARTTLS', imapStartTls],
  ['STATUS', statusSize],
  ['UIDPLUS', uidPlus],
  ['UNSELECT', unselect],
]);

test('every IMAP capability is real, in greeting and answer alike', async () => {
  const used = new Set<string>();
  const proved = new Set<string>();
  for (const [state, greeting, names] of await imapStates()) {
    if (greeting !== undefined) assert.deepEqual(greeting, names, state);
    for (const name of names) {
      const [keyword = '', value = ''] = name.split('=');
      const proof = IMAP.get(keyword);
      assert.ok(proof, `IMAP announces ${name} (${state}), and nothing here proves it`);
      used.add(keyword);
      if (!proved.has(name)) await proof(value);
      proved.add(name);
    }
  }
  assert.deepEqual([...IMAP.keys()], [...used].toSorted(byOctets));
  const listed = announcedByReadme('CAPABILITY');
  assert.deepEqual(
    listed.map((name) => name.split('=')[0]),
    [...used].toSorted(byOctets),
  );
  const unheard = listed.filter((name) => name.includes('=') && !proved.has(name));
  assert.deepEqual(unheard, []);
});

/** State, what the greeting or the login said, what CAPABILITY says. */
async function imapStates(): Promise<[string, string[] | undefined, string[]][]> {
  const clear = await server.dial('imap');
  const greeting = codeOf((await clear.line()) ?? '');
  const states: [string, string[] | undefined, string[]][] = [
    ['clear', greeting, await capability(clear)],
  ];
  await clear.tagged('s', 'STARTTLS');
  await clear.startTls();
  states.push(['after STARTTLS', undefined, await capability(clear)]);
  const login = await clear.tagged('l', `LOGIN ${server.users[0]} ${PASSWORD}`);
  states.push(['logged in', codeOf(login.at(-1)!), await capability(clear)]);
  await clear.tagged('x', 'SELECT INBOX');
  states.push(['selected', undefined, await capability(clear)]);
  clear.close();
  const secure = await server.open('imaps');
  states.push(['tls', undefined, await capability(secure)]);
  secure.close();
  return states;
}

async function capability(client: LineClient): Promise<string[]> {
  const [line] = await client.tagged('cap', 'CAPABILITY');
  return (line ?? '').replace('* CAPABILITY ', '').split(' ');
}

function codeOf(line: string): string[] {
  return /\[CAPABILITY ([^\]]*)\]/.exec(line)?.[1]?.split(' ') ?? [];
}

function byOctets(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Answers to commands in a row, joined; each must succeed. */
async function dialogue(commands: readonly string[], user = 0): Promise<string> {
  const client = await server.imap(user);
  const text = await say(client, commands);
  client.close();
  return text;
}

async function say(client: LineClient, commands: readonly string[]): Promise<string> {
  const all: string[] = [];
  for (const command of commands) {
    const lines = await client.tagged('t', command);
    assert.match(lines.at(-1) ?? 'closed', /^t OK/, command);
    all.push(...lines);
  }
  return all.join('\n');
}

async function base(): Promise<void> {
  const text = await dialogue(['SELECT INBOX', 'FETCH 1 (FLAGS BODY[HEADER] BODY[TEXT])', 'CHECK']);
  assert.match(text, /\* \d+ EXISTS/);
  assert.match(text, /UIDVALIDITY \d+/);
  assert.match(text, /Subject: mail 1/);
}

async function id(): Promise<void> {
  assert.match(await dialogue(['ID ("name" "test")']), /^\* ID (?:NIL|\()/m);
}

async function enable(): Promise<void> {
  assert.match(await dialogue(['ENABLE CONDSTORE XYZZY']), /^\* ENABLED CONDSTORE$/m);
}

async function idle(): Promise<void> {
  const client = await server.imap();
  await say(client, ['SELECT INBOX']);
  client.send('i IDLE\r\n');
  assert.match((await client.line()) ?? '', /^\+ /);
  assert.match(await server.deliver('Subject: idle\r\n\r\nx'), /^250/);
  assert.match((await client.line()) ?? '', /^\* \d+ EXISTS/);
  client.send('DONE\r\n');
  let line = await client.line();
  while (line?.startsWith('* ') === true) line = await client.line();
  assert.match(line ?? '', /^i OK/);
  client.close();
}

async function namespace(): Promise<void> {
  assert.match(await dialogue(['NAMESPACE']), /^\* NAMESPACE \(\("" "\/"\)\) NIL NIL$/m);
}

async function uidPlus(): Promise<void> {
  const client = await server.imap();
  const text = await say(client, [
    'CREATE plus',
    'APPEND plus {4+}\r\na: b',
    'APPEND plus {4+}\r\na: c',
    'SELECT plus',
    'UID COPY 1:2 plus',
    'UID STORE 1:2 +FLAGS (\\Deleted)',
    'UID EXPUNGE 1',
    'UID SEARCH ALL',
    'CLOSE',
    'DELETE plus',
  ]);
  const validity = /APPENDUID (\d+) 1\]/.exec(text)?.[1];
  assert.ok(validity, text);
  assert.match(text, new RegExp(`COPYUID ${validity} 1:2 3:4`));
  assert.match(text, /^\* SEARCH 2 3 4$/m);
  client.close();
}

async function move(): Promise<void> {
  const text = await dialogue([
    'CREATE moved',
    'APPEND moved {4+}\r\na: b',
    'CREATE target',
    'SELECT moved',
    'UID MOVE 1 target',
    'STATUS target (MESSAGES)',
    'SEARCH ALL',
    'DELETE target',
    'CLOSE',
    'DELETE moved',
  ]);
  assert.match(text, /COPYUID \d+ 1 1/);
  assert.match(text, /^\* 1 EXPUNGE$/m);
  assert.match(text, /MESSAGES 1/);
  assert.match(text, /^\* SEARCH$/m);
}

async function unselect(): Promise<void> {
  const text = await dialogue([
    'CREATE keep',
    'APPEND keep (\\Deleted) {4+}\r\na: b',
    'SELECT keep',
    'UNSELECT',
    'STATUS keep (MESSAGES)',
    'DELETE keep',
  ]);
  assert.match(text, /MESSAGES 1/);
}

async function children(): Promise<void> {
  const text = await dialogue(['CREATE tree/leaf', 'LIST "" "tree*"', 'DELETE tree/leaf']);
  assert.match(text, /\\HasChildren[^)]*\) "\/" "?tree"?$/m);
  assert.match(text, /\\HasNoChildren[^)]*\) "\/" "?tree\/leaf"?$/m);
}

async function specialUse(): Promise<void> {
  const text = await dialogue(['LIST (SPECIAL-USE) "" "*"', 'LIST "" "*" RETURN (SPECIAL-USE)']);
  assert.match(text, /^\* LIST \([^)]*\\(?:Sent|Trash|Drafts|Junk)/m);
}

async function createSpecialUse(): Promise<void> {
  // One mailbox for each use: Archive's has to be free first.
  const text = await dialogue([
    'DELETE Archive',
    'CREATE store (USE (\\Archive))',
    'LIST (SPECIAL-USE) "" store',
    'DELETE store',
    'CREATE Archive (USE (\\Archive))',
  ]);
  assert.match(text, /^\* LIST \([^)]*\\Archive[^)]*\) "\/" "?store"?$/m);
}

async function listExtended(): Promise<void> {
  const text = await dialogue([
    'CREATE ext/sub',
    'SUBSCRIBE ext/sub',
    'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("ext" "INBOX") RETURN (CHILDREN SUBSCRIBED)',
    'UNSUBSCRIBE ext/sub',
    'DELETE ext/sub',
  ]);
  assert.match(text, /^\* LIST \([^\n]*"?ext"? \("?CHILDINFO"? \("SUBSCRIBED"\)\)$/m);
}

async function listStatus(): Promise<void> {
  const text = await dialogue(['LIST "" INBOX RETURN (STATUS (MESSAGES UIDNEXT))']);
  assert.match(text, /^\* LIST [^\n]*INBOX\n\* STATUS INBOX \([^)]*MESSAGES \d+/m);
}

async function statusSize(): Promise<void> {
  const text = await dialogue(['STATUS INBOX (SIZE)', 'EXAMINE INBOX', 'FETCH 1:* RFC822.SIZE']);
  const sizes = [...text.matchAll(/RFC822\.SIZE (\d+)/g)].map(([, size]) => Number(size));
  const sum = sizes.reduce((total, size) => total + size, 0);
  assert.match(text, new RegExp(`SIZE ${sum}\\)`));
}

async function esearch(): Promise<void> {
  const text = await dialogue(['EXAMINE INBOX', 'UID SEARCH RETURN (MIN MAX COUNT ALL) 1:3']);
  assert.match(
    text,
    /^\* ESEARCH \(TAG "t"\) UID MIN 1 MAX 3 (?:COUNT 3 ALL 1:3|ALL 1:3 COUNT 3)/m,
  );
}

async function condstore(): Promise<void> {
  const client = await server.imap();
  const text = await say(client, [
    'CREATE mod',
    'APPEND mod {4+}\r\na: b',
    'APPEND mod {4+}\r\na: c',
    'SELECT mod (CONDSTORE)',
    'FETCH 1:2 (MODSEQ)',
  ]);
  assert.match(text, /HIGHESTMODSEQ \d+/);
  const modseq = Number(/MODSEQ \((\d+)\)/.exec(text)?.[1]);
  const changed = await say(client, [
    'STORE 2 +FLAGS (\\Seen)',
    `FETCH 1:2 (FLAGS) (CHANGEDSINCE ${modseq + 1})`,
  ]);
  assert.match(changed, /^\* 2 FETCH \([^\n]*MODSEQ/m);
  const condition = `STORE 2 (UNCHANGEDSINCE ${modseq}) +FLAGS (\\Flagged)`;
  const stale = await client.tagged('u', condition);
  assert.match(stale.at(-1) ?? '', /MODIFIED 2/);
  assert.match(await say(client, [`SEARCH MODSEQ ${modseq + 1}`]), /^\* SEARCH 2 \(MODSEQ \d+\)$/m);
  await say(client, ['CLOSE', 'DELETE mod']);
  client.close();
}

async function appendLimit(value: string): Promise<void> {
  assert.equal(value, '102400');
  const client = await server.imap();
  const large = await client.tagged('a', `APPEND Trash {${Number(value) + 1}}`);
  assert.match(large.at(-1)!, /^a NO \[TOOBIG\]/);
  const lines = 'x: y\r\n'.repeat(20_000).slice(0, Number(value));
  const fits = await client.tagged('b', `APPEND INBOX {${value}+}\r\n${lines}`);
  assert.match(fits.at(-1)!, /^b OK/);
  client.close();
}

async function literalPlus(): Promise<void> {
  const key = `SEARCH TEXT {5000+}\r\n${'y'.repeat(5_000)}`;
  assert.match(await dialogue(['SELECT INBOX', key]), /^\* SEARCH$/m);
}

async function literalMinus(): Promise<void> {
  const client = await server.open('imaps');
  const [user, password] = [server.users[0]!, PASSWORD];
  const login = `LOGIN {${user.length}+}\r\n${user} {${password.length}+}\r\n${password}`;
  assert.match((await client.tagged('a', login)).at(-1)!, /^a OK/);
  client.close();
  const stranger = await server.open('imaps');
  const large = await stranger.tagged('a', `LOGIN {4097+}\r\n${'u'.repeat(4_097)} x`);
  assert.match(large.at(-1)!, /^a BAD/);
  stranger.close();
}

async function imapStartTls(): Promise<void> {
  const client = await server.open('imap');
  assert.match((await client.tagged('a', 'STARTTLS')).at(-1)!, /^a OK/);
  await client.startTls();
  assert.equal((await capability(client)).includes('STARTTLS'), false);
  client.close();
}

async function loginDisabled(): Promise<void> {
  const client = await server.open('imap');
  const answer = await client.tagged('a', `LOGIN ${server.users[0]} ${PASSWORD}`);
  assert.match(answer.at(-1)!, /^a (?:NO|BAD)/);
  client.close();
}

async function initialResponse(): Promise<void> {
  const client = await server.open('imaps');
  const answer = await client.tagged('a', `AUTHENTICATE PLAIN ${server.plain(0)}`);
  assert.match(answer.at(-1)!, /^a OK/);
  client.close();
}

async function imapAuth(mechanism: string): Promise<void> {
  const client = await server.open('imaps');
  const login = { user: server.users[0]!, password: PASSWORD };
  assert.match(await saslLogin(client, 'imap', mechanism, login), /^sasl OK/, mechanism);
  assert.match((await client.tagged('a', 'SELECT INBOX')).at(-1)!, /^a OK/);
  client.close();
}
