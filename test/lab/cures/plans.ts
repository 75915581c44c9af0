/** Weak configurations of real servers: what is found there is cured with the auditor's own lines. */

import type { Level } from '#audit/check.ts';
import { PLAIN } from './plain.ts';

export interface WeakPlan {
  readonly id: string;
  readonly server: string;
  readonly settings: string;
  readonly services?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly level?: Level;
  readonly options?: readonly string[];
  /** Groups or checks that are tried; each check that is found and has lines is cured. */
  readonly only: readonly string[];
  /** Must be found, or the plan shows nothing. */
  readonly planted: readonly string[];
  /** Checks that the lines do not end, and why: the cure says so, or it cannot be shown here. */
  readonly remains?: Readonly<Record<string, string>>;
  /** Controls: lines that are no cure, as they stood there once; the trial must say so. */
  readonly wrong?: readonly { readonly check: string; readonly lines: readonly string[] }[];
  /** What of it is tried in the quick run. */
  readonly quick?: readonly string[];
}

const TLS = `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/cert.pem
smtpd_tls_key_file = /etc/lab/key.pem`;
const SASL = {
  '/etc/postfix/sasl/smtpd.conf': `pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN ANONYMOUS CRAM-MD5 DIGEST-MD5 NTLM
`,
};
const MANNERS = ['hygiene', 'exposure', 'fingerprint', 'users', 'configuration', 'parsing'];
const SLOWED = 'refusing unknown recipients in the session is right: it is only slowed';
const COUNTED = 'hops are counted in the queue: the message is bounced there';
const SELF = 'the certificate of the lab is its own';

export const PLANS: readonly WeakPlan[] = [
  {
    id: 'postfix stock',
    server: 'postfix',
    settings: '',
    level: 'active',
    only: [...MANNERS, 'limits', 'plaintext.no-tls', 'relay.etrn'],
    planted: ['users.vrfy', 'plaintext.no-tls', 'hygiene.early-talker'],
    remains: { 'users.rcpt': SLOWED },
    quick: [
      'users.vrfy',
      'exposure.etrn',
      'plaintext.no-tls',
      'configuration.postfix-bare-newline',
    ],
  },
  {
    id: 'postfix smuggling',
    server: 'postfix',
    settings: '',
    level: 'active',
    only: ['smuggling'],
    planted: ['smuggling.bare-lf'],
  },
  {
    id: 'postfix open',
    server: 'postfix',
    settings: 'mynetworks = 0.0.0.0/0',
    level: 'active',
    only: ['relay', 'configuration'],
    planted: ['relay.n1', 'relay.n12', 'relay.r17', 'configuration.postfix-mynetworks-wide'],
    wrong: [
      // Nothing looks at it where mynetworks is set.
      { check: 'relay.n1', lines: ['mynetworks_style = host'] },
      // Closed, and closed to all mail.
      { check: 'relay.n1', lines: ['smtpd_relay_restrictions = reject'] },
    ],
    quick: ['relay', 'configuration.postfix-mynetworks-wide'],
  },
  {
    id: 'postfix routing',
    server: 'postfix',
    settings: 'relay_domains = partner.test\nallow_untrusted_routing = yes',
    level: 'active',
    options: ['--domain=lab.test,partner.test'],
    only: ['relay', 'configuration.postfix-untrusted-routing'],
    planted: ['relay.r17', 'configuration.postfix-untrusted-routing'],
  },
  {
    id: 'postfix xclient',
    server: 'postfix',
    settings: `mynetworks = 10.0.0.0/8
smtpd_authorized_xclient_hosts = 0.0.0.0/0
smtpd_authorized_xforward_hosts = 0.0.0.0/0`,
    level: 'active',
    only: ['relay', 'configuration.postfix-xclient-open'],
    planted: ['relay.r28', 'relay.stranger-trusted', 'configuration.postfix-xclient-open'],
    quick: ['relay.r28', 'relay.stranger-trusted', 'configuration.postfix-xclient-open'],
  },
  {
    id: 'postfix proxy',
    server: 'postfix',
    settings: 'mynetworks = 10.0.0.0/8\nsmtpd_upstream_proxy_protocol = haproxy',
    level: 'active',
    only: ['relay', 'configuration.postfix-proxy-protocol'],
    planted: ['relay.r28p', 'configuration.postfix-proxy-protocol'],
  },
  {
    id: 'postfix logins in clear',
    server: 'postfix',
    settings: `smtpd_banner = $myhostname ESMTP $mail_name $mail_version
smtpd_sasl_auth_enable = yes
smtpd_sasl_security_options =
smtpd_sasl_local_domain = lab.test
smtpd_sasl_authenticated_header = yes
broken_sasl_auth_clients = yes`,
    files: SASL,
    level: 'active',
    options: ['--account=alice@lab.test'],
    only: ['plaintext', 'configuration', 'fingerprint', 'hygiene.auth-before-ehlo'],
    planted: [
      'plaintext.smtp-auth-accepted',
      'plaintext.anonymous-accepted',
      'configuration.postfix-auth-in-clear',
    ],
    quick: ['plaintext.smtp-auth-accepted', 'plaintext.smtp-auth-offered'],
  },
  {
    id: 'postfix old TLS',
    server: 'postfix',
    settings: `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/cert.pem
smtpd_tls_key_file = /etc/lab/key.pem
smtpd_tls_protocols = >=TLSv1
smtpd_tls_mandatory_protocols = >=TLSv1
smtpd_tls_ciphers = low
smtpd_tls_mandatory_ciphers = low
tls_low_cipherlist = ALL:@SECLEVEL=0`,
    only: ['tls', 'configuration'],
    planted: ['tls.tls10', 'tls.anonymous-cipher'],
    remains: { 'tls.certificate-self-signed': SELF, 'tls.sha1-signature': 'as the cure says' },
    quick: ['tls.tls10', 'tls.tls11'],
  },
  {
    id: 'postfix submission',
    server: 'postfix',
    settings: `${TLS}
smtpd_sasl_local_domain = lab.test`,
    services: `{address}:587 inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject_unauth_destination`,
    files: SASL,
    level: 'active',
    options: ['--account=alice@lab.test'],
    only: ['relay.r32', 'exposure'],
    planted: ['relay.r32', 'exposure.submission-without-login'],
  },
  {
    id: 'postfix bounces',
    server: 'postfix',
    settings: 'local_recipient_maps =',
    level: 'active',
    only: ['relay.backscatter', 'configuration'],
    planted: ['configuration.postfix-accept-then-bounce'],
  },
  {
    id: 'postfix limits',
    server: 'postfix',
    settings: `message_size_limit = 0
mailbox_size_limit = 0
smtpd_hard_error_limit = 2000
smtpd_soft_error_limit = 1500
hopcount_limit = 300
smtpd_recipient_limit = 20`,
    level: 'active',
    only: ['limits', 'configuration'],
    planted: ['limits.size-unlimited', 'configuration.postfix-no-size-limit'],
  },
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
    id: 'postfix expired certificate',
    server: 'postfix',
    settings: `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/expired.pem
smtpd_tls_key_file = /etc/lab/expired.key`,
    only: ['tls.certificate-expired'],
    planted: ['tls.certificate-expired'],
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
