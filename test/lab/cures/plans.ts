/** Weak configurations of real servers: what is found there is cured with the auditor's own lines. */

import { PLAIN } from './plain.ts';
import { POSTFIX } from './postfix.ts';
import { COUNTED, MANNERS, SELF, SLOWED, type WeakPlan } from './weak.ts';

export const PLANS: readonly WeakPlan[] = [
  ...POSTFIX,
  {
    id: 'exim stock',
    server: 'exim',
    settings: '',
    level: 'active',
    only: [...MANNERS, 'limits'],
    planted: ['fingerprint.greeting-version', 'hygiene.helo-not-fqdn'],
    remains: { 'users.rcpt': SLOWED, 'limits.hop-loop': COUNTED },
    quick: ['fingerprint.greeting-version', 'hygiene.helo-localhost'],
  },
  {
    id: 'exim telling',
    server: 'exim',
    settings: 'acl_smtp_vrfy = accept\nacl_smtp_expn = accept\nacl_smtp_etrn = accept',
    level: 'active',
    only: ['users.vrfy', 'users.expn', 'relay.etrn', 'exposure', 'configuration'],
    planted: ['users.vrfy', 'users.expn', 'configuration.exim-vrfy-on'],
    quick: ['users.vrfy', 'users.expn'],
  },
  {
    id: 'exim open',
    server: 'exim',
    settings: '[relay_from_hosts]\n0.0.0.0/0',
    level: 'active',
    only: ['relay', 'configuration.exim-relay-wide'],
    planted: ['relay.n1', 'configuration.exim-relay-wide'],
    quick: ['relay.n1', 'relay.n2', 'configuration.exim-relay-wide'],
  },
  {
    id: 'exim domains',
    server: 'exim',
    settings: '[relay_to_domains]\n*',
    level: 'active',
    only: ['relay', 'configuration.exim-relay-domains'],
    planted: ['configuration.exim-relay-domains'],
  },
  {
    id: 'exim accepts',
    server: 'exim',
    settings: '[rcpt]\n  accept hosts = *',
    level: 'active',
    only: ['configuration.exim-acl-open'],
    planted: ['configuration.exim-acl-open'],
  },
  {
    id: 'exim logins in clear',
    server: 'exim',
    settings: `[auth]
plain_server:
  driver = plaintext
  public_name = PLAIN
  server_condition = "\${if and{{eq{$auth2}{alice}}{eq{$auth3}{lab-Secret-1}}}}"
  server_set_id = $auth2
  server_prompts = :`,
    level: 'active',
    options: ['--account=alice'],
    only: ['plaintext', 'relay.r32', 'configuration'],
    planted: ['plaintext.smtp-auth-accepted', 'configuration.exim-auth-in-clear'],
  },
  {
    id: 'exim loose',
    server: 'exim',
    settings: `smtp_enforce_sync = false
pipelining_connect_advertise_hosts =
helo_accept_junk_hosts = *
helo_allow_chars = _!
percent_hack_domains = *`,
    level: 'active',
    only: ['hygiene', 'configuration', 'parsing.unauthorised-pipelining'],
    planted: ['configuration.exim-sync-off', 'configuration.exim-helo-junk'],
  },
  {
    id: 'exim old TLS',
    server: 'exim',
    settings:
      'tls_require_ciphers = NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:%VERIFY_ALLOW_SIGN_WITH_SHA1',
    only: ['tls', 'plaintext.no-tls', 'configuration'],
    planted: ['tls.tls10'],
    remains: { 'tls.certificate-self-signed': SELF },
    quick: ['tls.tls10', 'tls.tls11'],
  },
  {
    id: 'exim without TLS',
    server: 'exim',
    settings: 'tls_advertise_hosts =',
    only: ['plaintext.no-tls', 'configuration'],
    planted: ['plaintext.no-tls', 'configuration.exim-tls-off'],
  },
  {
    id: 'exim expired certificate',
    server: 'exim',
    settings: `tls_certificate = /etc/lab/expired.pem
tls_privatekey = /etc/lab/expired-key.pem`,
    only: ['tls.certificate-expired'],
    planted: ['tls.certificate-expired'],
  },
  {
    id: 'sendmail expired certificate',
    server: 'sendmail',
    settings: `define(\`confCACERT_PATH', \`/etc/ssl/certs')dnl
define(\`confCACERT', \`/etc/ssl/certs/ca-certificates.crt')dnl
define(\`confSERVER_CERT', \`/etc/lab/expired.pem')dnl
define(\`confSERVER_KEY', \`/etc/lab/expired-key.pem')dnl`,
    only: ['tls.certificate-expired'],
    planted: ['tls.certificate-expired'],
  },
  {
    id: 'dovecot expired certificate',
    server: 'dovecot',
    settings: `protocols = imap pop3
ssl_cert = </etc/lab/expired.pem
ssl_key = </etc/lab/expired.key`,
    only: ['tls.certificate-expired'],
    planted: ['tls.certificate-expired'],
  },
  {
    id: 'dovecot exposed',
    server: 'dovecot',
    settings: `protocols = imap lmtp sieve
ssl = required
login_trusted_networks = 0.0.0.0/0
auth_debug_passwords = yes
service lmtp {
  inet_listener lmtp {
    port = 24
  }
}`,
    only: ['configuration'],
    planted: ['configuration.dovecot-trusted-networks', 'configuration.dovecot-passwords-in-log'],
  },
  ...[
    { server: 'postfix', settings: 'myhostname = mail.local' },
    { server: 'exim', settings: 'primary_hostname = mail.local' },
    { server: 'sendmail', settings: "define(`confDOMAIN_NAME', `mail.local')dnl" },
    {
      server: 'opensmtpd',
      settings: `listen on ADDRESS hostname mail.local
action "local" mbox alias <aliases>
match from any for domain "DOMAIN" action "local"`,
    },
  ].map(({ server, settings }): WeakPlan => ({
    id: `${server} inside`,
    server,
    settings,
    only: ['fingerprint.internal-name'],
    planted: ['fingerprint.internal-name'],
  })),
  {
    id: 'exim limits',
    server: 'exim',
    settings: `message_size_limit = 0
recipients_max = 20
smtp_max_unknown_commands = 1000
smtp_max_synprot_errors = 1000`,
    level: 'active',
    only: ['limits'],
    planted: ['limits.size-unlimited', 'limits.no-error-limit'],
    remains: { 'limits.hop-loop': COUNTED },
  },
  {
    id: 'sendmail limits',
    server: 'sendmail',
    settings: "define(`confMAX_RCPTS_PER_MESSAGE', `20')dnl",
    level: 'active',
    only: ['limits'],
    planted: ['limits.few-recipients'],
    remains: { 'limits.hop-loop': COUNTED },
  },
  {
    id: 'opensmtpd stock',
    server: 'opensmtpd',
    settings: PLAIN['opensmtpd']?.settings ?? '',
    level: 'active',
    only: [...MANNERS, 'limits'],
    planted: ['hygiene.postmaster-refused', 'hygiene.helo-not-fqdn'],
    quick: ['hygiene.postmaster-refused', 'hygiene.helo-not-fqdn'],
  },
  {
    id: 'opensmtpd open',
    server: 'opensmtpd',
    settings: `listen on ADDRESS hostname mx.lab.test
action "local" mbox alias <aliases>
action "relay" relay
match from any for domain "DOMAIN" action "local"
match from any for any action "relay"`,
    level: 'active',
    only: ['relay', 'configuration.opensmtpd-open-relay'],
    planted: ['relay.n1', 'configuration.opensmtpd-open-relay'],
    quick: ['relay.n1', 'relay.n2', 'configuration.opensmtpd-open-relay'],
  },
  {
    id: 'sendmail stock',
    server: 'sendmail',
    settings: '',
    level: 'active',
    only: [...MANNERS, 'limits', 'plaintext.no-tls', 'relay.etrn'],
    planted: ['users.vrfy', 'users.expn', 'exposure.verb', 'plaintext.no-tls'],
    remains: {
      'users.rcpt': SLOWED,
      'limits.hop-loop': COUNTED,
      'hygiene.helo-bare-address': 'as the cure says',
    },
    quick: ['users.vrfy', 'users.expn', 'plaintext.no-tls', 'exposure.verb'],
  },
  {
    id: 'sendmail old TLS',
    server: 'sendmail',
    settings: `define(\`confCACERT_PATH', \`/etc/ssl/certs')dnl
define(\`confCACERT', \`/etc/ssl/certs/ca-certificates.crt')dnl
define(\`confSERVER_CERT', \`/etc/mail/tls/weak-cert.pem')dnl
define(\`confSERVER_KEY', \`/etc/mail/tls/weak.key')dnl
LOCAL_CONFIG
O CipherList=ALL:@SECLEVEL=0
O ServerSSLOptions=-SSL_OP_NO_TLSv1`,
    only: ['tls'],
    planted: ['tls.tls10'],
    remains: { 'tls.certificate-self-signed': SELF },
  },
  {
    id: 'dovecot in clear',
    server: 'dovecot',
    settings: `protocols = imap pop3
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain anonymous
auth_anonymous_username = alice
login_greeting = Dovecot 2.3.19.1 ready.
imap_id_send = name * version *
auth_failure_delay = 0`,
    level: 'active',
    only: ['plaintext', 'fingerprint', 'configuration', 'parsing', 'users'],
    planted: ['plaintext.imap-login-accepted', 'plaintext.pop3-user-accepted'],
    quick: ['plaintext.imap-login-accepted', 'plaintext.pop3-user-accepted'],
  },
  {
    id: 'dovecot challenges',
    server: 'dovecot',
    settings: `protocols = imap pop3
ssl = required
auth_mechanisms = plain digest-md5 cram-md5 apop`,
    level: 'active',
    only: ['plaintext', 'fingerprint', 'configuration'],
    planted: ['plaintext.digest-md5', 'plaintext.cram-md5'],
  },
  {
    id: 'dovecot old TLS',
    server: 'dovecot',
    settings: `protocols = imap pop3
ssl = required
ssl_min_protocol = TLSv1
ssl_cipher_list = ALL:@SECLEVEL=0
ssl_prefer_server_ciphers = no`,
    only: ['tls', 'configuration'],
    planted: ['tls.tls10'],
    remains: { 'tls.certificate-self-signed': SELF },
    quick: ['tls.tls10', 'tls.tls11'],
  },
  {
    id: 'dovecot LMTP',
    server: 'dovecot',
    settings: `protocols = imap lmtp sieve
ssl = required
service lmtp {
  inet_listener lmtp {
    address = {address}
    port = 24
  }
}`,
    only: ['exposure'],
    planted: ['exposure.lmtp'],
    quick: ['exposure.lmtp'],
  },
];
