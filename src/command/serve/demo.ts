/** The demo: what `postern serve` is without a configuration; loopback only, nothing leaves. */

import { parseDomain } from '#base/domain.ts';
import { invariant } from '#base/failure.ts';
import { readConfiguration } from '../configuration/read.ts';
import type { Settings } from '../configuration/settings.ts';

const domain = parseDomain('demo.test');
invariant(domain !== undefined, 'demo.test is a domain');

export const DEMO_DOMAIN = domain;
export const DEMO_ACCOUNTS = ['alice@demo.test', 'bob@demo.test'] as const;
/** Where mail for all other domains is kept instead of being sent. */
export const TRAP_ACCOUNT = 'trap@demo.test';
/** What the demo's certificate is for. */
export const DEMO_NAMES = ['demo.test', 'localhost', '127.0.0.1', '::1'] as const;

/** Standard ports + 1000. */
const DEMO_CONFIGURATION = `
myhostname = "demo.test"
inet_interfaces = ["loopback-only"]
smtp_listen = [1025]
submission_listen = [1587]
submissions_listen = [1465]
imap_listen = [1143]
imaps_listen = [1993]
pop3_listen = [1110]
pop3s_listen = [1995]
mynetworks = []
account_message_limit = 0
account_recipient_limit = 0
account_new_recipient_limit = 0
smtpd_data_restrictions = ["reject_unauth_pipelining"]
postmaster_address = "alice@demo.test"
log_level = "warn"
`;

/** The settings of the demo, by the same reader as everyone's. */
export function demoSettings(dataDirectory: string): Settings {
  const facts = { hostname: 'demo.test', stateDirectory: dataDirectory, gateways: [] };
  const result = readConfiguration(DEMO_CONFIGURATION, facts);
  invariant(result.kind === 'good', 'the demo configuration is right');
  return { ...result.settings, data_directory: dataDirectory };
}
