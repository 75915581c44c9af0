/** Weak configurations of Postfix. */

import { MANNERS, SELF, SLOWED, type WeakPlan } from './weak.ts';

const TLS = `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/cert.pem
smtpd_tls_key_file = /etc/lab/key.pem`;
const SASL = {
  '/etc/postfix/sasl/smtpd.conf': `pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN ANONYMOUS CRAM-MD5 DIGEST-MD5 NTLM
`,
};

export const POSTFIX: readonly WeakPlan[] = [
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
unknown_local_recipient_reject_code = 450
smtpd_recipient_limit = 20`,
    level: 'active',
    only: ['limits', 'configuration'],
    planted: [
      'limits.size-unlimited',
      'configuration.postfix-no-size-limit',
      'configuration.postfix-unknown-450',
    ],
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
    id: 'postfix unrestricted',
    server: 'postfix',
    settings: `smtpd_relay_restrictions =
smtpd_recipient_restrictions = permit, reject_unauth_destination`,
    only: ['configuration.postfix-relay-unrestricted'],
    planted: ['configuration.postfix-relay-unrestricted'],
  },
  {
    id: 'postfix small group',
    server: 'postfix',
    settings: `smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/lab/rsa-1024.pem
smtpd_tls_key_file = /etc/lab/rsa-1024.key
smtpd_tls_ciphers = low
tls_low_cipherlist = ALL:@SECLEVEL=0`,
    only: ['tls.dh-small', 'tls.certificate-key-small', 'tls.certificate-weak-signature'],
    planted: ['tls.dh-small', 'tls.certificate-key-small'],
    remains: {
      'tls.dh-small': 'OpenSSL makes the prime as strong as the key: that is cured first',
    },
  },
];
