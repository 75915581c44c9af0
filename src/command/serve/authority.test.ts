/** Certificates of our own: real handshakes accept them, openssl too, and they are renewed. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import type { Server } from 'node:tls';
import { inFolder } from '../testing.ts';
import { makeAuthority, signServer } from './authority.ts';
import type { Signed } from './authority.ts';
import { loadIdentity, ownCertificates } from './certificates.ts';
import { DEMO_NAMES } from './demo.ts';

const DAY_MS = 86_400_000;
const now = Date.now();

function opensslIsThere(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the authority and what it signs', () => {
  let authority: Signed;
  let signed: Signed;
  let server: Server;

  before(async () => {
    authority = await makeAuthority('Test authority', now);
    signed = await signServer(authority, DEMO_NAMES, now);
    server = createServer({ cert: signed.certificate, key: signed.key });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
  });
  after(() => server.close());

  function shake(servername: string | undefined, ca: string): Promise<string> {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, ca, ...(servername ? { servername } : {}) };
      const socket = connect(options, () => {
        socket.destroy();
        resolve('verified');
      });
      socket.on('error', (error) => {
        resolve('code' in error ? String(error.code) : error.message);
      });
    });
  }

  test('node:tls verifies it for its names and its address, and for nobody else', async () => {
    assert.equal(await shake('demo.test', authority.certificate), 'verified');
    assert.equal(await shake('localhost', authority.certificate), 'verified');
    assert.equal(await shake(undefined, authority.certificate), 'verified');
    const other = await shake('other.test', authority.certificate);
    assert.equal(other, 'ERR_TLS_CERT_ALTNAME_INVALID');
    const stranger = await makeAuthority('Another authority', now);
    assert.notEqual(await shake('demo.test', stranger.certificate), 'verified');
  });

  test('the fields that clients insist on', () => {
    const leaf = new X509Certificate(signed.certificate);
    assert.equal(leaf.ca, false);
    assert.ok(leaf.checkHost('demo.test'));
    assert.ok(leaf.checkIP('127.0.0.1'));
    assert.ok(leaf.checkIP('::1'));
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / DAY_MS;
    assert.ok(days <= 398, `${days} days`);
    assert.ok(leaf.validFromDate.getTime() < now);
    const root = new X509Certificate(authority.certificate);
    assert.equal(root.ca, true);
    assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey));
  });

  test('openssl verify', { skip: opensslIsThere() ? false : 'openssl is not here' }, async () => {
    await inFolder(async (folder) => {
      const [ca, cert] = [join(folder, 'ca.pem'), join(folder, 'cert.pem')];
      writeFileSync(ca, authority.certificate);
      writeFileSync(cert, signed.certificate);
      const verify = (...more: string[]): string =>
        execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', ca, ...more, cert], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        });
      assert.match(verify('-purpose', 'sslserver', '-verify_hostname', 'demo.test'), /: OK$/m);
      assert.match(verify('-verify_ip', '::1'), /: OK$/m);
      assert.throws(() => verify('-verify_hostname', 'other.test'), { status: 2 });
    });
  });
});

describe('own certificates on disk', () => {
  test('made once, kept, keys for the owner alone, loaded by the network', async () => {
    await inFolder(async (folder) => {
      const directory = join(folder, 'tls');
      const own = await ownCertificates(directory, DEMO_NAMES, now);
      const first = readFileSync(own.files.certificateFile, 'utf8');
      assert.equal(statSync(own.files.keyFile).mode & 0o777, 0o600);
      assert.equal(statSync(join(directory, 'ca.key')).mode & 0o777, 0o600);
      assert.equal(statSync(directory).mode & 0o777, 0o700);
      const identity = loadIdentity([own.files]);
      assert.deepEqual([...identity.names].slice(0, 2), ['demo.test', 'localhost']);
      identity.close();
      await ownCertificates(directory, DEMO_NAMES, now);
      assert.equal(readFileSync(own.files.certificateFile, 'utf8'), first);
    });
  });

  test('near its end, for other names, or broken: made anew by the same authority', async () => {
    await inFolder(async (directory) => {
      const own = await ownCertificates(directory, ['a.test'], now);
      const authority = readFileSync(own.authority, 'utf8');
      const read = (): string => readFileSync(own.files.certificateFile, 'utf8');
      const first = read();
      await ownCertificates(directory, ['a.test'], now + 370 * DAY_MS);
      const second = read();
      assert.notEqual(second, first);
      await ownCertificates(directory, ['a.test', 'b.test'], now);
      const third = new X509Certificate(read());
      assert.ok(third.checkHost('b.test'));
      writeFileSync(own.files.certificateFile, 'half a certif');
      await ownCertificates(directory, ['a.test'], now);
      assert.ok(new X509Certificate(read()).verify(new X509Certificate(authority).publicKey));
      assert.equal(readFileSync(own.authority, 'utf8'), authority);
    });
  });

  test('an authority near its end is made anew, and the certificate with it', async () => {
    await inFolder(async (directory) => {
      const own = await ownCertificates(directory, ['a.test'], now);
      const authority = readFileSync(own.authority, 'utf8');
      await ownCertificates(directory, ['a.test'], now + 3_640 * DAY_MS);
      const renewed = readFileSync(own.authority, 'utf8');
      assert.notEqual(renewed, authority);
      const leaf = new X509Certificate(readFileSync(own.files.certificateFile));
      assert.ok(leaf.verify(new X509Certificate(renewed).publicKey));
    });
  });
});

test('loading the library leaves Reflect as it was', () => {
  assert.equal('getMetadata' in Reflect, false);
});
