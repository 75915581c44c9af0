/** Opening listeners: all or none, busy ports, hosts, and what the operator is told. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Failure } from '#base/failure.ts';
import type { Listener, ListenOptions, Network } from '#base/world.ts';
import { CommandError, EXIT } from '../exit.ts';
import { readConfiguration } from '../configuration/read.ts';
import type { Settings } from '../configuration/settings.ts';
import { listenerRows, onLoopbackOnly } from './listeners.ts';
import { openListeners } from './opening.ts';

function settings(toml: string): Settings {
  const facts = { hostname: 'mail.example.org', stateDirectory: '/x', gateways: [] };
  const result = readConfiguration(toml, facts);
  return result.kind === 'good' ? result.settings : assert.fail(JSON.stringify(result.problems));
}

/** A machine on which some places are taken, and some addresses do not exist. */
function fakeNetwork(options: { readonly busy?: readonly number[]; readonly lacks?: string }) {
  const open: string[] = [];
  const network: Network = {
    listen: async ({ host, port }: ListenOptions): Promise<Listener> => {
      const place = `${host} ${port}`;
      if (host === options.lacks) throw Failure.permanent('no-such-address', `${place}: none`);
      if (options.busy?.includes(port))
        throw Failure.permanent('port-in-use', `${place} is in use`);
      if (port > 0 && port < 1_000) throw Failure.permanent('not-permitted', `${place} denied`);
      open.push(place);
      return {
        local: { address: host, port: port === 0 ? 40_000 : port },
        close: async () => void open.splice(open.indexOf(place), 1),
      };
    },
    connect: () => Promise.reject(new Error('nobody connects')),
  };
  return { network, open };
}

const DEMO = `
inet_interfaces = ["loopback-only"]
smtp_listen = [1025]
submission_listen = [1026]
submissions_listen = []
imap_listen = []
imaps_listen = []
pop3_listen = []
pop3s_listen = []
`;
const nobody = (): void => undefined;

describe('rows', () => {
  test('the defaults: every protocol on all addresses of both families', () => {
    const rows = listenerRows(settings(''));
    assert.deepEqual(
      rows.map(({ name, tls, port }) => `${name} ${tls} ${port}`),
      [
        'smtp starttls 25',
        'submission starttls 587',
        'submissions implicit 465',
        'imap starttls 143',
        'imaps implicit 993',
        'pop3 starttls 110',
        'pop3s implicit 995',
      ],
    );
    assert.deepEqual(rows[0]?.hosts, ['0.0.0.0', '::']);
    assert.equal(onLoopbackOnly(rows), false);
  });

  test('families, named interfaces and places', () => {
    const one = (toml: string) => listenerRows(settings(toml))[0];
    assert.deepEqual(one('inet_protocols = "ipv4"')?.hosts, ['0.0.0.0']);
    assert.deepEqual(one('inet_interfaces = ["loopback-only"]')?.hosts, ['127.0.0.1', '::1']);
    assert.deepEqual(one('smtp_listen = ["192.0.2.1:26"]')?.hosts, ['192.0.2.1']);
    assert.equal(onLoopbackOnly(listenerRows(settings(DEMO))), true);
    const lmtp = listenerRows(settings('lmtp_listen = ["127.0.0.1:24"]')).at(-1);
    assert.equal(`${lmtp?.name} ${lmtp?.tls} ${lmtp?.protocol}`, 'lmtp none lmtp');
  });
});

describe('opening', () => {
  test('both addresses of each row', async () => {
    const { network, open } = fakeNetwork({});
    const opened = await openListeners(network, listenerRows(settings(DEMO)), nobody, {
      moving: false,
    });
    assert.deepEqual(open, ['127.0.0.1 1025', '::1 1025', '127.0.0.1 1026', '::1 1026']);
    await opened.close();
    assert.deepEqual(open, []);
  });

  test('a busy port moves to the next one that nobody else wants, in the demo only', async () => {
    const { network, open } = fakeNetwork({ busy: [1025] });
    const rows = listenerRows(settings(DEMO));
    const opened = await openListeners(network, rows, nobody, { moving: true });
    assert.deepEqual(
      opened.listeners.map(({ places, instead }) => [places[0]?.port, instead]),
      [
        [1027, 1025],
        [1026, undefined],
      ],
    );
    await opened.close();
    const refusal = openListeners(network, rows, nobody, { moving: false });
    await assert.rejects(refusal, (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exit, EXIT.unavailable);
      assert.equal(error.message, 'smtp: 127.0.0.1 1025 is in use');
      assert.equal(error.cure, 'Stop that program, or set smtp_listen.');
      return true;
    });
    assert.deepEqual(open, []);
  });

  test('the second row fails: the first one is closed again', async () => {
    const { network, open } = fakeNetwork({ busy: [1026] });
    const rows = listenerRows(settings(DEMO));
    await assert.rejects(openListeners(network, rows, nobody, { moving: false }), /submission:/);
    assert.deepEqual(open, []);
  });

  test('a machine without IPv6 listens on IPv4 alone; one without any is told', async () => {
    const { network } = fakeNetwork({ lacks: '::1' });
    const rows = listenerRows(settings(DEMO));
    const opened = await openListeners(network, rows, nobody, { moving: false });
    assert.deepEqual(
      opened.listeners.map(({ places }) => places.length),
      [1, 1],
    );
    const lonely = listenerRows(settings(`smtp_listen = ["192.0.2.1:2525"]`)).slice(0, 1);
    const without = fakeNetwork({ lacks: '192.0.2.1' }).network;
    await assert.rejects(openListeners(without, lonely, nobody, { moving: false }), /smtp: /);
  });

  test('a port that needs a privilege', async () => {
    const { network } = fakeNetwork({});
    const rows = listenerRows(settings('')).slice(0, 1);
    await assert.rejects(openListeners(network, rows, nobody, { moving: true }), (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exit, EXIT.noPermission);
      return true;
    });
  });

  test('port 0: one port for both addresses', async () => {
    const { network, open } = fakeNetwork({});
    const toml = DEMO.replace('[1025]', '[0]');
    await openListeners(network, listenerRows(settings(toml)).slice(0, 1), nobody, {
      moving: false,
    });
    assert.deepEqual(open, ['127.0.0.1 0', '::1 40000']);
  });
});
