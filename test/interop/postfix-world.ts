/** Runs inside a network namespace of its own: DNS on 53, Postern and Postfix on port 25. */

import { rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';
import { startDnsServer } from '../world/dns-server.ts';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern, waitFor } from '../world/postern.ts';
import { enter, own } from './namespace.ts';
import { type Postfix, startPostfix } from './postfix.ts';
import { run } from './tools.ts';

const HERE = '127.0.0.2';
const THERE = '127.0.0.3';
const PASSWORD = 'correct horse battery';

const folder = await enter('postfix');
await own(HERE);
await own(THERE);
const dns = await startDnsServer(
  {
    'postern.test': { mx: [[10, 'mx.postern.test']] },
    'mx.postern.test': { a: [HERE] },
    'postfix.test': { mx: [[10, 'mx.postfix.test']] },
    'mx.postfix.test': { a: [THERE] },
  },
  { port: 53 },
);
const postern = await startPostern({ config: configuration() });
let postfix: Postfix | undefined;
try {
  postfix = await startPostfix({
    folder: path.join(folder, 'postfix'),
    domain: 'postfix.test',
    users: ['carol'],
    address: THERE,
    settings: `relay_domains = behind.test
transport_maps = inline:{{behind.test=lmtp:inet:${HERE}:2424}}`,
  });
  await play(postern, postfix);
} finally {
  await postfix?.stop();
  await postern.stop();
  postern.remove();
  await dns.close();
  rmSync(folder, { recursive: true, force: true });
}

async function play(postern: Running, postfix: Postfix): Promise<void> {
  const flags = ['--config', path.join(postern.folder, 'postern.toml')];
  flags.push('--data', path.join(postern.folder, 'data'));
  const command = path.join(ROOT, 'bin/postern');
  await must(command, ['domain', 'add', 'postern.test', ...flags]);
  const account = ['account', 'add', 'ann@postern.test', '--password-stdin', ...flags];
  await must(command, account, `${PASSWORD}\n`);
  // A domain whose MX is Postfix, with its mailboxes in Postern: handed over by LMTP.
  await must(command, ['domain', 'add', 'behind.test', ...flags]);
  const behind = ['alias', 'add', 'dan@behind.test', 'ann@postern.test', ...flags];
  await must(command, behind);

  await submit('carol@postfix.test', 'out to postfix');
  await until(postfix, 'postern to postfix', () => {
    const mail = postfix.mailbox('carol');
    // Received of Postfix tells how we came: encrypted, by the name in our EHLO.
    return mail.includes('out to postfix') && /from mx\.postern\.test .*\n.*TLS/.test(mail);
  });
  const message = 'From: carol@postfix.test\nTo: ann@postern.test\nSubject: in to postern\n\nhi\n';
  await postfix.sendmail('carol@postfix.test', 'ann@postern.test', message);
  await until(postfix, 'postfix to postern', async () => {
    const mail = await inbox();
    return mail.includes('in to postern') && /from mx\.postfix\.test[^]*with ESMTPS/.test(mail);
  });
  await postfix.sendmail('carol@postfix.test', 'dan@behind.test', message.replace('in to', 'lmtp'));
  await until(postfix, 'lmtp behind postfix', async () => {
    const mail = await inbox();
    return mail.includes('lmtp postern') && /with LMTP/.test(mail);
  });
  await submit('nobody@postfix.test', 'out to nobody');
  await until(postfix, 'bounce from postfix', async () => {
    const mail = await inbox();
    return (
      /Final-Recipient: rfc822; ?nobody@postfix\.test/.test(mail) && /Status: 5\.1\.1/.test(mail)
    );
  });
  await postfix.sendmail('carol@postfix.test', 'nobody@postern.test', message);
  await until(postfix, 'bounce from postern', () => {
    const mail = postfix.mailbox('carol');
    return /Final-Recipient: rfc822; ?nobody@postern\.test/.test(mail) && /5\.1\.1/.test(mail);
  });
}

async function until(
  postfix: Postfix,
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const came = await waitFor(holds, 20_000);
  process.stdout.write(`${came ? 'ok' : 'NOT ok'}: ${what}\n`);
  if (came) return;
  process.stdout.write(`${postern.output()}\n${postfix.log()}\n`);
  process.exitCode = 1;
}

async function submit(to: string, subject: string): Promise<void> {
  const { host, port } = postern.ready.listeners['submissions']!;
  const client = await LineClient.connectTls(port, host);
  await client.reply();
  await client.ask('EHLO desk.test');
  const plain = Buffer.from(`\0ann@postern.test\0${PASSWORD}`).toString('base64');
  await client.ask(`AUTH PLAIN ${plain}`);
  await client.ask('MAIL FROM:<ann@postern.test>');
  await client.ask(`RCPT TO:<${to}>`);
  await client.ask('DATA');
  const answer = await client.ask(
    `From: ann@postern.test\r\nSubject: ${subject}\r\n\r\nhello\r\n.`,
  );
  if (!answer.startsWith('250')) throw new Error(answer);
  client.close();
}

async function inbox(): Promise<string> {
  const { host, port } = postern.ready.listeners['imaps']!;
  const client = await LineClient.connectTls(port, host);
  await client.line();
  await client.tagged('a', `LOGIN ann@postern.test "${PASSWORD}"`);
  await client.tagged('b', 'EXAMINE INBOX');
  const lines = await client.tagged('c', 'FETCH 1:* BODY.PEEK[]');
  client.close();
  return lines.join('\n');
}

async function must(program: string, args: readonly string[], input = ''): Promise<void> {
  const { code, output } = await run(program, args, { input });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
}

function configuration(): string {
  return `
myhostname = "mx.postern.test"
smtp_listen = ["${HERE}:25"]
submission_listen = []
submissions_listen = ["${HERE}:465"]
imap_listen = []
imaps_listen = ["${HERE}:993"]
pop3_listen = []
pop3s_listen = []
lmtp_listen = ["${HERE}:2424"]
smtp_allow_loopback_mx = true
mynetworks = []
`;
}
