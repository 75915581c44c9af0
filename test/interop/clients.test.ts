/** Real mail programs against a running demo server: each sends, reads, or both. */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { demo } from '../world/demo.ts';
import { waitFor } from '../world/postern.ts';
import { paste, run, without } from './tools.ts';

const postern = demo();
const { port } = postern;

function account(index: number): { address: string; password: string; name: string } {
  const found = postern.account(index);
  return { ...found, name: found.address.split('@')[0] ?? '' };
}

/** The octets of INBOX of an account, through Python's imaplib. */
async function inbox(index: number): Promise<string> {
  const { address, password } = account(index);
  const { output } = await run('python3', ['-'], {
    input: `
import imaplib, ssl
context = ssl.create_default_context(cafile=${JSON.stringify(postern.server.ready.ca)})
box = imaplib.IMAP4_SSL('127.0.0.1', ${port('imaps')}, ssl_context=context)
box.login(${JSON.stringify(address)}, ${JSON.stringify(password)})
box.select('INBOX', readonly=True)
for number in box.search(None, 'ALL')[1][0].split():
    print(box.fetch(number, '(BODY.PEEK[])')[1][0][1].decode('utf-8', 'replace'))
box.logout()
`,
  });
  return output;
}

async function arrives(index: number, text: string): Promise<void> {
  assert.ok(await waitFor(async () => (await inbox(index)).includes(text), 10_000), text);
}

test(
  'the lines that the demo prints work word for word',
  { skip: without('swaks', 'curl', 'openssl') },
  async (t) => {
    const lines = postern.server
      .output()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^(?:swaks|curl|openssl|printf|\() /.test(line));
    assert.ok(lines.length >= 4, postern.server.output());
    for (const line of lines) {
      await t.test(line.slice(0, 60), async () => {
        const input = line.includes('s_client') ? 'EHLO me.test\r\nQUIT\r\n' : '';
        const { code, output } = await paste(line, { input });
        assert.equal(code, 0, output);
      });
    }
  },
);

test('swaks submits with every mechanism it has', { skip: without('swaks') }, async () => {
  const { address, password } = account(0);
  for (const mechanism of ['PLAIN', 'LOGIN']) {
    const subject = `swaks ${mechanism}`;
    const { code, output } = await run('swaks', [
      '--server',
      '127.0.0.1',
      '--port',
      String(port('submission')),
      '--tls',
      '--auth',
      mechanism,
      '--auth-user',
      address,
      '--auth-password',
      password,
      '--from',
      address,
      '--to',
      account(1).address,
      '--header',
      `Subject: ${subject}`,
    ]);
    assert.equal(code, 0, output);
    await arrives(1, subject);
  }
});

test(
  'swaks as a stranger cannot relay, nor name an unknown user',
  { skip: without('swaks') },
  async () => {
    for (const to of ['someone@elsewhere.example', `nobody-here@${postern.server.ready.domain}`]) {
      const { code, output } = await run('swaks', [
        '--server',
        '127.0.0.1',
        '--port',
        String(port('smtp')),
        '--from',
        'stranger@elsewhere.example',
        '--to',
        to,
      ]);
      assert.equal(code, 24, output);
    }
  },
);

test(
  'Python: smtplib sends, imaplib and poplib read the same octets',
  { skip: without('python3') },
  async () => {
    const [alice, bob] = [account(0), account(1)];
    const { code, output } = await run('python3', ['-'], {
      input: `
import smtplib, ssl, poplib, imaplib
from email.message import EmailMessage
context = ssl.create_default_context(cafile=${JSON.stringify(postern.server.ready.ca)})
m = EmailMessage()
m['From'], m['To'], m['Subject'] = ${JSON.stringify(alice.address)}, ${JSON.stringify(bob.address)}, 'Grüße aus Python'
m.set_content('Zeile eins\\n.ein Punkt\\nEnde\\n')
m.add_attachment(bytes(range(256)) * 400, maintype='application', subtype='octet-stream', filename='blob.bin')
s = smtplib.SMTP('127.0.0.1', ${port('submission')})
s.starttls(context=context)
s.login(${JSON.stringify(alice.address)}, ${JSON.stringify(alice.password)})
s.send_message(m)
s.quit()
p = poplib.POP3_SSL('127.0.0.1', ${port('pop3s')}, context=context)
p.user(${JSON.stringify(bob.address)}); p.pass_(${JSON.stringify(bob.password)})
n = p.stat()[0]
popped = b'\\r\\n'.join(p.retr(n)[1]) + b'\\r\\n'
p.quit()
b = imaplib.IMAP4_SSL('127.0.0.1', ${port('imaps')}, ssl_context=context)
b.login(${JSON.stringify(bob.address)}, ${JSON.stringify(bob.password)})
b.select('INBOX', readonly=True)
last = b.search(None, 'ALL')[1][0].split()[-1]
fetched = b.fetch(last, '(BODY.PEEK[])')[1][0][1]
assert popped == fetched, (len(popped), len(fetched))
assert bytes(range(256))[:3] is not None and b'.ein Punkt' in fetched
import email, email.policy
read = email.message_from_bytes(fetched, policy=email.policy.default)
assert read['Subject'] == 'Grüße aus Python', read['Subject']
assert next(read.iter_attachments()).get_content() == bytes(range(256)) * 400
print('same octets', len(fetched))
`,
    });
    assert.equal(code, 0, output);
    assert.match(output, /same octets/);
  },
);

test('s-nail sends and mutt reads', { skip: without('s-nail', 'mutt') }, async () => {
  const [alice, bob] = [account(0), account(1)];
  const user = encodeURIComponent(alice.address);
  const sent = await run(
    's-nail',
    [
      '-:/',
      '-S',
      'v15-compat',
      '-S',
      `mta=smtps://${user}:${alice.password}@localhost:${port('submissions')}`,
      '-S',
      'smtp-auth=plain',
      '-S',
      'tls-verify=strict',
      '-S',
      `tls-ca-file=${postern.server.ready.ca}`,
      '-S',
      'tls-ca-no-defaults',
      '-r',
      alice.address,
      '-s',
      'from s-nail',
      bob.address,
    ],
    { input: 'hello from s-nail\n' },
  );
  assert.equal(sent.code, 0, sent.output);
  await arrives(1, 'hello from s-nail');
  const home = path.join(postern.server.folder, 'mutt');
  mkdirSync(home, { recursive: true });
  writeFileSync(
    path.join(home, 'muttrc'),
    `set folder="imaps://127.0.0.1:${port('imaps')}"
set imap_user="${bob.address}" imap_pass="${bob.password}"
set ssl_ca_certificates_file="${postern.server.ready.ca}" ssl_usesystemcerts=no
set certificate_file="${home}/certs" ssl_verify_host=yes header_cache="" message_cachedir=""
`,
  );
  const push = `push "<limit>~s \\"from s-nail\\"<enter><pipe-message>cat > ${home}/read<enter><enter><quit>y"`;
  const url = `imaps://127.0.0.1:${port('imaps')}/INBOX`;
  const line = `script -qec 'mutt -n -R -F ${home}/muttrc -f ${url} -e "set nowait_key"' /dev/null`;
  writeFileSync(
    path.join(home, 'muttrc'),
    `${readFileSync(path.join(home, 'muttrc'), 'utf8')}${push}\n`,
  );
  const read = await paste(line, { env: { TERM: 'xterm', HOME: home }, timeoutMs: 15_000 });
  assert.match(readFileSync(path.join(home, 'read'), 'utf8'), /from s-nail/, read.output);
});

test('mbsync copies a mailbox both ways', { skip: without('mbsync') }, async () => {
  const bob = account(1);
  const home = path.join(postern.server.folder, 'mbsync');
  mkdirSync(path.join(home, 'mail'), { recursive: true });
  writeFileSync(
    path.join(home, 'mbsyncrc'),
    `IMAPStore remote
Host localhost
Port ${port('imaps')}
User ${bob.address}
Pass ${bob.password}
SSLType IMAPS
SystemCertificates no
CertificateFile ${postern.server.ready.ca}

MaildirStore local
Path ${home}/mail/
Inbox ${home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
SyncState *
`,
  );
  const config = path.join(home, 'mbsyncrc');
  const first = await run('mbsync', ['-c', config, '-a']);
  assert.equal(first.code, 0, first.output);
  const fresh = path.join(home, 'mail/INBOX/new');
  const seen = path.join(home, 'mail/INBOX/cur');
  const count = readdirSync(fresh).length + readdirSync(seen).length;
  assert.ok(count >= 2, first.output);
  const mine = 'From: me@demo.test\nSubject: put here by mbsync\n\nlocal text\n';
  writeFileSync(path.join(seen, '1.local.mine:2,S'), mine);
  const second = await run('mbsync', ['-c', config, '-a']);
  assert.equal(second.code, 0, second.output);
  await arrives(1, 'put here by mbsync');
});

test('fetchmail takes a mailbox by POP3 over TLS', { skip: without('fetchmail') }, async () => {
  const bob = account(1);
  const home = path.join(postern.server.folder, 'fetchmail');
  mkdirSync(home, { recursive: true });
  const rc = path.join(home, 'rc');
  writeFileSync(
    rc,
    `poll localhost service ${port('pop3s')} protocol pop3 uidl
  username "${bob.address}" password "${bob.password}"
  ssl sslproto "tls1.2+" sslcertck sslcertfile "${postern.server.ready.ca}"
  mda "cat >> ${home}/got" keep fetchall\n`,
  );
  chmodSync(rc, 0o600);
  const { code, output } = await run('fetchmail', ['-f', rc, '-v', '--nosyslog'], {
    env: { HOME: home, FETCHMAILHOME: home },
  });
  assert.equal(code, 0, output);
  assert.match(readFileSync(path.join(home, 'got'), 'utf8'), /Grüße|swaks|Python/);
});
